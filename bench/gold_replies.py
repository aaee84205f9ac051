"""Gold as replies: what the project's own suites lose of right answers, at several sizes of chunks.

    python bench/ceiling.py --suites

A perfect reader of a part of a document says what stands in that part. So each gold row has one place in the document,
the tightest stretch that holds most of its leaves; a leaf of it is said where that place's words are shown, a text of
it also where it is mentioned beside them, and one without words anywhere with the row's first words, or in the first
request that asks for it. Of two rows of which a part tells the same the fuller one is said. Leaves outside of rows are
said wherever their words are shown. Where rows are asked for one by one (figures), a gold row completes the stem whose
sentence holds most of its words.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import board
import ceiling
from board import Json, Where

SUITES = ("eval", "eval/heldout", "eval/invoice", "eval/contract")
SIZES = (500, 1100, ceiling.WHOLE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
Span = tuple[int, int]


def suite(folder: Path) -> tuple[Any, list[tuple[Path, Json]]]:
    """Its task, and each document's path with its gold record: the coupling to the project is here and in ceiling."""
    from extractor.evaluation.suite import load_suite

    read = load_suite(folder)
    golds = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(read.gold.glob("*.json"))]
    return read.task, [(read.samples / one["document"], one["record"]) for one in golds]


def shown(request: Any) -> str:
    """The part of the document that a request shows."""
    inner = re.search(r"<(document[\w-]*)>\n(.*)\n</\1>", request.user, re.S)
    return inner[2] if inner else request.user


class Folded:
    """A text without case, markup, white space and punctuation, and the way back to its positions."""

    def __init__(self, text: str) -> None:
        self.at: list[int] = []
        out = []
        for i, letter in enumerate(text):
            for c in unicodedata.normalize("NFKC", letter).lower():
                if c.isalnum():
                    out.append(c)
                    self.at.append(i)
        self.text = "".join(out)

    def find(self, words: str) -> Iterator[Span]:
        start = self.text.find(words) if words else -1
        while start >= 0:
            yield self.at[start], self.at[start + len(words) - 1] + 1
            start = self.text.find(words, start + 1)


def fold(value: Json) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return Folded(str(value)).text


def mentions(value: Json, text: str, folded: Folded) -> list[Span]:
    """Where the words of a value stand; of a date also its other forms, of a number also with its groups."""
    if value == "present":
        return [m.span() for m in re.finditer(r"\b(?:present|now|currently|current|today|ongoing|heute)\b", text, re.I)]
    found = list(folded.find(fold(value)))
    if isinstance(value, bool) or found:
        return [] if isinstance(value, bool) else [s for s in found if _apart(text, s)] or found
    if dated := re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", str(value)):
        return _dates(text, *dated.groups())
    return []


def _apart(text: str, span: Span) -> bool:
    """Whether no letter or figure goes on before or after."""
    return not (text[max(0, span[0] - 1) : span[0]].isalnum() or text[span[1] : span[1] + 1].isalnum())


def _dates(text: str, year: str, month: str | None, day: str | None) -> list[Span]:
    years = [m.span() for m in re.finditer(rf"{year}|['’]{year[2:]}\b|\b{year[2:]}\b", text)]
    if month is None:
        return years
    named = rf"{MONTHS[int(month) - 1]}\w*|\b0?{int(month)}\b" + (rf"|\b0?{int(day)}(?:st|nd|rd|th)?\b" if day else "")
    close = [s for s in years if re.search(named, text[max(0, s[0] - 24) : s[1] + 12], re.I)]
    return close or years


def apart(text: str, a: Span, b: Span) -> int:
    """Characters between two mentions, and as many as a line has for each end of a line between them."""
    between = text[min(a[1], b[1]) : max(a[0], b[0])]
    return len(between) + 80 * between.count("\n")


