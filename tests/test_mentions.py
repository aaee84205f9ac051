from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.grounding.mentions import TextIndex
from extractor.types import Chunk, Document, Span

words = st.text(alphabet="abc αβ אב あ 😀 e\u0301 \r\n", min_size=1).filter(str.strip)


@given(words)
def test_words_without_their_date_are_the_beginning_of_them(noise: str) -> None:
    text = f"Gala {noise} (May 2020)"
    index = TextIndex(Chunk(Document("a", text), 0, Span(0, len(text))))
    rest = index.strip_trailing_date(Span(0, len(text)))
    assert rest is not None
    assert text[: rest.end].startswith("Gala")
    assert "2020" not in text[rest.start : rest.end]
