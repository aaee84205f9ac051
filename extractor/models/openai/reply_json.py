"""JSON as models write it -> a value: strict first, then with what is clear though it is no JSON.

Commas at the end of a list, comments, NaN and None, line breaks inside strings, texts in single or in curly quotes are
clear. What is guesswork (a quote that is missing, an end that is missing) is not done here: the model is asked again.
All of it is linear in the text.
"""

from __future__ import annotations

import json
import re

from extractor.types import Json

_TOKENS = re.compile(
    r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'  # a string; one without an end reaches to the end of the text
    r"|'(?:[^'\\]|\\.)*+'|“[^“”]*+”"
    r"|//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
    r"|,|[\[\]{}:]|\s+|[^\s\"\[\]{},:/]+|/",
    re.DOTALL,
)
_IN_QUOTES = re.compile(r"\\.|\"", re.DOTALL)
_PLUS = re.compile(r"\+\d")
_WORDS = {"None": "null", "undefined": "null", "True": "true", "False": "false"}
_NO_NUMBERS = frozenset({"NaN", "nan", "Infinity", "+Infinity", "-Infinity", "inf", "+inf", "-inf", "Inf", "-Inf"})
HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
_HALF_SPELLED = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")


class NotJson(ValueError):
    """The text is no JSON value; the message says why in a few words."""


class TwiceSaid(dict[str, Json]):
    """An object some of whose keys stand more than once: it has the first value, `others` what came later."""

    others: list[tuple[str, Json]]


class HalfText(str):
    """A text that held half a character (one half of a surrogate pair), in whose place it has U+FFFD."""


def read_json(text: str) -> Json:
    """The one value that the text is, read strictly. Raises NotJson."""
    return _load(text)


def read_lenient_json(text: str) -> Json:
    """The one value that the text is, its form mended where it is clear what is meant. Raises NotJson."""
    try:
        return _load(text)
    except NotJson:
        return _load(_mend(text), control_characters=True)


def _load(text: str, control_characters: bool = False) -> Json:
    try:
        value = _decode(text, control_characters)
        if _HALF_SPELLED.search(text) and not _is_encodable(value):
            value = _replace_halves(value)
        return value
    except json.JSONDecodeError as error:
        raise NotJson(f"The reply is not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise NotJson("The reply nests too deeply.") from None


def _decode(text: str, control_characters: bool) -> Json:
    settings = {
        "object_pairs_hook": _build_object,
        "parse_constant": str,  # NaN is a word that is no number
        "strict": not control_characters,
    }
    try:
        return json.loads(text, **settings)  # type: ignore[arg-type]
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of thousands of digits: as the text that it is
        return json.loads(text, parse_int=_read_integer, **settings)  # type: ignore[arg-type]


def _read_integer(digits: str) -> Json:
    return digits if len(digits) > 400 else int(digits)


def _build_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    twice = TwiceSaid()
    twice.others = []
    for name, one in pairs:
        if name in twice:
            twice.others.append((name, one))
        else:
            twice[name] = one
    return twice


def _is_encodable(value: Json) -> bool:
    """Whether it can be written as UTF-8: one half of a surrogate pair, which JSON can spell, cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _replace_halves(value: Json) -> Json:
    """The value with U+FFFD in place of half characters."""
    match value:
        case str():
            whole = HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", value)
            return value if whole == value else HalfText(whole)
        case list():
            return [_replace_halves(one) for one in value]
        case dict():
            return {str(_replace_halves(name)): _replace_halves(one) for name, one in value.items()}
    return value


def _mend_piece(piece: str) -> str:
    if piece.isspace():
        return " "  # some spaces are none of JSON's
    if piece[0] in "'“" and len(piece) > 1:
        return f'"{_IN_QUOTES.sub(_requote, piece[1:-1])}"'
    if piece in _NO_NUMBERS:
        return json.dumps(piece)
    return _WORDS.get(piece, piece.removeprefix("+") if _PLUS.match(piece) else piece)


def _requote(found: re.Match[str]) -> str:
    return {'"': '\\"', "\\'": "'"}.get(found[0], found[0])


def _mend(text: str) -> str:
    """The text without comments and commas before an end, and with JSON's words."""
    out: list[str] = []
    comma = -1
    """Where in `out` a comma stands that nothing but space has followed."""
    for found in _TOKENS.finditer(text):  # one by one, so that other threads come to run
        piece = found[0]
        if piece.startswith(("//", "/*")):
            continue
        if piece in ("}", "]") and comma >= 0:
            out[comma] = ""
        if piece == ",":
            comma = len(out)
        elif not piece.isspace():
            comma = -1
        out.append(_mend_piece(piece))
    return "".join(out)