def tightest(places: Mapping[Where, list[Span]], text: str) -> dict[Where, Span]:
    """One mention of each leaf, so that as many as can be stand close together."""
    best: dict[Where, Span] = {}
    cost = None
    for anchor in sorted({span for spans in places.values() if len(spans) <= 20 for span in spans}):
        near = {at: min(spans, key=lambda s: apart(text, s, anchor)) for at, spans in places.items() if spans}
        total = sum(min(apart(text, s, anchor), 2000) for s in near.values())
        if cost is None or total < cost:
            best, cost = near, total
    return best


class Reader(ceiling.Script):
    """A perfect reader of parts. What it said is kept, so that what was never asked can be told apart."""

    def __init__(self, gold: Json, text: str, held: bool) -> None:
        super().__init__(gold, held)
        self.text, self.folded = text, Folded(text)
        self.whole = gold
        self.told: Counter[tuple[str, Json]] = Counter()
        self.first: dict[str, str] = {}
        self.homes: dict[tuple[str, int], dict[Where, Span]] = {}
        for name, rows in gold.items():
            for i, row in enumerate(rows if isinstance(rows, list) else ()):
                places = {at: mentions(v, text, self.folded) for at, v in board.raw(row)}
                self.homes[name, i] = tightest(places, text)

    def __call__(self, request: Any) -> Json:
        part = shown(request)
        stems = [name for name in request.schema["properties"] if name not in self.whole]
        if stems:
            reply = self.fit(self.completed(request), request.schema)
        else:
            at = self.text.find(part)
            if at < 0 and "\n" in part:  # a table's header is shown again above its rows
                part = part.split("\n", 1)[1]
                at = self.text.find(part)
            span = (at, at + len(part)) if at >= 0 else (0, len(self.text))
            self.answer = {n: self.part(n, span, part) for n in request.schema["properties"]}
            reply = self.fit(self.answer, request.schema)
        self.requests += 1
        for path, value in board.raw(reply):
            self.told[_field(path), board.plain(value)] += 1
        return reply

    def part(self, name: str, span: Span, part: str) -> Json:
        """What of a field is said by one who reads no more than the span."""
        first = self.first.setdefault(name, part) == part
        value = self.whole[name]
        if not isinstance(value, list):
            return value if self.stands(value, span, first) else None
        if not value or not isinstance(value[0], dict):
            return [one for one in value if self.stands(one, span, first)]
        rows = [self.row(row, self.homes[name, i], span, first) for i, row in enumerate(value)]
        told = [board.flat(row) for row in rows]
        most = [own and not any(own.items() < other.items() for other in told) for own in told]
        return [row for row, fuller in zip(rows, most, strict=True) if fuller]

    def stands(self, value: Json, span: Span, first: bool) -> bool:
        found = mentions(value, self.text, self.folded)
        return any(span[0] <= a and b <= span[1] for a, b in found) or (not found and first)

    def row(self, row: Json, home: Mapping[Where, Span], span: Span, first: bool) -> Json:
        within = {at for at, (a, b) in home.items() if span[0] <= a and b <= span[1]}
        leads = (min(home, key=lambda at: home[at]) in within) if home else first
        if within:
            texts = {at: v for at, v in board.raw(row) if isinstance(v, str) and v != "present" and not v[:4].isdigit()}
            within |= {at for at, v in texts.items() if at in home and self.stands(v, span, first=False)}

        def kept(value: Json, at: Where) -> Json:
            if isinstance(value, dict):
                return {k: kept(v, (*at, k)) for k, v in value.items()}
            if isinstance(value, list):
                inner = [kept(v, (*at, i)) for i, v in enumerate(value)]
                return [v for v in inner if board.flat([v])]
            return value if at in within or (at not in home and leads) else None

        return kept(row, ())

    def completed(self, request: Any) -> dict[str, Json]:
        """Each gold row with the stem that it completes."""
        names = list(request.schema["properties"])
        rest = request.schema["properties"][names[0]]["properties"]
        quoted = dict.fromkeys(names, "")
        for line in request.user.splitlines():
            if told := re.fullmatch(r'- (.+?): "(.*)"', line):
                quoted |= dict.fromkeys((n for n in told[1].split(", ") if n in quoted), fold(told[2]))
        out: dict[str, Json] = {}
        for row in _rows_with(self.whole, set(rest)):
            own = next((v for k, v in row.items() if k not in rest), None)
            free = [n for n in names if n not in out and fold(re.sub(r" \(\d+\)$", "", n)) == fold(own)]
            words = [fold(w) for k in rest for w in re.findall(r"\w+", str(row.get(k) or ""))]
            hits = {n: sum(w in quoted[n] for w in words) / max(1, len(words)) for n in free}
            if free and (max(hits.values()) > 0.5 or not words):
                out[max(hits, key=lambda n: hits[n])] = {k: row.get(k) for k in rest}
        return out


