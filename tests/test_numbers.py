from decimal import Decimal

import pytest

from extractor.extraction.text.patterns import find_candidates, parse_number, parse_only_number, uses_decimal_comma
from extractor.schema import Kind


@pytest.mark.parametrize(
    ("text", "value", "comma"),
    [
        ("1,024.50", "1024.5", False),
        ("1.024,50", "1024.5", False),
        ("1.024", "1.024", False),
        ("1.024", "1024", True),
        ("1,024", "1024", False),
        ("1,024", "1.024", True),
        ("1.234.567", "1234567", True),
        ("12,5", "12.5", True),
        ("0.125", "0.125", True),
        ("-3", "-3", True),
        ("9007199254740993", "9007199254740993", False),
        ("0.12345678901234567890", "0.1234567890123456789", False),
        ("1" * 400, "1" * 400, False),
    ],
)
def test_a_number_is_read_as_the_document_writes_numbers(text: str, value: str, comma: bool) -> None:
    assert parse_number(text, comma=comma) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("EUR 1,150.00 a month", 1150), ("12 kg", 12), ("from 3 to 4", None), ("none", None), ("0000", None), ("0", 0)],
)
def test_of_words_around_one_number_the_number_is_taken(text: str, value: float | None) -> None:
    assert parse_only_number(text) == value


def test_how_a_document_writes_decimals_is_told_by_most_of_them() -> None:
    assert uses_decimal_comma("4,85 und 1.164,00, am 04.02.2026")
    assert not uses_decimal_comma("4.85 and 1,164.00, of 12,000 sold")
    assert not uses_decimal_comma("")


def test_numbers_with_points_between_thousands_are_one_number() -> None:
    text = "zusammen 1.164,00 EUR, davon 12,5 kg, am 04.02.2026"
    found = [text[s.start : s.end] for s in find_candidates(Kind.NUMBER, text)]
    assert found[:2] == ["1.164,00", "12,5"]
