"""When two values of a kind are equal.

Every kind has a canonical form, and two values are equal when their forms are: so a comparison is reflexive, symmetric
and transitive whatever the values, and rows can be matched by looking forms up. Only a `fuzzy` leaf compares texts by
similarity on top of that (then it is not transitive), and no similarity excuses a digit.

    text      equal when normalised as `text` does
    name      as text, and without diacritics, points behind initials, and the comma of "Last, First"
    date      at the precision stated: "2023" is not "2023-10"; other spellings only where there is one reading
    number    by value: 1000.0 is 1000, "1,000" is 1000; true is not 1     (integer likewise)
    quantity  number and unit: "2.5x" is "2.5 ×"; "15%" is not 15
    url       scheme http, https or none, case of scheme and host, a default port and a trailing slash do not matter
    email     case and "mailto:" do not matter
    enum      as text
    boolean   true or false, as a value or as a word

A value that cannot be read as its kind is compared as text, and a container where a leaf belongs by all that it holds.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Hashable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from rapidfuzz.fuzz import ratio

from extractor.extraction.comparison.amounts import parse_plain_number, parse_plain_quantity
from extractor.extraction.comparison.dates import parse_plain_date
from extractor.extraction.comparison.text import normalise_for_comparison, strip_punctuation
from extractor.schema.annotations import Kind
from extractor.types import Json

CanonicalForm: TypeAlias = tuple[str, Hashable]
"""What it was read as, and the canonical value."""

_UNIT_SPELLINGS = {"times": "x", "-fold": "x", "fold": "x", "percent": "%", "pct": "%"}
_NUMBER = re.compile(r"(?<!\w)[-+]?\d[\d.,]*|\d[\d.,]*")
_DIACRITICS = re.compile("[\u0300-\u036f]")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://|mailto:|tel:")


class ComparedLeaf(Protocol):
    """How two values of one leaf of a schema are compared."""

    @property
    def kind(self) -> Kind: ...

    @property
    def fuzzy(self) -> float | None:
        """The least similarity, in 0..1, at which two texts count as the same; None: equal when normalised."""


def values_match(leaf: ComparedLeaf, a: Json, b: Json) -> bool:
    """Whether the two are equal. Total: no value raises, and every value equals itself, NaN included."""
    if type(a) is str and type(b) is str and a == b:
        return True
    if canonicalise_value(leaf.kind, a) == canonicalise_value(leaf.kind, b):
        return True
    if leaf.fuzzy is None or not isinstance(a, str) or not isinstance(b, str):
        return False
    return texts_are_similar(normalise_for_comparison(a), normalise_for_comparison(b), leaf.fuzzy)


def texts_are_similar(a: str, b: str, least: float) -> bool:
    """Whether two normalised texts are that similar (indel ratio, 0..1) and hold the same numbers in the same order."""
    return ratio(a, b) >= 100 * least and _find_numbers(a) == _find_numbers(b)


def canonicalise_value(kind: Kind, value: Json) -> CanonicalForm:
    """The canonical form of a value that stands for one of the kind."""
    if isinstance(
        value, (str, int, float)
    ):  # a tuple: this line runs for every leaf, and a union is built anew each time
        return _canonicalise_scalar(kind, value)
    return ("null", None) if value is None else ("json", serialise_value(value))


@lru_cache(maxsize=1 << 17, typed=True)
def _canonicalise_scalar(kind: Kind, value: str | int | float) -> CanonicalForm:
    if isinstance(value, bool):
        return "boolean", value
    if kind in (Kind.NUMBER, Kind.INTEGER, Kind.QUANTITY):
        return _canonicalise_amount(kind, value)
    text = value if isinstance(value, str) else spell_number(value)
    if kind is Kind.URL:
        return "url", canonicalise_url(text)
    if kind is Kind.EMAIL:
        return "email", canonicalise_email(text)
    if kind is Kind.NAME:
        return "name", canonicalise_name(text)
    if kind is Kind.DATE and (date := parse_plain_date(strip_punctuation(text))) is not None:
        return "date", date
    plain = normalise_for_comparison(text)
    if kind is Kind.BOOLEAN and plain in ("true", "false"):
        return "boolean", plain == "true"
    return "text", plain


def _canonicalise_amount(kind: Kind, value: str | int | float) -> CanonicalForm:
    if isinstance(value, float):
        return ("number", Decimal(repr(value))) if math.isfinite(value) else ("text", repr(value))
    if isinstance(value, int):
        return "number", Decimal(value)
    plain = strip_punctuation(value)
    if kind is Kind.QUANTITY:
        if (quantity := parse_plain_quantity(plain)) is None:
            return "text", normalise_for_comparison(value)
        number, unit = quantity
        return ("quantity", (number, _UNIT_SPELLINGS.get(unit, unit))) if unit else ("number", number)
    read = parse_plain_number(plain)
    return ("text", normalise_for_comparison(value)) if read is None else ("number", read)


def canonicalise_name(text: str) -> str:
    """A person's name as it is compared."""
    plain = strip_punctuation(text)
    if plain.count(",") == 1:
        last, first = plain.split(",")
        plain = f"{first} {last}"
    if not plain.isascii():
        plain = unicodedata.normalize("NFC", _DIACRITICS.sub("", unicodedata.normalize("NFD", plain)))
    return " ".join(plain.replace(".", " ").split()) or plain


def canonicalise_email(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip(" \t\r\n<>\"'.,;()").removeprefix("mailto:")


def canonicalise_url(text: str) -> str:
    """An address as it is compared: path, query and fragment as written, since servers tell their case apart."""
    address = text.strip().strip("<>\"'").rstrip(".,;")
    try:
        parts = urlsplit(address if _SCHEME.match(address) else "//" + address)
        port = parts.port
    except ValueError:
        return address
    scheme = "" if parts.scheme in ("http", "https") else parts.scheme
    host = parts.netloc.casefold()
    if (parts.scheme, port) in (("http", 80), ("https", 443)):
        host = host.rpartition(":")[0]
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{scheme}//{host}{parts.path.rstrip('/')}{query}{fragment}"


def serialise_value(value: Json) -> str:
    """The value as text with sorted keys, at any depth; json.dumps fails beyond the depth of Python's stack."""
    out: list[str] = []
    todo: list[Any] = [value]
    while todo:
        at = todo.pop()
        if isinstance(at, _Punctuation):
            out.append(at)
        elif isinstance(at, dict):
            todo.append(_Punctuation("}"))
            for key in sorted(at, key=str, reverse=True):
                todo += (_Punctuation(","), at[key], _Punctuation(repr(str(key)) + ":"))
            todo.append(_Punctuation("{"))
        elif isinstance(at, list | tuple):
            todo.append(_Punctuation("]"))
            for inner in reversed(at):
                todo += (_Punctuation(","), inner)
            todo.append(_Punctuation("["))
        else:
            out.append(spell_number(at) if isinstance(at, int | float) and not isinstance(at, bool) else repr(at))
    return "".join(out)


class _Punctuation(str):
    """Punctuation of a spelling, told from a value that is a text."""

    __slots__ = ()


def spell_number(number: int | float) -> str:
    """1000.0 as 1000, and integers beyond the number of digits that Python prints in hexadecimal."""
    if isinstance(number, float):
        if not number.is_integer():
            return repr(number)
        number = int(number)
    try:
        return str(number)
    except ValueError:
        return hex(number)


def _find_numbers(text: str) -> list[str]:
    return [found.rstrip(".,") for found in _NUMBER.findall(text)]
