import pytest

from extractor.extraction.text.patterns import list_candidate_spellings
from extractor.schema import Kind


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,024.50 or 1.024,50 or 1 024", ("1,024.50", "1.024,50", "1 024")),
        ("RM8.35 and -3", ("8.35", "-3")),
    ],
)
def test_numbers_are_found_as_they_are_written(text: str, numbers: tuple[str, ...]) -> None:
    assert list_candidate_spellings(Kind.NUMBER, text) == numbers
