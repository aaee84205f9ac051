"""Whether a predicted value stands in its document: checked against the text, not believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ValueSupport
from extractor.evaluation.scoring.schema import LeafNode
from extractor.extraction.comparison.amounts import parse_plain_number, parse_plain_quantity
from extractor.extraction.comparison.comparators import canonicalise_name, spell_number
from extractor.extraction.comparison.dates import PRESENT_WORDS, is_date_mentioned, parse_plain_date
from extractor.extraction.comparison.text import split_plain_words, strip_markup, strip_punctuation
from extractor.schema.annotations import Kind
from extractor.types import Json

CharacterRange = tuple[int, int]

_NUMBER = re.compile(r"\d+(?:[.,' ]\d+)*", re.ASCII)
_NUMBER_BREAKS = (re.compile(" "), re.compile("[ ,]"), re.compile("[ ,.']"))
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/*")


@dataclass(frozen=True, slots=True)
class EvidenceClaim:
    """The evidence that a result claims for a value."""

    match: str | None = None
    spans: tuple[CharacterRange, ...] = ()
    confidence: float | None = None


NO_CLAIM = EvidenceClaim()


class ResultEvidence:
    """The text of one result and the evidence that it claims; whatever is malformed in it counts as not there."""

    def __init__(self, result: Mapping[str, Json] | None) -> None:
        document = result.get("document") if result else None
        evidence = result.get("evidence") if result else None
        text = document.get("text") if isinstance(document, dict) else None
        self.text: str | None = text if isinstance(text, str) else None
        self.evidence: Mapping[str, Json] = evidence if isinstance(evidence, dict) else {}

    def find_claim(self, path: str) -> EvidenceClaim:
        entry = self.evidence.get(path)
        if not isinstance(entry, dict):
            return NO_CLAIM
        match, sure = entry.get("match"), entry.get("confidence")
        spans = tuple((span["start"], span["end"]) for span in _list_valid_spans(entry))
        if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 1:
            sure = None
        return EvidenceClaim(match if isinstance(match, str) else None, spans, None if sure is None else float(sure))

    def judge_support(
        self, leaf: LeafNode, value: Json, path: str, gold: tuple[CharacterRange, ...] = ()
    ) -> ValueSupport:
        """Where the value stands; `gold` are the spans that gold has for it, if any.

        SUPPORTED: a claimed span quotes the text as it is, the value can be read in it, and it meets a gold span.
        ELSEWHERE: the value can be read in the text, but no claimed span passes. UNSUPPORTED: neither. A choice of a
        list (enum) and true or false need not be written anywhere: for them a true quotation is enough, and true or
        false without one are UNKNOWN.
        """
        if self.text is None or isinstance(value, dict | list):
            return ValueSupport.UNKNOWN
        entry = self.evidence.get(path)
        checked = (
            [span for span in _list_valid_spans(entry) if self._span_supports(leaf, value, span)]
            if isinstance(entry, dict)
            else []
        )
        if checked:
            near = not gold or any(one["start"] < end and start < one["end"] for one in checked for start, end in gold)
            return ValueSupport.SUPPORTED if near else ValueSupport.ELSEWHERE
        if isinstance(value, bool):
            return ValueSupport.UNKNOWN
        return ValueSupport.ELSEWHERE if is_value_in_text(leaf, value, self.text) else ValueSupport.UNSUPPORTED

    def _span_supports(self, leaf: LeafNode, value: Json, span: Mapping[str, Json]) -> bool:
        start, end, quote = span["start"], span["end"], span.get("quote")
        if self.text is None or not 0 <= start < end <= len(self.text):
            return False
        there = self.text[start:end]
        if quote is not None and quote != there:
            return False
        return leaf.kind in (Kind.ENUM, Kind.BOOLEAN) or is_value_in_text(leaf, value, there)


@dataclass(frozen=True, slots=True)
class SpanOverlap:
    """How claimed spans cover gold's, in characters."""

    shared: int = 0
    claimed: int = 0
    gold: int = 0

    @property
    def precision(self) -> float | None:
        return self.shared / self.claimed if self.claimed else None

    @property
    def recall(self) -> float | None:
        return self.shared / self.gold if self.gold else None


