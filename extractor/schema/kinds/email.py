"""E-mail addresses, compared without case; written out as "jo at example dot org" too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import Json, ValueMention, share_a_key
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}$")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{0,23}[^\W_]")
_AT = re.compile(
    r"\s?(?:\[at\]|\(at\)|\{at\}|\[@\]|\(@\)|\(a\)|\(ät\)|\[ät\])\s?|(?<=\w) at (?=[\w-]{2,63}(?: dot |\(dot\)"
    r"|\[dot\]))",
    re.I,
)
_MARKS_OF_AT = ("at]", "at)", "at}", "AT]", "AT)", "@]", "@)", "(a)", "ät)", "ät]", " dot ", " DOT ")
_USER = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}$")
_HOST = re.compile(
    r"[A-Za-z0-9-]{1,63}(?:\s?(?:\.|\[dot\]|\(dot\)|\[\.\]| dot |[\[(](?:punkt|punto|ponto|point|tochka"
    r"|точка)[\])])\s?[A-Za-z0-9-]{2,63}){1,4}",
    re.I,
)
_DOT = re.compile(r"\s?(?:\[dot\]|\(dot\)|\[\.\]| dot |[\[(](?:punkt|punto|ponto|point|tochka|точка)[\])]|\.)\s?", re.I)


@dataclass(frozen=True, slots=True)
class EmailKind:
    """Addresses of the form name@domain."""

    name: str = "email"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every address; the local part is read back from each @, so a text of nothing but @ costs its length."""
        simple = plain(text)
        at = simple.find("@")
        while at >= 0:
            local = _LOCAL.search(simple, max(0, at - 64), at)
            domain = _DOMAIN.match(simple, at + 1)
            if local and domain and (name := local[0].lstrip(".'`{|*")):
                start = at - len(name)
                yield ValueMention(Span(start, domain.end()), simple[start : domain.end()].casefold())
            at = simple.find("@", at + 1)
        spelled = any(mark in simple for mark in _MARKS_OF_AT)
        for mark in _AT.finditer(simple) if spelled else ():
            user = _USER.search(simple, max(0, mark.start() - 64), mark.start())
            host = _HOST.match(simple, mark.end())
            if user and host:
                address = f"{user[0]}@{_DOT.sub('.', host[0])}"
                yield ValueMention(Span(user.start(), host.end()), address.casefold(), "address spelled out")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The address without case and without "mailto:"."""
        if (address := self.normalise(value, Reading())) is not None:
            yield address.casefold(), ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one address that the words hold, as they spell it."""
        found = {
            str(m.key): words[m.span.start : m.span.end] if not m.rule else str(m.key)
            for m in self.find(words, reading)
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """The address that was said, out of "Jo Doe <jo@example.org>" too."""
        return self.parse(value, reading) if isinstance(value, str) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are one address but for case."""
        return share_a_key(self, a, b)
