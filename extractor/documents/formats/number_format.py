"""A spreadsheet's value as its number format shows it: 12.5%, 00007, 04/03/2024, 30:15 (ECMA-376 part 1, 18.8.31).

Marks are those of the format itself, a point before decimals and a comma between thousands, since a file does not
say which a reader's machine puts in their place. Dates in the machine's own order are shown as ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from extractor.documents.formats.serial_dates import CLOCK_LETTERS, ISO_DATE, format_clock

GENERAL = "General"
BUILT_IN_FORMATS = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "#,##0;-#,##0", 6: "#,##0;-#,##0",
    7: "#,##0.00;-#,##0.00", 8: "#,##0.00;-#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: ISO_DATE, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: f"{ISO_DATE} h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 41: '#,##0;-#,##0;"-"', 42: '#,##0;-#,##0;"-"',
    43: '#,##0.00;-#,##0.00;"-"', 44: '#,##0.00;-#,##0.00;"-"', 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "##0.0E+0", 49: "@",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), ISO_DATE),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm:ss"),
}  # fmt: skip
"""Formats that a file names by number alone (18.8.30); those that depend on the machine's language are ISO dates."""
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<blank>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General)|(?P<half>AM/PM|A/P)|(?P<exponent>[Ee][+-])"
    r"|(?P<clock>y+|m+|d+|h+|s+|g+|e+|b+)|(?P<digits>[0#?])|(?P<other>.)",
    re.I | re.S,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d*)?(?:E[+-]?\d+)?)", re.I)
_COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0), "yellow": (255, 255, 0), "color 2": (255, 255, 255)}
"""Colours that a format may set and that matter for whether letters are seen."""
_LONGEST = 300
"""Characters of a format; Excel allows 255."""

Token = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Section:
    """One of up to four parts of a format: tokens, the condition under which it holds, and what it paints."""

    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None = None
    colour: tuple[int, int, int] | None = None
    language: int = 0
    plain: tuple[str, Decimal, str, bool] | None = None
    """Of #,##0.00 and the like: words before and behind, the last decimal, and whether it is a percentage."""
    kinds: frozenset[str] = frozenset()

    def has(self, kind: str) -> bool:
        return kind in self.kinds


@dataclass(frozen=True, slots=True)
class ShownValue:
    """What a cell shows, and the colour that its format paints it in, where it names one."""

    text: str
    colour: tuple[int, int, int] | None = None


def show_value(value: float | str | bool, code: str, *, from_1904: bool = False) -> ShownValue:
    """The text that a cell with that format shows for its value."""
    if isinstance(value, bool):
        return ShownValue("TRUE" if value else "FALSE")
    if code == GENERAL:
        return ShownValue(value if isinstance(value, str) else _show_general(value))
    sections = _parse_format(code[:_LONGEST])
    if isinstance(value, str):
        return _show_text(value, sections)
    if len(sections) == 1 and (plain := sections[0].plain) is not None:
        before, decimals, after, percent = plain
        exact = Decimal(f"{value * 100 if percent else value:.15g}").quantize(decimals, ROUND_HALF_UP)
        sign = "-" if exact < 0 else ""
        return ShownValue(f"{sign}{before}{abs(exact):,f}{after}", sections[0].colour)
    section, negative = _choose_section(value, sections)
    if section.has("clock"):
        shown = format_clock(section.tokens, value, section.language, from_1904)
        return ShownValue(_show_general(value) if shown is None else shown.strip(), section.colour)
    shown = _show_number(abs(value), section)
    signed = value < 0 and not negative and any(c.isdigit() and c != "0" for c in shown)
    return ShownValue(f"-{shown}" if signed else shown, section.colour)


@lru_cache(maxsize=2000)
def _parse_format(code: str) -> tuple[_Section, ...]:
    parts: list[list[Token]] = [[]]
    for found in _TOKEN.finditer(code):
        kind, text = str(found.lastgroup), found[str(found.lastgroup)]
        if kind == "other" and text == ";":
            parts.append([])
        elif kind in ("quoted", "escaped"):
            parts[-1].append(("literal", text))
        elif kind == "blank":
            parts[-1].append(("literal", " "))
        elif kind != "fill":
            parts[-1].append((kind, text))
    return tuple(_build_section(part) for part in parts[:4])


