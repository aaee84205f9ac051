"""Numbers and quantities are read where they have one reading."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.comparison.amounts import parse_plain_number, parse_plain_quantity


@given(st.integers())
def test_grouped_integers_are_read_in_every_grouping(value):
    for separator in (",", " ", "'"):
        assert parse_plain_number(f"{value:,}".replace(",", separator)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9))
def test_decimals_are_read_with_point_and_with_comma(value):
    assert parse_plain_number(f"{value:f}") == value
    assert parse_plain_number(f"{value:f}".replace(".", ",")) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", 1000),
        ("1.000", 1),
        ("0,123", "0.123"),
        ("1.234,56", "1234.56"),
        ("1.234.567", 1234567),
        ("12,34,567", 1234567),
    ],
)
def test_separators_are_told_apart(text, value):
    assert parse_plain_number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "-", "1,00,00", "1 00", "$5", "5%", "1/2", "1-2", "nan", "inf", "0x10", "１２", "1_000"]
)
def test_what_is_not_one_number_is_not_read(text):
    assert parse_plain_number(text) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("3.7x", (Decimal("3.7"), "x")),
        ("15 %", (Decimal(15), "%")),
        ("$1,200", (Decimal(1200), "$")),
        ("4000+ lines", (Decimal(4000), "+lines")),
        ("-5 °c", (Decimal(-5), "°c")),
        ("12", (Decimal(12), "")),
    ],
)
def test_a_quantity_is_a_number_and_a_unit(text, read):
    assert parse_plain_quantity(text) == read


@pytest.mark.parametrize("text", ["20-30%", "up to 49%", "2 of 3", "many", "", "1,00,00 m"])
def test_what_is_not_one_number_with_a_unit_is_no_quantity(text):
    assert parse_plain_quantity(text) is None


@given(st.text())
def test_reading_is_total(text):
    parse_plain_number(text)
    parse_plain_quantity(text)
