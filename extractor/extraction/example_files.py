"""`examples.jsonl`: a passage and its answer a line, which anybody may have written.

A file that is none is refused with a sentence. A line whose answer has a value without words in its own passage is
refused by name, and the others are used: it would teach a model to invent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import MachineError, TaskError
from extractor.extraction.examples import Example
from extractor.extraction.fitting import find_misfits, fit_value
from extractor.extraction.grounding.grounder import ground_reply
from extractor.extraction.grounding.kind_index import KindIndex
from extractor.extraction.grounding.mentions import TextIndex
from extractor.extraction.grounding.tree import iterate_leaves
from extractor.files import open_regular_file, write_atomically
from extractor.models.traits import STRONG
from extractor.schema.reader import Schema
from extractor.schema.settling import settle_node
from extractor.types import Chunk, Document, Json, Span, json_pointer

MAX_BYTES = 4 << 20
MAX_EXAMPLES = 1000
MAX_PASSAGE = 4000
"""Characters of a passage; more is no passage but a document."""
MAX_LINE_BYTES = 64 << 10
MAX_NAME = 1000
_ADVICE = "write it with `extractor examples from OUT`"


@dataclass(frozen=True, slots=True)
class ExamplesRead:
    """What a file of examples holds that can be used, and a sentence for each line that is refused."""

    entries: tuple[Example, ...]
    refused: tuple[str, ...] = ()


def read_examples(path: Path, schema: Schema) -> ExamplesRead:
    """The examples in a file. Raises TaskError, naming file and line, where it is no such file."""
    entries: list[Example] = []
    refused: list[str] = []
    for number, line in _read_lines(path):
        example = _parse_line(line, f"{path}, line {number}")
        if wrong := find_unproved(example, schema):
            refused.append(f"{path}, line {number}: {wrong}; correct it or take the line out.")
        else:
            entries.append(example)
    return ExamplesRead(tuple(entries), tuple(refused))


def find_unproved(example: Example, schema: Schema) -> str:
    """What is wrong with an example: a value that the schema has no place for, or that has no words in the passage."""
    span = Span(0, max(1, len(example.passage)))
    root = settle_node(schema.root, [example.answer])
    for misfit in find_misfits(root, dict(example.answer), span):
        return f"{json_pointer(misfit.path)} is {misfit.reason}"
    document = Document(example.document, example.passage)
    index = TextIndex(Chunk(document, 0, span), KindIndex(document, None), kinds_first=True)
    known = fit_value(root, dict(example.answer))
    for path, leaf in iterate_leaves(ground_reply(root, known, index, STRONG)):
        if leaf.value is not None and not leaf.evidence.spans:
            return f"{json_pointer(path)} ({str(leaf.value)[:60]!r}) has no words in its passage"
    return ""


def check_taught_fields(fields: Iterable[str], schema: Schema) -> None:
    """Raises TaskError where examples are to be shown for a top-level field that the schema has not."""
    known = [f.name for f in schema.root.fields]
    for name in fields:
        if name not in known:
            raise TaskError(f"Examples cannot be shown for {name!r}; choose from {', '.join(known)}.")


def write_examples(path: Path, entries: Iterable[Example]) -> None:
    """Writes a file of examples. Raises MachineError."""
    lines = (json.dumps(one.to_json(), ensure_ascii=False).encode("utf-8", "replace") + b"\n" for one in entries)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lines)
    except OSError as error:
        raise MachineError(f"{path} cannot be written ({error.strerror}); name another file with -o.") from error


def _read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with open_regular_file(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TaskError(f"The examples {path} cannot be read ({error.strerror}); {_ADVICE}.") from error
    if len(data) > MAX_BYTES:
        raise TaskError(f"The examples {path} are larger than {MAX_BYTES >> 20} MB; leave some out.")
    lines = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if len(lines) > MAX_EXAMPLES:
        raise TaskError(f"The examples {path} are more than {MAX_EXAMPLES:,}; leave some out.")
    if not lines:
        raise TaskError(f"The examples {path} are empty; {_ADVICE}.")
    yield from lines


def _parse_line(line: bytes, where: str) -> Example:
    if len(line) > MAX_LINE_BYTES:
        raise TaskError(f"{where}: longer than {MAX_LINE_BYTES >> 10} KB; leave it out.")
    try:
        told = json.loads(line, parse_constant=_refuse_constant)
        return _build_example(told)
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise TaskError(f"{where}: no example ({said[:200]}); {_ADVICE}.") from None


def _refuse_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is no JSON value")


def _build_example(told: Json) -> Example:
    if not isinstance(told, dict):
        raise ValueError("it is no object")
    document, sha256, passage, answer = told["document"], told["sha256"], told["passage"], told["answer"]
    corrected = told.get("corrected", [])
    for name, text, most in (
        ("document", document, MAX_NAME),
        ("sha256", sha256, 64),
        ("passage", passage, MAX_PASSAGE),
    ):
        if not isinstance(text, str) or len(text) > most:
            raise ValueError(f"{name} is no text of at most {most:,} characters")
        text.encode()  # half a character is none
    if not passage.strip() or not isinstance(answer, dict) or not answer:
        raise ValueError("its passage or its answer is empty")
    if not isinstance(corrected, list) or not all(isinstance(name, str) for name in corrected):
        raise ValueError("corrected is no list of fields")
    json.dumps(answer, ensure_ascii=False).encode()
    return Example(document, sha256, passage, answer, tuple(corrected))
