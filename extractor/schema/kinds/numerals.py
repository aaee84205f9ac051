"""Numbers written in words, in 24 languages: "twelve thousand five hundred", "dreiundzwanzig", "vingt-et-un".

The words for one to a thousand are a table made of num2words; how they add up is the same in all languages: a smaller
one after a larger is added, a larger one after a smaller multiplies it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.figures import key_of_value
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.scales import scale_words
from extractor.schema.kinds.tokens import words_of

_FURTHER = {
    "en": "hundred:100 thousand:1000",
    "de": "ein:1 eine:1 einem:1 einen:1 einer:1 zwo:2 hundert:100 tausend:1000",
    "fr": "une:1 vingts:20 cents:100 septante:70 huitante:80 octante:80 nonante:90 mil:1000",
    "es": "un:1 una:1 veintiun:21 veintiuno:21 veintidos:22 veintitres:23 veinticuatro:24 veinticinco:25 veintiseis:26 "
    "veintisiete:27 veintiocho:28 veintinueve:29 ciento:100 cientos:100 doscientas:200 trescientas:300 "
    "cuatrocientas:400 "
    "quinientas:500",
    "it": "un:1 una:1 "
    "vent:20 trent:30 quarant:40 cinquant:50 sessant:60 settant:70 ottant:80 novant:90 mila:1000 ventuno:21 "
    "ventotto:28 trentuno:31 quarantuno:41 cinquantuno:51",
    "pt": "uma:1 duas:2 dezesseis:16 dezessete:17 dezenove:19 cento:100 duzentas:200 trezentas:300 "
    "quinhentas:500 catorze:14 "
    "quatorze:14",
    "bg": "един:1 една:1 едно:1 два:2 две:2 три:3 четири:4 пет:5 шест:6 седем:7 осем:8 девет:9 десет:10 единадесет:11 "
    "дванадесет:12 тринадесет:13 четиринадесет:14 петнадесет:15 шестнадесет:16 седемнадесет:17 осемнадесет:18 "
    "деветнадесет:19 двадесет:20 тридесет:30 четиридесет:40 петдесет:50 шестдесет:60 седемдесет:70 осемдесет:80 "
    "деветдесет:90 сто:100 двеста:200 триста:300 четиристотин:400 петстотин:500 шестстотин:600 седемстотин:700 "
    "осемстотин:800 деветстотин:900 хиляда:1000 хиляди:1000",
    "sr": "један:1 једна:1 једно:1 два:2 две:2 три:3 четири:4 пет:5 шест:6 седам:7 осам:8 девет:9 десет:10 "
    "једанаест:11 дванаест:12 тринаест:13 четрнаест:14 петнаест:15 шеснаест:16 седамнаест:17 осамнаест:18 "
    "деветнаест:19 двадесет:20 тридесет:30 четрдесет:40 педесет:50 шездесет:60 седамдесет:70 осамдесет:80 "
    "деведесет:90 сто:100 двеста:200 триста:300 четиристо:400 петсто:500 шестсто:600 седамсто:700 осамсто:800 "
    "деветсто:900 хиљаду:1000 хиљада:1000 хиљаде:1000",
    "el": "ενα:1 μια:1 ενας:1 δυο:2 τρια:3 τρεις:3 τεσσερα:4 τεσσερις:4 πεντε:5 εξι:6 επτα:7 εφτα:7 οκτω:8 οχτω:8 "
    "εννεα:9 εννια:9 δεκα:10 εντεκα:11 ενδεκα:11 δωδεκα:12 δεκατρια:13 δεκατεσσερα:14 δεκαπεντε:15 δεκαεξι:16 "
    "δεκαεπτα:17 δεκαοκτω:18 δεκαεννεα:19 εικοσι:20 τριαντα:30 σαραντα:40 πενηντα:50 εξηντα:60 εβδομηντα:70 "
    "ογδοντα:80 ενενηντα:90 εκατο:100 εκατον:100 διακοσια:200 τριακοσια:300 τετρακοσια:400 πεντακοσια:500 "
    "εξακοσια:600 επτακοσια:700 οκτακοσια:800 εννιακοσια:900 χιλια:1000 χιλιαδες:1000",
    "vi": "một:1 mốt:1 hai:2 ba:3 bốn:4 tư:4 năm:5 lăm:5 sáu:6 bảy:7 tám:8 chín:9 mười:10 mươi:10 trăm:100 nghìn:1000 "
    "ngàn:1000",
    "nl": "honderd:100 duizend:1000",
    "sv": "en:1 hundra:100 tusen:1000 ettusen:1000",
    "da": "en:1 hundrede:100 tusind:1000 tusinde:1000",
    "nb": "ett:1 hundre:100 tusen:1000 tjuefem:25 tyve:20 tredve:30",
    "fi": "sataa:100 tuhatta:1000",
    "pl": "jedna:1 jedno:1 dwie:2 dwoch:2 trzech:3 czterech:4 pierwszego:1 drugiego:2 trzeciego:3 czwartego:4 "
    "piatego:5 szostego:6 siodmego:7 osmego:8 "
    "dziewiatego:9 dziesiatego:10 jedenastego:11 dwunastego:12 trzynastego:13 czternastego:14 pietnastego:15 "
    "szesnastego:16 siedemnastego:17 osiemnastego:18 dziewietnastego:19 dwudziestego:20 trzydziestego:30 "
    "tysiace:1000 tysiecy:1000",
    "cs": "jeden:1 jedno:1 dve:2 ste:100 sta:100 set:100 tisice:1000",
    "sk": "jedna:1 jedno:1 dve:2 tisice:1000",
    "sl": "en:1 dva:2 tisoc:1000",
    "hr": "jedna:1 dvije:2 tisuca:1000 tisuce:1000 hiljada:1000",
    "ro": "un:1 una:1 o:1 doua:2 suta:100 sute:100 mie:1000 mii:1000",
    "hu": "ket:2 tizen:10 huszon:20",
    "ru": "одна:1 одно:1 две:2 двух:2 трех:3 четырех:4 пяти:5 шести:6 семи:7 десяти:10 первого:1 второго:2 "
    "третьего:3 четвертого:4 пятого:5 шестого:6 седьмого:7 "
    "восьмого:8 девятого:9 десятого:10 одиннадцатого:11 двенадцатого:12 тринадцатого:13 четырнадцатого:14 "
    "пятнадцатого:15 шестнадцатого:16 семнадцатого:17 восемнадцатого:18 девятнадцатого:19 двадцатого:20 "
    "тридцатого:30 тысяча:1000 тысячи:1000 "
    "тысяч:1000",
    "uk": "одна:1 дві:2 тисяча:1000 тисячі:1000 тисяч:1000",
    "lt": "dvi:2 trijų:3 simtas:100 simtai:100 tukstantis:1000 tukstanciai:1000 tukstanciu:1000",
    "lv": "simti:100 tukstosi:1000 tukstosu:1000",
    "ca": "una:1 dues:2 cents:100",
    "id": "belas:10 puluh:10 ratus:100 ribu:1000",
}
_LINKS = frozenset("si and und et y e og och en i a og of и та και".split())
_COMPOUND = frozenset("de nl sv da nb fi hu it tr es pt cs sk sl hr id".split())
"""Languages that write a number as one word."""
_ARTICLES = frozenset(
    "a o un una une uno um uma ein eine einem einen einer een en et ett egy bir oh half null nul nic on once "
    "due sei sept set fire ti "
    "ni dos do to as mie hat het ot bin bes cent cents sex ses tus di nou deu sis treds firs opt pet kirk du "
    "lima enam seize vint "
    "tres sapte sati hai ba nam bay tam sau mot bon chin tu muoi lam tram nghin ngan".split()
)
"""Words of one language that are small or common words of another (or the article): believed where the language is."""
_TENS_AND_UNITS = frozenset({"tr", "id", "vi", "hu", "fr"})
"""Languages whose eleven, or seventeen, is two words: "on bir", "dix-sept"."""
_GAP = re.compile(r"[ \u00a0]?[-–,]?[ \u00a0\n]?")


@cache
def _words() -> dict[str, dict[str, int]]:
    """Each word with its value in each language that has it."""
    found: dict[str, dict[str, int]] = {}
    for language, words in table("numerals").items():
        for word, value in words.items():
            found.setdefault(simple(word), {})[language] = value
    for language, listed in _FURTHER.items():
        for pair in listed.split():
            word, _, value = pair.rpartition(":")
            if value:
                found.setdefault(simple(word), {})[language] = int(value)
    return found


_LINK_INSIDE = {"de": "und", "nl": "en", "da": "og", "sv": "och", "nb": "og", "sl": "in", "cs": "a"}


@cache
def _segments(language: str) -> re.Pattern[str]:
    """The words of a language that join others into one: drei|und|zwanzig."""
    words = [w for w, values in _words().items() if language in values and len(w) > 1]
    link = _LINK_INSIDE.get(language)
    listed = sorted({*words, *([link] if link else ())}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, listed)))


@lru_cache(maxsize=1 << 13)
def _values(folded: str) -> dict[str, int]:
    """The value of the word in each language in which it is a number."""
    found = dict(_words().get(folded, {}))
    if not found and len(folded) > 5 and folded not in scale_words():
        for language in _COMPOUND:
            parts = _segments(language).findall(folded)
            if len(parts) > 1 and sum(map(len, parts)) == len(folded):
                link = _LINK_INSIDE.get(language)
                known = [_words().get(part, {}).get(language) for part in parts if part != link]
                values = tuple(value for value in known if value is not None)
                if len(values) < len(known):
                    continue
                if (value := _sum(values, language)) is not None:
                    found[language] = value
    return found


def _sum(values: tuple[int, ...], language: str) -> int | None:
    """The number that the values of its words make; None where they are a list of numbers."""
    total, current = 0, 0
    for value in values:
        if value == 100 and 0 < current < 100:
            current *= 100
        elif value >= 1000 and current:
            total += current * value
            current = 0
        elif value >= 1000:
            if total and not (value < 10**6 and total % 10**6 == 0):
                return None
            total += value
        elif value == 20 and current == 4 and language == "fr":  # quatre-vingts
            current = 80
        elif value == 10 and 0 < current % 100 < 10 and language in ("id", "vi"):  # lima puluh
            current += 9 * (current % 100)
        elif (
            current
            and not _adds(current, value)
            and not (language in _TENS_AND_UNITS and current % 100 == 10 and value < 10)
        ):
            return None
        else:
            current += value
    return total + current


def _adds(current: int, value: int) -> bool:
    low = current % 100
    if value >= 100:
        return False
    if value >= 20 and value % 10 == 0:
        return low == 0 or low < 10  # fünf-und-zwanzig
    if value >= 10:
        return low in (0, 60, 80)  # soixante-dix, quatre-vingt-dix
    return (low % 10 == 0 and low != 10) or low == 0


class _Word(NamedTuple):
    """A word of a run: where it stands, and its value in each language in which it is a number."""

    start: int
    end: int
    values: dict[str, int]
    link: bool
    """It may also join others ("and") without a value of its own."""
    common: bool
    """It is a small word of other languages: no number by itself unless the language is the document's."""


