"""What a perfect model loses on its way through: right answers as replies, and what the record then lacks.

    python bench/ceiling.py DOCUBENCH_DIR [--answers labels|gpt|claude|gemini|...] [--chunk-tokens N|whole] [--json]
    python bench/ceiling.py --suites [--chunk-tokens 500 1100 whole] [--json]

The first scores records of DocuBench's documents by its own rules, each request answered out of the labels, or out of
what a system said; the second counts the leaves of the project's own gold that are lost (see gold_replies.py). With
--held the model can say only what the request lets it: no value outside an enumeration, no list or reply beyond its
bound. Without, it says what is right and the pipeline has to make of it what it can.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import board
from board import Json

ROOT = Path(__file__).parent.parent
WHOLE = 10**9
"""Tokens of a chunk that holds any document."""


# -- what of the project is used; when the package moves, this is what changes ----------------------------------------


def read(path: Path) -> Any:
    """The document of a file."""
    from extractor.documents.discovery import find_sources, read_source

    return read_source(find_sources([path])[0])


def visible(document: Any) -> str:
    """Its text as a model is shown it."""
    from extractor.types import Span

    return document.visible_text(Span(0, len(document.text)))


def task_of(schema: Mapping[str, Json], name: str) -> Any:
    from extractor.extraction.prompt import read_prompt
    from extractor.extraction.task import SHIPPED_TASKS, Task
    from extractor.schema.reader import read_schema

    version = read_prompt(SHIPPED_TASKS / "default.md")
    return Task(name, read_schema(schema), {version.name: version})


def prompted(task: Any, name: str | None, chunk_tokens: int | None) -> Any:
    """The task's prompt version, with chunks of another size where one is given."""
    prompt = task.choose_prompt(name)
    if chunk_tokens is None:
        return prompt
    return dataclasses.replace(prompt, declared={**prompt.declared, "chunk_tokens": chunk_tokens})


def run(document: Any, task: Any, prompt: Any, say: Any) -> Any:
    """The record; `say(request)` is the reply to each. Where it returns text, the reply was cut short after it."""
    from extractor.errors import ReplyCutShort
    from extractor.extraction.pipeline import Reading, extract_record
    from extractor.models.traits import STRONG
    from extractor.testing import ScriptedModel
    from extractor.types import Reply, Usage

    def answer(request: Any) -> Any:
        value = say(request)
        return ReplyCutShort("cut short", text=value) if isinstance(value, str) else Reply(value, Usage(requests=1))

    model = ScriptedModel(answer)
    return asyncio.run(extract_record(document, task, prompt, model, model.name, reading=Reading(STRONG)))


# ---------------------------------------------------------------------------------------------------------------------


def as_rows(value: Json, row: Mapping[str, Json]) -> Json:
    """An object whose names are the document's, the list in its place, or a list of lists, as it is asked for."""
    if value is not None and not isinstance(value, list | dict):
        return [value]
    if list(row.get("properties", ())) == ["value"] and isinstance(value, list):
        return [{"value": one} for one in value]
    if list(row.get("properties", ())) != ["name", "value"]:
        return value
    if isinstance(value, dict):
        return [{"name": name, "value": one} for name, one in value.items()]
    if not isinstance(value, list) or any(isinstance(one, dict) for one in value):
        return value
    grouped = "items" in row["properties"]["value"]
    return [{"name": None, "value": one} for one in ([value] if grouped else value)]


@dataclass
class Script:
    """Answers requests out of one answer. `excluded` are leaves that a request did not let it say."""

    answer: Json
    held: bool = False
    excluded: int = 0
    requests: int = 0

    def __call__(self, request: Any) -> Json:
        self.requests += 1
        reply = self.fit(self.answer, request.schema)
        text = json.dumps(reply, ensure_ascii=False)
        most = request.parameters.get("max_tokens")
        if self.held and most and len(text) > 3 * most:  # about three characters a token
            return text[: 3 * most]
        return reply

    def fit(self, value: Json, shape: Mapping[str, Json]) -> Json:
        """The value in the form that was asked for."""
        if "anyOf" in shape:
            kind = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else None
            forms = {one["type"] if one.get("type") in ("object", "array") else None: one for one in shape["anyOf"]}
            shape = forms.get(kind, shape["anyOf"][0])
        if "properties" in shape:
            value = value if isinstance(value, dict) else {}
            return {name: self.fit(value.get(name), one) for name, one in shape["properties"].items()}
        if "items" in shape:
            every = as_rows(value, shape["items"]) or []
            if self.held and len(every) > (most := shape.get("maxItems", len(every))):
                self.excluded += sum(len(board.flat([one])) for one in every[most:])
                every = every[:most]
            return [self.fit(one, shape["items"]) for one in every]
        if isinstance(value, dict):  # rows that are asked for by one field alone
            value = next(iter(value.values()), None)
        return self.leaf(value, shape)

    def leaf(self, value: Json, shape: Mapping[str, Json]) -> Json:
        if not board.said(value):
            return None
        kinds = shape.get("type", ["any"])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if isinstance(value, float) and value.is_integer() and "integer" in kinds:
            value = int(value)
        as_text = "string" in kinds and not {"number", "integer"} & set(kinds)
        if as_text and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        long = isinstance(value, str) and len(value) > shape.get("maxLength", len(value))
        barred = kinds == ["null"] or ("enum" in shape and value not in shape["enum"]) or long
        self.excluded += barred
        return None if barred and self.held else value


