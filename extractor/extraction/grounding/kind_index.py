"""A document's values by kind: scanned once, then looked up by what a model said, however the document writes it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from extractor.extraction.text.dates import detect_day_first
from extractor.extraction.text.patterns import uses_decimal_comma
from extractor.schema.annotations import Kind
from extractor.schema.kinds import (
    KINDS,
    BooleanKind,
    Folded,
    Reading,
    ValueMention,
    fold,
    index,
    select_within,
    support_within,
)
from extractor.schema.kinds.abbreviated import find_abbreviated
from extractor.schema.kinds.choice_mentions import find_said_otherwise
from extractor.schema.kinds.choices import find_choice
from extractor.schema.kinds.joined_parts import find_joined
from extractor.schema.kinds.moments import TIME_ELSEWHERE
from extractor.schema.kinds.parted_names import find_parted_name
from extractor.schema.kinds.wholes import is_part, is_running_word
from extractor.schema.kinds.words import SURNAME_FIRST
from extractor.schema.reader import Scalar
from extractor.types import Document, Json, Span

_OF_SCALAR: Mapping[Kind, tuple[str, ...]] = {
    Kind.INTEGER: ("integer", "number"),
    Kind.NUMBER: ("number",),
    Kind.DATE: ("date", "datetime"),
    Kind.QUANTITY: ("quantity", "number"),
    Kind.URL: ("url",),
    Kind.EMAIL: ("email",),
}
"""What the values of a declared kind are looked up as."""
_OF_WORDS = (
    "date",
    "datetime",
    "iban",
    "phone",
    "email",
    "url",
    "currency",
    "country",
    "language",
    "money",
    "quantity",
    "number",
)
"""What a text is looked up as, where its own words are not found: an ISO date in a text field, a code, a number."""
_FIGURES, _NAMES, _ADDRESSES = ("number", "quantity", "money"), ("currency", "country", "language"), ("email", "url")
LONGEST_FORM = 200
"""Characters of a text beyond which it is words and nothing else: no date, code or number takes so many."""
_HAS_DIGIT = re.compile(r"\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.A)
_CODE = re.compile(r"[A-Za-z0-9](?:[ ./-]?[A-Za-z0-9]){4,40}")
SHORTEST_CODE, FEWEST_DIGITS = 6, 5
"""Letters and digits of a code, and digits, from which on the marks between them do not matter."""
_LOOKS_LIKE = {"0": "[0O]", "1": "[1Il|]"}
"""Letters that a reader of scans takes for figures of a code."""
MOST_CODE_CHARACTERS = 8_000_000
"""Characters of a document that are gone through for codes, all leaves together."""
_ADDRESS_OF_CODE = re.compile(r"https?://(?:[\w-]{1,20}\.)?([\w-]{3,40})\.[a-z]{2,8}/([\w./-]{7,100})", re.I)
BESIDE = 30
"""Characters before a code in which what it is a code of is named: "ORCID: 0000-…"."""
_MAY_BE_PERSON = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-])*\.?(?:,? [^\W\d_](?:[^\W\d_]|['’-])*\.?){1,3}")
"""Two to four words, which may stand in the text with the last before the first: "Smith, John A."."""
_WORD = re.compile(r"[^\W\d_]+")


class KindIndex:
    """The values of one document, which its questions share. Spans are those of its text; what is hidden is not in it.

    `day_first` settles 03/04/2024, where it is known.
    """

    def __init__(self, document: Document, day_first: bool | None = None) -> None:
        self.text = document.visible_text(Span(0, len(document.text))) if document.text else ""
        self.reading = Reading.of(self.text, day_first=day_first)
        self._by_kind: dict[str, dict[Hashable, list[ValueMention]]] = {}
        self._places: dict[str, list[Span]] = {}
        self._code_characters = MOST_CODE_CHARACTERS
        self._about: dict[tuple[str, Json], list[ValueMention]] = {}

    @cached_property
    def folded(self) -> Folded:
        return Folded(self.text)

    @cached_property
    def writes_day_first(self) -> bool:
        """How the text writes all-number dates, as the patterns for small models see it."""
        return detect_day_first(self.text)

    @cached_property
    def uses_decimal_comma(self) -> bool:
        """Whether the text writes decimals behind a comma, as the patterns for small models see it."""
        return uses_decimal_comma(self.text)

    def mentions_of_kind(self, name: str) -> dict[Hashable, list[ValueMention]]:
        """Every mention of a kind by its key; the text is scanned when it is first asked for."""
        if name not in self._by_kind:
            self._by_kind[name] = index(KINDS[name].find(self.text, self.reading))
        return self._by_kind[name]

    def find(self, node: Scalar, value: Json, within: Span) -> list[ValueMention]:
        """The mentions inside `within` that support a value of the scalar; of the first kind that has any."""
        if node.kind is Kind.BOOLEAN:
            return list(select_within(self.find_about(node.label, self.normalise(node, value)), within))
        if (node.timed or node.kind is Kind.TEXT) and (moment := _read_moment(value)):
            return self._find_moment(moment, within)
        for name in self.kinds_of(node, value):
            found = list(self._support(name, value, within))
            if node.kind not in _OF_SCALAR and name in _FIGURES:
                found = [m for m in found if self._keeps_zeros(m.span, str(value))]
            if name in _NAMES:
                found = [m for m in found if not is_part(self.text, m.span.start, m.span.end)]
            if found:
                return found
        if node.enum:
            durations = partial(self.mentions_of_kind, "duration")
            said = find_said_otherwise(self.text, node.label, node.enum, value, durations)
            return [m for m in said if m.span.within(within)]
        if node.kind in (Kind.URL, Kind.TEXT) and (code := _read_code_in_address(str(value))):
            return list(self._find_code_of_address(*code, within))
        if node.kind not in (Kind.TEXT, Kind.NAME):
            return []
        if _MAY_BE_PERSON.fullmatch(str(value)):
            turned = [m for m in self._support("name", value, within) if m.rule == SURNAME_FIRST]
            if turned or (turned := list(self._find_parted(str(value), within))):
                return turned
        if node.kind is Kind.NAME:
            return []
        words = str(value)
        return (
            list(self._find_code(words, within))
            or list(self._find_shortened(words, within))
            or list(self._find_joined(words, within))
        )

    def _find_shortened(self, said: str, within: Span) -> Iterator[ValueMention]:
        """Where words stand abbreviated, or spelled out."""
        if len(said) > LONGEST_FORM or not self._afford(within):
            return
        for span in find_abbreviated(self.text, said, within):
            yield ValueMention(span, said, "abbreviated")

    def _find_joined(self, said: str, within: Span) -> Iterator[ValueMention]:
        """Where the parts of a text stand in cells or under labels, one behind the other."""
        if self._afford(within):
            yield from (ValueMention(span, said, "joined of parts") for span in find_joined(self.text, said, within))

    def _find_parted(self, said: str, within: Span) -> Iterator[ValueMention]:
        """Where the parts of a person's name stand under labels of their own."""
        if self._afford(within):
            for span in find_parted_name(self.text, said, within):
                yield ValueMention(span, said, "parts under labels")

    def _find_code_of_address(self, host: str, path: str, within: Span) -> Iterator[ValueMention]:
        """Where a code stands behind the name of what its address leads to: "doi:10.1000/xyz12345"."""
        for span in self._find_words(fold(path)):
            if span.within(within) and host in self.text[max(0, span.start - BESIDE) : span.start].casefold():
                yield ValueMention(span, path, "address of a code")

    def _afford(self, within: Span) -> bool:
        """Whether a text may be gone through once more for a single value."""
        self._code_characters -= within.end - within.start
        return self._code_characters >= 0

    def _find_code(self, said: str, within: Span) -> Iterator[ValueMention]:
        """Where a code stands with other marks between its letters and digits: "CHE-123.456.789" is CHE123456789."""
        signs = [c for c in said if c.isalnum()]
        if not (
            _CODE.fullmatch(said) and len(signs) >= SHORTEST_CODE and sum(c.isdigit() for c in signs) >= FEWEST_DIGITS
        ):
            return
        if not self._afford(within):
            return
        pattern = (
            r"(?<![^\W_])(?<![^\W_][-./])"
            + r"[ ./\u00a0-]?".join(_LOOKS_LIKE.get(c, c) for c in signs)
            + r"(?![-./]?[^\W_])"
        )
        for m in re.finditer(pattern, self.text[within.start : within.end], re.I):
            span = Span(*m.span()).shift(within.start)
            if not is_part(self.text, span.start, span.end) and 2 * _count_digits(m[0]) >= _count_digits(said):
                yield ValueMention(span, said, "other marks between")

    def kinds_of(self, node: Scalar, value: Json) -> Iterator[str]:
        if node.kind in _OF_SCALAR:
            yield from _OF_SCALAR[node.kind]
            return
        words = str(value)
        if node.kind is Kind.NAME:
            if not _HAS_DIGIT.search(words):  # nobody is called "h-index19"
                yield "name"
            return
        yield "enum" if node.enum else "text"
        if len(words) > LONGEST_FORM:
            return
        if addresses := [one for one in _ADDRESSES if KINDS[one].normalise(words, self.reading) is not None]:
            yield from addresses  # "https://a.org/2020/" is no year
            return
        if _is_day(words):  # "2024-03-03" holds the number 2024, which proves no day
            yield from ("date", "datetime")
            return
        for name in ("time", "duration") if node.to_the_day else ("time", "duration", "period"):
            if KINDS[name].normalise(words, self.reading) is not None:
                yield name
                return
        for name in _OF_WORDS:
            if name in _FIGURES and not _is_only(name, words):
                continue
            has_digit = _HAS_DIGIT.search(words) is not None
            if name in _ADDRESSES or has_digit != (name in _NAMES):  # "EUR 12.50" is an amount, and no currency
                yield name
            if name == "money" and has_digit and _WORD.search(words) and _is_only("number", words):
                return  # its figure beside another currency is another amount

    def _find_moment(self, moment: str, within: Span) -> list[ValueMention]:
        """Mentions of a date with a time; of its date where no time stands beside it, but the time stands elsewhere."""
        found = list(self._support("datetime", moment, within))
        whole = [m for m in found if TIME_ELSEWHERE not in m.rule]
        if whole or next(self._support("time", moment[11:19], within), None) is None:
            return whole
        return found

    def _support(self, name: str, value: Json, within: Span) -> Iterator[ValueMention]:
        kind = KINDS[name]
        if name in ("text", "enum", "name"):
            for key, rule in kind.keys(value):
                places = self._find_words(str(key))
                first = bisect_left(places, within.start, key=_start_of)
                last = bisect_left(places, within.end, key=_start_of)
                inside = [s for s in places[first:last] if s.end <= within.end]
                said = str(value)
                yield from (
                    ValueMention(s, key, rule) for s in inside if not is_running_word(self.text, s.start, s.end, said)
                )
        else:
            yield from support_within(kind, value, self.mentions_of_kind(name), within)

    def _find_words(self, wanted: str) -> list[Span]:
        """Where folded words stand; what one chunk is said to have, others are, too."""
        if wanted not in self._places:
            self._places[wanted] = list(self.folded.find_folded(wanted))
        return self._places[wanted]

    def _keeps_zeros(self, span: Span, words: str) -> bool:
        """Whether a number that is a text begins with a zero where its words do: the postal code 01067 is not 1067."""
        digits = next((c for c in self.text[span.start : span.end] if c.isdigit()), "")
        return (digits == "0") == (next((c for c in words if c.isdigit()), "") == "0")

    def find_about(self, label: str, answer: Json) -> Sequence[ValueMention]:
        """Where the text answers so to a label."""
        if (label, True) not in self._about:
            kind = BooleanKind()
            found = set(kind.find_about(self.text, label, self.reading)) or set(kind.find_lone(self.text))
            for said in (True, False):
                self._about[label, said] = index(m for m in found if m.key is said).get(said, [])
        return self._about.get((label, answer), ())

    def is_of_kind(self, node: Scalar, value: Json) -> bool:
        """Whether words that stand for an address are one at all: "jo.example.org" is no e-mail address."""
        if node.kind not in (Kind.EMAIL, Kind.URL):
            return True
        return KINDS[node.kind.value].normalise(value, self.reading) is not None

    def normalise(self, node: Scalar, value: Json) -> Json:
        """The record's form of what a model said, where its kind has one; the value itself where it has none.

        A choice is in the schema's spelling, yes is true, and a number is a text where the schema takes no number.
        """
        if node.enum:
            choice = find_choice(node.enum, value)
            return value if choice is None else choice
        if node.kind is Kind.BOOLEAN:
            answer = KINDS["boolean"].normalise(value, self.reading)
            return value if answer is None else answer
        if node.type == "string" and isinstance(value, int | float) and not node.takes(value):
            return str(value)
        names = _OF_SCALAR.get(node.kind)
        if not names or node.verbatim:
            return value
        if node.timed:
            return _write_moment(value, self.reading)
        form = KINDS[names[0]].normalise(value, self.reading)
        return value if form is None else form


