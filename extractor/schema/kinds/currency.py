"""Currencies: ISO 4217 codes, signs, and names in 54 locales (CLDR)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from extractor.schema.kinds.base import OTHER_READING, Json, ValueMention
from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.lexicon import Lexicon
from extractor.schema.kinds.reading import Reading
from extractor.schema.kinds.tokens import words_of
from extractor.types import Span

_SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",), "$": ("USD", "CAD", "AUD", "MXN", "NZD", "SGD", "HKD", "CLP", "COP", "ARS", "TWD"),
    "£": ("GBP", "EGP", "LBP"), "¥": ("JPY", "CNY"),
    "￥": ("JPY", "CNY"), "円": ("JPY",), "元": ("CNY", "TWD"), "人民币": ("CNY",), "RMB": ("CNY",), "₹": ("INR",),
    "₨": ("INR", "PKR", "LKR", "NPR"),
    "Rs": ("INR", "PKR", "LKR", "NPR", "MUR"), "₩": ("KRW",), "￦": ("KRW",), "원": ("KRW",), "₺": ("TRY",),
    "TL": ("TRY",), "₽": ("RUB",), "руб": ("RUB", "BYN"),
    "₴": ("UAH",), "грн": ("UAH",), "₫": ("VND",), "đ": ("VND",), "฿": ("THB",), "บาท": ("THB",), "₪": ("ILS",),
    "ש\"ח": ("ILS",), "₱": ("PHP",), "₦": ("NGN",),
    "₡": ("CRC",), "₲": ("PYG",), "₵": ("GHS",), "₸": ("KZT",), "₾": ("GEL",), "₼": ("AZN",), "zł": ("PLN",),
    "Kč": ("CZK",), "kr": ("SEK", "NOK", "DKK", "ISK"),
    "Ft": ("HUF",), "lei": ("RON", "MDL"), "Lei": ("RON", "MDL"), "лв": ("BGN",),
    "R$": ("BRL",), "S/": ("PEN",), "RM": ("MYR",),
    "Rp": ("IDR",), "SFr": ("CHF",), "Fr": ("CHF",),
    "CA$": ("CAD",), "CAD$": ("CAD",), "A$": ("AUD",), "AU$": ("AUD",), "US$": ("USD",),
    "NZ$": ("NZD",), "S$": ("SGD",), "HK$": ("HKD",),
    "NT$": ("TWD",), "Mex$": ("MXN",), "MX$": ("MXN",), "R": ("ZAR",), "د.إ": ("AED",), "ر.س": ("SAR",),
    "﷼": ("SAR", "IRR"), "ج.م": ("EGP",), "৳": ("BDT",),
    "Dhs": ("AED",), "din": ("RSD",), "Kčs": ("CZK",), "SEK": ("SEK",), ",-kr": ("DKK",), "¢": ("USD",),
    "KM": ("BAM",), "N$": ("NAD",), "J$": ("JMD",), "B/.": ("PAB",), "Bs": ("BOB", "VES"), "Q": ("GTQ",),
    "L": ("HNL", "MDL"), "KD": ("KWD",), "BD": ("BHD",), "GH₵": ("GHS",), "Lek": ("ALL",), "CFA": ("XOF", "XAF"),
    "FCFA": ("XOF", "XAF"), "VNĐ": ("VND",), "TSh": ("TZS",), "USh": ("UGX",), "TT$": ("TTD",), "RD$": ("DOP",),
    "C$": ("CAD", "NIO"), "Z$": ("ZWL",), "B$": ("BSD", "BND"), "BZ$": ("BZD",), "LE": ("EGP",), "DT": ("TND",),
    "DA": ("DZD",), "DH": ("MAD", "AED"), "QR": ("QAR",), "SR": ("SAR",), "OMR": ("OMR",), "៛": ("KHR",),
    "₮": ("MNT",), "₭": ("LAK",), "֏": ("AMD",), "元整": ("CNY", "TWD"), "圓": ("TWD", "HKD"),
    "p": ("GBP",), "ден": ("MKD",), "KSh": ("KES",),
}  # fmt: skip
"""What each sign stands for, likeliest first."""
_WORDS = frozenset(
    "Rs TL Fr SFr R RM Rp Ft lei Lei din kr Dhs zł Kč лв руб грн đ ден KSh RMB Mex "
    "KM Bs Q L KD BD Lek CFA FCFA VNĐ TSh USh LE DT DA DH QR SR".split()
)
"""Signs that are letters: they count beside a number only."""
_FORMER = frozenset("BGN HRK LTL LVL EEK SKK SIT MTL CYP DEM FRF ITL ESP ATS NLG BEF IEP PTE FIM GRD".split())
"""What the euro took the place of: older papers are full of them."""
_SIGN = re.compile(r"[$€£¥￥円₹₨₩￦원₺₽₴₫฿₪₱₦₡₲₵₸₾₼﷼৳元圓៛₮₭֏]")
_DOLLAR_PREFIX = re.compile(r"(?<![A-Za-z])[A-Z][A-Za-z]{0,2}$")
_PANAMA = re.compile(r"(?<![A-Za-z])B/\.(?=[ \u00a0]?\d)")
_PHRASE = re.compile(r"人民币|บาท|ש\"ח|د\.إ|ر\.س|ج\.م")
_FURTHER = {
    "euro": "EUR", "euros": "EUR", "eur": "EUR", "evro": "EUR", "евро": "EUR", "ευρω": "EUR", "ユーロ": "EUR",
    "欧元": "EUR", "유로": "EUR", "dollar": "USD", "dollars": "USD",
    "dolares": "USD", "dollari": "USD", "us dollars": "USD", "u s dollars": "USD", "долларов": "USD", "美元": "USD",
    "美金": "USD", "米ドル": "USD", "ドル": "USD", "달러": "USD",
    "pounds": "GBP", "pound": "GBP", "pounds sterling": "GBP", "pfund": "GBP", "livres sterling": "GBP",
    "sterling": "GBP", "yen": "JPY", "日元": "JPY", "rupees": "INR", "rupee": "INR",
    "yuan": "CNY", "renminbi": "CNY", "人民币": "CNY", "swiss francs": "CHF", "franken": "CHF",
    "schweizer franken": "CHF", "francs suisses": "CHF", "zloty": "PLN", "złotych": "PLN",
    "złoty": "PLN", "zlotych": "PLN", "kronor": "SEK", "svenska kronor": "SEK", "kroner": "NOK",
    "danske kroner": "DKK", "norske kroner": "NOK", "korun": "CZK", "forint": "HUF", "reais": "BRL", "real": "BRL",
    "рублей": "RUB", "рубля": "RUB", "рубль": "RUB", "гривень": "UAH", "лева": "BGN", "dirhams": "AED",
    "dirham": "AED", "baht": "THB", "won": "KRW", "rand": "ZAR", "naira": "NGN",
    "franchi svizzeri": "CHF", "đồng": "VND", "đong": "VND", "रुपये": "INR", "रुपए": "INR", "टका": "BDT",
    "টাকা": "BDT", "manat": "AZN", "so'm": "UZS", "som": "UZS", "сум": "UZS", "tenge": "KZT", "тенге": "KZT",
    "dram": "AMD", "lari": "GEL", "lek": "ALL", "denar": "MKD", "динара": "RSD", "dinara": "RSD",
    "tugrik": "MNT", "kip": "LAK", "riel": "KHR", "taka": "BDT", "cedi": "GHS", "cedis": "GHS", "shillings": "KES",
    "soles": "PEN", "quetzales": "GTQ", "lempiras": "HNL", "balboas": "PAB", "guaranies": "PYG", "bolivares": "VES",
    "bolivianos": "BOB", "colones": "CRC", "dinars": "KWD", "dinar": "RSD", "ريال سعودي": "SAR", "ريالا": "SAR",
    "ريال": "SAR", "درهم": "AED", "جنيه": "EGP", "دينار": "KWD", "שקלים": "ILS", "שח": "ILS",
    "pesos mexicanos": "MXN", "pesos": "MXN", "shekels": "ILS", "turk lirasi": "TRY", "lira": "TRY", "rupiah": "IDR",
    "ringgit": "MYR", "riyals": "SAR", "日本円": "JPY", "canadian dollars": "CAD",
    "australian dollars": "AUD", "singapore dollars": "SGD", "hong kong dollars": "HKD",
    "new zealand dollars": "NZD", "港币": "HKD", "港元": "HKD", "台币": "TWD", "新台幣": "TWD",
}  # fmt: skip


@cache
def _lexicon() -> Lexicon:
    tables = {**table("currency_forms"), **table("currencies")}
    names = {name: code for name, code in tables.items() if len(name) > 3 and "(" not in name}
    return Lexicon({**names, **{simple(name): code for name, code in _FURTHER.items()}})


@cache
def codes() -> frozenset[str]:
    """Codes of currencies that are legal tender somewhere, or were of late."""
    return frozenset(table("currencies").values()) | _FORMER


def codes_of_sign(sign: str, reading: Reading) -> tuple[str, ...]:
    """What a sign stands for in this document, likeliest first."""
    known = _SIGNS.get(sign) or _SIGNS.get(sign.rstrip("."), ())
    if sign == "$" and reading.dollar in known:
        return (reading.dollar, *(code for code in known if code != reading.dollar))
    if sign in ("¥", "￥") and reading.languages[:1] == ("zh",):
        return ("CNY", "JPY")
    if sign == "kr" and (
        home := {"da": "DKK", "nb": "NOK", "sv": "SEK", "is": "ISK"}.get((reading.languages or ("sv",))[0])
    ):
        return (home, *(code for code in known if code != home))
    return known


@dataclass(frozen=True, slots=True)
class CurrencyKind:
    """The record's form is the ISO 4217 code."""

    name: str = "currency"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Codes, signs and names; a sign of several currencies gives each of them, the likeliest first."""
        yield from find_currencies(text, reading)

    def _find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        for start, end, _ in words_of(text):
            if end - start > 4:
                continue
            word = text[start:end]
            if end - start == 3 and (word.isupper() or text[start - 1 : start].isdigit()) and word.upper() in codes():
                yield ValueMention(Span(start, end), word.upper())
            elif word in _WORDS:
                around = text[max(0, start - 2) : start].strip()[-1:] + text[end : end + 3].strip(". ")[:1]
                if any(c.isdigit() or c == "-" for c in around):
                    yield from self._of_sign(word, start, end, reading)
            elif word == "S" and text[end : end + 1] == "/" and text[end + 1 : end + 3].strip(" .").isdigit():
                yield from self._of_sign("S/", start, end + 1, reading)
        for m in _SIGN.finditer(text):
            prefix = _DOLLAR_PREFIX.search(text, max(0, m.start() - 4), m.start()) if m[0] in "$₵" else None
            if m[0] == "元" and not text[max(0, m.start() - 2) : m.start()].strip()[-1:].isalnum():
                continue
            start = prefix.start() if prefix else m.start()
            yield from self._of_sign(text[start : m.end()], start, m.end(), reading)
        for m in _PANAMA.finditer(text) if "B/." in text else ():
            yield from self._of_sign(m[0], m.start(), m.end(), reading)
        if not text.isascii():
            for m in _PHRASE.finditer(text):
                yield from self._of_sign(m[0], m.start(), m.end(), reading)
        for start, end, code in _lexicon().find(text):
            yield ValueMention(Span(start, end), code, "code of a name")

    def _of_sign(self, sign: str, start: int, end: int, reading: Reading) -> Iterator[ValueMention]:
        found = codes_of_sign(sign, reading)
        if not found and sign[-1] in "$₵":
            found, start = codes_of_sign(sign[-1], reading), end - 1
        for rank, code in enumerate(found):
            yield ValueMention(Span(start, end), code, OTHER_READING if rank else "code of a sign")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The code of what was said."""
        if (code := self.normalise(value, Reading())) is not None:
            yield code, ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The likeliest code of the one currency that the words name."""
        if (code := self.normalise(words, reading)) is not None:
            return code
        found = list(dict.fromkeys(str(m.key) for m in self.find(words, reading) if m.rule != OTHER_READING))
        return found[0] if len(found) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """The code of a code, a sign or a name."""
        if not isinstance(value, str):
            return None
        word = value.strip()
        if word.upper() in codes():
            return word.upper()
        signs = codes_of_sign(word, reading)
        return signs[0] if signs else _lexicon().code(word)

    def same(self, a: Json, b: Json) -> bool:
        """Whether both name one currency."""
        first = self.normalise(a, Reading())
        return first is not None and first == self.normalise(b, Reading())


_KIND = CurrencyKind()


@lru_cache(maxsize=4)
def find_currencies(text: str, reading: Reading) -> tuple[ValueMention, ...]:
    """Every currency of the text; kept for amounts of money, which are built on them."""
    return tuple(_KIND._find(text, reading))
