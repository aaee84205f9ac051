"""JSON: names and values as the file spells them, numbers too; each with its range in the source.

A file of JSON is read by hand in place of `json`, which forgets where things stand and how numbers are spelled, keeps
one of two members of the same name, and nests calls as deep as the file nests (RFC 8259).
"""

from __future__ import annotations

import re
from json import decoder
from pathlib import Path

from extractor.documents.formats import JSON_FORMAT
from extractor.documents.formats.io import decode_text, read_file_bytes, require_text
from extractor.documents.formats.named_values import NamedNode, Words
from extractor.documents.formats.named_writer import write_named_values, write_source
from extractor.errors import DocumentError
from extractor.types import Document

_SIGN = re.compile(r'[ \t\r\n]*+([{}\[\],:"]|[-+0-9A-Za-z.]++)')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|NaN|-?Infinity")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OWN_FORMATS = ("extractor.result/", "extractor.run/")


def load(path: Path, name: str, ocr: bool) -> Document:
    source = require_text(decode_text(read_file_bytes(path, JSON_FORMAT.max_bytes), name), name)
    try:
        root = parse_json(source)
    except ValueError as error:
        return write_source(source, name, f"{name} is no whole JSON ({error}); its text is read as it is.")
    if any(is_own_format(child) for child in root.children):
        raise DocumentError(f"{name} is a result of this program, and no document; leave it out.", reason="not read")
    return write_named_values(root, source, name, "json")


def is_own_format(member: NamedNode) -> bool:
    """Whether the member of an object tells that this is a result file."""
    return member.name.text == "format" and member.value is not None and member.value.text.startswith(_OWN_FORMATS)


def parse_json(source: str) -> NamedNode:
    """The value in a text of JSON; of several, a list. Raises ValueError, with the line, where it is no JSON."""
    values = _JsonParser(source).parse()
    return values[0] if len(values) == 1 else NamedNode(children=values, is_list=True)


class _JsonParser:
    """One pass over the text, with a stack of what is open."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 1 if source.startswith("\ufeff") else 0
        self._roots: list[NamedNode] = []
        self._open: list[tuple[NamedNode, list[NamedNode], int]] = []

    def parse(self) -> list[NamedNode]:
        while (sign := self._next_sign()) is not None:
            if self._open and sign in "]}":
                self._close(sign)
                continue
            if self._open and self._open[-1][1]:
                if sign != ",":
                    raise self._error("a comma")
                sign = self._require_sign()
            name = Words("")
            if self._open and not self._open[-1][0].is_list:
                if sign != '"':
                    raise self._error("a name in quotes")
                name = self._read_string()
                if self._require_sign() != ":":
                    raise self._error("a colon")
                sign = self._require_sign()
            self._read_value(sign, name)
        if self._open or not self._roots:
            raise self._error("its end")
        return self._roots

    def _read_value(self, sign: str, name: Words) -> None:
        where = self._open[-1][1] if self._open else self._roots
        if sign == '"':
            where.append(NamedNode(name, self._read_string()))
        elif sign in ("{", "["):
            children: list[NamedNode] = []
            node = NamedNode(name, is_list=sign == "[", children=children)
            where.append(node)
            self._open.append((node, children, self._at - 1))
        elif _SCALAR.fullmatch(sign):
            where.append(NamedNode(name, Words(sign, self._at - len(sign), self._at)))
        else:
            raise self._error("a value")

    def _close(self, sign: str) -> None:
        node, children, start = self._open.pop()
        if (sign == "]") != node.is_list:
            raise self._error("another bracket")
        if not children:
            node.value, node.is_list, node.children = Words("[]" if node.is_list else "{}", start, self._at), False, ()

    def _next_sign(self) -> str | None:
        found = _SIGN.match(self._source, self._at)
        if found is None:
            if self._source[self._at :].strip(" \t\r\n"):
                raise self._error("something of JSON")
            return None
        self._at = found.end()
        return found[1]

    def _require_sign(self) -> str:
        sign = self._next_sign()
        if sign is None:
            raise self._error("its end")
        return sign

    def _read_string(self) -> Words:
        start = self._at
        try:
            text, self._at = decoder.scanstring(self._source, start, False)  # type: ignore[attr-defined]
        except ValueError:
            raise self._error("the end of a string") from None
        if _LONE_SURROGATE.search(text):
            raise self._error("the other half of a character")
        return Words(text, start, self._at - 1)

    def _error(self, missing: str) -> ValueError:
        line = self._source.count("\n", 0, self._at) + 1
        return ValueError(f"{missing} is missing at line {line}")
