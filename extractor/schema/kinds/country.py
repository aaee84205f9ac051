"""Countries: ISO 3166 codes of two or three letters, and names in 54 locales (CLDR)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.cldr import table
from extractor.schema.kinds.folding import simple
from extractor.schema.kinds.lexicon import Lexicon
from extractor.schema.kinds.reading import Reading
from extractor.types import Span

_FURTHER = {
    "usa": "US", "u s a": "US", "u s": "US", "america": "US", "estados unidos de america": "US",
    "united states of america": "US",
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "britain": "GB", "holland": "NL",
    "the netherlands": "NL", "korea": "KR", "republic of korea": "KR", "south korea": "KR", "uae": "AE",
    "czech republic": "CZ", "czechia": "CZ",
    "turkey": "TR", "turkiye": "TR", "russian federation": "RU", "viet nam": "VN",
    "people s republic of china": "CN", "pr china": "CN", "p r china": "CN",
    "macedonia": "MK", "swaziland": "SZ", "burma": "MM", "ivory coast": "CI", "bundesrepublik deutschland": "DE",
    "brd": "DE", "prc": "CN",
    "рф": "RU", "российская федерация": "RU", "сша": "US", "оаэ": "AE", "米国": "US", "英国": "GB", "韓国": "KR",
    "中华人民共和国": "CN", "中華人民共和國": "CN", "中華民國": "TW", "大韓民国": "KR", "rok": "KR", "eeuu": "US",
    "ee uu": "US", "etats unis d amerique": "US", "vereinigte staaten von amerika": "US",
    "spojene staty americke": "US",
    "republique francaise": "FR", "repubblica italiana": "IT", "rzeczpospolita polska": "PL", "ceska republika": "CZ",
    "slovenska republika": "SK", "reino de espana": "ES", "republica portuguesa": "PT",
    "republica federativa do brasil": "BR", "estados unidos mexicanos": "MX", "republica argentina": "AR",
    "konigreich der niederlande": "NL", "confederation suisse": "CH", "confederazione svizzera": "CH",
    "federal republic of germany": "DE", "republic of ireland": "IE", "hong kong": "HK", "republik osterreich": "AT",
    "schweizerische eidgenossenschaft": "CH",
}  # fmt: skip
_ALPHA3 = dict(
    pair.split(":")
    for pair in (
        "ARE:AE AFG:AF ALB:AL ARM:AM AGO:AO ARG:AR AUT:AT AUS:AU AZE:AZ BIH:BA BGD:BD BEL:BE BGR:BG BHR:BH "
        "BOL:BO BRA:BR BLR:BY CAN:CA COD:CD CHE:CH "
        "CIV:CI CHL:CL CMR:CM CHN:CN COL:CO CRI:CR CUB:CU CYP:CY CZE:CZ DEU:DE DNK:DK DOM:DO DZA:DZ ECU:EC "
        "EST:EE EGY:EG ESP:ES ETH:ET FIN:FI FRA:FR "
        "GBR:GB GEO:GE GHA:GH GRC:GR GTM:GT HKG:HK HND:HN HRV:HR HUN:HU IDN:ID IRL:IE ISR:IL IND:IN IRQ:IQ "
        "IRN:IR ISL:IS ITA:IT JAM:JM JOR:JO JPN:JP "
        "KEN:KE KGZ:KG KHM:KH KOR:KR PRK:KP KWT:KW KAZ:KZ LAO:LA LBN:LB LIE:LI LKA:LK LTU:LT LUX:LU LVA:LV "
        "LBY:LY MAR:MA MCO:MC MDA:MD MNE:ME MKD:MK "
        "MMR:MM MNG:MN MAC:MO MLT:MT MUS:MU MEX:MX MYS:MY MOZ:MZ NAM:NA NGA:NG NIC:NI NLD:NL NOR:NO NPL:NP "
        "NZL:NZ OMN:OM PAN:PA PER:PE PHL:PH PAK:PK "
        "POL:PL PRI:PR PRT:PT PRY:PY QAT:QA ROU:RO SRB:RS RUS:RU RWA:RW SAU:SA SDN:SD SWE:SE SGP:SG SVN:SI "
        "SVK:SK SEN:SN SLV:SV SYR:SY THA:TH TJK:TJ "
        "TKM:TM TUN:TN TUR:TR TTO:TT TWN:TW TZA:TZ UKR:UA UGA:UG USA:US URY:UY UZB:UZ VEN:VE VNM:VN YEM:YE "
        "ZAF:ZA ZMB:ZM ZWE:ZW "
        "GER:DE SUI:CH NED:NL DEN:DK GRE:GR POR:PT CRO:HR SLO:SI BUL:BG RSA:ZA CHI:CL URU:UY PHI:PH MAS:MY "
        "INA:ID KSA:SA LAT:LV"
    ).split()
)
"""Codes of ISO 3166-1 alpha-3, and those of sports where they differ (GER, SUI)."""
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2,3}(?![A-Za-z0-9])")
_PLATES = {"D": "DE", "A": "AT", "F": "FR", "I": "IT", "E": "ES", "B": "BE", "L": "LU", "S": "SE", "N": "NO", "P": "PT"}
_BEFORE_POSTAL_CODE = re.compile(r"(?<![\w-])(?P<plate>[DAFIEBLSNP]|FL|FIN|SLO|EST)-(?=\d{4,5}[ \u00a0]+[^\W\d_])")
"""Signs of vehicles before postal codes: D-10115 Berlin."""
_WORDS = frozenset("am an as at be by do id in is it me my no or pm to us so la de al pa ma md ai ca ne".split())
"""Codes that are words where a document is all capitals; they are believed only as a value by themselves."""


@cache
def _lexicon() -> Lexicon:
    names = {name: code for name, code in table("territories").items() if len(name) > 2 or name[0] > "\u2e80"}
    return Lexicon({**names, **{simple(name): code for name, code in _FURTHER.items()}})


@cache
def _codes() -> frozenset[str]:
    return frozenset(table("territories").values())


@dataclass(frozen=True, slots=True)
class CountryKind:
    """The record's form is as said; names and codes of one country are the same."""

    name: str = "country"

    def find(self, text: str, reading: Reading) -> Iterator[ValueMention]:
        """Names of countries in any language of the table, and codes in capitals."""
        for start, end, code in _lexicon().find(text):
            yield ValueMention(Span(start, end), code)
        for m in _BEFORE_POSTAL_CODE.finditer(text):
            plate = m["plate"]
            known = _PLATES.get(plate) or {"FL": "LI", "FIN": "FI", "SLO": "SI", "EST": "EE"}[plate]
            yield ValueMention(Span(*m.span("plate")), known, "sign before a postal code")
        for m in _CODE.finditer(text):
            country = (
                _ALPHA3.get(m[0]) if len(m[0]) == 3 else m[0] if m[0] in _codes() else "GB" if m[0] == "UK" else None
            )
            if country:
                beside = text[m.start() - 1 : m.start()] in ("-", "") and text[m.end() : m.end() + 1] == "-"
                yield ValueMention(Span(*m.span()), country, "code of a country" if not beside else "prefix of a code")

    def keys(self, value: Json) -> Iterator[tuple[str, str]]:
        """The code of the country that was said."""
        if (code := self._code(value)) is not None:
            yield code, ""

    def parse(self, words: str, reading: Reading) -> str | None:
        """The two-letter code of the one country that the words name."""
        if (code := self._code(words)) is not None:
            return code
        found = {str(m.key) for m in self.find(words, reading) if not m.rule} or {
            str(m.key) for m in self.find(words, reading)
        }
        return found.pop() if len(found) == 1 else None

    def normalise(self, value: Json, reading: Reading) -> str | None:
        """What was said, trimmed; None where it names no country."""
        return value.strip() if isinstance(value, str) and self._code(value) else None

    def same(self, a: Json, b: Json) -> bool:
        """Whether both name one country, by code or in any language."""
        first = self._code(a)
        return first is not None and first == self._code(b)

    def _code(self, value: Json) -> str | None:
        if not isinstance(value, str):
            return None
        word = value.strip()
        upper = word.upper()
        if len(word) == 2 and word.isascii() and upper in _codes():
            return upper
        if len(word) == 3 and upper in _ALPHA3:
            return _ALPHA3[upper]
        return _lexicon().code(simple(word).removeprefix("the ")) or _lexicon().code(word)
