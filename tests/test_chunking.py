from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.chunking import estimate_tokens, split_document
from extractor.types import Document


@given(st.text(min_size=1), st.integers(1, 60))
def test_chunks_hold_every_character_exactly_once_for_any_text_and_size(text: str, budget: int) -> None:
    pieces = split_document(Document("a", text), budget)
    assert "".join(c.text for c in pieces) == text
    assert [c.span.start for c in pieces[1:]] == [c.span.end for c in pieces[:-1]]


@given(
    st.lists(st.sampled_from(["word ", "a sentence. ", "\n\n", "# Heading\n", "line\n"]), min_size=1),
    st.integers(4, 40),
)
def test_no_chunk_of_plain_words_is_over_its_budget(pieces: list[str], budget: int) -> None:
    found = split_document(Document("a", "".join(pieces)), budget)
    assert all(estimate_tokens(c.text) <= budget for c in found)


def test_an_empty_document_has_no_chunk() -> None:
    assert split_document(Document("a", ""), 10) == ()


def test_a_cut_falls_before_a_heading_and_the_next_chunk_knows_what_it_stands_under() -> None:
    text = "# One\n" + "alpha beta gamma. " * 10 + "\n# Two\n" + "delta. " * 30
    pieces = split_document(Document("a", text), 60)
    assert pieces[1].text.startswith("# Two")
    assert pieces[1].heading == ""
    assert pieces[2].heading == "# Two"


def test_a_cut_never_parts_crlf_or_a_letter_from_its_mark() -> None:
    for text in ("\r\n" * 50, "e\u0301" * 50):
        for piece in split_document(Document("a", text), 3):
            assert not piece.text.startswith(("\n", "\u0301"))