def _field(path: Where) -> str:
    return str(next((step for step in reversed(path) if isinstance(step, str)), ""))


def _rows_with(value: Json, keys: set[str]) -> Iterator[dict[str, Json]]:
    if isinstance(value, dict):
        if keys <= value.keys():
            yield value
        for inner in value.values():
            yield from _rows_with(inner, keys)
    elif isinstance(value, list):
        for inner in value:
            yield from _rows_with(inner, keys)


def shape_of(records: list[Json]) -> dict[str, Json]:
    """As much of a schema as aligning takes: which fields are lists or objects."""
    names = {n: [r[n] for r in records if r.get(n) is not None] for n in {n for r in records for n in r}}

    def one(values: list[Json]) -> dict[str, Json]:
        if any(isinstance(v, list) for v in values):
            return {"items": {}}
        return shape_of(values) if any(isinstance(v, dict) for v in values) else {}

    return {"properties": {n: one(values) for n, values in names.items()}}


def document(path: Path, gold: Json, task: Any, tokens: int, held: bool) -> ceiling.Line:
    read = ceiling.read(path)
    reader = Reader(gold, ceiling.visible(read), held)
    record = ceiling.run(read, task, ceiling.prompted(task, "groups", tokens), reader)
    pairs, lost, extra = ceiling.compare(shape_of([gold, dict(record.value)]), gold, record)
    for one in lost:
        name = _field(tuple(int(s) if s.isdigit() else s for s in one["at"].split("/")))
        if not one["why"] and not reader.told[name, board.plain(one["said"])]:
            one["why"] = "never said: not asked, or not in that form"
    said = sum(board.said(p.gold) for p in pairs)
    return ceiling.Line(
        path.name, str(record.status), said, said - len(lost), len(record.rejected), reader.excluded,
        reader.requests, 0.0, lost=lost, extra=extra,
    )  # fmt: skip


def main(flags: argparse.Namespace) -> None:
    sizes = SIZES if flags.sizes == [None] else flags.sizes
    out = []
    for name in SUITES:
        task, golds = suite(ceiling.ROOT / name)
        for tokens in sizes:
            lines = [document(path, gold, task, tokens, flags.held) for path, gold in golds]
            out.append({"suite": name, "chunk_tokens": tokens, "documents": [asdict(one) for one in lines]})
            if not flags.json:
                tell(name, tokens, lines)
    if flags.json:
        print(json.dumps(out, ensure_ascii=False, indent=1))


def tell(name: str, tokens: int, lines: list[ceiling.Line]) -> None:
    lost = [(line.name, one) for line in lines for one in line.lost]
    silent = sum(one.silent for one in lines)
    sized = "whole" if tokens == ceiling.WHOLE else str(tokens)
    print(
        f"{name} at {sized}: {len(lost)} of {sum(one.said for one in lines)} leaves lost, {sum(o.extra for o in lines)}"
        f" that were not said; {silent} records lost something and say complete"
    )
    for why, count in Counter(one["why"] or "no reason given" for _, one in lost).most_common():
        print(f"    {count:4} {why}")
    for where, one in lost:
        print(f"        {where[:14]} {one['at']}: {one['said']!r}, there {one['there']!r} ({one['why']})")
