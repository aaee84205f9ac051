"""Where a page says a value: every mention of it, how strictly it matches, and the value as the words have it.

The model copies, code normalises: what goes into a record is the words found, cleaned of markup and brought to the
form of their kind, not the model's spelling of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from rapidfuzz import fuzz

from extractor.extraction.grounding.kind_index import KindIndex
from extractor.extraction.grounding.near_words import is_code, trim_alignment, widen_to_words, words_with_digits
from extractor.extraction.text.abbreviations import extend_over_abbreviation
from extractor.extraction.text.dates import PRESENT, DateMention, find_dates, joins_dates, parse_date
from extractor.extraction.text.names import strip_titles
from extractor.extraction.text.normalize import FoldedText, clean_words, fold_text
from extractor.extraction.text.outline import Keywords, Outline, is_list_item
from extractor.extraction.text.patterns import (
    find_candidates,
    find_formed_candidates,
    parse_number,
    parse_only_number,
)
from extractor.extraction.text.yes_no import find_statements
from extractor.schema.annotations import Kind
from extractor.schema.kinds import denied
from extractor.schema.kinds.boxes import is_unticked
from extractor.schema.kinds.figures import to_json
from extractor.schema.kinds.wholes import is_part, is_running_word
from extractor.schema.reader import Scalar
from extractor.types import Chunk, Json, Match, Span

FUZZY_FROM = 20
"""Folded characters below which a near match proves nothing (half of such hits were wrong: rapidfuzz, 240 quotes)."""
FUZZY_SCORE = 90.0
MAX_FUZZY_TEXT, MAX_FUZZY_LOOKS = 100_000, 400
"""Folded characters of a text in which near matches are looked for, and how often: each look takes its whole length
for each 64 characters that are looked for."""
_UNIT = re.compile(r"\s?(?:%|‰|×|\\?\\times\b|[xX]\b)")
LABEL_REACH = 80
"""Characters before a link's target that are looked at for its label."""
_LABEL = re.compile(r"\[[^\[\]\n]*\]\($")
MAX_STRAY_LETTERS = 2
"""Letters beside a date that still leave it one."""
MAX_MENTIONS = 64
"""Mentions of one value that are weighed against each other where a model repairs nothing by itself, and where a text
repeats itself all over; else all are, since a table has as many rows as it has."""


T = TypeVar("T")
_FORMED = frozenset({Kind.DATE, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN})


@dataclass(frozen=True, slots=True)
class Mention:
    """One mention that supports a value; positions are those of the chunk's text."""

    value: Json
    span: Span
    match: Match
    rule: str = ""
    """How the value follows from the words, where it does not stand there as it is."""


