from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.passages import find_paragraph, find_sentence
from extractor.types import Span


@given(st.text("ab. \n-1A", min_size=1, max_size=60), st.data())
def test_a_sentence_holds_its_words_and_a_paragraph_its_sentence(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    sentence, paragraph = find_sentence(text, span), find_paragraph(text, span)
    assert span.within(sentence)
    assert sentence.within(paragraph)
    assert paragraph.within(Span(0, len(text)))