_NOTHING = frozenset(
    "nil nought free gratis kostenlos kostenlose kostenloser kostenfrei gratuit gratuite gratuits gratuites gratuito "
    "gratuita gratuiti gratuite gratuitos gratuitas offert offerts offerte offertes ilmainen maksuton zdarma bezplatna "
    "bezplatne bezplatny bezpłatna bezpłatny bezpłatne bezpłatnie darmowa darmowy kosteloos ingyenes ucretsiz "
    "besplatno "
    "бесплатно бесплатная бесплатный безкоштовно безплатно δωρεαν مجاني مجانا חינם 免费 無料 무료".split()
)
"""Words for an amount of zero."""


def value_of_word(folded: str, language: str) -> int | None:
    """The number that a folded word is in a language; None for other words."""
    return _values(folded).get(language)


def number_words(text: str, reading: Reading) -> Iterator[tuple[int, int, str]]:
    """Numbers in words: start, end, key; in time linear in the text's length."""
    run: list[_Word] = []
    for start, end, folded in words_of(text):
        if folded in _NOTHING:
            yield start, end, "0"
        about = _about(folded)
        if about is None and not run:
            continue
        if run and (start - run[-1].end > 4 or len(run) > 20 or _GAP.fullmatch(text, run[-1].end, start) is None):
            yield from _numbers(run, text, reading)
            run = []
        if about is None and run:
            yield from _numbers(run, text, reading)
            run = []
        elif about is not None and (run or about[0]):
            run.append(_Word(start, end, *about))
    if run:
        yield from _numbers(run, text, reading)


