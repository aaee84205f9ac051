"""RTF taken apart: control words, letters and groups in one pass, and the tables at a file's beginning.

The specification is Microsoft's, version 1.9.1. What a file calls "destinations" are groups with other things than the
text: those that this program does not know are left out, as the specification wants it (p. 11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from extractor.documents.formats.sight import WHITE, Colour, Sight, judge_contrast
from extractor.documents.formats.symbol_fonts import is_symbol_font

MAX_GROUPS = 2_000
"""Groups in each other that are followed."""
_TOKEN = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|\\'?", re.S
)
_CHARSETS = {
    0: "cp1252",
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gbk",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    255: "cp437",
}
"""Code pages of character sets of fonts."""


class Token(NamedTuple):
    """A piece of RTF: a word, a text or a byte. `number` is the word's, None where it has none; the word `bin` has a
    text, too, whose letters are bytes."""

    word: str = ""
    number: int | None = None
    text: str = ""
    byte: int = -1


OPEN, CLOSE = Token("{"), Token("}")


def split_tokens(source: str) -> Iterator[Token]:
    """The tokens of a file whose bytes are the letters of `source`."""
    at = 0
    while found := _TOKEN.search(source, at):
        at = found.end()
        hexadecimal, word, number, sign, brace, text = found.groups()
        if hexadecimal:
            yield Token(byte=int(hexadecimal, 16))
        elif word:
            value = int(number) if number else None
            data = source[at : at + max(0, value or 0)] if word == "bin" else ""
            at += len(data)
            yield Token(word, value, data)
        elif brace:
            yield OPEN if brace == "{" else CLOSE
        elif text:
            yield Token(text=text)
        elif sign:
            yield Token(sign)


@dataclass(frozen=True, slots=True)
class RtfState:
    """What holds for the letters of a group."""

    skips: bool = False
    is_hidden: bool = False
    is_deleted: bool = False
    colour: int = 0
    ground: int = 0
    paragraph_ground: int = 0
    half_points: int = 24
    place: str = ""
    """super or sub, where the letters stand above the line or below it."""
    font: int = -1
    unicode_skip: int = 1
    destination: str = ""
    """The group that the letters are in, where it is none of the text: fonttbl, fldinst, pict."""
    part: str = ""
    """The part of the page that they are in, where it is not the body: footnote, header, footer, comment."""
    doubtful: bool = False


@dataclass(slots=True)
class RtfTables:
    """Fonts, colours and styles of a file, as far as they matter for its words."""

    code_page: str = "cp1252"
    charsets: dict[int, str] = field(default_factory=dict)
    symbol_fonts: dict[int, str] = field(default_factory=dict)
    colours: list[Colour | None] = field(default_factory=list)
    levels: dict[int, int] = field(default_factory=dict)
    """Outline levels of paragraph styles, from 1."""
    hidden_styles: set[int] = field(default_factory=set)
    _colour: dict[str, int] = field(default_factory=dict)
    _style: int = 0

    def encoding_of(self, font: int) -> str:
        return self.charsets.get(font, self.code_page)

    def read(self, token: Token, state: RtfState) -> None:
        """Takes in a token of one of the tables."""
        if state.destination == "fonttbl":
            self._read_font(token, state)
        elif state.destination == "colortbl":
            self._read_colour(token)
        elif state.destination == "stylesheet":
            self._read_style(token)

    def _read_font(self, token: Token, state: RtfState) -> None:
        if token.word == "fcharset" and token.number in _CHARSETS:
            self.charsets[state.font] = _CHARSETS[token.number]
        elif token.word == "cpg" and token.number:
            self.charsets[state.font] = f"cp{token.number}"
        elif is_symbol_font(name := token.text.strip(" ;")):
            self.symbol_fonts[state.font] = name

    def _read_colour(self, token: Token) -> None:
        if token.word in ("red", "green", "blue"):
            self._colour[token.word] = min(255, max(0, token.number or 0))
        for _ in range(token.text.count(";")):
            known = self._colour
            colour = (known.get("red", 0), known.get("green", 0), known.get("blue", 0)) if known else None
            self.colours.append(colour)
            self._colour = {}

    def _read_style(self, token: Token) -> None:
        if token.word in ("s", "cs"):
            self._style = token.number or 0
        elif token.word == "outlinelevel" and (token.number or 0) < 9:
            self.levels[self._style] = (token.number or 0) + 1
        elif token.word == "v" and token.number != 0:
            self.hidden_styles.add(self._style)
        elif heading := re.match(r"\s*(?:heading|überschrift|titre|título|titolo) (\d)", token.text, re.I):
            self.levels.setdefault(self._style, int(heading[1]))

    def judge(self, state: RtfState, cell_ground: int) -> Sight:
        """How well letters of that state are seen."""
        if state.is_hidden or state.half_points < 4:
            return Sight.HIDDEN
        ink = self._colour_at(state.colour)
        ground = next(filter(None, map(self._colour_at, (state.ground, state.paragraph_ground, cell_ground))), WHITE)
        seen = judge_contrast(ink, ground) if ink is not None else Sight.SHOWN
        return max(seen, Sight.DOUBTFUL if state.doubtful or state.half_points < 8 else Sight.SHOWN)

    def _colour_at(self, number: int) -> Colour | None:
        return self.colours[number] if 0 < number < len(self.colours) else None


def apply_property(state: RtfState, token: Token, tables: RtfTables) -> RtfState:
    """The state after a control word about how letters look; the same for other words."""
    word, number = token.word, token.number
    on = number != 0
    match word:
        case "v":
            return replace(state, is_hidden=on)
        case "deleted":
            return replace(state, is_deleted=on)
        case "cf":
            return replace(state, colour=number or 0)
        case "highlight" | "chcbpat" | "cb":
            return replace(state, ground=number or 0)
        case "cbpat":
            return replace(state, paragraph_ground=number or 0)
        case "fs":
            return replace(state, half_points=24 if number is None else number)
        case "super" | "sub":
            return replace(state, place=word if on else "")
        case "nosupersub":
            return replace(state, place="")
        case "f":
            return replace(state, font=-1 if number is None else number)
        case "uc":
            return replace(state, unicode_skip=min(max(0, 1 if number is None else number), 8))
        case "cs" if number in tables.hidden_styles:
            return replace(state, is_hidden=True)
        case "plain":
            return replace(state, is_hidden=False, colour=0, ground=0, half_points=24, place="", is_deleted=False)
        case "pard":
            return replace(state, paragraph_ground=0)
    return state
