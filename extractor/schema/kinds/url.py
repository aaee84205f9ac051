"""Web addresses, compared without scheme, "www.", case of the host and a closing slash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import Json, ValueMention, share_a_key
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_SCHEME = re.compile(r"(?:https?|ftp)://[^\s<>\"`\[\]{}|\\^]{1,2000}", re.I)
_BARE = re.compile(
    r"(?<![\w@./-])(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,5}(?P<top>[^\W\d_]{2,18})(?P<port>:\d{2,5})?"
    r"(?P<path>[/?#][^\s<>\"`\[\]{}|\\^]{0,2000})?(?![\w@-])"
)
_SPELLED_DOT = r"\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?| dot "
_SPELLED = re.compile(
    rf"(?<![\w@.-])(?:h(?:tt|xx)ps?://)?(?P<host>[a-z0-9-]{{1,63}}(?:(?:\.|{_SPELLED_DOT})[a-z0-9-]{{2,63}}){{1,4}})"
    r"(?P<path>/[^\s<>\"`\[\]{}|\\^]{0,2000})?",
    re.I,
)
_MARKS_OF_DOT = ("[.]", "(.)", "{.}", "hxxp", "[dot]", "(dot)", " dot ")
_DOT = re.compile(_SPELLED_DOT, re.I)
_TOPS = frozenset(
    "com org net edu gov mil int info biz io ai app dev co me tv shop store online site xyz cloud tech eu de at "
    "ch fr es it pt nl be lu uk ie dk se "
    "no fi is pl cz sk si hr rs hu ro bg gr tr ru ua by lt lv ee ca us mx br ar cl pe uy za ng ke eg ma tn il ae "
    "sa in pk bd lk th vn id my sg "
    "ph jp kr cn hk tw au nz museum swiss berlin bank page blog news pro name academy agency studio design "
    "digital health law".split()
)


def _unpunctuated(url: str) -> str:
    """The address without punctuation that belongs to the sentence; a bracket stays if its partner is inside."""
    opened, closed = url.count("("), url.count(")")
    end = len(url)
    while end and (url[end - 1] in ".,;:!?*_~'。、，」" or (url[end - 1] == ")" and opened < closed)):
        closed -= url[end - 1] == ")"
        end -= 1
    return url[:end]


def _key(url: str) -> str:
    rest = re.sub(r"^(?:https?|ftp)://", "", url.strip(), flags=re.I)
    host, slash, path = rest.partition("/")
    host = host.casefold().removeprefix("www.").removesuffix(":80").removesuffix(":443")
    return (host + slash + path).rstrip("/")


@dataclass(frozen=True, slots=True)
class UrlKind:
    """Addresses with a scheme, with "www." or with a known top-level domain."""

    name: str = "url"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every address; a bare one ("example.org/shop") by its top-level domain."""
        simple = plain(text)
        end = 0
        for m in _SCHEME.finditer(simple):
            url = _unpunctuated(m[0])
            yield from self._with_host(m.start(), url)
        for m in _BARE.finditer(simple):
            if m.start() < end or not (m["top"].lower() in _TOPS or m[0][:4].lower() == "www."):
                continue
            if simple[m.start() - 3 : m.start()] == "://":
                continue
            yield from self._with_host(m.start(), _unpunctuated(m[0]))
        lowered = simple.lower()
        for m in _SPELLED.finditer(simple) if any(mark in lowered for mark in _MARKS_OF_DOT) else ():
            address = _DOT.sub(".", m["host"])
            if address.rpartition(".")[2].lower() in _TOPS:
                yield ValueMention(Span(*m.span()), _key(f"{address}{m['path'] or ''}"), "address spelled out")

    def _with_host(self, start: int, url: str) -> Iterator[ValueMention]:
        key = _key(url)
        if key:
            yield ValueMention(Span(start, start + len(url)), key)
            if "/" in key:
                yield ValueMention(Span(start, start + len(url)), key.partition("/")[0], "part of an address")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The address without scheme and "www."; the query and fragment count."""
        if (url := self.normalise(value, Reading())) is not None:
            yield _key(url), ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one address that the words hold, as they spell it."""
        spans = [m.span for m in self.find(words, reading) if not m.rule]
        return words[spans[0].start : spans[0].end] if len(spans) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """The address that was said; one with a scheme stays as it is."""
        if not isinstance(value, str):
            return None
        stripped = value.strip()
        return stripped if _SCHEME.fullmatch(stripped) else self.parse(stripped, reading)

    def same(self, a: Json, b: Json) -> bool:
        """Whether both lead to the same place, whatever the scheme."""
        return share_a_key(self, a, b)
