import pytest

from extractor.extraction.text.yes_no import find_statements


def found(text: str, label: str, said: bool) -> list[str]:
    return [text[s.start : s.end] for s in find_statements(text, label, said)]


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        ("Imported: yes", "imported", True),
        ("| Smoker | No |", "is_smoker", False),
        ("Was the roof renewed? **Yes**, in 2019", "roofRenewed", True),
        ("[x] Furnished  [ ] Pets allowed", "furnished", True),
        ("[x] Furnished  [ ] Pets allowed", "petsAllowed", False),
        ("☑ insured", "insured", True),
        ("Garage = ja", "garage", True),
    ],
)
def test_an_answer_beside_its_label_is_a_statement(text: str, label: str, said: bool) -> None:
    assert found(text, label, said)
    assert not found(text, label, not said)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Imported: yes", "furnished"),
        ("He said yes to the imported wine.", "imported"),
        ("Imported: yesterday", "imported"),
        ("No imported goods", "imported"),
    ],
)
def test_nothing_else_is(text: str, label: str) -> None:
    assert not found(text, label, True) and not found(text, label, False)
