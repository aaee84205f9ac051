"""What is only a part of another value, or a small word of a sentence, proves no code, whole through `ground`."""

from __future__ import annotations

import pytest

from extractor import ground
from extractor.types import Match


def is_proved(text: str, said: object, schema: dict[str, object]) -> bool:
    result = ground(text, {"value": said}, {"type": "object", "properties": {"value": schema}})
    return result.file.evidence["/value"].match is not Match.NONE


@pytest.mark.parametrize(
    ("text", "said", "proved"),
    [
        ("Made in China", "IN", False),
        ("Contact us in Canada", "US", False),
        ("Rue de la Paix, France", "DE", False),
        ("Total 12.00 usd", "USD", True),
        ("Country: US", "US", True),
        ("Weight in kg per bag", "kg", True),
        ("IBAN: NL91 ABNA 0417 1643 00", "NL91 ABNA 0417 1643", False),
        ("IBAN: NL91 ABNA 0417 1643 00", "NL91ABNA0417164300", True),
        ("IBAN: GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698", False),
        ("Card: 4111 1111 1111 1111", "411111111111", False),
        ("Card: 4111 1111 1111 1111", "4111-1111-1111-1111", True),
        ("Gas: CO₂", "CO", False),
        ("Ref: INV-2O24-OO17", "INV-2024-0017", True),
        ("Ref: INV-2O24-OO71", "INV-2024-0017", False),
        ("Ref: LOIO-OOO1l", "1010-00011", False),
        ("Author: Sean O’Neill", "O'Neill, Sean", True),
        ("Author: Sean O’Neill", "O'Neill, Seán B.", False),
        ("Metformin 850 mg 1-0-1", "0-1", False),
    ],
)
def test_a_code_is_proved_by_all_of_its_signs_and_by_no_word_of_a_sentence(text: str, said: str, proved: bool) -> None:
    assert is_proved(text, said, {"type": "string"}) == proved


@pytest.mark.parametrize(
    ("text", "said", "proved"),
    [
        ("Street: 12 High Street\nCity: London", "12 High Street, London", True),
        ("Street: 12 High Street\nCity: Leeds\nCity: London", "12 High Street, London", False),
        ("Street: 112 High Street\nCity: London", "12 High Street, London", False),
        ("| Widget A | large |", "Widget A - large", True),
        ("| Widget A | small |\n| Widget B | large |", "Widget A - large", False),
        ("Hauptstr. 5a\nBerlin", "Hauptstr. 5, Berlin", False),
        ("Rue 1\nZIP: 75002\nParis", "Rue 1, 75002, Paris", True),
    ],
)
def test_a_text_joined_of_parts_is_proved_where_they_follow_each_other(text: str, said: str, proved: bool) -> None:
    assert is_proved(text, said, {"type": "string"}) == proved
