"""Which encoding older than Unicode some bytes are in: the one in which their words look like words.

chardet weighs languages; on short business texts it takes German and French for Cyrillic, Czech or Macintosh. How a
word is built tells more there: a letter of another script, a capital or a currency sign inside a word, a lone letter
that is no word. The two are added; docs/decisions/018 has what either and both got right.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import unicodedata
from functools import lru_cache

_SAMPLE = 20_000
"""Characters that are looked at."""
_DETECTED = 200_000
"""Bytes that chardet is shown."""
_WORST = -1.0
"""What the best encoding must reach for the bytes to be text."""
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_AROUND = 12
"""Bytes before and after those that are not ASCII that are kept in the sample."""

_WESTERN = (
    "äöüß", "éèêëàâçîïôùûœæ", "áéíóúñü", "ãõáéíóúâêôàç", "àèéìòù", "åäöé", "æøåé", "éëïóöü", "áéíóúýþæöð", "àçèéíòóúü",
)  # fmt: skip
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ", "äöüß")
_CYRILLIC = ("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґў№",)
_GREEK = ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊΐ",)
_LETTERS = {
    "cp1252": _WESTERN,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp437": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp852": _CENTRAL,
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": _GREEK,
    "iso8859_7": _GREEK,
    "cp1254": ("ğışçöüiâî",),
    "cp1255": ("אבגדהוזחטיךכלםמןנסעףפץצקרשת₪",),
    "cp1256": ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ،؛؟",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöüõšž"),
    "cp874": ("กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะัาำิีึืุูเแโใไ็่้์ๆฯ๐๑๒๓๔๕๖๗๘๙฿",),
}
"""Encodings of one byte a letter, and the letters that each of their languages uses beside those of ASCII."""
_PRIORS = {
    "cp1252": 0.1, "cp1250": 0.05, "cp1251": 0.05, "cp1257": -0.05, "iso8859_2": -0.02, "iso8859_7": -0.02,
    "mac_roman": -0.35, "cp437": -0.4, "cp850": -0.38, "cp852": -0.42,
}  # fmt: skip
"""How likely an encoding is before its text is looked at; others 0."""
_EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "big5", "cp949")
_CHINESE = frozenset(
    "的一是不了在有人我他这中大来上个国公司地址金额姓名发票合计数量单价日期年月电话号元订北京市王李张区路项總務臺灣額單價發電話聯絡"
)
_JAPANESE = frozenset("日年月会社株式円合計金額請求書様御名前住所電話番号数単価東京都田山店品税込支払")
_SIGNS = {**dict.fromkeys("€£§°²³½¼¾«»„“”‘’‚–—…•©®™\xa0×±µ·№¿¡¥", 0.4), **dict.fromkeys("¤¦¬¨¸¯‡†‰ƒ¶ªº", -0.8)}
_IN_WORDS = frozenset("’'‘·\xad-–")


def guess_encoding(data: bytes) -> str:
    """The encoding, by its name in Python; empty where the bytes look like text in none."""
    sample = _cut_sample(data)
    scores = {name: _score_single(sample, name) + _PRIORS.get(name, 0.0) for name in _LETTERS}
    scores |= {name: _score_east_asian(data, name) for name in _EAST_ASIAN}
    if max(scores.values()) < _WORST:
        return ""
    detected = _ask_detector(data)
    return max(scores, key=lambda name: scores[name] + detected.get(codecs.lookup(name).name, 0.0))


def _ask_detector(data: bytes) -> dict[str, float]:
    """What chardet thinks of each encoding, in shares of what it thinks of the best."""
    import chardet  # only here: most files are UTF-8

    found: dict[str, float] = {}
    for answer in chardet.detect_all(data[:_DETECTED], ignore_threshold=True):
        with contextlib.suppress(LookupError):
            name = codecs.lookup(answer["encoding"] or "").name
            found[name] = max(found.get(name, 0.0), answer["confidence"])
    most = max(found.values(), default=0.0)
    return {name: share / most for name, share in found.items()} if most else {}


def _cut_sample(data: bytes) -> bytes:
    """The bytes that are not ASCII with what stands about them, in order, with line ends between the pieces."""
    pieces, size, at = [], 0, 0
    for found in re.finditer(rb"[\x80-\xff]+", data):
        start = max(at, found.start() - _AROUND)
        piece = (b"" if start == at else b"\n") + data[start : found.end()]
        at = found.end()
        after = re.compile(rb"[\x00-\x7f]{0,%d}" % _AROUND).match(data, at)
        if after:
            piece, at = piece + after[0], after.end()
        pieces.append(piece)
        size += len(piece)
        if size > _SAMPLE:
            break
    return b"".join(pieces)


def _score_single(sample: bytes, name: str) -> float:
    """How well the letters and signs look, from -3 to 1 or so for each that is not ASCII."""
    text = sample.decode(name, "replace")
    places = [m.start() for m in _NON_ASCII.finditer(text)]
    letters = "".join(text[at] for at in places).lower()
    known = frozenset("".join(_LETTERS[name]))
    language = max(_LETTERS[name], key=lambda own: sum(map(frozenset(own).__contains__, letters)))
    marks = sum(_judge_sign(text, at, frozenset(language), known) for at in places)
    return (marks - _weigh_odd_words(text)) / max(1, len(places))


def _weigh_odd_words(text: str) -> float:
    """What words cost that are no words: a letter or two of another script in a Latin text, or accents alone."""
    words = re.findall(r"[^\W\d_]+", text)
    foreign = [word for word in words if word[0] > "\x7f" and _script(word[0]) != "LATIN"]
    plain = sum(len(word) > 2 and word.isascii() for word in words)
    lone = sum(len(word) < 3 for word in foreign) if plain > len(foreign) else 0
    accents = sum(
        len(word) for word in words if len(word) > 1 and not any(map(str.isascii, word)) and _script(word[0]) == "LATIN"
    )
    return 1.2 * lone + 0.8 * accents


def _judge_sign(text: str, at: int, language: frozenset[str], known: frozenset[str]) -> float:
    letter = text[at]
    before, after = text[at - 1 : at] or "\n", text[at + 1 : at + 2] or "\n"
    if letter == "\ufffd" or "\x80" <= letter <= "\x9f" or unicodedata.category(letter) in ("Cn", "Co"):
        return -3.0
    if letter in "ªº":
        return 0.2 if before.isdigit() else -0.8
    if unicodedata.category(letter)[0] not in "LM":
        if before.isalpha() and after.isalpha() and letter not in _IN_WORDS:
            return -2.0
        if letter in "¿¡":
            return 1.0 if after.isupper() and not before.isalnum() else -0.8
        return _SIGNS.get(letter, -0.8) - 1.6 * (before.isalpha() and letter in "£¥€§¼½")
    worth = 1.0 if letter.lower() in language else 0.5 if letter.lower() in known else -0.3
    script = _script(letter)
    worth -= 2.0 * sum(near.isalpha() and _script(near) != script for near in (before, after))
    if letter.isupper():
        worth -= 1.5 * before.islower() + 1.0 * (before.isupper() and after.islower())
        worth -= 0.6 * (not before.isalpha() and not after.isalpha() and letter not in "ÀÉÅÄÖÜ")
    elif letter.islower() and letter != "ß":
        worth -= 1.2 * after.isupper()
    return worth


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The first word of the letter's name: LATIN, CYRILLIC, GREEK."""
    return unicodedata.name(letter, "?").split(" ", 1)[0]


