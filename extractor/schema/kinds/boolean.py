"""True and false: an answer beside its label, a ticked box, an element of XML, a clause that denies or affirms.

A boolean has no words of its own but about something, so it is found about a label (`find_about`). An answer, a box
and an element stand as they are; a clause is derived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import lru_cache

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.boxes import BOX, is_ticked, lines_with_boxes
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.negation import clauses, denies
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.tokens import MARKS
from extractor.types import Span

_YES = frozenset(
    simple(w)
    for w in "yes y true ja oui si sim tak ano áno da igen evet kyllä jah taip jā ναι да так نعم כן हाँ はい "
    "有 是 예 네 ✓ ✔ ☑ ☒ x on checked có ya あり 有り 유 ใช่ มี হ্যাঁ ndiyo oo კი დიახ այո بله آری ہاں já iva bai иә ha "
    "bəli ஆம் zutreffend vorhanden".split()
)
_NO = frozenset(
    simple(w)
    for w in "no n false nein non não nao nee nej nei nie ne nem hayır ei nu nė nē όχι нет нi ні لا לא नहीं "
    "いいえ 無 无 否 不 아니요 아니오 ✗ ✘ ☐ off unchecked không tidak なし 無し 무 ไม่ใช่ ไม่มี না hapana არა ոչ "
    "خیر نه نہیں "
    "ez жоқ yo'q xeyr yox இல்லை".split()
)
_SWITCHED_ON = frozenset(
    simple(w) for w in "enabled activated aktiviert activado attivato ingeschakeld aktiverad".split()
)
_SWITCHED_OFF = frozenset(
    simple(w)
    for w in "none nil disabled deactivated deaktiviert désactivé désactivée desactivado disattivato uitgeschakeld "
    "avaktiverad keine kein keiner aucun aucune ninguno ninguna nenhum nenhuma nessuno nessuna geen ingen".split()
)
"""Answers beside their own label alone: what "Status: none" says is not known without it."""
_OF_ENGLISH = frozenset("yes no y n true false x on off checked unchecked".split()) | _SWITCHED_ON | _SWITCHED_OFF
_OPPOSITE = re.compile(r"un|in|non|im|ne|не", re.I)
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
_ANSWER = re.compile(
    r"(?:[:=|\t：]|\?[ ]?:?|\.{3,60}|…{1,20}|[ ]{3,60})[ \t*_\"']{0,4}(?P<answer>[^\W\d_](?:[^\W\d_]|["
    + MARKS
    + r"]){0,13}|[01]|[✓✔✗✘☑☒☐]|\[[xX✓✔ ]?\])"
    r"(?=[ \t*_\"']{0,40}(?:$|[\n|\t,;.(<}—–-]))",
    re.M,
)
"""What may be an answer, behind what ends a label; the label is read back from there."""
_NO_STATEMENT = re.compile(rf"[:<]|{BOX.pattern}")
_ELEMENT = re.compile(
    r"<(?P<label>[\w:.-]{1,80})(?:\s[^<>]{0,300})?>\s{0,20}(?P<answer>true|false|yes|no|0|1|Y|N)\s{0,20}</", re.I
)
_ATTRIBUTE = re.compile(
    r"(?<![\w.-])(?:[\"'](?P<label>[\w .-]{1,80})[\"']\s?:|(?P<name>[\w.-]{1,80})\s?=)\s?[\"']?(?P<answer>true"
    r"|false|yes|no)\b",
    re.I,
)
_HAS_LETTER = re.compile(r"[^\W\d_]")
_CELL_BREAK, _MAX_HEADER, _MAX_ANSWER = " | ", 200, 20
"""What stands between cells of a table, and letters of a header and of an answer, at most."""
STEM = 4
"""Letters by which two words are taken for forms of one: "insured", "insurance"."""


def answer_of(word: str) -> bool | None:
    """Whether a word affirms or denies by itself, in 25 languages; None for others."""
    folded = simple(word.strip(" \t*_\"'.[]()"))
    if not folded and "[" in word:
        return False
    return (
        True
        if folded in _YES or folded in _SWITCHED_ON
        else False
        if folded in _NO or folded in _SWITCHED_OFF
        else None
    )


@dataclass(frozen=True, slots=True)
class BooleanKind:
    """The record's form is true or false."""

    name: str = "boolean"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Nothing: true about what? See `find_about`."""
        yield from ()

    def find_about(self, text: str, label: str, reading: Reading) -> Iterator[ValueMention]:
        """Where the text says yes or no (key True or False) to what the label names, strongest statements first."""
        wanted = stems(label)
        if not wanted:
            return
        if marked := [m for named, m in marks_under_answers(text) if wanted & stems(named)]:
            yield from marked  # a cross under "no" is no yes
            return
        yield from (mention for named, mention in _labelled(text) if wanted & stems(named))
        yield from _in_own_words(text, wanted)
        yield from _in_columns(text, wanted)
        yield from _ticked(text, wanted)
        yield from _in_clauses(text, wanted)

    def find_lone(self, text: str) -> Iterator[ValueMention]:
        """The only answer of the text, if it is one in another language than English, whose label no field's name "
        "has."""
        answers = [mention for _, mention in _labelled(text) if not mention.rule]
        if len(answers) == 1 and not lines_with_boxes(text):
            word = simple(text[answers[0].span.start : answers[0].span.end])
            if word not in _OF_ENGLISH:
                yield answers[0]._replace(rule="only answer")

    def keys(self, value: Json) -> Iterator[tuple[bool, str]]:
        """True or False."""
        said = self.normalise(value, Reading())
        if said is not None:
            yield said, ""

    def parse(self, words: str, reading: Reading) -> bool | None:
        """What a word such as "ja" says."""
        return answer_of(words)

    def normalise(self, value: Json, reading: Reading) -> bool | None:
        """True and false themselves, 1 and 0, and words that say so."""
        if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
            return bool(value)
        return answer_of(value) if isinstance(value, str) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both say yes, or both no."""
        first = self.normalise(a, Reading())
        return first is not None and first == self.normalise(b, Reading())


@lru_cache(maxsize=2)
def _labelled(text: str) -> tuple[tuple[str, ValueMention], ...]:
    """Every answer beside a label, with the label's words; a text is asked about many labels."""
    return tuple(_find_labelled(text))


