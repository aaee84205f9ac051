"""Rich text (RTF): paragraphs, tables, notes and margins, with hidden text marked.

It is read here and by no library: those that there are forget what is hidden, and which words are in which cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from extractor.documents.formats import RTF_FORMAT
from extractor.documents.formats.attachments import MailDocument
from extractor.documents.formats.builder import DocumentBuilder, TableCell
from extractor.documents.formats.enclosed_pictures import Picture, enclose_pictures
from extractor.documents.formats.io import read_file_bytes, require_text
from extractor.documents.formats.link_text import add_address
from extractor.documents.formats.ocr import advise_on_ocr
from extractor.documents.formats.rtf_pictures import PictureReader
from extractor.documents.formats.rtf_tokens import (
    CLOSE,
    MAX_GROUPS,
    OPEN,
    RtfState,
    RtfTables,
    Token,
    apply_property,
    split_tokens,
)
from extractor.documents.formats.rtf_words import (
    ENTERED_GROUPS,
    OWN_GROUPS,
    PART_GROUPS,
    PARTS,
    SIGNS,
    SKIPPED_GROUPS,
    TABLES,
)
from extractor.documents.formats.scripts import spell_subscript, spell_superscript
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.symbol_fonts import read_symbols
from extractor.documents.locations import PieceLabels
from extractor.errors import DocumentError
from extractor.types import Document, UnreadPart

_HYPERLINK = re.compile(r'HYPERLINK\s+(?:\\[a-z]\s+)*"([^"]{1,2000})"')

_LINKED_RUNS = 40
"""Runs before the end of a link in which its address is looked for, so that it is not written twice."""

Run = tuple[str, Sight]


def load(path: Path, name: str, ocr: bool) -> Document:
    source = read_file_bytes(path, RTF_FORMAT.max_bytes).decode("latin-1")
    if not source.lstrip("\xef\xbb\xbf \r\n\t").startswith("{\\rtf"):
        raise DocumentError(f"{name} is no rich text: it does not begin with {{\\rtf.", reason="broken")
    reader = _RtfReader()
    for token in split_tokens(source):
        reader.take(token, name)
    document = enclose_pictures(reader.finish(name), reader.pictures, wanted=ocr)
    if not isinstance(document, MailDocument):
        if reader.pictures and not document.text:
            raise DocumentError(
                f"{name} needs OCR: it holds pictures and no words; {advise_on_ocr(ocr)}.", reason="needs OCR"
            )
        require_text(document.text, name)
    return document


def parse_rtf(source: str, name: str) -> Document:
    """The document in the source, whose letters are the file's bytes."""
    reader = _RtfReader()
    for token in split_tokens(source):
        reader.take(token, name)
    return reader.finish(name)


@dataclass(slots=True)
class _Flow:
    """Text on its way into one part of the page: the paragraph, the cells and the rows at hand."""

    runs: list[Run] = field(default_factory=list)
    cells: list[list[Run]] = field(default_factory=list)
    rows: list[list[list[Run]]] = field(default_factory=list)
    header_rows: int = 0
    level: int = 0
    in_table: bool = False


