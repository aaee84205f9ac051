"""Parts of a run that know nothing of each other: which documents each has, and what its folder says of that.

A document's part is told by its name, not by its place, so that it stays where it is when others come beside it. Each
part lists all documents all the same: names of result files are given among all of them, as one run would give them.

The format is `extractor.shard/1`, JSON Lines: the first line says which part of what it is, and each other one of its
documents: its place among all, and its path as it was given.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from extractor.documents.discovery import Source
from extractor.errors import UsageError
from extractor.files import open_regular_file, write_atomically
from extractor.runs.resume import printable_source_path
from extractor.types import Json

SHARD_FILE = "shard.jsonl"
SHARD_FORMAT = "extractor.shard/1"
MAX_SHARDS = 100_000
_MAX_LINE_BYTES = 64 << 20
"""Bytes of a line that are read; the first has a whole schema in it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts, the first being 0."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, source: str) -> bool:
        """Whether the document of this path, as it was given, is in the part."""
        return int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big") % self.count == self.number


def parse_shard(text: str) -> Shard:
    """The part that `i/n` names. Raises ValueError for a text that names none."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and int(number) < int(count) <= MAX_SHARDS):
        raise ValueError(f"{text!r} is no part; of 8 parts they are 0/8 to 7/8")
    return Shard(int(number), int(count))


@dataclass(frozen=True, slots=True)
class ShardPart:
    """The documents of a part, among all."""

    shard: Shard
    indexes: array[int]
    """Where they stand among all, in that order."""
    digest: str
    """SHA-256 of the paths of all documents."""


def choose_shard_part(shard: Shard, sources: Sequence[Source]) -> ShardPart:
    """The documents of the sources that are in the part."""
    digest, indexes = hashlib.sha256(), array("q")
    for index, source in enumerate(sources):
        path = printable_source_path(source)
        digest.update(path.encode() + b"\n")
        if shard.holds(path):
            indexes.append(index)
    return ShardPart(shard, indexes, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class ShardHead:
    """What a part's folder says of the part, and of what was asked."""

    shard: int
    of: int
    documents: int
    """Of all parts."""
    digest: str
    job: str
    """The fingerprint of what was asked."""
    task: str
    manifest: Mapping[str, Json]
    schema: Mapping[str, Json]

    def __str__(self) -> str:
        return f"{self.shard}/{self.of}"


def write_shard_file(folder: Path, head: ShardHead, indexes: Sequence[int], sources: Sequence[Source]) -> None:
    """Says in the folder which part is in it. Raises UsageError where another one is, and OSError."""
    try:
        other, _ = read_shard_file(folder)
    except FileNotFoundError:
        pass
    else:
        if (other.shard, other.of) != (head.shard, head.of):
            raise UsageError(f"{folder} holds part {other}; choose another folder for part {head} with -o.")

    def lines() -> Iterator[bytes]:
        yield json.dumps({"format": SHARD_FORMAT, **asdict(head)}, ensure_ascii=False).encode() + b"\n"
        for index in indexes:
            line = json.dumps([index, printable_source_path(sources[index])], ensure_ascii=False)
            yield line.encode() + b"\n"

    write_atomically(folder / SHARD_FILE, lines())


def remove_shard_file(folder: Path) -> None:
    """The folder is to hold a whole run, whatever part was in it."""
    (folder / SHARD_FILE).unlink(missing_ok=True)


def read_shard_file(folder: Path) -> tuple[ShardHead, Iterator[tuple[int, str]]]:
    """What a folder says of its part: the head, and place and path of each document, read as they are asked for.

    Raises FileNotFoundError where no part is, UsageError for a file that cannot be read as one.
    """
    path = folder / SHARD_FILE
    with open_regular_file(path) as file:
        head = _parse_head(file.readline(_MAX_LINE_BYTES), path)

    def read_documents() -> Iterator[tuple[int, str]]:
        with open_regular_file(path) as file:
            file.readline(_MAX_LINE_BYTES)
            for line in iter(lambda: file.readline(_MAX_LINE_BYTES), b""):
                try:
                    index, source = json.loads(line)
                    if type(index) is not int or type(source) is not str:
                        raise TypeError("no document")
                except (ValueError, TypeError, RecursionError):
                    raise _damage_error(path) from None
                yield index, source

    return head, read_documents()


def _parse_head(line: bytes, path: Path) -> ShardHead:
    try:
        told = json.loads(line)
        if told.pop("format") != SHARD_FORMAT:
            raise UsageError(f"{path} is of another version; merge it with the extractor that wrote it.")
        head = ShardHead(**told)
        counts = (head.shard, head.of, head.documents)
        texts, objects = (head.digest, head.job, head.task), (head.manifest, head.schema)
        if not (all(type(one) is int for one in counts) and all(type(one) is str for one in texts)):
            raise TypeError("no head")
        if not all(isinstance(one, dict) for one in objects) or not 0 <= head.shard < head.of <= MAX_SHARDS:
            raise TypeError("no head")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _damage_error(path) from None
    return head


def _damage_error(path: Path) -> UsageError:
    return UsageError(f"{path} is damaged; run its part again, which keeps what is done.")
