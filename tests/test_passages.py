from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.passages import find_paragraph, find_paragraph_above, find_sentence
from extractor.types import Span


@given(st.text("ab. \n-1A", min_size=1, max_size=60), st.data())
def test_a_sentence_holds_its_words_and_a_paragraph_its_sentence(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    sentence, paragraph = find_sentence(text, span), find_paragraph(text, span)
    assert span.within(sentence)
    assert sentence.within(paragraph)
    assert paragraph.within(Span(0, len(text)))


@given(st.text("ab \n\u2003", max_size=40), st.data())
def test_the_paragraph_above_holds_the_last_word_before_it(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    above = find_paragraph_above(text + "x", Span(at, at + 1))
    last = len(text[:at].rstrip())
    assert above == (find_paragraph(text + "x", Span(last - 1, last)) if last else None)


def test_paragraphs_above_a_long_gap_are_told_in_time_in_proportion() -> None:
    def measure(size: int) -> float:
        text, began = "a" + " " * size + "b", time.process_time()
        for at in range(1, size, 100):
            assert find_paragraph_above(text, Span(at, at + 1)) is not None
        return time.process_time() - began

    assert measure(320_000) < 80 * max(0.001, min(measure(20_000) for _ in range(3)))
