"""One thing that a person decided about one place of one result, and its line in the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from extractor.results.fields import is_too_deep
from extractor.types import Json, json_pointer

MAX_DEPTH = 50
"""Levels of a value that a decision holds."""


class Action(StrEnum):
    ACCEPT = "accept"
    """The value is right; of a row or a list, all values of it that nobody decided about."""
    CORRECT = "correct"
    REJECT = "reject"
    """The value is wrong, and the document says nothing for its place."""
    ADD = "add"
    """A value where the record had none, or one more entry of a list of plain values."""
    ADD_ROW = "add_row"
    REMOVE_ROW = "remove_row"
    MOVE_ROW = "move_row"
    RESTORE = "restore"
    """A value that the result lists as rejected is right."""
    FINISH = "finish"
    """The person went through the document: what was not decided is accepted, what is empty is empty."""
    REOPEN = "reopen"
    UNDO = "undo"


EDITS = frozenset(
    {Action.CORRECT, Action.REJECT, Action.ADD, Action.ADD_ROW, Action.REMOVE_ROW, Action.MOVE_ROW, Action.RESTORE}
)
"""Actions by which a record comes to say something else."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words of the document that a person chose as evidence: text[start:end], in code points."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of the journal. `path` is a JSON pointer into the record as the person saw it.

    Rows that were removed keep their number there, so that a path means the same until rows are added or moved.
    """

    file: str
    """Name of the result file."""
    document: str
    action: Action
    seen: str
    """SHA-256 of the result file that the person saw."""
    version: int
    """How many decisions about the document there were before this one; with `file` it names the decision."""
    path: str = ""
    before: Json = None
    after: Json = None
    evidence: tuple[Words, ...] = ()
    position: int | None = None
    """The number that a row gets; of what is restored, its number among the rejected values."""
    undoes: int | None = None
    """The version of the decision that this one takes back."""
    who: str = ""
    at: str = ""
    """When, as ISO 8601 in UTC."""
    seconds: float = 0.0
    """How long the person had the document before them, since it was opened or since the decision before."""

    def to_line(self) -> bytes:
        content: dict[str, Json] = {
            "file": self.file,
            "document": self.document,
            "at": self.at,
            "who": self.who,
            "seen": self.seen,
            "version": self.version,
            "action": str(self.action),
            "path": self.path,
            "from": self.before,
            "to": self.after,
            "evidence": [{"start": w.start, "end": w.end, "quote": w.quote} for w in self.evidence],
            "seconds": round(self.seconds, 1),
        }
        content |= {key: n for key, n in (("position", self.position), ("undoes", self.undoes)) if n is not None}
        return json.dumps(content, separators=(",", ":")).encode() + b"\n"


_TEXTS = ("file", "document", "at", "who", "seen", "path")


def parse_decision(line: bytes) -> Decision:
    """The decision in a line of a journal, which anybody may have written. Raises ValueError where there is none."""
    try:
        content = json.loads(line)
        if not isinstance(content, dict) or any(type(content[name]) is not str for name in _TEXTS):
            raise ValueError("it is no object of texts")
        numbers = [content["version"], content.get("position", 0), content.get("undoes", 0)]
        if any(type(number) is not int or number < 0 for number in numbers):
            raise ValueError("a number is none")
        seconds = content.get("seconds", 0)
        if type(seconds) not in (int, float) or not 0 <= seconds < 1e9:
            raise ValueError("its seconds are no time")
        if is_too_deep([content["from"], content["to"]], MAX_DEPTH):
            raise ValueError("it is nested too deeply")
        return Decision(
            file=content["file"],
            document=content["document"],
            action=Action(content["action"]),
            seen=content["seen"],
            version=content["version"],
            path=content["path"],
            before=content["from"],
            after=content["to"],
            evidence=tuple(map(read_words, content["evidence"])),
            position=content.get("position"),
            undoes=content.get("undoes"),
            who=content["who"],
            at=content["at"],
            seconds=float(seconds),
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no decision ({type(error).__name__})") from error


def read_words(content: Mapping[str, Json]) -> Words:
    """Raises ValueError, KeyError or TypeError for what are no words."""
    start, end, quote = content["start"], content["end"], content["quote"]
    if type(start) is not int or type(end) is not int or type(quote) is not str or not 0 <= start < end:
        raise ValueError("words without a place")
    return Words(start, end, quote)


def drop_undone(decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """The decisions that hold, in their order; neither what was taken back nor the taking back."""
    undone = {decision.undoes for decision in decisions if decision.action is Action.UNDO}
    return tuple(d for d in decisions if d.action is not Action.UNDO and d.version not in undone)


def split_pointer(pointer: str) -> list[str]:
    """The steps of a JSON pointer. Raises ValueError for what is none."""
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is no JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def step_down(pointer: str, step: str | int) -> str:
    return pointer + json_pointer((step,))