def _find_labelled(text: str) -> Iterator[tuple[str, ValueMention]]:
    for m in _ANSWER.finditer(text):
        said = answer_of(m["answer"])
        if m["answer"] in ("0", "1"):
            yield (
                label_before(text, m.start()),
                ValueMention(Span(*m.span("answer")), m["answer"] == "1", "one or nought"),
            )
        elif said is not None:
            yield label_before(text, m.start()), ValueMention(Span(*m.span("answer")), said)
    for pattern in (_ELEMENT, _ATTRIBUTE):
        for m in pattern.finditer(text):
            said = (
                {"0": False, "1": True}.get(m["answer"])
                if pattern is _ELEMENT and m["answer"] in "01"
                else answer_of(m["answer"])
            )
            if said is not None:
                named = m["label"] or (m["name"] if pattern is _ATTRIBUTE else "")
                yield named, ValueMention(Span(*m.span("answer")), said)


def _in_own_words(text: str, wanted: Set[str]) -> Iterator[ValueMention]:
    """Values that are the label's own word or its opposite: "Status: active", "Payment: unpaid"."""
    for m in _ANSWER.finditer(text):
        word = m["answer"]
        if len(word) > STEM and answer_of(word) is None and _HAS_LETTER.search(label_before(text, m.start())):
            if wanted & stems(word):
                yield ValueMention(Span(*m.span("answer")), True, "word that affirms")
            elif (opposite := _OPPOSITE.match(word)) and wanted & stems(word[opposite.end() :]):
                yield ValueMention(Span(*m.span("answer")), False, "word that denies")


def _in_columns(text: str, wanted: Set[str]) -> Iterator[ValueMention]:
    """Cells that answer, in the columns of tables whose first row names what the label does."""
    if _CELL_BREAK not in text:
        return
    at, columns, within = 0, set[int](), False
    for line in text.splitlines(keepends=True):
        cells = line.rstrip("\r\n").split(_CELL_BREAK) if _CELL_BREAK in line else []
        if cells and not within:
            columns = {i for i, cell in enumerate(cells) if len(cell) <= _MAX_HEADER and wanted & stems(cell)}
        elif cells and columns:
            start = at
            for i, cell in enumerate(cells):
                said = answer_of(cell) if i in columns and len(cell) <= _MAX_ANSWER else None
                if said is not None and cell.strip():
                    begin = start + len(cell) - len(cell.lstrip())
                    yield ValueMention(Span(begin, begin + len(cell.strip())), said)
                start += len(cell) + len(_CELL_BREAK)
        within = bool(cells)
        at += len(line)


def _in_clauses(text: str, wanted: Set[str]) -> Iterator[ValueMention]:
    """Clauses that affirm or deny: "The goods are not insured", "uninsured", "No insurance has been taken out"."""
    opposite = re.compile(rf"\b(?:un|non)-?(?:{'|'.join(map(re.escape, sorted(wanted)))})", re.I)
    for start, end in _stating_clauses(text):
        clause = text[start:end]
        named = stems(clause)
        denied = denies(clause)
        if opposite.search(clause):
            if not denied:  # "not uninsured" says nothing sure
                yield ValueMention(Span(start, end), False, "word that denies")
        elif wanted & named and denied:
            yield ValueMention(Span(start, end), False, "clause that denies")
        elif wanted & named and _is_sentence(clause):
            yield ValueMention(Span(start, end), True, "clause that affirms")


@lru_cache(maxsize=2)
def _stating_clauses(text: str) -> tuple[tuple[int, int], ...]:
    """The clauses that may state something by themselves."""
    return tuple(
        (start, end)
        for start, end in clauses(text)
        if end - start <= 400 and text[end - 1] not in "?？" and not _NO_STATEMENT.search(text, start, end)
    )


