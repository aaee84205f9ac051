"""XML: elements as names, their text and attributes as values, each with its range in the source.

The parser is expat. It fetches nothing, and no entity is expanded here but one that stands for a few plain letters: an
entity made of entities, or one that is a file, makes the source itself the text. Prefixes of names are left out.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from extractor.documents.formats import XML_FORMAT
from extractor.documents.formats.io import decode_text, read_file_bytes, require_text
from extractor.documents.formats.link_text import add_address
from extractor.documents.formats.named_values import NamedNode, Words
from extractor.documents.formats.named_writer import write_named_values, write_source
from extractor.documents.formats.sheet_layout import write_workbook
from extractor.documents.formats.spreadsheet_xml import is_workbook, read_workbook
from extractor.errors import DocumentError
from extractor.types import Document

MAX_ENTITY = 100
"""Letters of an entity that is replaced by them."""
MAX_EXPANDED = 1_000_000
"""Letters of all such replacements together."""
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_TAG_NAME = re.compile(r"<[^\s/>]+")
_ATTRIBUTE = re.compile(r"\s*([^\s=<>/\"']+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_SILENT_ATTRIBUTES = ("xmlns", "xsi:", "xml:space", "xml:base")
"""Beginnings of attributes that say how the file is made rather than what it says."""
_SPACE = " \t\r\n"


def load(path: Path, name: str, ocr: bool) -> Document:
    source = require_text(decode_xml(read_file_bytes(path, XML_FORMAT.max_bytes), name), name)
    try:
        root = parse_xml(source)
    except ValueError as error:
        return write_source(source, name, f"{name} is no whole XML ({error}); its text is read as it is.")
    if is_workbook(source):
        return write_workbook(read_workbook(source), name, "expat", ocr=ocr)
    return write_named_values(root, source, name, "expat")


def decode_xml(data: bytes, name: str) -> str:
    """The text by its mark, its own declaration, or as text files are (XML 1.0, appendix F)."""
    declared = _DECLARED.match(data.lstrip())
    if declared and not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        label = declared[1].decode("ascii").lower()
        if label not in ("utf-8", "utf8", "utf-16", "us-ascii"):
            try:
                return data.decode("windows-1252" if label in ("iso-8859-1", "latin1") else label)
            except (LookupError, UnicodeDecodeError) as error:
                raise DocumentError(
                    f"{name} says it is in {label}, and is not; save it as UTF-8.", reason="encoding"
                ) from error
    for start, label in ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be")):
        if data.startswith(start):
            return data.decode(label, "replace")
    return decode_text(data, name)


def parse_xml(source: str) -> NamedNode:
    """The root element. Raises ValueError, with the line, for what is no whole XML, or would grow when it is read."""
    return _XmlParser(source).parse()


class _XmlParser:
    """Takes what expat finds, and builds the tree: a stack of open elements."""

    def __init__(self, source: str) -> None:
        self._source = source.removeprefix("\ufeff")
        self._skipped = len(source) - len(self._source)
        self._data = self._source.encode("utf-8", "replace")
        self._is_ascii = len(self._data) == len(self._source)
        self._bytes_seen = self._letters_seen = 0
        self._entities: dict[str, str] = {}
        self._expanded = 0
        self._top = _Element(NamedNode(), 0)
        self._open = [self._top]
        parser = self._parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start_element
        parser.EndElementHandler = self._end_element
        parser.CharacterDataHandler = self._add_text
        parser.CommentHandler = lambda text: self._add_hidden(f"<!--{text}-->")
        parser.ProcessingInstructionHandler = lambda target, text: self._add_hidden(f"<?{target} {text}?>")
        parser.EntityDeclHandler = self._declare_entity
        parser.DefaultHandler = self._read_reference  # with it, entities of a document are not replaced in its text

    def parse(self) -> NamedNode:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise ValueError(f"{expat.ErrorString(error.code)}, line {error.lineno}") from error
        children = self._top.children
        root = next(child for child in children if not child.is_hidden)
        if len(children) == 1:
            return root
        if root.is_leaf:
            return NamedNode(children=children)
        root.children = [
            *(child for child in children[: children.index(root)]),
            *root.children,
            *children[children.index(root) + 1 :],
        ]
        return root

    def _position(self) -> int:
        """Where the parser is, in letters of the source."""
        at = self._parser.CurrentByteIndex
        if self._is_ascii:
            return at + self._skipped
        if at > self._bytes_seen:
            self._letters_seen += len(self._data[self._bytes_seen : at].decode("utf-8", "replace"))
            self._bytes_seen = at
        return self._letters_seen + self._skipped

    def _start_element(self, name: str, attributes: dict[str, str]) -> None:
        at = self._position()
        tag = _TAG_NAME.match(self._source, at - self._skipped)
        node = NamedNode(_name_words(name, at + 1))
        if attributes and tag:
            node.notes = self._read_attributes(attributes, tag.end())
        if self._open[-1].has_text:
            self._open[-1].holds_marks = True
        self._open[-1].append_child(node)
        self._open.append(_Element(node, at))

    def _read_attributes(self, attributes: dict[str, str], at: int) -> list[NamedNode]:
        notes = []
        while found := _ATTRIBUTE.match(self._source, at):
            at = found.end()
            if not found[1].startswith(_SILENT_ATTRIBUTES) and (value := attributes.get(found[1], "")).strip():
                start = found.start(2) + 1 + self._skipped
                words = Words(" ".join(value.split()), start, found.end(2) - 1 + self._skipped)
                notes.append(NamedNode(_name_words(found[1], found.start(1) + self._skipped), words))
        return notes

    def _end_element(self, _: str) -> None:
        element = self._open.pop()
        node = element.node
        text = "".join(element.texts)
        if element.is_mixed:
            node.value, node.is_prose, node.children = element.join_prose(self._position()), True, ()
        elif text.strip(_SPACE):
            end = self._position()
            while end > element.text_start and self._source[end - 1 - self._skipped] in _SPACE:
                end -= 1
            node.value = Words(_tidy_lines(text), element.text_start, end)
        elif not element.children:
            node.value = Words("")

    def _add_text(self, text: str) -> None:
        element = self._open[-1]
        if not element.has_text and text.strip(_SPACE):
            element.has_text = True
            element.text_start = self._position() + len(text) - len(text.lstrip(_SPACE))
            if element.children:
                element.holds_marks = True
        element.texts.append(text)
        element.parts.append(text)

    def _add_hidden(self, text: str) -> None:
        at = self._position()
        node = NamedNode(value=Words(" ".join(text.split()), at, at + len(text)), is_hidden=True)
        self._open[-1].append_child(node)

    def _declare_entity(self, name: str, is_parameter: int, value: str | None, *_: object) -> None:
        if is_parameter:
            return
        if value is None:
            self._refuse(f"the entity {name} is in another file, which is not read")
        if "&" in value or "<" in value or len(value) > MAX_ENTITY:
            self._refuse(f"the entity {name} stands for more than a few letters, and is not replaced")
        self._entities.setdefault(name, value)

    def _read_reference(self, data: str) -> None:
        if data.startswith("&") and data.endswith(";") and len(self._open) > 1:
            value = self._entities.get(data[1:-1])
            if value is None:
                self._refuse(f"the entity {data[1:-1]} is not defined in it")
            self._expanded += len(value)
            if self._expanded > MAX_EXPANDED:
                self._refuse("its entities stand for more than a million letters")
            self._add_text(value)

    def _refuse(self, why: str) -> NoReturn:
        raise ValueError(f"{why}, line {self._parser.CurrentLineNumber}")


class _Element:
    """An element while it is open."""

    __slots__ = ("children", "has_text", "holds_marks", "node", "parts", "start", "text_start", "texts")

    def __init__(self, node: NamedNode, start: int) -> None:
        self.node, self.start, self.text_start = node, start, 0
        self.has_text = self.holds_marks = False
        self.texts: list[str] = []
        self.children: list[NamedNode] = []
        self.parts: list[str | NamedNode] = []
        """Text and elements in their order."""

    @property
    def is_mixed(self) -> bool:
        """Whether there are words and elements side by side."""
        return self.holds_marks and any(not child.is_hidden for child in self.children)

    def append_child(self, node: NamedNode) -> None:
        if not self.children:
            self.node.children = self.children
        self.children.append(node)
        self.parts.append(node)

    def join_prose(self, end: int) -> Words:
        """The words with those of the elements among them, as one reads on."""
        pieces = [part if isinstance(part, str) else _read_inline(part) for part in self.parts]
        return Words(_tidy_lines("".join(pieces)), self.start, end)


def _read_inline(node: NamedNode) -> str:
    """The words of an element among words, with the address that it leads to."""
    if node.is_hidden:
        return ""
    own = node.value.text if node.value else ""
    inner = " ".join(filter(None, map(_read_inline, node.children)))
    link = next((n.value.text for n in node.notes if n.value and n.name.text in ("href", "url", "target")), "")
    words = " ".join(filter(None, (own, inner)))
    return add_address(words, link)


def _name_words(name: str, at: int) -> Words:
    prefix, _, local = name.rpartition(":")
    start = at + len(prefix) + 1 if prefix else at
    return Words(local, start, start + len(local))


def _tidy_lines(text: str) -> str:
    """The text without the indentation that comes of how the file is laid out."""
    return "\n".join(line.strip() for line in text.strip(_SPACE).split("\n"))