def _build_section(part: Sequence[Token]) -> _Section:
    tokens: list[Token] = []
    condition, colour, language = None, None, 0
    for kind, text in part:
        if kind != "bracket":
            tokens.append((kind, text))
        elif compared := _CONDITION.fullmatch(text):
            condition = compared[1], float(compared[2])
        elif text.startswith("$"):
            symbol, _, tag = text[1:].partition("-")
            language = int(tag, 16) if re.fullmatch("[0-9A-Fa-f]{1,8}", tag) else 0
            if language in (0xF800, 0xF400):  # the machine's own long date, or its time
                iso = "yyyy-mm-dd" if language == 0xF800 else "h:mm:ss"
                return _parse_format(iso)[0]
            tokens += [("literal", symbol)] if symbol else []
        elif re.fullmatch("h+|m+|s+", text, re.I):
            tokens.append(("clock", f"[{text.lower()}]"))
        else:
            colour = _COLOURS.get(re.sub(r"color\s*(?=\d)", "color ", text.lower()), colour)
    if any(kind == "general" for kind, _ in tokens):  # "General" holds no letters of dates
        return _Section(tuple(tokens), condition, colour, kinds=frozenset(kind for kind, _ in tokens))
    marked = tuple(_mark_places(tokens))
    kinds = frozenset(kind for kind, _ in marked)
    plain = None if condition else _find_plain(marked)
    return _Section(marked, condition, colour, language, plain, kinds)


def _find_plain(tokens: Sequence[Token]) -> tuple[str, Decimal, str, bool] | None:
    """The parts of a format that is words, digits in groups of three, decimals and words: most formats are."""
    spelled = "".join(text if kind == "digits" or (kind == "other" and text in ".,%") else "w" for kind, text in tokens)
    found = re.fullmatch(r"(w*)(#,##0(?:\.0+)?)(w*)(%?)(w*)", spelled)
    if found is None or "general" in {kind for kind, _ in tokens}:
        return None
    words = [text for _, text in tokens]
    before, after = "".join(words[: found.end(1)]).lstrip(), "".join(words[found.end(2) :]).rstrip()
    return before, Decimal(1).scaleb(-len(found[2].partition(".")[2])), after, bool(found[4])


def _mark_places(tokens: Sequence[Token]) -> list[Token]:
    """Letters that are no dates, where digits are placed, become words: so does all of a text's format."""
    numeric = any(kind == "digits" for kind, _ in tokens)
    timed = any(kind == "clock" and text[0].lower() in CLOCK_LETTERS for kind, text in tokens)
    if timed and not (numeric and not any(t[-1] in "0" for k, t in tokens if k == "digits")):
        return list(tokens)
    return [("literal", text) if kind in ("clock", "half") else (kind, text) for kind, text in tokens]


def _choose_section(value: float, sections: Sequence[_Section]) -> tuple[_Section, bool]:
    """The section that a number is shown by, and whether that says already that it is negative."""
    numeric = [section for section in sections if not section.has("text")][:3] or [_parse_format(GENERAL)[0]]
    if any(section.condition for section in numeric):
        for number, section in enumerate(numeric):
            if section.condition is None or _holds(value, section.condition):
                return section, number > 0 and section.condition is None and len(numeric) == 2 and value < 0
        return numeric[-1], False
    if len(sections) == 1:
        return (numeric[0] if not _is_text_only(sections[0]) else _parse_format(GENERAL)[0]), False
    if value < 0:
        return sections[1], True
    return (sections[2] if value == 0 and len(sections) > 2 else sections[0]), False


def _holds(value: float, condition: tuple[str, float]) -> bool:
    sign, bound = condition
    return {
        "<": value < bound,
        ">": value > bound,
        "=": value == bound,
        "<=": value <= bound,
        ">=": value >= bound,
        "<>": value != bound,
    }[sign]


def _is_text_only(section: _Section) -> bool:
    return any(text == "@" for kind, text in section.tokens if kind == "other")


def _show_text(value: str, sections: Sequence[_Section]) -> ShownValue:
    section = sections[3] if len(sections) == 4 else next((s for s in sections if _is_text_only(s)), None)
    if section is None:
        return ShownValue(value)
    shown = "".join(
        value if (kind, text) == ("other", "@") or kind == "general" else text
        for kind, text in section.tokens
        if kind in ("literal", "other", "general")
    )
    return ShownValue(shown, section.colour)


def _show_number(value: float, section: _Section) -> str:
    if section.has("general"):
        words = (_show_general(value) if kind == "general" else text for kind, text in section.tokens)
        return "".join(words).strip()
    tokens = section.tokens
    slash = next((i for i, token in enumerate(tokens) if token == ("other", "/")), None)
    if slash is not None and section.has("digits"):
        return _show_fraction(value, tokens, slash)
    exact = Decimal(f"{value:.15g}") * Decimal(100) ** sum(token == ("other", "%") for token in tokens)
    exponent = next((i for i, (kind, _) in enumerate(tokens) if kind == "exponent"), None)
    if exponent is not None:
        return _show_power(exact, tokens, exponent)
    return _fill_places(exact, tokens).strip()