class TextIndex:
    """A chunk prepared for looking things up in it. `kinds` is the index of its document, which is made without one."""

    def __init__(self, chunk: Chunk, kinds: KindIndex | None = None, *, kinds_first: bool = False) -> None:
        self.chunk = chunk
        self.kinds = kinds or KindIndex(chunk.document)
        self.kinds_first = kinds_first
        self.text = chunk.text
        self._fuzzy_looks = MAX_FUZZY_LOOKS
        self._mentions_left = len(self.text) // 2 + 100 * MAX_MENTIONS if kinds_first else 0
        self._formed: dict[tuple[Kind, str], list[Span]] = {}

    @cached_property
    def folded(self) -> FoldedText:
        return FoldedText(self.text)

    @cached_property
    def folded_words(self) -> FoldedText:
        return self.folded.without_punctuation

    @cached_property
    def outline(self) -> Outline:
        return Outline(self.text)

    @cached_property
    def dates(self) -> list[DateMention]:
        return list(find_dates(self.text, day_first=self.kinds.writes_day_first))

    @cached_property
    def addresses(self) -> list[Span]:
        return list(find_candidates(Kind.URL, self.text))

    @cached_property
    def _title_start(self) -> int:
        """Where the document's first words stand, in the chunk's positions."""
        text = self.chunk.document.text
        return len(text) - len(text.lstrip(" \t\r\n#*_=-")) - self.chunk.span.start

    def is_title(self, span: Span) -> bool:
        """Whether nothing stands before the span in the document."""
        return span.start <= self._title_start

    def find_mentions(self, node: Scalar, said: Json) -> list[Mention]:
        """Every mention that supports what was said, in order; empty when nothing does."""
        if node.timed or (self.kinds_first and node.kind in _FORMED):
            return self._find_by_kind(node, said)
        if node.enum:
            return self._find_ticked(node, said)
        return self._find_written(node, said) or self._find_by_kind(node, said)

    def _find_ticked(self, node: Scalar, said: Json) -> list[Mention]:
        """Mentions of a choice, but for the words beside a box that was left empty."""
        for find in (self._find_written, self._find_by_kind):
            if found := [m for m in find(node, said) if not is_unticked(self.text, m.span)]:
                return found
        return []

    def denies(self, node: Scalar, said: Json, words: Span | None) -> bool:
        """Whether the clause of a text's words denies it; of a choice without words, whether it stands beside empty
        boxes alone, where another one of their question is ticked."""
        if words is not None:
            return isinstance(said, str) and not node.enum and denied(self.text, words)
        return bool(node.enum) and bool(self._find_written(node, said) or self._find_by_kind(node, said))

    def _cap(self, found: Sequence[T]) -> Sequence[T]:
        """As many of what was found as are weighed."""
        most = max(self._mentions_left, MAX_MENTIONS)
        self._mentions_left -= min(len(found), most)
        return found[:most]

    def _find_by_kind(self, node: Scalar, said: Json) -> list[Mention]:
        """Mentions that are the value by its kind: a number or date written otherwise, a code, an answer to a label."""
        by = self.chunk.span.start
        found = self.kinds.find(node, said, self.chunk.span)
        if not self.kinds_first:
            found = [m for m in found if not m.rule] or found
        if node.kind is Kind.NAME:  # a name inside an address proves nobody
            found = [m for m in found if not self._is_in_address(m.span.shift(-by))]
        said = self.kinds.normalise(node, said) if node.timed else said
        return [
            Mention(said, m.span.shift(-by), Match.DERIVED if m.rule else Match.NORMALISED, m.rule)
            for m in self._cap(found)
        ]

    def _find_written(self, node: Scalar, said: Json) -> list[Mention]:
        match node.kind:
            case Kind.DATE:
                return self._find_date_mentions(node, str(said))
            case Kind.INTEGER | Kind.NUMBER:
                return self._find_number_mentions(node, said)
            case Kind.BOOLEAN:
                return [Mention(said, span, Match.DERIVED) for span in find_statements(self.text, node.label, said)]
        if node.kind is Kind.QUANTITY and not _digits_of(str(said)):
            return []
        words = strip_titles(str(said)) if node.kind is Kind.NAME else str(said)
        if spans := [self._extend_to_end(node, span) for span in self.folded.find_quote(words)]:
            return [self._text_mention(node, span, words) for span in self._cap(self._select_spans(node, words, spans))]
        spans = self._find_unpunctuated(node, words)
        match = Match.NORMALISED
        if not spans:
            spans, match = self._find_fuzzy(node, words), Match.FUZZY
        kept = self._cap(self._select_spans(node, words, spans))
        return [Mention(clean_words(self.text[s.start : s.end]), s, match) for s in kept]

    def _select_spans(self, node: Scalar, words: str, spans: list[Span]) -> list[Span]:
        """Those that may be the value: outside of addresses where any is, and of a name those that are one."""
        spans = [s for s in spans if not is_running_word(self.text, s.start, s.end, words)]
        if node.kind not in (Kind.URL, Kind.EMAIL):  # an address spells the name of what it leads to, in its own way
            spans = [s for s in spans if not self._is_in_address(s)] or spans
        if node.kind is Kind.NAME:
            texts = [(s, self.text[s.start : s.end]) for s in spans]
            if " " in words:  # a name inside an address proves nobody
                texts = [(s, text) for s, text in texts if any(c.isspace() for c in text)]
            spans = [s for s, text in texts if not (_digits_of(text) and _digits_of(clean_words(text)))]
        return spans

    def fit_to_declaration(self, node: Scalar, mentions: Sequence[Mention]) -> list[Mention]:
        """Those that are what the schema declares: an address; of its pattern, made whole; an item of a list."""
        found = [m for m in mentions if self.kinds.is_of_kind(node, m.value)]
        if node.pattern:
            found = [formed for m in found if (formed := self._fit_to_form(node, node.pattern, m))]
        if node.list_item_only:
            found = [m for m in found if is_list_item(self.text, m.span)]
        return found

    def find_formed_mentions(self, node: Scalar) -> list[Mention]:
        """Every mention of the leaf's declared form, in order, that has one of the words it is known by."""
        if node.kind is Kind.DATE:
            return [
                self._date_mention(node, d, "")
                for d in self.dates
                if d.iso != PRESENT and not self._is_in_address(d.span)
            ]
        spans = find_formed_candidates(node.kind, node.pattern, self.text)
        cues = Keywords(node.locate_by_position or ())
        return [
            self._text_mention(node, s, clean_words(self.text[s.start : s.end]))
            for s in spans
            if cues.occur_in(self._with_label(s))
        ]

    def _with_label(self, span: Span) -> str:
        """The words, with the label of the link that they are the target of."""
        label = _LABEL.search(self.text, max(0, span.start - LABEL_REACH), span.start)
        return (label[0] if label else "") + self.text[span.start : span.end]

    def _is_in_address(self, span: Span) -> bool:
        before = bisect_right(self.addresses, span.start, key=lambda a: a.start)
        return before > 0 and span.within(self.addresses[before - 1])

    def _fit_to_form(self, node: Scalar, pattern: str, place: Mention) -> Mention | None:
        """The mention, if what is wanted is in it; made as long as the words that are, where it is a part of them.

        Of "7 days of rest" a model says the number alone, or "days of rest".
        """
        if re.search(pattern, str(place.value)):
            return place
        if (node.kind, pattern) not in self._formed:
            self._formed[node.kind, pattern] = list(find_formed_candidates(node.kind, pattern, self.text))
        near = self._formed[node.kind, pattern]
        before = bisect_right(near, place.span.start, key=lambda s: s.start) - 1
        if before < 0 or not place.span.within(near[before]):
            return None
        return self._text_mention(node, near[before], "")

    def _extend_to_end(self, node: Scalar, span: Span) -> Span:
        """Words with the abbreviation that follows, a quantity with the sign of its unit that follows its number."""
        if node.kind is Kind.TEXT and not node.enum:
            return extend_over_abbreviation(self.text, span)
        if node.kind is not Kind.QUANTITY or not self.text[span.end - 1].isdigit():
            return span
        unit = _UNIT.match(self.text, span.end)
        return Span(span.start, unit.end()) if unit else span

    def _text_mention(self, node: Scalar, span: Span, said: str) -> Mention:
        source = self.text[span.start : span.end]
        value = _match_choice(node, said) if node.enum else clean_words(source)
        return Mention(value, span, Match.EXACT if source == said else Match.NORMALISED)

    def _find_unpunctuated(self, node: Scalar, said: str) -> list[Span]:
        """Mentions that differ in the punctuation between words, as an address that was written on three lines does."""
        if node.enum:
            return []
        return [self._extend_to_full_stop(span, said) for span in self.folded_words.find_quote(said)]

    def _extend_to_full_stop(self, span: Span, said: str) -> Span:
        """With the full stop that both the model and the text have at the end."""
        stop = said.endswith(".") and self.text.startswith(".", span.end)
        return Span(span.start, span.end + stop)

    def _find_fuzzy(self, node: Scalar, said: str) -> list[Span]:
        wanted = fold_text(said)
        if node.enum or is_code(said) or not FUZZY_FROM <= len(wanted) <= len(self.folded.folded) <= MAX_FUZZY_TEXT:
            return []
        self._fuzzy_looks -= 1 + len(wanted) // 64
        if self._fuzzy_looks < 0:
            return []
        hit = fuzz.partial_ratio_alignment(wanted, self.folded.folded, score_cutoff=FUZZY_SCORE)
        if hit is None or hit.dest_end <= hit.dest_start:
            return []
        start, end = trim_alignment(wanted, self.folded.folded, hit.dest_start, hit.dest_end)
        span = widen_to_words(self.text, self.folded.source_span(start, end))
        same = words_with_digits(self.text[span.start : span.end]) == words_with_digits(said)
        return [span] if same and not is_part(self.text, span.start, span.end) else []

    def _find_date_mentions(self, node: Scalar, said: str) -> list[Mention]:
        """Mentions of just this date; without any, those that say it more precisely."""
        iso = parse_date(said, day_first=self.kinds.writes_day_first)
        if iso is None:
            return []
        precise = [d for d in self.dates if d.iso == iso] or [d for d in self.dates if d.iso.startswith(f"{iso}-")]
        return [self._date_mention(node, date, said) for date in precise]

    def _date_mention(self, node: Scalar, date: DateMention, said: str) -> Mention:
        source = self.text[date.span.start : date.span.end]
        value = " ".join(source.split()) if node.verbatim else date.iso
        match = Match.DERIVED if date.derived else Match.EXACT if source == said else Match.NORMALISED
        return Mention(value, date.span, match)

    def ends_of_ranges(self) -> frozenset[Span]:
        """Dates that are one end of a span of time: what happened on one day happened on neither."""
        return frozenset(d.span for d in self.dates if d.ranged)

    def date_in(self, span: Span) -> DateMention | None:
        """The date that the words are, but for a few letters that stuck to it; None where they say more."""
        for date in self.dates:
            if span.start <= date.span.start and date.span.end <= span.end and not date.derived:
                said = sum(not c.isspace() for c in self.text[span.start : span.end])
                return date if said <= len(date.span) + MAX_STRAY_LETTERS else None
        return None

    def strip_trailing_date(self, span: Span) -> Span | None:
        """The words before a date that ends them, if they are followed by more than a year: "Ode, May 2020 – 2021".

        A year alone is part of many a name: "World Cup 2022".
        """
        inside = [d for d in self.dates if d.span.within(span) and not d.derived]
        end = span.end
        for date in reversed(inside):
            between = self.text[date.span.end : end]
            if between.strip(" \t\n)].,;") and not joins_dates(between):
                break
            bracketed = self.text[: date.span.start].endswith(("(", "["))
            if not (date.ranged or bracketed or "-" in date.iso):
                break
            end = date.span.start
        words = self.text[span.start : end].rstrip(" \t\n,;:([-\u2013\u2014")
        whole = words.count("(") == words.count(")")  # "Pass (not before 5/2020)" says more than a date there
        return Span(span.start, span.start + len(words)) if end < span.end and words and whole else None

    def _find_number_mentions(self, node: Scalar, said: Json) -> list[Mention]:
        if isinstance(said, str):
            return self._match_number(node, said, parse_only_number(said, comma=self.kinds.uses_decimal_comma))
        # a number that is one already has its point where JSON has it, unless it copies "1.164,00" up to its comma
        found = self._match_number(node, said, parse_number(str(said)))
        if not found and self.kinds.uses_decimal_comma and isinstance(said, float):
            return self._match_number(node, said, parse_number(f"{said:.3f}", comma=True))
        return found

    def _match_number(self, node: Scalar, said: Json, wanted: Decimal | None) -> list[Mention]:
        places = []
        for span in find_candidates(node.kind, self.text):
            source = self.text[span.start : span.end]
            value = parse_number(source, comma=self.kinds.uses_decimal_comma)
            if wanted is None or value != wanted:
                continue
            typed: Json = source if node.type == "string" else int(value) if node.type == "integer" else to_json(value)
            places.append(Mention(typed, span, Match.EXACT if source == str(said) else Match.NORMALISED))
        return [p for p in places if p.match is Match.EXACT] or places


def _match_choice(node: Scalar, said: str) -> Json:
    """The choice that was meant, as the schema spells and types it."""
    return next((v for v in node.enum if fold_text(str(v)) == fold_text(said)), said)


def _digits_of(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
