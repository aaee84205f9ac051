"""A person's name whose parts stand under labels of their own: "Surname: LEE", "Given names: ANN" is "Ann Lee"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.types import Span

_PARTS = (
    r"(?:(?:sur|last|family|first|given|fore|middle|christian)[ -]?names?|(?:nach|vor|familien|ruf|zu)namen?|noms?"
    r"|prénoms?|nombres?|apellidos?|cognome|nome|sobrenome|apelido|achternaam|voorna(?:am|men)|efternamn|förnamn"
    r"|etternavn|efternavn|fornavn|sukunimi|etunimet?|imi(?:ę|ona)|nazwisko|příjmení|jméno|priezvisko|meno|prezime|ime"
    r"|vezetéknév|keresztnév|utónév|prenume|nume|soyad[ıi]?|ad[ıi]|фамилия|имя|отчество|прізвище|ім'я|επώνυμο|όνομα)"
)
_PART = rf"(?<![^\W_]){_PARTS}(?![^\W_])[^\n:|\t]{{0,40}}[:|\t\n][\s|*_]{{0,6}}"
_BETWEEN = r"[\s|*_;,.-]{1,8}"
_HEADER = re.compile(rf"(?<![^\W_]){_PARTS}(?![^\W_])[^\n:]{{0,20}}[|\t,;][^\n:]{{0,20}}(?<![^\W_]){_PARTS}", re.I)
_HAS_PART = re.compile(rf"(?<![^\W_]){_PARTS}(?![^\W_])", re.I)
MOST_WORDS = 5


def find_parted_name(text: str, said: str, within: Span) -> Iterator[Span]:
    """Where the parts of a name stand one behind the other, each with its label, or in two cells under their labels."""
    words = said.replace("’", "'").split()
    if not 2 <= len(words) <= MOST_WORDS or not _HAS_PART.search(text, within.start, within.end):
        return
    there = text[within.start : within.end].replace("’", "'").casefold()
    if not all(word.casefold() in there for word in words):
        return
    cells = _HEADER.search(text, within.start, within.end) is not None
    for cut in range(1, len(words)):
        given, family = (_pattern(part) for part in (words[:cut], words[cut:]))
        for first, last in ((given, family), (family, given)):
            forms = [rf"{_PART}(?P<at>{first}{_BETWEEN}{_PART}{last})(?![^\W_])"]
            forms += [rf"(?<![^\W_])(?P<at>{first}[ ]?[|\t,;][ ]?{last})(?![^\W_])"] if cells else []
            for form in forms:
                yield from (
                    Span(*m.span("at")) for m in re.compile(form, re.I).finditer(text, within.start, within.end)
                )


def _pattern(words: list[str]) -> str:
    return r"[ \u00a0]+".join(re.escape(word).replace("'", "['’]") for word in words)