def _score_east_asian(data: bytes, name: str) -> float:
    """How well pairs of bytes look as syllables and characters; far below 0 where they are none."""
    cut = data[:_SAMPLE]
    try:
        text = cut.decode(name) if len(cut) == len(data) else cut.decode(name, "ignore")
    except UnicodeDecodeError:
        return -3.0
    marks = []
    for found in _NON_ASCII.finditer(text):
        letter = found[0]
        near = text[found.start() - 1 : found.start()] + text[found.end() : found.end() + 1]
        mixed = sum(c.isascii() and c.isalpha() for c in near)
        marks.append(_judge_east_asian(letter, name) - 1.2 * mixed)
    return sum(marks) / max(1, len(marks))


def _judge_east_asian(letter: str, name: str) -> float:
    if "\u3040" <= letter <= "\u30ff":
        return 1.2 if name in ("cp932", "euc_jp") else 0.3
    if "\uac00" <= letter <= "\ud7a3":
        return 1.15 if name == "cp949" else -1.0
    if "\u3000" <= letter <= "\u303f" or "\uff01" <= letter <= "\uff5e" or letter in "￥·“”‘’—…¥":
        return 0.6
    if "\uff61" <= letter <= "\uff9f":  # half-width katakana: one byte each, so any text has them
        return -0.8
    if not "\u4e00" <= letter <= "\u9fff":
        return -1.0
    written = letter.encode(name, "replace")
    lead = written[0] if len(written) == 2 else 0
    if name == "gb18030":
        worth = 1.0 if 0xB0 <= lead <= 0xD7 and written[1] >= 0xA1 else -0.4
        return worth + 0.6 * (letter in _CHINESE)
    if name == "big5":
        return (1.0 if 0xA4 <= lead <= 0xC6 else -0.4) + 0.6 * (letter in _CHINESE)
    if name == "cp949":
        return -0.2
    first_level = 0x88 <= lead <= 0x97 if name == "cp932" else 0xB0 <= lead <= 0xCF
    return (1.0 if first_level else -0.4) + 0.6 * (letter in _JAPANESE)
