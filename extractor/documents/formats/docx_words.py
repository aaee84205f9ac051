"""The words of a paragraph of Word in pieces that are seen alike: text, symbols, formulas, fields, links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from docx.oxml.ns import qn

from extractor.documents.formats.docx_fields import Field, FieldMarks, show_code, show_form
from extractor.documents.formats.docx_math import MATH_TAGS, spell_formula
from extractor.documents.formats.docx_styles import (
    Ground,
    Properties,
    StyleSheet,
    WordLook,
    read_run_properties,
    resolve_look,
)
from extractor.documents.formats.link_text import add_address
from extractor.documents.formats.scripts import spell_subscript, spell_superscript
from extractor.documents.formats.sight import Sight
from extractor.documents.formats.symbol_fonts import is_symbol_font, read_symbols

R, _T, _RPR, _VAL = qn("w:r"), qn("w:t"), qn("w:rPr"), qn("w:val")
SEEN_THROUGH = frozenset(
    qn(f"w:{tag}")
    for tag in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple", "dir", "bdo")
)
"""What is seen through: what it holds is text of the page."""
_SIGNS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", qn("w:ptab"): "\t"}
_SYM, _LINK, _SIMPLE, _RUBY = qn("w:sym"), qn("w:hyperlink"), qn("w:fldSimple"), qn("w:ruby")
_MARK, _CODE = qn("w:fldChar"), qn("w:instrText")
_NOTES = {qn("w:footnoteReference"): "footnotes", qn("w:endnoteReference"): "endnotes"}
_OWN_NOTES = {qn("w:footnoteRef"), qn("w:endnoteRef")}

Pieces = list[tuple[str, Sight]]


@dataclass(slots=True)
class Story:
    """What the words of one part of a file depend on: the fields in it, the addresses that it names, its notes."""

    fields: FieldMarks
    addresses: Mapping[str, str] = field(default_factory=dict)
    own_mark: str = ""
    """The mark of the note that is being read."""
    note_marks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The marks of notes by their kind and identifier."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a paragraph stands in: what its styles say of words, what is behind them, and how well that is seen."""

    levels: tuple[Properties, ...]
    ground: Ground
    sight: Sight = Sight.SHOWN
    in_contents: bool = False