class _RtfReader:
    def __init__(self) -> None:
        self._tables = RtfTables()
        self._draft = DocumentBuilder(
            PieceLabels(("paragraph", "table", "row", "column", "part"), {"part": list(PARTS)})
        )
        self._state = RtfState()
        self._stack: list[RtfState] = []
        self._flows = {part: _Flow() for part in ("", *PARTS)}
        self._later: list[tuple[str, list[Run]]] = []
        """Paragraphs of notes and text boxes, which stand below the one that they are anchored in."""
        self._bytes = bytearray()
        self._left_out = 0
        """Letters that stand in for one that was given in Unicode, and are left out."""
        self._half = ""
        self._starts_group = False
        self._is_optional = False
        self._field = ""
        self._picture: PictureReader | None = None
        self.pictures: list[Picture] = []
        """Those that are seen."""
        self._cell_grounds: list[int] = []
        self._paragraph_count = self._table_count = 0

    def take(self, token: Token, name: str) -> None:
        """The next token. Raises DocumentError for groups nested too deep."""
        if token.byte < 0 and self._bytes:
            self._flush_bytes()
        if token is OPEN:
            if len(self._stack) > MAX_GROUPS:
                raise DocumentError(f"{name} is nested too deep; save it anew.", reason="broken")
            self._stack.append(self._state)
            self._starts_group, self._is_optional = True, False
            return
        if token is CLOSE:
            self._close_group()
            return
        if token.word == "*":
            self._is_optional = True
            return
        if token.word and self._starts_group:
            self._enter_group(token.word)
        self._starts_group = self._is_optional = False
        if self._state.destination in TABLES:
            self._state = apply_property(self._state, token, self._tables) if token.word == "f" else self._state
            self._tables.read(token, self._state)
        elif self._state.destination == "fldinst":
            self._field += token.text
        elif self._state.destination == "pict" and self._picture is not None and not self._state.skips:
            self._picture.take(token)
        elif not self._state.skips and not self._state.destination and token.word != "bin":
            self._take_text(token)

    def _enter_group(self, word: str) -> None:
        state = self._state
        if word in OWN_GROUPS:
            self._state = replace(state, destination="" if state.skips else word)
            self._field = "" if word == "fldinst" else self._field
            self._picture = PictureReader() if word == "pict" else self._picture
        elif word == "ud":
            self._state = replace(state, skips=any(s.skips for s in self._stack[:-2]))
        elif word in SKIPPED_GROUPS or (self._is_optional and word not in ENTERED_GROUPS):
            self._state = replace(state, skips=True)
        elif word in PART_GROUPS and not state.skips:
            part = PART_GROUPS[word]
            self._state = replace(RtfState(), font=state.font, part=part, doubtful=part == "comments")

    def _close_group(self) -> None:
        if not self._stack:
            return
        before = self._state
        self._state = self._stack.pop()
        if before.destination == "pict" and self._state.destination != "pict":
            self._end_picture(before)
        if before.part != self._state.part and before.part:
            self._end_paragraph(before.part)
        if before.destination == "" and self._field and not before.skips and self._state.destination == "":
            self._write_link()

    def _end_picture(self, state: RtfState) -> None:
        picture = self._picture.finish(len(self.pictures) + 1) if self._picture is not None else None
        self._picture = None
        if picture is not None and not (state.is_hidden or state.is_deleted):
            self.pictures.append(picture)

    def _write_link(self) -> None:
        """The address behind the words of a field, after them."""
        found = _HYPERLINK.search(self._field)
        words = "".join(text for text, _ in self._flows[self._state.part].runs[-_LINKED_RUNS:])
        self._field = ""
        if found:
            self._add(add_address(words, found[1])[len(words) :])

    def _take_text(self, token: Token) -> None:
        if token.byte >= 0:
            if self._left_out:
                self._left_out -= 1
            else:
                self._bytes.append(token.byte)
        elif token.text:
            text = token.text[self._left_out :]
            self._left_out = max(0, self._left_out - len(token.text))
            self._bytes += text.encode("latin-1", "replace")
            self._flush_bytes()
        elif token.word == "u":
            self._add_unicode((token.number or 0) & 0xFFFF)
        elif token.word in SIGNS:
            self._add(SIGNS[token.word])
        else:
            self._take_word(token)

    def _take_word(self, token: Token) -> None:
        flow = self._flows[self._state.part]
        match token.word:
            case "par" | "sect" | "page":
                if flow.in_table:
                    flow.runs.append((" ", Sight.SHOWN))
                else:
                    self._end_paragraph(self._state.part)
            case "pard":
                flow.in_table, flow.level = False, 0
            case "intbl":
                flow.in_table = True
            case "trowd":
                self._cell_grounds = []
            case "clcbpat":
                self._cell_grounds[-1:] = [token.number or 0]
            case "cellx":
                self._cell_grounds.append(0)
            case "trhdr":
                flow.header_rows = max(flow.header_rows, len(flow.rows) + 1)
            case "nestcell":
                flow.runs.append((" ", Sight.SHOWN))
            case "cell":
                flow.cells.append(flow.runs)
                flow.runs = []
            case "row":
                flow.rows.append(flow.cells)
                flow.cells = []
            case "outlinelevel":
                flow.level = (token.number or 0) + 1 if (token.number or 0) < 9 else 0
            case "s":
                flow.level = self._tables.levels.get(token.number or 0, 0)
                self._state = replace(self._state, is_hidden=token.number in self._tables.hidden_styles)
            case "ansicpg":
                self._tables.code_page = f"cp{token.number}" if token.number else "cp1252"
            case "mac":
                self._tables.code_page = "mac_roman"
        self._state = apply_property(self._state, token, self._tables)

    def _flush_bytes(self) -> None:
        data, self._bytes = bytes(self._bytes), bytearray()
        if self._state.skips or self._state.destination or not data:
            return
        if self._state.font in self._tables.symbol_fonts:
            self._add(read_symbols(data.decode("latin-1"), self._tables.symbol_fonts[self._state.font]))
            return
        try:
            self._add(data.decode(self._tables.encoding_of(self._state.font), "replace"))
        except LookupError:
            self._add(data.decode("cp1252", "replace"))

    def _add_unicode(self, number: int) -> None:
        self._left_out = self._state.unicode_skip
        if 0xD800 <= number < 0xDC00:
            self._half = chr(number)
            return
        letter = self._half + chr(number)
        self._half = ""
        if 0xF000 <= number <= 0xF0FF:
            letter = read_symbols(letter, self._tables.symbol_fonts.get(self._state.font, "wingdings"))
        self._add(letter.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def _add(self, text: str) -> None:
        state = self._state
        if state.is_deleted or state.skips or not text:
            return
        flow = self._flows[state.part]
        cell = len(flow.cells)
        ground = self._cell_grounds[cell] if flow.in_table and cell < len(self._cell_grounds) else 0
        if state.place:
            before = flow.runs[-1][0] if flow.runs else ""
            text = (spell_superscript if state.place == "super" else spell_subscript)(text, before)
        flow.runs.append((text, self._tables.judge(state, ground)))

    def _end_paragraph(self, part: str) -> None:
        flow = self._flows[part]
        runs, flow.runs = flow.runs, []
        if part in ("footnotes", "comments", "text box"):
            self._later.append((part, runs))
            return
        self._end_table(part)
        self._write_paragraph(part, runs, flow.level)
        while not part and self._later:
            self._write_paragraph(*self._later.pop(0), 0)

    def _write_paragraph(self, part: str, runs: list[Run], level: int) -> None:
        number = PARTS.index(part) + 1 if part else 0
        self._paragraph_count += not part
        runs = _strip_runs(runs)
        if not runs:
            return
        self._draft.end_paragraph()
        self._draft.add_text("#" * min(level, 6) + " " if level else "")
        for text, sight in runs:
            label = (0 if part else self._paragraph_count, 0, 0, 0, number)
            self._draft.add_words(text.replace("\n", " ") if level else text, label, sight=sight)

    def _end_table(self, part: str) -> None:
        flow = self._flows[part]
        rows, flow.rows = flow.rows, []
        if not rows:
            return
        self._table_count += 1
        number = PARTS.index(part) + 1 if part else 0
        cells = []
        for i, row in enumerate(rows, 1):
            header = i <= flow.header_rows
            labels = [(0, self._table_count, i, j, number) for j in range(1, len(row) + 1)]
            cells.append(
                [
                    TableCell("".join(text for text, _ in runs), label, header=header, pieces=runs)
                    for runs, label in zip(row, labels, strict=True)
                ]
            )
        flow.header_rows = 0
        self._draft.add_table(cells)

    def finish(self, name: str) -> Document:
        """The document, when all tokens are taken."""
        self._flush_bytes()
        for part, flow in self._flows.items():
            if flow.cells:
                flow.rows.append(flow.cells)
            self._end_paragraph(part)
        for part, runs in self._later:
            self._write_paragraph(part, runs, 0)
        if self._stack:
            message = f"{name} ends in the middle of a group; what comes after that is missing."
            self._draft.unread.append(UnreadPart("rest of the file", "broken", message))
        return self._draft.build_document(name, "rtf")


def _strip_runs(runs: list[Run]) -> list[Run]:
    """The runs without white space at either end."""
    first, end = 0, len(runs)
    while first < end and not runs[first][0].strip():
        first += 1
    while end > first and not runs[end - 1][0].strip():
        end -= 1
    runs = runs[first:end]
    if runs:
        runs = [(runs[0][0].lstrip(), runs[0][1]), *runs[1:]]
        runs[-1] = (runs[-1][0].rstrip(), runs[-1][1])
    return runs
