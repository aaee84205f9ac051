import random

import pytest
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


LONG_TEXTS = {
    "paragraphs": lambda words: "\n\n".join(" ".join(words[i : i + 60]) + "." for i in range(0, len(words), 60)),
    "under headings": lambda words: "\n\n".join(
        f"## Part {i}\n\n{' '.join(words[i : i + 300])}." for i in range(0, len(words), 300)
    ),
    "lines": lambda words: "\n".join(" ".join(words[i : i + 9]) for i in range(0, len(words), 9)),
    "sentences": lambda words: " ".join(" ".join(words[i : i + 11]) + "." for i in range(0, len(words), 11)),
}


@pytest.mark.parametrize("kind", LONG_TEXTS)
@pytest.mark.parametrize("change", ["longer", "shorter", "more", "gone"])
def test_a_change_in_a_long_document_leaves_all_other_chunks_as_they_are(kind: str, change: str) -> None:
    budget = 600
    for seed in range(4):
        rng = random.Random(seed)
        words = ["".join(rng.choice("aeiounrstl") for _ in range(rng.randint(2, 9))) for _ in range(8_000)]
        before = split_document(Document("d", LONG_TEXTS[kind](words)), budget)
        at = rng.randrange(len(words) // 2)
        new = {
            "longer": ["extraordinarily" * 2],
            "shorter": ["x"],
            "more": ["so", "much", "more", words[at]],
            "gone": [],
        }
        # inside a line of words, so that the others stay in their lines and paragraphs
        line = " ".join(new[change])
        text = LONG_TEXTS[kind]([*words[:at], "\0", *words[at + 1 :]]).replace("\0", line)
        after = split_document(Document("d", text), budget)
        assert len(before) >= 20 and "".join(one.text for one in after) == text
        others = {(one.heading, one.text) for one in after} - {(one.heading, one.text) for one in before}
        assert len(others) <= 2


def test_a_document_of_few_chunks_is_filled_as_far_as_it_goes() -> None:
    text = " ".join(f"Sentence number {n} ends here." for n in range(400))
    few, many = split_document(Document("d", text), 1_000), split_document(Document("d", text * 9), 1_000)
    sizes = [[estimate_tokens(one.text) for one in chunks[:-1]] for chunks in (few, many)]
    assert min(sizes[0]) > 980 and 980 > min(sizes[1]) > 850
