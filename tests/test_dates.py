import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.dates import detect_day_first, find_dates, parse_date


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("March 2021", "2021-03"),
        ("Sept. 2021", "2021-09"),
        ("Apr 13, 2023", "2023-04-13"),
        ("3rd of May 2020", "2020-05-03"),
        ("2020.09", "2020-09"),
        ("20/03/2018", "2018-03-20"),
        ("2018-03-20", "2018-03-20"),
        ("2022", "2022"),
        ("Present", "present"),
        ("XYZ'24", "2024"),
        ("25 MAR 2018", "2018-03-25"),
        ("25-Mar-18", "2018-03-25"),
        ("we may 2020 times", "2020"),
        ("in 2019-21 or so", "2019"),
        ("09/2021", "2021-09"),
        ("9/2021", "2021-09"),
        ("09 / 2021", "2021-09"),
        ("2021/09", "2021-09"),
        ("9.2021", "2021-09"),
        ("since 09.2021, with", "2021-09"),
        ("12-2021", "2021-12"),
        ("Q3 2021", "2021"),
        ("Q3/2021", "2021"),
        ("12/09/2021", "2021-09-12"),
    ],
)
def test_a_date_is_read_at_the_precision_it_is_written_with(written: str, iso: str) -> None:
    assert parse_date(written) == iso


def test_one_date_that_leaves_no_choice_decides_how_the_others_are_read() -> None:
    text = "03/25/2018 and 04/05/2018"
    assert not detect_day_first(text)
    assert [d.iso for d in find_dates(text, day_first=False)] == ["2018-03-25", "2018-04-05"]


@pytest.mark.parametrize(
    "written", ["20xx.xx", "12.500", "call 555 2020123", "", "the parcel was sent", "No. 2026-0037", "file AB/2025/017"]
)
def test_what_is_no_date_is_not_read_as_one(written: str) -> None:
    assert parse_date(written) is None


@given(st.text(alphabet="0123456789/-.' ,JanMayDec presnt", max_size=40))
def test_no_text_breaks_the_reader_and_spans_never_overlap(text: str) -> None:
    found = list(find_dates(text))
    assert all(a.span.end <= b.span.start for a, b in itertools.pairwise(found))


def test_both_ends_of_a_span_of_time_are_known_as_such() -> None:
    found = list(find_dates("May 2020 – June 2021; 2022, 3 May 2023 to present"))
    assert [(d.iso, d.ranged) for d in found] == [
        ("2020-05", True),
        ("2021-06", True),
        ("2022", False),
        ("2023-05-03", True),
        ("present", True),
    ]


@pytest.mark.parametrize("written", ["No. 3/2021", "vol. 5/2021", "no 03/2021", "pp. 12-2021", "13/2021", "1-2/2021"])
def test_a_number_of_a_year_is_no_month_of_it(written: str) -> None:
    assert parse_date(written) == "2021"


@pytest.mark.parametrize(
    "written",
    [
        "09/21",
        "is 9.2021 in all",
        "$9.2021",
        "v3.2021",
        "doi 10.2021/ab",
        "9.2021 kg",
        "0.2021",
        "9.20211",
        "04/2026-0037",
    ],
)
def test_figures_that_need_be_no_month_of_a_year_are_none(written: str) -> None:
    assert not list(find_dates(written))


@pytest.mark.parametrize("sign", ["-", " - ", "–", " to "])
@pytest.mark.parametrize("within", ["/", "."])
def test_spans_of_time_in_figures_have_two_ends(within: str, sign: str) -> None:
    found = list(find_dates(f"Ribe, 9{within}2021{sign}12{within}2022, Skagen"))
    assert [(d.iso, d.ranged) for d in found] == [("2021-09", True), ("2022-12", True)]
