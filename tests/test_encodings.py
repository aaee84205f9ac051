"""Text in any encoding: marks, UTF-16 without one, the encodings before Unicode, and what is no text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.documents.discovery import load_bytes, load_document
from extractor.errors import DocumentError

CASES = Path(__file__).parent / "data" / "documents" / "csv"


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("T1_cp1252.txt", "Kunde: Jürgen Groß\nBetrag: 45,00 €\n", "read as cp1252"),
        ("T2_utf16.txt", "Kunde: Jürgen Groß\nBetrag: 45,00 €\n", ""),
        ("T3_nul.txt", "Kunde: A\ufffdB\nBetrag: 45,00\n", "1 NUL"),
        ("T4_crlf_ff.txt", "Page 1\r\nTotal: 45.00\x0cPage 2\rOld Mac line\r\n", ""),
    ],
)
def test_a_text_is_read_and_a_guess_is_told(name: str, text: str, note: str) -> None:
    document = load_document(CASES / name)
    assert document.text == text
    assert note in "".join(document.notes) and bool(note) == bool(document.notes)


WORDS = {
    "cp1252": [
        "Rechnung Nr. 7\nKunde: Bäckerei Möller\nStraße: Grüner Weg 3",
        "Montant dû : 120,50 €\nÉchéance : 3 août",
    ],
    "latin-1": ["Descrição: Pão\nPreço: 3,50\nSão Paulo", "Namn: Åsa Öberg\nOrt: Malmö"],
    "cp1250": [
        "Nabywca: Spółka Świt\nRazem do zapłaty: 5 zł",
        "Příjmení: Dvořák\nMěsto: Plzeň",
        "Vevő: Kovács\nÖsszeg: őrült",
    ],
    "cp1251": ["Счёт на оплату\nИван Петров", "Фактура № 12\nОбщо: 5 лв"],
    "koi8-r": ["Имя;Город;Сумма\nИван Петров;Москва;1 234,56"],
    "cp866": ["Имя;Город;Сумма\nИван Петров;Москва;1 234,56"],
    "cp1253": ["Όνομα: Γιώργος\nΠόλη: Αθήνα"],
    "cp1254": ["Müşteri: Öztürk Ltd. Şti.\nŞehir: İstanbul, Eskişehir"],
    "cp1255": ["שם: דוד כהן\nעיר: תל אביב"],
    "cp1256": ["الاسم: محمد علي\nالمدينة: القاهرة"],
    "cp1257": ["Pavadinimas: Žąsų ūkis\nMiestas: Šiauliai"],
    "cp932": ["請求書\n合計金額: 12,000円\n山田太郎 様"],
    "gb18030": ["姓名,地址,金额\n王小明,北京市朝阳区,1234"],
    "big5": ["姓名,地址,金額\n王小明,台北市信義區,1234"],
    "cp949": ["이름,주소,금액\n김철수,서울특별시 강남구,1234"],
    "iso2022_jp": ["請求書\n合計金額: 12,000円"],
    "utf-16-le": ["Größe: 5 €", "Счёт на 5", "金額 5"],
    "utf-16-be": ["Größe: 5 €", "名前,住所,金額\n山田太郎,東京都,1234"],
    "utf-32-le": ["Größe: 5 €"],
    "utf-32": ["Größe: 5 €"],
    "utf-16": ["Größe: 5 €"],
    "utf-8-sig": ["Größe: 5 €"],
}


@pytest.mark.parametrize(("encoding", "text"), [(e, t) for e, texts in WORDS.items() for t in texts])
def test_business_texts_are_read_in_the_encoding_of_their_country(encoding: str, text: str) -> None:
    assert load_bytes(text.encode(encoding), "a.txt").text == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe".encode() + b" 3 Stra\xdfe", "Größe 3 Straße"),  # a letter of another encoding in UTF-8
        ("Größe: 3 €".encode()[:-1], "Größe: 3 â‚"),  # cut within a letter
        (b"total 5\0\0\0\0", "total 5"),
        (b"\x93Hello\x94 \x96 it\x92s", "“Hello” – it’s"),
        (b"\xff\xfe" + "Sum\n".encode("utf-16-le") + b"x", "Sum\n\ufffd"),
    ],
)
def test_texts_with_a_fault_are_read_as_far_as_they_go(data: bytes, text: str) -> None:
    assert load_bytes(data, "a.txt").text == text


@pytest.mark.parametrize("data", [b"%PDF-1.4\0\1\2", bytes(range(256)) * 4, b"\x7fELF\x02\x01" + bytes(40), b"\0" * 9])
def test_what_is_no_text_is_named(data: bytes) -> None:
    with pytest.raises(DocumentError) as error:
        load_bytes(data, "a.txt")
    assert error.value.reason in ("binary", "empty", "broken", "not read")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1).filter(lambda t: t.strip()))
def test_any_text_in_utf_8_is_itself(text: str) -> None:
    assert load_bytes(("a" + text).encode(), "a.txt").text == "a" + text


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_a_text_or_a_named_error(data: bytes) -> None:
    try:
        assert load_bytes(data, "a.txt").text
    except DocumentError as error:
        assert error.reason in ("binary", "empty", "encoding", "broken", "not read", "encrypted")


def test_other_formats_read_the_same_encodings() -> None:
    data = "Name;Ort\nJürgen;Köln\n".encode("cp1252")
    assert load_bytes(data, "a.csv").text == "Name | Ort\nJürgen | Köln"
    assert "Jürgen" in load_bytes(data, "a.md").text
