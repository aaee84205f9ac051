"""International bank account numbers (ISO 13616): found by form, proved by their two check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extractor.schema.kinds.base import Json, ValueMention, share_a_key
from extractor.schema.kinds.characters import plain
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_LENGTHS = dict(
    pair.split(":")
    for pair in (
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 "
        "DJ:27 DK:18 DO:28 EE:20 "
        "EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28 IE:22 IL:23 "
        "IQ:23 IS:26 IT:27 JO:30 "
        "KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 "
        "NI:28 NL:18 NO:15 OM:23 "
        "PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 "
        "SV:28 TL:23 TN:24 TR:26 "
        "UA:29 VA:22 VG:24 XK:20 YE:30"
    ).split()
)
"""Characters of an IBAN by country, from the registry of SWIFT (release 99)."""
_CHECK = re.compile(r"\d\d(?<=[A-Za-z \u00a0]\d\d)(?=[ \u00a0A-Za-z0-9-]{11})")
_CHARACTER = re.compile(r"[ \u00a0-]?[A-Za-z0-9]")


def valid(iban: str) -> bool:
    """Whether length and check digits are right (ISO 7064, modulo 97). Spaces must be gone."""
    if _LENGTHS.get(iban[:2]) != str(len(iban)) or not iban.isalnum() or not iban.isascii():
        return False
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


@dataclass(frozen=True, slots=True)
class IbanKind:
    """The record's form has no spaces. A number whose check digits are wrong is found, and its rule says so."""

    name: str = "iban"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Every number that begins as an IBAN and is as long as its country's are."""
        simple = plain(text)
        for m in _CHECK.finditer(simple):
            start = m.start() - (3 if simple[m.start() - 1 : m.start()] in (" ", "\u00a0") else 2)
            length = int(_LENGTHS.get(simple[start : start + 2].upper(), 0)) if start >= 0 else 0
            if not length or simple[max(0, start - 1) : start].isalnum():
                continue
            written, at = "", start
            while len(written) < length and (c := _CHARACTER.match(simple, at)):
                written += c[0][-1]
                at = c.end()
            if len(written) == length and not simple[at : at + 1].isalnum():
                iban = written.upper()
                yield ValueMention(Span(start, at), iban, "" if valid(iban) else "check digits wrong")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The number without spaces."""
        if (iban := self._bare(value)) is not None:
            yield iban, ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The one valid number that the words hold."""
        found = {str(m.key) for m in self.find(words, reading) if not m.rule}
        return found.pop() if len(found) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """The number without spaces, if its check digits are right."""
        iban = self._bare(value)
        return iban if iban is not None and valid(iban) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both are one number but for spaces and case."""
        return share_a_key(self, a, b)

    def _bare(self, value: Json) -> str | None:
        if not isinstance(value, str):
            return None
        bare = re.sub(r"[\s-]", "", plain(value)).upper().removeprefix("IBAN").lstrip(":")
        return bare if len(bare) >= 15 and bare[:2] in _LENGTHS and bare.isalnum() else None