def label_before(text: str, end: int) -> str:
    """The words of a line before `end`, back to what divides them from others."""
    words = text[max(0, end - 120) : end]
    cut = max(words.rfind(sign) for sign in "\n:=|\t：")
    return words[cut + 1 :]


def _is_sentence(clause: str) -> bool:
    """Whether a clause can state anything: three words, or five signs of a script that sets no spaces."""
    return len(clause.split()) >= 3 or sum("\u3040" <= c <= "\u9fff" for c in clause) >= 5


@lru_cache(maxsize=1 << 12)
def stems(text: str) -> frozenset[str]:
    """First letters of the words of a label or a clause, camel case taken apart; small words do not count."""
    words = (
        simple(word)[:STEM]
        for word in _WORD.findall(text)
        if len(word) > (2 if word.isascii() else 1) and word.lower() not in _SMALL
    )
    short = (simple(word)[:STEM] for word in _CAMEL.findall(text))
    return frozenset((*words, *short, *re.findall(r"(?=([\u4e00-\u9fff]{2}))", text)))


_CAMEL = re.compile(r"\b(?:[A-Z][a-z]?){2,}\b")
"""Words of capitals and parts of two letters, which are one word: WiFi, HiFi."""
_SMALL = frozenset(
    "the and for has have been was are not any with that this whether indicator flag der die das und ist hat "
    "les est des una los".split()
)


def _ticked(text: str, wanted: Set[str]) -> Iterator[ValueMention]:
    """Boxes of a line: "Insured ☒ yes ☐ no", "☐ yes ☒ no", "yes ☒ no ☐", "[x] Insured"."""
    for at, line, boxes in lines_with_boxes(text):
        if wanted & stems(line):
            yield from _in_line(line, at, boxes, wanted)
        elif at and len(boxes) > 1 and wanted & stems(text[text.rfind("\n", max(0, at - 200), at - 1) + 1 : at]):
            yield from _in_line(line, at, boxes, wanted, only_answers=True)


@lru_cache(maxsize=2)
def marks_under_answers(text: str) -> tuple[tuple[str, ValueMention], ...]:
    """Marks of tables whose columns are answers, "Smoker | | X" under "Yes | No", each with the words of its row."""
    return tuple(_find_marks_under_answers(text)) if _MARK.search(text) else ()


def _find_marks_under_answers(text: str) -> Iterator[tuple[str, ValueMention]]:
    at, columns = 0, dict[int, bool]()
    for line in text.splitlines(keepends=True):
        cells = list(_CELLS.finditer(line.rstrip("\r\n"))) if len(line) < 2000 else []
        if len(cells) < 3:
            columns = {}
        else:
            answers = {
                i: a for i, c in enumerate(cells) if (a := answer_of(c[0])) is not None and c[0].strip().isalpha()
            }
            if set(answers.values()) == {True, False} and len(answers) == 2:
                columns = answers
            elif marked := [i for i in columns if i < len(cells) and _MARK.fullmatch(cells[i][0].strip())]:
                mark = cells[marked[0]]
                if len(marked) == 1:
                    begin = at + mark.start() + len(mark[0]) - len(mark[0].lstrip())
                    span = Span(begin, begin + len(mark[0].strip()))
                    yield " ".join(cells[i][0] for i in range(min(columns))), ValueMention(span, columns[marked[0]])
        at += len(line)


_CELLS = re.compile(r"(?:(?<=[|\t])|^)[^|\t]*")
_MARK = re.compile(r"[xX✓✔☑☒■●🗹⊠]|\[[xX✓✔]\]")


def _in_line(
    line: str, at: int, boxes: list[re.Match[str]], wanted: Set[str], *, only_answers: bool = False
) -> Iterator[ValueMention]:
    behind = [line[b.end() : (boxes[i + 1].start() if i + 1 < len(boxes) else len(line))] for i, b in enumerate(boxes)]
    before = [line[(boxes[i - 1].end() if i else 0) : b.start()] for i, b in enumerate(boxes)]
    answers_behind = [answer_of((b.split() or [""])[0].strip(",;/")) for b in behind]
    answers_before = [answer_of((b.split() or [""])[-1].strip(",;/:")) for b in before]
    after = sum(a is not None for a in answers_behind) >= sum(a is not None for a in answers_before)
    if answers_behind[0] is not None and answers_before[0] is not None and answers_behind[-1] is None:
        after = False  # "yes [x] no [ ]": the first box has an answer on either side, the last has one before it
    answers = answers_behind if after else answers_before
    for box, answer, label in zip(boxes, answers, behind, strict=True):
        ticked = is_ticked(box)
        span = Span(at + box.start(), at + box.end())
        if answer is not None:
            if ticked:
                yield ValueMention(span, answer)
        elif not only_answers and (wanted & stems(label) or (not label.strip() and wanted & stems(line))):
            yield ValueMention(span, ticked)
