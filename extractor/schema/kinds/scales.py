"""Words and signs behind a number that multiply it: thousand, Mio., crore, 万, dozen, %, and what ends an ordinal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import simple

_POWERS = {
    2: "hundred hundreds cents honderd hundert hundra hundrede hundre sto百 সো सौ",
    3: "k thousand thousands thsd thou tsd tausend tds mille millier milliers mil miles milhar milhares mila migliaia "
    "duizend dzd tusen tusental tuhat tuhatta tys tysiac tysiace tysiecy tis tisic tisice tisica tisoc tisuca "
    "tisuce hiljada "
    "mie mii ezer bin тыс тысяча тысячи тысяч тисяч тисяча тисячі хил хиляди χιλιαδες χιλ ribu rb nghin ngan "
    "tukst tukstanciai tukstanciu tukst elf alf ألف آلاف אלף אלפים हजार हज़ार พัน 千 천 仟 พัน ஆயிரம்",
    4: "万 萬 만 หมื่น",
    5: "lakh lakhs lac lacs लाख லட்சம் แสน",
    6: "m mm mn million millions mio mill mln mil. millionen million. millone millones millon milhao milhoes milione "
    "milioni miljoen miljoenen mjn mlj miljon miljoner milj millionar millioner miljoona miljoonaa milion "
    "miliony milionow milionu "
    "milionov milijon milijonov milijun milijuna milijuni milijon milioane millio millia milyon млн миллион миллиона "
    "миллионов мільйон мільйони мільйонів милион милиона εκατ εκατομμυρια εκατομμυριο juta jt trieu tr. "
    "مليون ملايين מיליון מיליוני ล้าน 百万 百萬 백만",
    7: "cr crore crores करोड़ करोड கோடி 千万 천만",
    8: "亿 億 억",
    9: "b bn bln billion billions bio milliard milliards mrd mia milliarden miljard miljarden miljardi miljarder "
    "miliardo miliardi md mld mrd. miliard miliardy miliardow miliardu milijarda milijarde milijardi milliardar "
    "milliarder miliarde "
    "miljardia milliardos milyar mlr млрд миллиард миллиарда миллиардов мільярд мільярди мільярдів милиард "
    "милиарда δισ δισεκατομμυρια miliar "
    "ty مليار מיליארד 十億 十亿",
    12: "t trn tn trillion trillions billionen bilion 兆 조 triliun трлн триллион",
}
_LONG_SCALE = {"billones": 12, "billon": 12, "billions": 9, "bilhao": 9, "bilhoes": 9, "biljoen": 12, "biljon": 12}
_COUNTS = {
    "dozen": 12,
    "dozens": 12,
    "dz": 12,
    "dtz": 12,
    "dutzend": 12,
    "douzaine": 12,
    "douzaines": 12,
    "docena": 12,
    "docenas": 12,
    "dozzina": 12,
    "dozzine": 12,
    "duzia": 12,
    "duzias": 12,
    "dozijn": 12,
    "dussin": 12,
    "dusin": 12,
    "tucet": 12,
    "tuzin": 12,
    "дюжина": 12,
    "дюжины": 12,
    "duzine": 12,
    "tucat": 12,
    "ダース": 12,
    "打": 12,
    "gross": 144,
}
_CASED = {
    "k": 3,
    "K": 3,
    "M": 6,
    "m": 6,
    "B": 9,
    "b": 9,
    "T": 12,
    "t": 3,
    "G": 9,
    "L": 5,
    "MM": 6,
    "bn": 9,
    "cr": 7,
    "Cr": 7,
    "bi": 9,
    "mi": 6,
}
"""One or two letters mean many things: they scale only with nothing between them and the number, or as capitals."""

MINOR = frozenset(
    "cent cents ct cts ctvs centavo centavos centimo centimos centime centimes centesimo centesimi pence p øre ore "
    "öre grosz grosze groszy haleru haler halire коп копейка копейки копеек копійок копійки стотинки bani kurus "
    "filler sen paise paisa पैसे fils агорот аг אגורות هللة فلس".split()
)
"""Folded words for hundredths of a currency's unit."""
PERMILLE = frozenset("promille promil promile промилле проміле permil permille".split())
PARTS = {"ppm": -6, "ppb": -9}
PERCENT = frozenset(
    "percent pct prozent pourcent pourcents procent procents prosent prosenttia procento procenta procentow "
    "процент процента процентов відсотків відсоток процентов τοις persen yuzde szazalek procentu por百 퍼센트 "
    "パーセント बाद प्रतिशत".split()
)
PERCENT_PAIRS = frozenset(
    {
        ("per", "cent"),
        ("por", "ciento"),
        ("por", "cento"),
        ("per", "cento"),
        ("pour", "cent"),
        ("τοις", "εκατο"),
        ("v", "h"),
        ("p", "c"),
    }
)
PERMILLE_PAIRS = frozenset({("per", "mil"), ("per", "mille"), ("pour", "mille"), ("por", "mil"), ("per", "thousand")})
ORDINAL_ENDS = frozenset("st nd rd th er ere eme e o a os as re ος η го й я ый ая er. th. ste de ый nd. ième".split())


@cache
def scale_words() -> dict[str, int]:
    """Folded words of two letters or more, each with the power of ten that it stands for."""
    words = {simple(word.strip(".")): power for power, listed in _POWERS.items() for word in listed.split()}
    words.update(_LONG_SCALE)
    for word, powers in table("scales").items():
        words.setdefault(word, int(max(powers, key=lambda power: len(powers[power]))))
    return {word: power for word, power in words.items() if len(word) > 1 or not word.isascii()}


def powers_of(word: str, languages: Sequence[str]) -> list[int]:
    """The powers of ten of a word that stands for several, that of the languages first: "mil" is a thousand in Spanish
    and a million in Czech; nothing for other words."""
    powers = table("scales").get(simple(word), {})
    if len(powers) < 2:
        return []
    ranks = {language: rank for rank, language in enumerate(languages)}
    known = {power: min((ranks.get(one, 99) for one in spoken), default=99) for power, spoken in powers.items()}
    return [int(power) for power in sorted(powers, key=lambda power: (known[power], -len(powers[power])))]


def scale_of(word: str, *, glued: bool) -> int:
    """The power of ten that a word behind a number stands for; 0 where it is no such word."""
    if word in _CASED:
        return _CASED[word] if glued or (word.isupper() and word != "T" and len(word) == 1) or len(word) > 1 else 0
    if len(word) == 1 and word.isascii():
        return 0
    return scale_words().get(simple(word), 0)


def count_of(word: str) -> int:
    """How many one of the word is: a dozen is 12; 0 where it is no such word."""
    return _COUNTS.get(simple(word), 0)


CJK_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "壱": 1,
    "壹": 1,
    "弐": 2,
    "贰": 2,
    "貳": 2,
    "参": 3,
    "叁": 3,
    "參": 3,
    "肆": 4,
    "伍": 5,
    "陆": 6,
    "陸": 6,
    "柒": 7,
    "捌": 8,
    "玖": 9,
    "两": 2,
    "兩": 2,
    "일": 1,
    "이": 2,
    "삼": 3,
    "사": 4,
    "오": 5,
    "육": 6,
    "칠": 7,
    "팔": 8,
    "구": 9,
}
CJK_SMALL = {"十": 1, "拾": 1, "百": 2, "佰": 2, "千": 3, "仟": 3, "천": 3, "백": 2, "십": 1}
CJK_LARGE = {"万": 4, "萬": 4, "만": 4, "億": 8, "亿": 8, "억": 8, "兆": 12, "조": 12}
