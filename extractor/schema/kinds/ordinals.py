"""Ordinals and how often, in words: "first", "einundzwanzigste", "troisième", "twice", "dreimal".

Small ones are words of every text ("the first payment is due"), so they count as what stands behind a label alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.numerals import value_of_word
from extractor.schema.kinds.tokens import words_of

_FROM_ONE = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    "fr": "premier second troisieme quatrieme cinquieme sixieme septieme huitieme neuvieme dixieme onzieme douzieme",
    "fr, too": "premiere deuxieme",
    "es": "primero segundo tercero cuarto quinto sexto septimo octavo noveno decimo undecimo duodecimo",
    "es, feminine": "primera segunda tercera cuarta quinta sexta septima octava novena decima",
    "es, short": "primer - tercer",
    "pt": "primeiro segundo terceiro quarto quinto sexto setimo oitavo nono decimo",
    "pt, feminine": "primeira segunda terceira quarta quinta sexta setima oitava nona decima",
    "it": "primo secondo terzo quarto quinto sesto settimo ottavo nono decimo undicesimo dodicesimo",
    "it, feminine": "prima seconda terza quarta quinta sesta settima ottava nona decima",
    "nl": "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde",
    "sv": "forsta andra tredje fjarde femte sjatte sjunde attonde nionde tionde elfte tolfte",
    "sv, masculine": "forste andre",
    "da": "forste anden tredje fjerde femte sjette syvende ottende niende tiende",
    "nb": "- annen - - - - - attende",
    "fi": "ensimmainen toinen kolmas neljas viides kuudes seitsemas kahdeksas yhdeksas kymmenes",
    "pl": "pierwszy drugi trzeci czwarty piaty szosty siodmy osmy dziewiaty dziesiaty",
    "pl, feminine": "pierwsza druga trzecia czwarta piata szosta siodma osma dziewiata dziesiata",
    "pl, neuter": "pierwsze drugie trzecie czwarte piate szoste siodme osme dziewiate dziesiate",
    "cs": "prvni druhy treti ctvrty paty sesty sedmy osmy devaty desaty",
    "cs, feminine": "- druha - ctvrta pata sesta sedma osma devata desata",
    "cs, neuter": "prve druhe - ctvrte pate seste sedme osme devate desate",
    "ru": "первый второй третий четвертый пятый шестой седьмой восьмой девятый десятый",
    "ru, feminine": "первая вторая третья четвертая пятая шестая седьмая восьмая девятая десятая",
    "ru, neuter": "первое второе третье четвертое пятое шестое седьмое восьмое девятое десятое",
    "uk": "перший другий третій четвертий п'ятий шостий сьомий восьмий дев'ятий десятий",
    "uk, feminine": "перша друга третя четверта п'ята шоста сьома восьма дев'ята десята",
    "el": "πρωτος δευτερος τριτος τεταρτος πεμπτος εκτος εβδομος ογδοος ενατος δεκατος",
    "el, feminine": "πρωτη δευτερη - - - εκτη εβδομη ογδοη ενατη δεκατη",
    "el, neuter": "πρωτο δευτερο τριτο τεταρτο πεμπτο εκτο εβδομο ογδοο ενατο δεκατο",
    "tr": "birinci ikinci ucuncu dorduncu besinci altinci yedinci sekizinci dokuzuncu onuncu",
    "hu": "elso masodik harmadik negyedik otodik hatodik hetedik nyolcadik kilencedik tizedik",
    "ro": "primul - - - - - - - -",
    "id": "pertama kedua ketiga keempat kelima keenam ketujuh kedelapan kesembilan kesepuluh",
    "ar": "الأول الثاني الثالث الرابع الخامس السادس السابع الثامن التاسع العاشر",
    "ar, feminine": "الأولى الثانية الثالثة الرابعة الخامسة السادسة السابعة الثامنة التاسعة العاشرة",
    "hi": "पहला दूसरा तीसरा चौथा पांचवां",
}  # fmt: skip
_GERMAN = re.compile(r"(?P<stem>[a-z]{2,30}?)(?:st|t)(?:e|er|es|en|em)")
_GERMAN_STEMS = {"er": 1, "drit": 3, "dri": 3, "sieb": 7, "ach": 8}
_FRENCH = re.compile(r"(?P<stem>[a-z]{3,30})iemes?")
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_HUNDREDTH = {"hundredth": 100, "hundertste": 100, "centieme": 100, "centesimo": 100}
_LABEL_BEFORE = re.compile(r"(?:[:=|\t：][ \t*_\"']{0,4}|[ ]{3})(?:the |der |die |das |le |la |el |il |l[’'])?$", re.I)
_BEFORE_TIMES = frozenset("once einmal eenmaal una uma dos due duas tres tre".split())
_HYPHENS, _JOINED = ("-", "‑"), ("-", " ", "‑")
_SMALL = 4
"""Ordinals below it are believed behind a label alone."""
_VERBS = frozenset("achte achten".split())
_ONE, _PART_OF = (
    re.compile(r"\b(?:an?|one|ein|une?|una|uma?)[ ]$", re.I),
    re.compile(r"[ ](?:of|von|der|de|des|du|del|di|do)\b"),
)
"""A fifth of something is a share."""
_OFTEN = {"twice": 2, "thrice": 3}
_MAL = re.compile(r"(?P<stem>[a-z]{3,30}?)(?:mal|maal)")
_TIMES = re.compile(
    r"\b(?:(?P<n1>once|einmal|eenmaal|una volta|una vez|uma vez)"
    r"|(?P<n2>dos veces|due volte|duas vezes)|(?P<n3>tres veces|tre volte|tr[êe]s vezes))"
    r"(?=[ \u00a0](?:daily|weekly|monthly|yearly|a|an|per|every|in|al|a la|ao|por|cada|t[äa]glich|pro|am|in der|im|per"
    r"|dag\w{0,5}|al)\b)",
    re.I,
)
"""How often, where by what stands behind it: "once daily" and no "once paid"."""


@cache
def _listed() -> dict[str, int]:
    found: dict[str, int] = dict(_HUNDREDTH)
    for words in _FROM_ONE.values():
        for number, word in enumerate(words.split(), 1):
            found.setdefault(simple(word), number)
    found.pop("-", None)
    return found


@lru_cache(maxsize=1 << 12)
def ordinal_of(folded: str) -> int | None:
    """The number of an ordinal that is one folded word; None for others."""
    if (number := _listed().get(folded)) is not None:
        return number
    if not folded.isascii() or len(folded) < 5:
        return None
    if m := _GERMAN.fullmatch(folded):
        stem = m["stem"]
        if stem in _GERMAN_STEMS:
            return _GERMAN_STEMS[stem]
        return value_of_word(stem, "de") or value_of_word(stem + "s", "de")
    if m := _FRENCH.fullmatch(folded):
        stem = m["stem"]
        for tried in (stem, stem + "e", stem.removesuffix("u"), stem[:-1] + "f"):
            if (value := value_of_word(tried, "fr")) is not None:
                return value
    return None


@lru_cache(maxsize=1 << 13)
def _about(folded: str) -> tuple[int, bool] | None:
    """The number of a word, and whether it is an ordinal, not how often; None for other words."""
    if (number := ordinal_of(folded)) is not None:
        return number, True
    if folded in _OFTEN:
        return _OFTEN[folded], False
    if folded[-3:] in ("mal", "aal") and (m := _MAL.fullmatch(folded)):
        value = value_of_word(m["stem"], "de") or value_of_word(m["stem"], "nl")
        return (value, False) if value is not None and value > 1 else None
    return None


def ordinal_words(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of ordinals, and of words for how often, that may be meant as numbers."""
    words = words_of(text)
    for i, (start, end, folded) in enumerate(words):
        if folded in _BEFORE_TIMES and (often := _TIMES.match(text, start)):
            yield start, often.end(), 1 if often["n1"] else 2 if often["n2"] else 3
        if (about := _about(folded)) is None:
            continue
        number, is_ordinal = about
        if not is_ordinal:
            yield start, end, number
            continue
        first = start
        if i and number < 10 and (tens := _TENS.get(words[i - 1][2])) and text[words[i - 1][1] : start] in _JOINED:
            first, number = words[i - 1][0], tens + number
        if text[end : end + 1] in _HYPHENS:  # third-party
            continue
        doubtful = number < _SMALL or folded in _VERBS
        if doubtful and (text[end : end + 1] == "," or not _LABEL_BEFORE.search(text, max(0, first - 12), first)):
            continue
        if not (_PART_OF.match(text, end) and _ONE.search(text, max(0, first - 5), first)):
            yield first, end, number