@dataclass
class Line:
    """What became of one document's answer."""

    name: str
    status: str
    said: int
    arrived: int
    rejected: int
    excluded: int
    requests: int
    seconds: float
    own: float = 0.0
    score: float = 0.0
    lost: list[dict[str, Json]] = field(default_factory=list)
    extra: int = 0
    """Leaves of the record that were not said."""

    @property
    def silent(self) -> bool:
        """Whether it lost something and tells nobody."""
        return self.arrived < self.said and self.status == "complete"


def compare(schema: Mapping[str, Json], told: Json, record: Any) -> tuple[list[board.Pair], list[dict[str, Json]], int]:
    """Pairs of what was said and what is in the record, the lost ones with what the record says of them, and extras."""
    pairs = list(board.align(schema, told, record.value))
    why: dict[Json, str] = {}
    for r in record.rejected:
        why |= dict.fromkeys(board.flat([r.value]).values(), r.reason)
    gone = [p for p in pairs if p.gold_at is not None and board.said(p.gold) and not p.right]
    lost = [
        {
            "at": "/".join(map(str, p.gold_at or ())),
            "said": p.gold,
            "there": p.said,
            "why": why.get(board.plain(p.gold)),
        }
        for p in gone
    ]
    extra = sum(board.said(p.said) and not p.right for p in pairs)
    return pairs, lost, extra


def document(folder: Path, path: Path, flags: argparse.Namespace) -> Line:
    schema, label = board.schema(folder, path.stem), board.load(folder, "labels", path.stem)
    told = board.answer(folder, path.stem, flags.answers) or {}
    task = task_of(schema, path.stem)
    script = Script(told, flags.held)
    started = time.perf_counter()
    record = run(read(path), task, prompted(task, None, flags.sizes[0]), script)
    seconds = time.perf_counter() - started
    pairs, lost, extra = compare(schema, told, record)
    said = sum(board.said(p.gold) for p in pairs)
    own, through = board.score(schema, label, told), board.score(schema, label, record.value)
    return Line(
        path.name, str(record.status), said, said - len(lost), len(record.rejected), script.excluded,
        script.requests, seconds, own, through, lost, extra,
    )  # fmt: skip


COUNTS = {"said": 6, "arrived": 8, "rejected": 9, "excluded": 9, "requests": 9}


def tell(lines: Sequence[Line]) -> None:
    print(f"{'document':16}  alone record  change {'status':10}", *(f"{name:>{n - 1}}" for name, n in COUNTS.items()))
    for one in lines:
        _row(one.name, one.own, one.score, one.status, [one])
    _row(f"mean of {len(lines)}", mean(one.own for one in lines), mean(one.score for one in lines), "", lines)
    short = [one for one in lines if one.arrived < one.said]
    print(f"{len(short)} records lost something; {sum(one.silent for one in short)} of them say complete")


def _row(name: str, own: float, through: float, status: str, lines: Sequence[Line]) -> None:
    totals = [f"{sum(getattr(one, count) for one in lines):>{n - 1}}" for count, n in COUNTS.items()]
    print(f"{name:16} {own:6.3f} {through:6.3f} {through - own:+7.3f} {status:10}", *totals)


def size(word: str) -> int:
    return WHOLE if word == "whole" else int(word)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="DocuBench's folder")
    parser.add_argument("--answers", default="labels", help="labels, or a folder of results/")
    parser.add_argument("--chunk-tokens", dest="sizes", type=size, nargs="+", default=[None])
    parser.add_argument("--only", default="", help="documents whose name begins so")
    parser.add_argument("--held", action="store_true", help="the model says only what the sent schema allows")
    parser.add_argument("--suites", action="store_true", help="the project's own gold instead of DocuBench")
    parser.add_argument("--json", action="store_true")
    flags = parser.parse_args()
    if flags.suites:
        import gold_replies

        gold_replies.main(flags)
        return
    if flags.folder is None:
        parser.error("name DocuBench's folder, or give --suites")
    paths = [p for p in sorted((flags.folder / "documents").iterdir()) if p.name.startswith(flags.only)]
    lines = [document(flags.folder, path, flags) for path in paths]
    if flags.json:
        print(json.dumps([dataclasses.asdict(one) for one in lines], ensure_ascii=False, indent=1))
    else:
        tell(lines)


if __name__ == "__main__":
    main()
