"""Indented JSON, letter for letter as the standard library writes it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from extractor.results.json_text import encode_indented
from extractor.types import Status

TEXTS = st.text(st.characters(codec=None), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(Status),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(
            TEXTS | st.integers() | st.booleans() | st.none() | st.sampled_from(Status), inner, max_size=4
        )
    ),
)


@given(VALUES)
def test_it_is_what_the_standard_library_writes(value: Any) -> None:
    assert encode_indented(value) == json.dumps(value, ensure_ascii=False, indent=1)
