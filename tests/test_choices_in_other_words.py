"""Choices of classes that all forms share, said in other words than the schema's, in many languages."""

from __future__ import annotations

import pytest

from extractor import ground
from extractor.types import Match

SEX = ["female", "male", "other"]
STATUS = ["single", "married", "divorced", "widowed"]
TERMS = ["net_10", "net_30", "net_60"]
CYCLE = ["weekly", "monthly", "quarterly", "yearly"]


@pytest.mark.parametrize(
    ("choices", "text", "said", "proved"),
    [
        (SEX, "Geschlecht: weiblich", "female", True),
        (SEX, "Geschlecht: weiblich", "male", False),
        (SEX, "Sexe : M", "male", True),
        (SEX, "Sexe : F", "male", False),
        (SEX, "Geschlecht: w", "female", True),
        (SEX, "性別：女", "female", True),
        (SEX, "性別：女", "male", False),
        (SEX, "Пол: мужской", "male", True),
        (["F", "M"], "Sexo: mujer", "F", True),
        (["F", "M"], "Sexo: mujer", "M", False),
        (SEX, "Group: F", "female", False),
        (SEX, "Firma: F. Muster GmbH", "female", False),
        (SEX, "Ms Ann Lee, born 1990", "female", True),
        (SEX, "Mr. Joe Lee, born 1990", "female", False),
        (SEX, "Mr. Joe Lee and Ms Ann Lee", "female", False),
        (["red", "female"], "Geschlecht: weiblich", "female", False),
        (STATUS, "Familienstand: verh.", "married", True),
        (STATUS, "Familienstand: ledig", "married", False),
        (STATUS, "Estado civil: divorciada", "divorced", True),
        (STATUS, "婚姻状况：未婚", "single", True),
        (STATUS, "婚姻状况：未婚", "married", False),
        (STATUS, "Er ist nicht verheiratet.", "married", False),
        (STATUS, "A gift for Ann", "married", False),
        (CYCLE, "Fee: 20 EUR per month", "monthly", True),
        (CYCLE, "Rent: $900/month", "monthly", True),
        (CYCLE, "Loyer : 900 € par mois", "monthly", True),
        (CYCLE, "Miete: 900 € mtl.", "monthly", True),
        (CYCLE, "Fee: 100 EUR p.a.", "yearly", True),
        (CYCLE, "Beitrag: 30 EUR vierteljährlich", "quarterly", True),
        (CYCLE, "Beitrag: 30 EUR halbjährlich", "quarterly", False),
        (CYCLE, "Fee: 100 EUR per year", "monthly", False),
        (CYCLE, "Notice period: two months", "monthly", False),
        (TERMS, "Payable within 30 days", "net_30", True),
        (TERMS, "Zahlbar innerhalb von 30 Tagen netto", "net_30", True),
        (TERMS, "Payable within 60 days", "net_30", False),
        (TERMS, "2% within 10 days, 30 days net", "net_10", False),
        (TERMS, "2% within 10 days, 30 days net", "net_30", True),
        (TERMS, "14 days; item 30", "net_30", False),
        (TERMS, "Warranty 30 days. Terms: net 60", "net_30", False),
        (TERMS, "Terms: N30", "net_30", True),
        (["level_3", "level_5"], "within 3 days", "level_3", False),
    ],
)
def test_a_choice_is_proved_by_the_words_of_its_class_alone(
    choices: list[str], text: str, said: str, proved: bool
) -> None:
    schema = {"type": "object", "properties": {"value": {"enum": choices}}}
    found = ground(text, {"value": said}, schema).file.evidence["/value"]
    assert (found.match is not Match.NONE) == proved
