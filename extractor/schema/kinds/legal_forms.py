"""Legal forms of firms, long and short (ISO 20275, Entity Legal Forms), and "and" as a sign: the same name."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FORMS = [
    tuple(pair.split("="))
    for pair in (
        "Aktiengesellschaft=AG|Gesellschaft mit beschränkter Haftung=GmbH|Kommanditgesellschaft=KG|Limited=Ltd|"
        "Incorporated=Inc|Corporation=Corp|Public Limited Company=PLC|Limited Liability Company=LLC|"
        "Société Anonyme=S.A.|Sociedad Anónima=S.A.|Sociedad Limitada=S.L.|Sociedade Anónima=S.A.|"
        "Società per Azioni=S.p.A.|Besloten Vennootschap=B.V.|Naamloze Vennootschap=N.V.|"
        "Aktiebolag=AB|Aktieselskab=A/S|"
        "Spółka z ograniczoną odpowiedzialnością=Sp. z o.o.|Spółka Akcyjna=S.A.|株式会社=(株)|有限会社=(有)|"
        "주식회사=(주)|"
        "Общество с ограниченной ответственностью=ООО|Публичное акционерное общество=ПАО|Акционерное общество=АО"
    ).split("|")
]
_ANY_FORM = re.compile("|".join(re.escape(form.rstrip(".")) for pair in _FORMS for form in pair))
_SIGN = re.compile(r"(?<=\S) & (?=\S)")
_WORD = re.compile(r"(?<=\S) (?:and|und|et|y|e|en|og|och|és|i|и) (?=\S)")
_WORDS = ("and", "und", "et", "y", "en")
_LONGEST = 120


def other_spellings(words: str) -> Iterator[str]:
    """The same name with its legal form spelled out or shortened, or with the sign for "and", if it has either."""
    if len(words) > _LONGEST:
        return
    for long, short in _FORMS if _ANY_FORM.search(words) else ():
        for said, meant in ((long, short), (short, long)):
            bare = re.escape(said.rstrip("."))
            ends = r"(?<![^\W\d_]){}(?![^\W\d_])" if said[0] < "\u2e80" and said[0] != "(" else "{}"
            changed, many = re.subn(ends.format(bare) + r"\.?", lambda _, to=meant: to, words)  # type: ignore[misc]
            if many == 1:
                yield changed
    if _WORD.search(words):
        yield _WORD.sub(" & ", words)
    elif _SIGN.search(words):
        yield from (_SIGN.sub(f" {word} ", words) for word in _WORDS)
