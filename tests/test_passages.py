from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.passages import find_paragraph, find_sentence
from extractor.types import Span

TEXT = """# Ovens

The old one burnt. The new one bakes 40% faster vs. the
old one, says Dr. 3 of them. It is red.

- bread: 20 min
- cake: 50 min
"""
LONG = "The old one burnt. The new one bakes 40% faster vs. the old one, says Dr. 3 of them. It is red."


def quoted(text: str, words: str, of: str) -> str:
    at = text.index(words)
    around = find_sentence if of == "sentence" else find_paragraph
    span = around(text, Span(at, at + len(words)))
    return " ".join(text[span.start : span.end].split())


@pytest.mark.parametrize(
    ("words", "sentence", "paragraph"),
    [
        (
            "40%",
            "The new one bakes 40% faster vs. the old one, says Dr. 3 of them.",
            None,
        ),
        (
            "red",
            "It is red.",
            None,
        ),
        ("20 min", "- bread: 20 min", "- bread: 20 min"),
        ("Ovens", "# Ovens", "# Ovens"),
    ],
)
def test_words_stand_in_a_sentence_and_in_a_paragraph(words: str, sentence: str, paragraph: str | None) -> None:
    assert quoted(TEXT, words, "sentence") == sentence
    assert quoted(TEXT, words, "paragraph") == (paragraph or LONG)


@given(st.text("ab. \n-1A", min_size=1, max_size=60), st.data())
def test_a_sentence_holds_its_words_and_a_paragraph_its_sentence(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    sentence, paragraph = find_sentence(text, span), find_paragraph(text, span)
    assert span.within(sentence)
    assert sentence.within(paragraph)
    assert paragraph.within(Span(0, len(text)))