class ParagraphReader:
    """Reads the words of paragraphs of one story."""

    def __init__(self, styles: StyleSheet, story: Story) -> None:
        self._styles, self._story = styles, story
        self._length = 0
        """Characters of the paragraph that have been read."""

    def read(self, paragraph: Any, setting: Setting) -> Pieces:
        """The words of a paragraph."""
        pieces: Pieces = []
        self._length = 0
        self._usual = self._resolve(None, setting)
        for opened, _ in self._story.fields.stack:
            opened.start = 0
        self._read_inner(paragraph, setting, pieces)
        return [("".join(text for text, _ in alike), sight) for sight, alike in groupby(pieces, key=lambda p: p[1])]

    def _read_inner(self, parent: Any, setting: Setting, pieces: Pieces) -> None:
        for element in parent:
            tag = element.tag
            if tag == R:
                self._read_run(element, setting, pieces)
            elif tag in (_LINK, _SIMPLE):
                start = self._length
                self._read_inner(element, setting, pieces)
                code = element.get(qn("w:instr"), "") if tag == _SIMPLE else ""
                if self._length == start and code and not self._story.fields.in_code:
                    self._add(pieces, show_code(code), setting.sight)
                address = self._find_address(element) if tag == _LINK else Field(code).address
                self._add_address(pieces, start, address)
            elif tag in SEEN_THROUGH:
                self._read_inner(element, setting, pieces)
            elif tag in MATH_TAGS and not self._story.fields.in_code:
                self._add(pieces, spell_formula(element), setting.sight)

    def _find_address(self, element: Any) -> str:
        return self._story.addresses.get(element.get(qn("r:id"), ""), "")

    def _add_address(self, pieces: Pieces, start: int, address: str) -> None:
        """Writes the address behind linked words after them, as well seen as they are."""
        if not address or self._story.fields.in_code:
            return
        said: list[str] = []
        at = self._length
        for text, _ in reversed(pieces):
            if at <= start:
                break
            said.append(text)
            at -= len(text)
        words = "".join(reversed(said))
        if words.strip():
            self._add(pieces, add_address(words, address)[len(words) :], pieces[-1][1])

    def _read_run(self, run: Any, setting: Setting, pieces: Pieces) -> None:
        properties = run.find(_RPR)
        look = self._usual if properties is None else self._resolve(properties, setting)
        fields = self._story.fields
        for sign in run:
            tag = sign.tag
            text = _SIGNS.get(tag) or ""
            if tag == _T:
                text = (sign.text or "").replace("\u00ad", "")  # seen where a line breaks alone
                text = read_symbols(text, look.font) if is_symbol_font(look.font) else text
            elif tag == _SYM:
                text = _read_symbol(sign)
            elif tag in _NOTES or tag in _OWN_NOTES:
                text = self._story.own_mark if tag in _OWN_NOTES else self._find_note_mark(sign)
            elif tag == _RUBY:
                text = _read_ruby(sign)
            elif tag == _MARK:
                self._pass_field(sign, look, pieces)
                continue
            elif str(tag).endswith("}AlternateContent") or not text:
                continue
            sight = Sight.HIDDEN if fields.in_code else look.sight
            if look.raised in ("superscript", "subscript") and tag == _T:
                before = pieces[-1][0] if pieces else ""
                spell = spell_superscript if look.raised == "superscript" else spell_subscript
                text = spell(text, before)
            self._add(pieces, text, sight)

    def _pass_field(self, mark: Any, look: WordLook, pieces: Pieces) -> None:
        fields = self._story.fields
        ended = fields.pass_mark(mark)
        if ended is None:
            if mark in fields.fields:  # its words begin behind its code, of which nothing is seen
                fields.fields[mark].start = self._length
            return
        if fields.in_code:
            return
        if self._length <= ended.start or not ended.parted:
            self._add(pieces, show_code(ended.code), look.sight)
        if ended.form is not None and (shown := show_form(ended.form)):
            if ended.form.find(qn("w:checkBox")) is not None or self._length <= ended.start:
                self._add(pieces, shown, look.sight)
        else:
            self._add_address(pieces, ended.start, ended.address)

    def _find_note_mark(self, sign: Any) -> str:
        own = sign.get(qn("w:customMarkFollows"), "0") not in ("0", "false")
        return "" if own else self._story.note_marks.get((_NOTES[sign.tag], sign.get(qn("w:id"), "")), "")

    def _resolve(self, properties: Any, setting: Setting) -> WordLook:
        own = read_run_properties(properties)
        named = properties.find(qn("w:rStyle")) if properties is not None else None
        levels = list(setting.levels)
        if named is not None:
            levels.append(self._styles.find(named.get(_VAL, "")).run)
        contents = setting.in_contents or self._story.fields.in_contents
        look = resolve_look(self._styles, levels, own, setting.ground, in_contents=contents)
        return WordLook(max(look.sight, setting.sight), look.raised, look.font)

    def _add(self, pieces: Pieces, text: str, sight: Sight) -> None:
        if text:
            pieces.append((text, sight))
            self._length += len(text)


def _read_symbol(sign: Any) -> str:
    """A letter of a font of symbols, by its number."""
    code, font = sign.get(qn("w:char"), ""), sign.get(qn("w:font"), "")
    try:
        letter = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    if is_symbol_font(font):
        return read_symbols(letter, font)
    return chr(ord(letter) - 0xF000) if "\uf000" <= letter <= "\uf0ff" else letter


def _read_ruby(sign: Any) -> str:
    """Words and how to read them, which stands in small letters above."""
    base, above = (
        "".join(t.text or "" for part in sign.iter(qn(f"w:{name}")) for t in part.iter(_T))
        for name in ("rubyBase", "rt")
    )
    return f"{base}({above})" if above else base


def find_note_references(story: Any) -> Iterator[tuple[str, str, bool]]:
    """The notes that a story refers to, in order: kind, identifier, and whether a mark of its own stands there."""
    for element in story.iter(*_NOTES):
        if next(element.iterancestors(qn("w:del"), qn("w:moveFrom")), None) is None:
            own = element.get(qn("w:customMarkFollows"), "0") not in ("0", "false")
            yield _NOTES[element.tag], element.get(qn("w:id"), ""), own
