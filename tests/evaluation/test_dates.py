"""Dates are read at the precision stated, and only where they have one reading."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.comparison.dates import is_date_mentioned, parse_plain_date

days = st.dates(min_value=datetime.date(1000, 1, 1))


@given(days)
def test_iso_dates_are_read_at_every_precision(day):
    assert parse_plain_date(f"{day:%Y-%m-%d}") == (day.year, day.month, day.day)
    assert parse_plain_date(f"{day:%Y-%m}") == (day.year, day.month, None)
    assert parse_plain_date(f"{day:%Y}") == (day.year, None, None)


@given(days)
def test_an_all_number_date_is_read_only_when_day_and_month_cannot_be_confused(day):
    certain = day.day > 12 or day.day == day.month
    expected = (day.year, day.month, day.day) if certain else None
    assert parse_plain_date(f"{day:%d/%m/%Y}") == parse_plain_date(f"{day:%m/%d/%Y}") == expected


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("oct 2023", (2023, 10, None)),
        ("oct. 2023", (2023, 10, None)),
        ("sept 2023", (2023, 9, None)),
        ("1st of october 2023", (2023, 10, 1)),
        ("october 1, 2023", (2023, 10, 1)),
        ("12-oct-2023", (2023, 10, 12)),
        ("2023 october 1", (2023, 10, 1)),
        ("10/2023", (2023, 10, None)),
        ("2023/10/01", (2023, 10, 1)),
        ("now", "present"),
        ("ongoing", "present"),
    ],
)
def test_spellings_with_one_reading_are_read(text, date):
    assert parse_plain_date(text) == date


@pytest.mark.parametrize(
    "text",
    ["2023-13", "2023-02-30", "0000", "spring 2010", "2023-10-01t00:00", "oct 23", "20231", "octo 2023", "", "٢٠٢٣"],
)
def test_what_is_no_date_is_not_read(text):
    assert parse_plain_date(text) is None


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ((2023, 4, 13), "cs.CVApr 13, 2023"),
        ((2026, None, None), "Conf'26"),
        ((2021, 9, None), "Sep. 2021 - now"),
        ((2021, 9, 1), "01/09/2021"),
        ((2024, 5, None), "May – Aug 2024"),
    ],
)
def test_a_date_is_found_where_its_parts_stand_together(date, text):
    assert is_date_mentioned(date, text)


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ((2023, None, None), "12023 items"),
        ((2023, 4, None), "2023" + " " * 100 + "April"),
        ((2023, 4, None), "Aprils 2023"),
        ((2023, 4, 13), "April 12, 2023"),
        ((2026, None, None), "26 items"),
    ],
)
def test_a_date_is_not_found_in_parts_of_something_else(date, text):
    assert not is_date_mentioned(date, text)
