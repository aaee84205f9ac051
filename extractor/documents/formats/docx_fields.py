"""Fields of Word: what they show is their result, and not the code that it was made by (ECMA-376 part 1, 17.16)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import qn

from extractor.documents.formats.docx_equations import spell_equation
from extractor.documents.formats.office_package import is_on
from extractor.documents.formats.symbol_fonts import is_symbol_font, read_symbols

_FIELD_CHAR, _TYPE, _INSTRUCTION, _VAL = qn("w:fldChar"), qn("w:fldCharType"), qn("w:instrText"), qn("w:val")
_TEXT = qn("w:t")
_LINK = re.compile(r'^\s*HYPERLINK\s+(?!\\)"?([^"\s]+)"?', re.I)
_CONTENTS = re.compile(r"^\s*(?:TOC|PAGEREF)\b", re.I)
_EQUATION = re.compile(r"^\s*EQ\b", re.I)
_SYMBOL = re.compile(r"^\s*SYMBOL\s+(0x[0-9a-f]{1,6}|\d{1,7})", re.I)
_SYMBOL_FONT = re.compile(r'\\f\s+(?:"([^"]+)"|(\S+))', re.I)
_MAX_NESTING = 20
"""Fields in each other whose words may be part of a code."""
TICKED, UNTICKED = "☒", "☐"


@dataclass(slots=True)
class Field:
    """A field from its first mark to its last."""

    code: str = ""
    """What it is made by, with what the fields within that show."""
    form: Any = None
    """What it is as a box or a list of an old form (17.16.17)."""
    parted: bool = False
    """Whether it has a result."""
    start: int = 1 << 30
    """How many letters of its paragraph stand before its words."""

    @property
    def address(self) -> str:
        """The address that it leads to, if it does."""
        found = _LINK.match(self.code)
        return found[1] if found else ""

    @property
    def is_contents(self) -> bool:
        """Whether it makes a table of contents, or a page number in one."""
        return _CONTENTS.match(self.code) is not None


@dataclass(slots=True)
class FieldMarks:
    """The fields of one story, by their marks; a mark that has no counterpart is none, and hides nothing."""

    fields: dict[Any, Field] = field(default_factory=dict)
    stack: list[tuple[Field, bool]] = field(default_factory=list)
    """The fields that are open, outermost first, and whether each is in its result."""

    @classmethod
    def of(cls, story: Any) -> FieldMarks:
        """Pairs the marks under an element."""
        marks = cls()
        opened: list[list[Any]] = []
        for element in story.iter(_FIELD_CHAR, _INSTRUCTION, _TEXT):
            kind = element.get(_TYPE) if element.tag == _FIELD_CHAR else ""
            if kind == "begin":
                opened.append([element, Field(form=element.find(qn("w:ffData")))])
            elif not opened:
                continue
            elif kind == "separate":
                opened[-1][1].parted = True
                opened[-1].append(element)
            elif kind == "end":
                *places, last = [*opened.pop(), element]
                marks.fields |= dict.fromkeys((places[0], *places[2:], last), places[1])
            elif element.tag == _INSTRUCTION:
                opened[-1][1].code += "" if opened[-1][1].parted else element.text or ""
            elif made := next((one for _, one, *_ in opened[:-_MAX_NESTING:-1] if not one.parted), None):
                made.code += element.text or ""
        return marks

    def pass_mark(self, element: Any) -> Field | None:
        """Goes over a mark; gives the field that has ended with it, if one has."""
        found = self.fields.get(element)
        if found is None:
            return None
        kind = element.get(_TYPE)
        if kind == "begin":
            self.stack.append((found, False))
        elif kind == "separate" and self.stack:
            self.stack[-1] = found, True
        elif kind == "end" and self.stack:
            return self.stack.pop()[0]
        return None

    @property
    def in_code(self) -> bool:
        """Whether what stands here is code, which is not shown."""
        return any(not in_result for _, in_result in self.stack)

    @property
    def in_contents(self) -> bool:
        """Whether what stands here is part of a table of contents."""
        return any(one.is_contents for one, _ in self.stack)


def show_code(code: str) -> str:
    """What a field shows that needs no result: an equation, a symbol. Empty for others."""
    if equation := _EQUATION.match(code):
        return spell_equation(code[equation.end() :])
    symbol = _SYMBOL.match(code)
    if symbol is None:
        return ""
    number, named = int(symbol[1], 0 if symbol[1][:2].lower() == "0x" else 10), _SYMBOL_FONT.search(code)
    font = (named[1] or named[2]) if named else ""
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        return ""
    if is_symbol_font(font):
        return read_symbols(chr(number), font)
    return chr(number) if number > 0xFF or "\\u" in code else bytes([number]).decode("cp1252", "ignore")


def show_form(form: Any) -> str:
    """What a box or a list of an old form shows; empty for a text, which is the field's result."""
    box, choices = form.find(qn("w:checkBox")), form.find(qn("w:ddList"))
    if box is not None:
        state = box.find(qn("w:checked"))
        state = state if state is not None else box.find(qn("w:default"))
        return TICKED if state is not None and is_on(state.get(_VAL, "true")) else UNTICKED
    if choices is not None:
        entries = [e.get(_VAL, "") for e in choices.iter(qn("w:listEntry"))]
        chosen = choices.find(qn("w:result"))
        chosen = chosen if chosen is not None else choices.find(qn("w:default"))
        number = int(chosen.get(_VAL, 0)) if chosen is not None and chosen.get(_VAL, "0").isdigit() else 0
        return entries[number] if number < len(entries) else ""
    return ""
