from hypothesis import given
from hypothesis import strategies as st

from extractor.models.tokens import count_tokens

# Counted with the vocabulary of Qwen2.5, whose files are not here: (text, tokens).
COUNTED = [
    ("Permission is hereby granted, free of charge, to any person obtaining a copy of this software.", 19),
    ("Die Staatsgewalt wird vom Volke in Wahlen und Abstimmungen ausgeübt.", 21),
    ("静脉注射头孢曲松钠250毫克，每日两次，连续七天。患者于2024年5月3日出院，情况良好。", 35),
    ('{"degree":"BSc","start":"2019-09","end":null}', 20),
]


@given(st.text(), st.text())
def test_a_text_costs_no_less_than_its_part_but_for_where_they_join(one: str, other: str) -> None:
    assert count_tokens(one + other) >= max(count_tokens(one), count_tokens(other)) - 4
    assert 0 <= count_tokens(one) <= 2 * len(one)


def test_counts_are_near_those_of_a_real_vocabulary() -> None:
    for text, real in COUNTED:
        assert abs(count_tokens(text) - real) <= 0.35 * real, text


def test_nothing_is_nothing() -> None:
    assert count_tokens("") == 0