def _count_digits(words: str) -> int:
    return sum(c.isdigit() for c in words)


def _start_of(span: Span) -> int:
    return span.start


def _read_moment(value: Json) -> str | None:
    """A date with a time of day in ISO 8601; None for all else."""
    if not isinstance(value, str) or ":" not in value or len(value) > LONGEST_FORM:
        return None
    found = KINDS["datetime"].normalise(value, Reading.of(value))
    return found if isinstance(found, str) and "T" in found else None


def _write_moment(value: Json, reading: Reading) -> Json:
    """ISO 8601 of what was said about a date with a time, as it was said where it is that already."""
    if isinstance(value, str) and _MOMENT.match(value):
        return value
    for name in ("datetime", "date"):
        if (form := KINDS[name].normalise(value, reading)) is not None:
            return form
    return value


def _read_code_in_address(words: str) -> tuple[str, str] | None:
    """What a web address is called and its path, if that is a code that may stand by itself: a DOI, an ORCID."""
    m = _ADDRESS_OF_CODE.fullmatch(words.strip()) if len(words) <= LONGEST_FORM else None
    return (m[1].casefold(), m[2]) if m and sum(c.isdecimal() for c in m[2]) >= FEWEST_DIGITS else None


def _is_day(words: str) -> bool:
    """Whether a text is a date to the day and nothing else."""
    return len(KINDS["date"].normalise(words, Reading.of(words)) or "") == len("2024-03-03")


def _is_only(name: str, words: str) -> bool:
    """Whether a text is a number or quantity and no more, but for a currency: "EUR 12.50", and not "room 12"."""
    spans = {m.span for m in KINDS[name].find(words, Reading.of(words))}
    inside = {i for span in spans for i in range(span.start, span.end)}
    if not any(all(c.isdigit() <= (s.start <= i < s.end) for i, c in enumerate(words)) for s in spans):
        return False  # 2022/26 is two numbers
    rest = "".join(" " if i in inside else letter for i, letter in enumerate(words))
    return all(next(iter(KINDS["currency"].keys(word)), None) for word in _WORD.findall(rest))
