"""Runs of digits tied to each other by dashes, slashes and colons: ranges, fractions, dates, times, telephone numbers.

Most are no numbers. 030-1234567 does not say 30, "Items 1-3" does not say 3, and 14:05 neither 14 nor 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from extractor.schema.kinds.characters import cased

_RUN = re.compile(r"\d++(?:[.,'\u00a0 ]\d++)*+")
_TIES = {
    "-": "-",
    "–": "-",
    "~": "-",
    " - ": "-",
    " – ": "-",
    " ~ ": "-",
    "/": "/",
    " / ": "/",
    ":": ":",
    "-\n": "-",
    "\u00a0–\u00a0": "-",
    "\u00a0-\u00a0": "-",
    "—": "-",
    "..": "-",
    "...": "-",
    "--": "-",
}
_NUMBERED = re.compile(
    r"(?:\b(?:items?|nos?|nrs?|numbers?|num|vols?|volumes?|issues?|sections?|secs?|arts?|articles?|clauses?"
    r"|paragraphs?|pp?|pgs?|pages?|lines?|rows?|"
    r"pos|position(?:en)?|steps?|figs?|figures?|tables?|ch|chapters?|questions?|parts?|annex|exhibits?"
    r"|schedules?|lots?|seiten?|s|zeilen?|abs|artikel|kapitel|"
    r"lignes?|l[íi]neas?|p[áa]ginas?|pagina|pagine|art[íi]culos?|cap[íi]tulos?|righe|voci|regels?|sidor?|rader"
    r"|str|strony|poz|стр|п|пункты?)\b\.?|[#№§])[ \u00a0]?$",
    re.I,
)
_PHONE_LABEL = re.compile(
    r"(?:\b(?:tele?phone?|tel|t[ée]l[ée]phone|t[ée]l|fax|telefax|mobile?|mob|cell|handy|telefon\w{0,3}"
    r"|tel[ée]fono|m[óo]vil|celular|cellulare|telefone|whatsapp|gsm|puh|tlf|тел|телефон|факс|ph)\b"
    r"|電話(?:番号)?|电话|手机|传真|전화)[^\d\n]{0,8}$",
    re.I,
)
_ACCOUNT = re.compile(
    r"(?:\b(?:card|karte|carte|tarjeta|visa|mastercard|amex|account|acct|a/c|konto|kontonr|compte|cuenta|conto"
    r"|iban|rekening)\b[^\d\n]{0,10}"
    r"|(?<![A-Za-z\d])[A-Z]{2}\d\d[ \u00a0](?:[A-Z\d]{4}[ \u00a0])?)$",
    re.I,
)
"""What stands before the groups of an account or a card: a label, or the begin of an IBAN."""
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_DOTTED_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.((?:19|20)\d\d)|((?:19|20)\d\d)\.\d{1,2}\.\d{1,2}")


class Tie(Enum):
    """What a run of digits is by its neighbours."""

    ALONE = "alone"
    RANGE = "end of a range"
    FRACTION = "part of a fraction"
    DATE = "part of a date"


class Run(NamedTuple):
    """Digits with separators between them, and what they are by their neighbours."""

    start: int
    end: int
    tie: Tie
    divisor: tuple[int, int] | None = None
    """Where the digits stand that this run's last ones are divided by: "2 1/2"."""


def runs_of(plain: str) -> Iterator[Run]:
    """Every run of digits that may say a number, in order. Years of all-number dates come as runs of their own."""
    spots = [m.span() for m in _RUN.finditer(plain)]
    i = 0
    while i < len(spots):
        j, ties = i, []
        while j + 1 < len(spots) and spots[j + 1][0] - spots[j][1] <= 3:
            tie = _TIES.get(plain[spots[j][1] : spots[j + 1][0]])
            if tie is None:
                break
            ties.append(tie)
            j += 1
        if j == i:
            yield from _alone(plain, *spots[i])
        else:
            yield from _tied(plain, spots[i : j + 1], ties)
        i = j + 1


def _alone(plain: str, start: int, end: int) -> Iterator[Run]:
    run = plain[start:end]
    if (run[0] == "0" or " " in run or end - start >= 7) and _telephone(plain, start, end, run):
        return
    if plain[end : end + 1] == ")" and plain[start - 1 : start] == "(" and _AREA_REST.match(plain, end):
        return  # (555) 123-4567
    if plain[start - 2 : start] in (") ", ")-") and _AREA.search(plain, max(0, start - 8), start):
        return
    if date := _DOTTED_DATE.fullmatch(run):
        group = 1 if date[1] else 2
        yield Run(start + date.start(group), start + date.end(group), Tie.DATE)
        return
    yield Run(start, end, Tie.ALONE)


