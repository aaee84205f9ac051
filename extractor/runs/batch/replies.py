"""Files of replies, which nobody vouches for: what is of another run, doubled or no reply is dropped, and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from extractor.errors import DocumentError, UsageError
from extractor.files import open_regular_file
from extractor.models.batch.connection import MAX_LINE_BYTES
from extractor.models.batch.interface import BatchAnswer
from extractor.results.unseen import show_unseen
from extractor.types import Json

_KEPT_AT_ONCE, _KEPT_BYTES = 200, 8_000_000
"""Replies that are held until they are written, and bytes of them."""
MAX_NAMED = 3

ReadLine = Callable[[bytes], BatchAnswer]
Keep = Callable[[Mapping[str, Json]], None]


@dataclass(slots=True)
class FoundReplies:
    """What a file of replies holds."""

    lines: int = 0
    answered: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown_count: int = 0
    doubled_count: int = 0
    unreadable: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tells_all_usage: bool = True

    @property
    def known(self) -> bool:
        """Whether any line is of a request that was asked."""
        return bool(self.answered or self.failed)

    def describe_dropped(self, name: str) -> list[str]:
        """What of it was not taken, a sentence each."""
        told = []
        if self.unknown_count:
            listed = _name_some(self.unknown, self.unknown_count)
            told.append(f"{self.unknown_count:,} replies of {name} are to requests that were not asked: {listed}.")
        if self.doubled_count:
            listed = _name_some(self.doubled, self.doubled_count)
            told.append(f"{self.doubled_count:,} replies of {name} came twice, and the first was taken: {listed}.")
        if self.unreadable:
            told.append(f"{self.unreadable:,} lines of {name} are no replies.")
        return told


def _name_some(names: list[str], many: int) -> str:
    listed = ", ".join(show_unseen(name)[:64] for name in names)
    return listed + (" …" if many > len(names) else "")


def read_custom_ids(path: Path) -> dict[str, None]:
    """The custom_ids of a file of requests of our own, in its order. Raises UsageError where it is gone."""
    try:
        with open_regular_file(path, follow=False) as file:
            return {json.loads(line)["custom_id"]: None for line in file}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            f"{path}, which a batch was made of, cannot be read; put it back, or begin in another -o."
        ) from None


def read_replies(path: Path, wanted: Mapping[str, None], read_line: ReadLine, keep: Keep) -> FoundReplies:
    """Reads a file of replies to the end and keeps the completions that are wanted, some at a time. No file is an
    empty one. Raises UsageError for one that cannot be read, and MachineError's kin where nothing can be kept."""
    found = FoundReplies()
    try:
        with open_regular_file(path) as file:
            _read_all(file, wanted, read_line, keep, found)
    except FileNotFoundError:
        return found
    except (OSError, DocumentError) as error:
        raise UsageError(f"The replies {path} cannot be read ({error}); check the file.") from None
    return found


def _read_all(file: BinaryIO, wanted: Mapping[str, None], read_line: ReadLine, keep: Keep, found: FoundReplies) -> None:
    held: dict[str, Json] = {}
    size = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            found.unreadable += 1
            _skip_line(file)
            continue
        if not line.strip():
            continue
        found.lines += 1
        try:
            answer = read_line(line)
        except ValueError:
            found.unreadable += 1
            continue
        if not _count(answer, wanted, found):
            continue
        held[answer.custom_id] = answer.completion
        size += len(line)
        if len(held) >= _KEPT_AT_ONCE or size > _KEPT_BYTES:
            keep(held)
            held, size = {}, 0
    if held:
        keep(held)


def _skip_line(file: BinaryIO) -> None:
    while (part := file.readline(1 << 20)) and not part.endswith(b"\n"):
        pass


def _count(answer: BatchAnswer, wanted: Mapping[str, None], found: FoundReplies) -> bool:
    """Whether the answer is a completion to be kept."""
    key = answer.custom_id
    if key not in wanted:
        found.unknown_count += 1
        if len(found.unknown) < MAX_NAMED:
            found.unknown.append(key)
        return False
    if key in found.answered or (key in found.failed and answer.completion is None):
        found.doubled_count += 1
        if len(found.doubled) < MAX_NAMED:
            found.doubled.append(key)
        return False
    if answer.completion is None:
        found.failed[key] = answer.reason
        return False
    found.failed.pop(key, None)
    found.answered.add(key)
    usage = answer.completion.get("usage")
    for name, total in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")):
        count = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**9:
            setattr(found, total, getattr(found, total) + count)
        else:
            found.tells_all_usage = False
    return True
