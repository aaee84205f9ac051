"""The documents of a run before they are read: where each stands, a million of them without memory for each."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

from extractor.documents.formats.containers import ContainedFile
from extractor.documents.formats.io import printable_name
from extractor.documents.formats.jsonl import JsonLine, JsonLines
from extractor.documents.parts import TextPart
from extractor.types import Vision

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Source:
    """A document to read, or the reason why it will not be."""

    path: Path
    """Its file; of a document in a file of several, the file and its name in it: refs.jsonl/doc-7."""
    refused: str | None = None
    line: JsonLine | None = None
    """Where it stands in a file that holds a document a line."""
    member: ContainedFile | None = None
    """Where it stands in an archive or a mailbox."""
    ocr: bool = False
    """Whether pages without a text layer are read by OCR."""
    vision: Vision = Vision.NEVER
    """Which of its pages are pictured, for a model that sees."""
    whole: Source | None = None
    """Of a part of a document, the document."""
    part: TextPart | None = None
    """Which part."""

    @property
    def name(self) -> str:
        """For people."""
        return "stdin" if self.path == STDIN else printable_name(self.path.name)

    @property
    def file(self) -> Path:
        """The file on disk that its bytes are in."""
        if self.whole is not None:
            return self.whole.file
        within = self.line or self.member
        return within.file if within else self.path


class Sources(Sequence[Source]):
    """Documents in a stable order, each once. Those of a file that holds a document a line are found in it when they
    are asked for, so that a million of them take no memory."""

    def __init__(self, pieces: Iterable[Source | JsonLines], vision: Vision | None = None) -> None:
        self._pieces = list(pieces)
        self._vision = vision
        sizes = (1 if isinstance(piece, Source) else len(piece) for piece in self._pieces)
        self._ends = array("q", itertools.accumulate(sizes))

    def show(self, vision: Vision) -> Sources:
        """The same, pages of which are pictured for a model that sees."""
        return Sources(self._pieces, vision)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Source]:
        for piece in self._pieces:
            if isinstance(piece, Source):
                yield self._finish(piece)
            else:
                for one in piece:
                    yield self._build(piece, one)

    @overload
    def __getitem__(self, i: int) -> Source: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Source]: ...
    def __getitem__(self, i: int | slice) -> Source | Sequence[Source]:
        if isinstance(i, slice):
            return [self[n] for n in range(*i.indices(len(self)))]
        index = range(len(self))[i]
        at = bisect_right(self._ends, index)
        piece = self._pieces[at]
        if isinstance(piece, Source):
            return self._finish(piece)
        return self._build(piece, piece[index - self._ends[at] + len(piece)])

    def _build(self, lines: JsonLines, one: tuple[str, JsonLine]) -> Source:
        return self._finish(Source(lines.path / one[0], line=one[1]))

    def _finish(self, source: Source) -> Source:
        return source if self._vision in (None, source.vision) else replace(source, vision=self._vision)


class PickedSources(Sequence[Source]):
    """Some of the documents, by where they stand among all."""

    def __init__(self, sources: Sequence[Source], indexes: Sequence[int]) -> None:
        self._sources, self._indexes = sources, indexes

    def __len__(self) -> int:
        return len(self._indexes)

    @overload
    def __getitem__(self, i: int) -> Source: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Source]: ...
    def __getitem__(self, i: int | slice) -> Source | Sequence[Source]:
        if isinstance(i, slice):
            return PickedSources(self._sources, self._indexes[i])
        return self._sources[self._indexes[i]]
