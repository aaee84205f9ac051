from extractor.extraction.grounding.scope import row_scope
from extractor.extraction.text.outline import Outline
from extractor.types import Span

TEXT = "# List\nOver all\nfirst row here\nsecond row here\nthird row here\n# Other\nfar away\n"


def span(words: str) -> Span:
    at = TEXT.index(words)
    return Span(at, at + len(words))


ANCHORS = [span("first"), span("second"), span("third")]


def test_a_row_reaches_to_the_rows_beside_it() -> None:
    home = row_scope(1, ANCHORS, Outline(TEXT), None)
    assert home is not None
    assert home.contains(span("row here\nsecond"))
    assert not home.contains(span("first"))
    assert not home.contains(span("third"))


def test_words_above_a_row_are_reached_past_rows_that_say_the_same() -> None:
    outline = Outline(TEXT)
    alone = row_scope(2, ANCHORS, outline, None)
    together = row_scope(2, ANCHORS, outline, None, shared=lambda other: True)
    assert alone is not None and not alone.contains(span("Over all"))
    assert together is not None and together.contains(span("Over all"))


def test_words_below_the_next_row_are_never_reached() -> None:
    home = row_scope(0, ANCHORS, Outline(TEXT), None, shared=lambda other: True)
    assert home is not None and not home.contains(span("second row"))


def test_a_row_of_a_row_stays_within_it() -> None:
    outer = row_scope(0, ANCHORS, Outline(TEXT), None)
    inner = row_scope(0, [span("row here")], Outline(TEXT), outer)
    assert outer is not None and inner is not None
    assert inner.start >= outer.start and inner.end <= outer.end


def test_a_row_that_stands_nowhere_has_the_range_of_what_it_is_in() -> None:
    assert row_scope(0, [None], Outline(TEXT), None) is None


def test_a_heading_that_a_row_stands_under_is_reached_however_far_above() -> None:
    text = "# Firm\nAll of it.\n## First role\nwords\n## Second role\nmore words\n"
    first, second = (Span(text.index(w), text.index(w) + len(w)) for w in ("First", "Second"))
    home = row_scope(1, [first, second], Outline(text), None)
    assert home is not None
    assert home.contains(Span(2, 6))
    assert not home.contains(Span(text.index("All"), text.index("All") + 3))
    assert not home.contains(Span(text.index("words"), text.index("words") + 5))