@lru_cache(maxsize=1 << 13)
def _about(folded: str) -> tuple[dict[str, int], bool, bool] | None:
    values = _values(folded)
    if not values and len(folded) > 2 and (power := scale_words().get(folded)):
        values = {"": 10**power}
    link = folded in _LINKS or folded == "de"
    return (values, link, folded in _ARTICLES) if values or link else None


def _numbers(run: list[_Word], text: str, reading: Reading) -> Iterator[tuple[int, int, str]]:
    """The longest numbers that the words of a run make; words that are a list make several."""
    i = 0
    while i < len(run):
        best = _longest(run, i, text, reading) if run[i].values and "" not in run[i].values else None
        if best is None:
            i += 1
            continue
        last, value = best
        if (key := key_of_value(value)) is not None:
            yield run[i].start, run[last].end, key
        i = last + 1


def _longest(run: list[_Word], i: int, text: str, reading: Reading) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    so_far: dict[str, tuple[int, ...]] = dict.fromkeys(run[i].values, ())
    sure = set(reading.languages)
    for j in range(i, len(run)):
        word = run[j]
        if j > i and word.link and not word.values and "," in text[run[j - 1].end : word.start]:
            break
        any_language = word.values.get("")
        grown = {}
        for language, values in so_far.items():
            value = word.values.get(language, any_language)
            if value is not None:
                grown[language] = (*values, value)
                if not word.common:
                    sure.add(language)
            elif word.link:
                grown[language] = values
        so_far = grown
        if not so_far:
            break
        if not word.values:
            continue
        for language, values in so_far.items():
            if (language in word.values or "" in word.values) and language in sure:
                total = _sum(values, language)
                if total is not None:
                    best = (j, total)
                    break
    return best
