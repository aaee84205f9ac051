import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor import candidates
from extractor.kinds import Kind


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("TOTAL RM8.35 of RM 21.50", ("RM8.35", "RM 21.50")),
        ("$1,200 or 1.024,50 €", ("$1,200", "1.024,50 €")),
        ("3.7x faster, 40% less, 12 kg, 5GB", ("3.7x", "40%", "12", "5GB")),
        ("on 20/03/2018, that is 20 Mar 2018, we sold 3", ("3",)),
        ("part JD22, ZXD-19, No. 7", ("7",)),
    ],
)
def test_figures_are_amounts_as_written_and_neither_dates_nor_codes(text: str, figures: tuple[str, ...]) -> None:
    assert candidates.figures(Kind.QUANTITY, text) == figures


@given(st.text(alphabet="0123456789.,- €$%RMx\n", max_size=40))
def test_every_figure_stands_in_its_text(text: str) -> None:
    flat = " ".join(text.split())
    for kind in candidates.FIGURES:
        assert all(figure in flat for figure in candidates.figures(kind, text))
