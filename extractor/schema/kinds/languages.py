"""Which languages a text is written in, by its commonest small words and by its scripts.

Enough to settle which of two readings is likelier; not a detector of languages. A text of ten words may have none.
"""

from __future__ import annotations

import re
from collections import Counter

_SMALL_WORDS = {
    "en": "the of and to for with this by from that shall are have was your total amount date name due invoice price",
    "de": "der die das und für von mit den dem ist im zum zur auf wird nicht eine einen betrag datum rechnung summe",
    "fr": "le la les des et pour du une est dans sur au aux vous nous montant facture ce cette avec prix date numéro",
    "es": "el la los las y para del una es en con por que fecha importe factura su se como precio número",
    "it": "il la gli le e per del della una è di con che data importo fattura dei nel alla totale prezzo",
    "pt": "o a os as e para do da uma é em com por que data valor fatura dos das não ao preço número",
    "nl": "de het een en van voor met op is dat te bij niet bedrag datum factuur totaal aan deze worden",
    "sv": "och att det som för med är av på den till inte ett belopp datum faktura summa från",
    "da": "og at det som for med er af på den til ikke et beløb dato faktura i alt fra",
    "nb": "og å det som for med er av på den til ikke et beløp dato faktura fra sum",
    "fi": "ja on ei se että oli kun päivä lasku summa yhteensä laskun euroa eräpäivä",
    "pl": "i w na z do się nie jest za od dla oraz kwota data faktura suma razem nr",
    "cs": "a v na se je z do za pro od nebo částka datum faktura celkem dne číslo",
    "sk": "a v na sa je z do za pre od alebo suma dátum faktúra celkom dňa číslo",
    "sl": "in v na se je z do za od ali znesek datum račun skupaj dne",
    "hr": "i u na se je s do za od ili iznos datum račun ukupno dana broj",
    "ro": "și în la de cu pe din pentru este nu sau suma data factura total",
    "hu": "a az és hogy nem is egy dátum összeg számla összesen kelt",
    "tr": "ve bir bu için ile de da olan tarih tutar fatura toplam no tarihi",
    "lt": "ir yra iš į su kad data suma sąskaita viso",
    "lv": "un ir no uz ar par datums summa rēķins kopā",
    "et": "ja on ei see kui kuupäev summa arve kokku",
    "ca": "el la els les i per amb del una és data import factura",
    "id": "dan yang di untuk dengan dari tanggal jumlah faktur ini pada",
    "vi": "và của là cho các ngày tháng năm số tiền hóa đơn tổng",
}
_BY_WORD: dict[str, list[str]] = {}
for _language, _words in _SMALL_WORDS.items():
    for _word in _words.split():
        _BY_WORD.setdefault(_word, []).append(_language)

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("uk", re.compile(r"[іїєґІЇЄҐ]")),
    ("ru", re.compile(r"[ыэёъЫЭЁ]")),
    ("bg", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
_LETTERS = (
    ("de", "äöüß"),
    ("fr", "éèêçàœ"),
    ("es", "ñ¿¡"),
    ("pt", "ãõç"),
    ("sv", "åäö"),
    ("da", "åæø"),
    ("nb", "åæø"),
    ("pl", "łśżźćęą"),
    ("cs", "řěůčž"),
    ("tr", "ğışİ"),
    ("hu", "őű"),
    ("ro", "șțăţş"),
    ("it", "àèìòù"),
)
_WORD = re.compile(r"[^\W\d_]+")
_LOOK_AT = 20_000
"""Characters of a document that are enough to tell its languages."""


def languages_of(text: str) -> tuple[str, ...]:
    """Languages of the text, likeliest first: those with at least half as many signs as the first."""
    text = text[:_LOOK_AT]
    votes: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
        for language in _BY_WORD.get(word, ()):
            votes[language] += 2
    if not text.isascii():
        for language, letters in _LETTERS:
            votes[language] += sum(text.count(letter) for letter in letters)
        for language, script in _SCRIPTS:
            if script.search(text):
                votes[language] += len(script.findall(text)) // 3 + 1
    if not votes:
        return ()
    most = max(votes.values())
    return tuple(language for language, count in votes.most_common(6) if 2 * count >= most)