_AREA = re.compile(r"\(\d{2,5}\)[ -]$")
_AREA_REST = re.compile(r"\)[ -]?\d{2,4}(?:[- .]\d{2,4})+(?!\d)")


def _telephone(plain: str, start: int, end: int, run: str) -> bool:
    digits = sum(c.isdecimal() for c in run)
    parts = run.replace("\u00a0", " ").split(" ")
    if plain[start - 1 : start] == "+" and start > 0 and digits >= 8 and (len(parts) > 1 or digits >= 10):
        return True
    if digits >= 6 and _PHONE_LABEL.search(plain, max(0, start - 24), start):
        return True
    if "," in run or len(parts) < 2:
        return False
    if run[0] == "0" and len(parts[0]) > 1 and digits >= 8 and "." not in run:
        return True
    if len(parts) >= 3 and all(len(p) == 4 for p in parts[:-1]) and len(parts[-1]) <= 4:
        card = len(parts) == 4 and digits == 16 and _checks(run)
        if card or _ACCOUNT.search(plain, max(0, start - 24), start):
            return True
    return len(parts) >= 4 and all(len(p) == 2 for p in parts) and parts[0][0] == "0"


def _checks(run: str) -> bool:
    """Whether the last digit is the check digit of the others, as on payment cards (ISO/IEC 7812, Luhn)."""
    digits = [int(c) for c in run if c.isdecimal()]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _tied(plain: str, spots: list[tuple[int, int]], ties: list[str]) -> Iterator[Run]:
    start, end = spots[0][0], spots[-1][1]
    words = [plain[a:b] for a, b in spots]
    left, right = plain[start - 1 : start], plain[end : end + 1]
    if ":" in ties:
        return
    if len(spots) > 2:
        yield from _chain(spots, words, ties)
    elif (
        (cased(left) and left)
        or left in ("_", "@")
        or (left in "-/" and left and cased(plain[start - 2 : start - 1] or " "))
    ):
        return
    elif ties[0] == "/":
        yield from _divided(spots, words)
    elif not _is_code(plain, start, words) and right != ":" and not _NUMBERED.search(plain, max(0, start - 16), start):
        yield from (Run(a, b, Tie.RANGE) for a, b in spots)


def _is_code(plain: str, start: int, words: list[str]) -> bool:
    """Whether two runs with a dash between them are a telephone number, a postal code or another identifier."""
    first, second = words[0], words[1]
    if any(w[0] == "0" and len(w) > 1 and w.isdecimal() for w in words):
        return True
    if first.isdecimal() and second.isdecimal() and (max(len(first), len(second)) >= 7):
        return True
    if plain[start - 1 : start] == "+" or plain[start - 2 : start] in (") ", ")-"):
        return True
    return _PHONE_LABEL.search(plain, max(0, start - 24), start) is not None


def _chain(spots: list[tuple[int, int]], words: list[str], ties: list[str]) -> Iterator[Run]:
    """Three runs may be a date, whose year can be asked for; more are an identifier."""
    if len(words) == 3 and len(set(ties)) == 1:
        short = [len(w) <= 2 and w.isdecimal() for w in words]
        for at in (0, 2):
            if _YEAR.fullmatch(words[at]) and short[1] and short[2 - at]:
                yield Run(*spots[at], Tie.DATE)


def _divided(spots: list[tuple[int, int]], words: list[str]) -> Iterator[Run]:
    top, bottom = words[0].split(" ")[-1], words[1]
    if not bottom.isdecimal() or not top.isdecimal():
        if bottom.isdecimal() and len(bottom) > 2 and bottom[0] == "0":
            return  # 12.345.678/0001
        yield from (Run(a, b, Tie.ALONE) for a, b in spots)
    elif len(top) <= 3 and len(bottom) <= 3 and not (bottom[0] == "0" and len(bottom) == 3):
        yield Run(*spots[0], Tie.FRACTION, spots[1] if int(bottom) else None)
        yield Run(*spots[1], Tie.FRACTION)
    else:
        yield from (Run(a, b, Tie.DATE) for (a, b), w in zip(spots, words, strict=True) if _YEAR.fullmatch(w))