def measure_span_overlap(cells: Iterable[ScoreCell], golds: Iterable[Gold]) -> SpanOverlap:
    """Claimed against gold spans, leaf by leaf, over all leaves that gold has spans for and that are scored.

    A leaf that was omitted, or predicted without a span, adds gold characters and no claimed ones.
    """
    known = {gold.document: gold.spans for gold in golds}
    shared = claimed = there = 0
    for cell in cells:
        gold = known.get(cell.document, {}).get(cell.gold_path or "", ())
        if gold and cell.outcome is not LeafOutcome.UNSCORED:
            gold_ranges, claimed_ranges = _join_ranges(gold), _join_ranges(cell.spans)
            shared += sum(max(0, min(b, d) - max(a, c)) for a, b in gold_ranges for c, d in claimed_ranges)
            claimed += sum(end - start for start, end in claimed_ranges)
            there += sum(end - start for start, end in gold_ranges)
    return SpanOverlap(shared, claimed, there)


def _join_ranges(places: Iterable[CharacterRange]) -> list[CharacterRange]:
    """The same characters as ranges that do not overlap; what is no range is left out."""
    out: list[CharacterRange] = []
    for start, end in sorted(place for place in places if place[0] < place[1]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def _list_valid_spans(entry: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    spans = entry.get("spans")
    return [
        span
        for span in (spans if isinstance(spans, list) else [])
        if isinstance(span, dict) and type(span.get("start")) is int and type(span.get("end")) is int
    ]


def is_value_in_text(leaf: LeafNode, value: str | int | float, text: str) -> bool:
    """Whether the value can be read in the text, by the rule of its kind.

    Dates: see `dates.is_date_mentioned`. Numbers: a number of the same value, whatever its sign, since a dash before a
    number may be one or not. Quantities: their words, or their number. All else: its words in sequence, or, from eight
    letters on, its letters in sequence, since a text may break a word.
    """
    words = value if isinstance(value, str) else spell_number(value)
    if leaf.kind is Kind.DATE:
        date = parse_plain_date(strip_punctuation(words))
        if date is not None:
            return _mentions_present(text) if isinstance(date, str) else is_date_mentioned(date, text)
    if leaf.kind in (Kind.NUMBER, Kind.INTEGER, Kind.QUANTITY) or not isinstance(value, str):
        quantity = parse_plain_quantity(strip_punctuation(words))
        if quantity is not None and quantity[0].copy_abs() in _find_number_readings(text):
            return True
    if leaf.kind is Kind.NAME and f" {' '.join(split_plain_words(canonicalise_name(words)))} " in _join_name_words(
        text
    ):
        return True
    sought = split_plain_words(_SCHEME.sub("", strip_markup(words)) if leaf.kind is Kind.URL else words)
    if not sought:
        return strip_markup(words) in strip_markup(text)
    if f" {' '.join(sought)} " in _join_words(text):
        return True
    letters = "".join(sought)
    return len(letters) >= 8 and letters in _join_letters(text)


@lru_cache(maxsize=64)
def _join_words(text: str) -> str:
    return f" {' '.join(split_plain_words(text))} "


@lru_cache(maxsize=64)
def _join_letters(text: str) -> str:
    return "".join(split_plain_words(text))


@lru_cache(maxsize=64)
def _join_name_words(text: str) -> str:
    return f" {' '.join(split_plain_words(canonicalise_name(text.replace(',', ' '))))} "


@lru_cache(maxsize=64)
def _find_number_readings(text: str) -> frozenset[Decimal]:
    """The numbers of the text, and those that a longer run of digits, points and spaces may be made of."""
    numerals = set(_NUMBER.findall(strip_markup(text)))
    parts = (
        {part for one in numerals for pattern in _NUMBER_BREAKS for part in pattern.split(one)}
        if numerals
        else numerals
    )
    found = (Decimal(one) if one.isdigit() else parse_plain_number(one) for one in numerals | parts)
    return frozenset(one for one in found if one is not None)


@lru_cache(maxsize=64)
def _mentions_present(text: str) -> bool:
    words = _join_words(text)
    return any(f" {' '.join(split_plain_words(one))} " in words for one in PRESENT_WORDS)