def _fill_places(value: Decimal, tokens: Sequence[Token]) -> str:
    """The digits of a number in the places of a format, from the point to both sides."""
    point = next((i for i, token in enumerate(tokens) if token == ("other", ".")), len(tokens))
    places = [i for i, (kind, _) in enumerate(tokens) if kind == "digits"]
    whole = [i for i in places if i < point]
    last = places[-1] if places else -1
    commas = [i for i, token in enumerate(tokens) if token == ("other", ",")]
    grouped = any(whole and whole[0] < i < whole[-1] for i in commas)
    behind_whole = [i for i in commas if i > (whole[-1] if whole else last) and (i < point or i > last)]
    value = value.scaleb(-3 * len(behind_whole)) if whole else value
    decimals = [i for i in places if i > point]
    rounded = value.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP) if places else value
    digits, _, fraction = f"{rounded:f}".partition(".")
    filled = dict(zip(decimals, fraction, strict=False))
    for i in reversed(decimals):
        if filled.get(i) != "0" or tokens[i][1] == "0":
            break
        filled[i] = " " if tokens[i][1] == "?" else ""
    filled |= _fill_whole(digits.lstrip("0"), tokens, whole, grouped)
    bare = not any(filled.get(i, "").strip() for i in decimals) and bool(decimals) and tokens[decimals[0]][1] != "0"
    shown = []
    for i, (kind, text) in enumerate(tokens):
        if kind == "digits":
            shown.append(filled.get(i, ""))
        elif i in commas or (i == point and bare):
            continue
        else:
            shown.append(text)
    return "".join(shown)


def _fill_whole(digits: str, tokens: Sequence[Token], places: Sequence[int], grouped: bool) -> dict[int, str]:
    filled: dict[int, str] = {}
    count = 0
    for number, place in enumerate(reversed(places)):
        first = number == len(places) - 1
        mine, digits = (digits, "") if first else (digits[-1:], digits[:-1])
        written = ""
        for digit in reversed(mine or {"0": "0", "?": " "}.get(tokens[place][1], "")):
            comma = "," if grouped and count and count % 3 == 0 and digit != " " else ""
            written, count = digit + comma + written, count + 1
        filled[place] = written
    return filled


def _show_power(value: Decimal, tokens: Sequence[Token], at: int) -> str:
    before, after = tokens[:at], [t for t in tokens[at + 1 :] if t[0] == "digits"]
    rest = [text for kind, text in tokens[at + 1 :] if kind != "digits"]
    point = next((i for i, token in enumerate(before) if token == ("other", ".")), len(before))
    step = max(1, sum(kind == "digits" for kind, _ in before[:point]))
    decimals = sum(kind == "digits" for kind, _ in before[point:])
    power = 0 if not value else value.adjusted() // step * step if step > 1 else value.adjusted()
    mantissa = value.scaleb(-power)
    if mantissa.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) >= Decimal(10) ** step:
        power, mantissa = power + step, mantissa.scaleb(-step)
    sign = "-" if power < 0 else "+" if tokens[at][1][1] == "+" else ""
    width = max(1, len(after))
    return (
        f"{_fill_places(mantissa, before)}{tokens[at][1][0].upper()}{sign}{abs(power):0{width}d}{''.join(rest)}".strip()
    )


def _show_fraction(value: float, tokens: Sequence[Token], slash: int) -> str:
    below = [text for kind, text in tokens[slash + 1 :] if kind == "digits" or (kind == "other" and text.isdigit())]
    above = 0
    while slash - above > 0 and tokens[slash - above - 1][0] == "digits":
        above += 1
    mixed = any(kind == "digits" for kind, _ in tokens[: slash - above])
    fixed = int("".join(below)) if below and all(text.isdigit() and text != "0" for text in below) else 0
    whole = int(value) if mixed else 0
    part = Fraction(f"{value:.15g}") - whole
    if fixed:
        over, under = round(part * fixed), fixed
    else:
        near = part.limit_denominator(10 ** min(len(below) or 1, 7) - 1)
        over, under = near.numerator, near.denominator
    if mixed and over == under:
        whole, over = whole + 1, 0
    if mixed and not over:
        return str(whole)
    return f"{whole} {over}/{under}" if whole else f"{over}/{under}"


def _show_general(value: float) -> str:
    """A number without a format: all of a whole one, ten digits of another."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    size = abs(value)
    if size >= 1e11 or size < 1e-4:
        mantissa, _, power = f"{value:.5E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{power[0]}{power[1:]}"
    whole = len(str(int(size))) if size >= 1 else 1
    written = f"{value:.{max(0, 10 - whole)}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
