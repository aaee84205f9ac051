"""Month names in 54 locales, words for what still goes on, and the counting of years in East Asia."""

from __future__ import annotations

from functools import cache, lru_cache

from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import simple

_FURTHER = {
    "sept": 9, "sett": 9, "juin": 6, "jui": 7, "jly": 7, "mrz": 3, "maerz": 3, "marz": 3, "jaenner": 1, "janner": 1,
    "feber": 2,
    "aout": 8, "ene": 1, "dic": 12, "dez": 12, "abr": 4, "ago": 8, "set": 9, "fev": 2, "avr": 4, "okt": 10, "maj": 5,
    "mei": 5, "maa": 3,
    "mrt": 3, "setiembre": 9, "paz": 10, "лют": 2, "мая": 5, "ברס": 3, "jan": 1, "feb": 2, "mar": 3, "apr": 4,
    "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12, "janv": 1, "fevr": 2, "juil": 7, "gen": 1,
    "mag": 5, "giu": 6,
    "lug": 7, "ott": 10, "out": 10, "mai": 5,
    "يوليوز": 7, "غشت": 8, "شتنبر": 9, "نونبر": 11, "دجنبر": 12, "جانفي": 1, "فيفري": 2, "أفريل": 4, "ماي": 5,
    "جوان": 6, "جويلية": 7, "أوت": 8, "सितम्बर": 9, "नवम्बर": 11, "दिसम्बर": 12,
    "شباط": 2, "آذار": 3, "نيسان": 4, "أيار": 5, "حزيران": 6, "تموز": 7, "أيلول": 9,
}  # fmt: skip
TWO_WORDS = {
    (simple(first), simple(second)): month
    for first, second, month in (
        ("كانون", "الثاني", 1),
        ("كانون", "الأول", 12),
        ("تشرين", "الأول", 10),
        ("تشرين", "الثاني", 11),
        ("Meán", "Fómhair", 9),
        ("Deireadh", "Fómhair", 10),
        ("Mí", "Nollag", 12),
        ("Mí", "Samhain", 11),
    )
}
"""Months whose names are two words."""
_NOT_STEMS = frozenset("marke marsch market marked marks mayor mayo julia augus decid octet novel".split())
COMMON_WORDS = frozenset(
    "may mar set out ago mag gen dic mars mac mart mai sat kas oca lip lis pro led sri kol stu vel rig eba urt "
    "ots mei jun ene sie gru cze "
    "maj kwi wrz tra kov maa hel tam cerv bre val tri sau spa ber mir sept fail mea lun meh iyu iyun sent oga "
    "epr jui nov paz mit thang".split()
)
"""Spellings of a month that are words of another language: they need more than a year beside them."""

_PRESENT = frozenset(
    "present|current|currently|ongoing|now|today|to date|till date|until now|till now|to "
    "present|heute|aktuell|laufend|bis heute|derzeit|"
    "aujourd'hui|a ce jour|actuel|actuellement|present jour|en cours|actualidad|actualmente|presente|hasta la "
    "fecha|hoy|a la fecha|oggi|"
    "ad oggi|in corso|attuale|attualmente|atual|atualmente|hoje|ate o momento|ate hoje|heden|tot "
    "heden|nu|nuvarande|pagaende|nuvaerende|"
    "i dag|nykyinen|nykyaan|obecnie|do teraz|do dzis|teraz|soucasnost|do "
    "soucasnosti|sucasnost|danas|sada|prezent|in prezent|jelenleg|"
    "jelenleg is|halen|gunumuz|devam ediyor|настоящее время|по настоящее время|н.в.|по н.в.|сейчас|теперішній "
    "час|дотепер|"
    "παρον|σημερα|至今|现在|現在|今|现任|在职|현재|الآن|حتى الآن|כיום|היום|sekarang|saat ini|hien tai|hien "
    "nay|पर्यन्त|वर्तमान|ปัจจุบัน".split("|")
)


@cache
def _months() -> dict[str, tuple[int, ...]]:
    names = {word.rstrip("׳॰."): tuple(numbers) for word, numbers in table("months").items()}
    for word, number in _FURTHER.items():
        if number:
            names.setdefault(simple(word), (number,))
    return names


@cache
def _stems() -> dict[str, tuple[int, ...]]:
    """Month names without their last letter or two, where that tells one month: "marcu" of "marca"."""
    stems: dict[str, set[tuple[int, ...]]] = {}
    for word, numbers in _months().items():
        for cut in (1, 2):
            if len(word) - cut >= 4:
                stems.setdefault(word[:-cut], set()).add(numbers)
    return {stem: next(iter(found)) for stem, found in stems.items() if len(found) == 1}


@lru_cache(maxsize=1 << 13)
def months_of(folded: str) -> tuple[int, ...]:
    """The months that a folded word may name, likeliest first; empty for other words."""
    if not 2 <= len(folded) <= 24:
        return ()
    names = _months()
    if folded in names:
        return names[folded]
    if folded[:1] in "בלמ" and folded[1:] in names:  # Hebrew "in March", one word
        return names[folded[1:]]
    if (folded.isascii() and len(folded) < 5) or folded in _NOT_STEMS:
        return ()
    stems = _stems()
    for cut in (0, 1, 2, 3):
        stem = folded[: len(folded) - cut]
        if len(stem) >= 4 and (stem in stems or (cut and stem in names and len(stem) > 4 and stem != "march")):
            return stems.get(stem) or names[stem]
    return ()


@cache
def present_words() -> frozenset[str]:
    """Folded words that say that something still goes on."""
    return frozenset(_spaced(word) for word in _PRESENT)


@cache
def last_words_of_present() -> frozenset[str]:
    """The last words of those phrases: what to look for first."""
    return frozenset(phrase.split(" ")[-1] for phrase in present_words())


def _spaced(phrase: str) -> str:
    return " ".join(simple(phrase).replace("'", " ").replace(".", " ").split())


THAI = ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
"""Abbreviated Thai months, January first; their points are inside them."""

ERAS = {
    "令和": 2018,
    "平成": 1988,
    "昭和": 1925,
    "大正": 1911,
    "明治": 1867,
    "民國": 1911,
    "民国": 1911,
    "中華民國": 1911,
    "令": 2018,
    "平": 1988,
    "昭": 1925,
    "R": 2018,
    "H": 1988,
    "S": 1925,
    "㋿": 2018,
    "㍻": 1988,
    "㍼": 1925,
}
"""The year before the first of an era: 令和6年 is 2018 + 6."""
_KANJI = {c: str(i) for i, c in enumerate("〇一二三四五六七八九")} | {"零": "0"}


def figures_of_kanji(words: str) -> int | None:
    """A year, month or day in figures or in Chinese characters: 二〇二四, 十二, 三十一, 元."""
    if words.isdecimal():
        return int(words)
    if words == "元":
        return 1
    if "十" not in words:
        digits = "".join(_KANJI.get(c, "?") for c in words)
        return int(digits) if digits.isdecimal() else None
    tens, _, units = words.partition("十")
    digits = (_KANJI.get(tens, "?") if tens else "1") + (_KANJI.get(units, "?") if units else "0")
    return int(digits) if digits.isdecimal() else None
