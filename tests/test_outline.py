from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.outline import Outline, find_headings

TEXT = """A line before.

# Garden

## Tools
- rake

## Plants

Roses are kept here.

SHED
Nothing but a ladder.
"""


def under(text: str, word: str) -> list[str]:
    outline = Outline(text)
    return [text[s.start : s.end] for s in outline.headings_above(text.index(word))]


@given(st.text(alphabet="#A b.*\n", max_size=60), st.integers(0, 60))
def test_every_position_stands_in_its_own_section_and_paragraph(text: str, at: int) -> None:
    if at >= len(text):
        return
    outline = Outline(text)
    for start, end in (outline.section_at(at), outline.paragraph_at(at)):
        assert 0 <= start <= at < end <= len(text)


def test_a_position_stands_under_the_headings_of_every_level_above_it() -> None:
    assert under(TEXT, "Roses") == ["## Plants", "# Garden"]
    assert under(TEXT, "rake") == ["## Tools", "# Garden"]
    assert under(TEXT, "ladder") == ["SHED"]
    assert under(TEXT, "before") == []


def test_a_heading_in_capitals_is_above_others_whatever_its_marks_are() -> None:
    text = "#### TOYS\n\n### Kite\n\nred\n\n#### Ball\n\nblue\n\n#### GAMES\n\n### Go\n\nold\n"
    assert under(text, "red") == ["### Kite", "#### TOYS"]
    assert under(text, "blue") == ["#### Ball", "### Kite", "#### TOYS"]
    assert under(text, "old") == ["### Go", "#### GAMES"]


def test_a_sentence_in_capitals_is_no_heading() -> None:
    assert not find_headings("THIS IS A SENTENCE.\n")
    assert [h.level for h in find_headings("**Boxes**\n")] == [7]


def test_a_heading_that_is_hyphenated_with_the_next_says_what_both_say() -> None:
    outline = Outline("# A\n\n## WORK EXPERI-\n## ENCE\n\ntext\n\n## LIFE-\n\ntext\n\n## END\n")
    said = [outline.heading_text(h.span) for h in outline.headings]
    assert said == ["# A", "## WORK EXPERIENCE", "## WORK EXPERIENCE", "## LIFE-", "## END"]


def test_a_line_with_a_bullet_is_no_heading() -> None:
    assert [h.span.start for h in find_headings("## • 10 of them\n\n## Real\n")] == [17]


def test_a_line_in_emphasis_that_says_a_value_or_a_sentence_is_no_heading() -> None:
    said = "**Balance due: 7.03**\n\n**Paid in full.**\n\n*Education*\n\n**Do you agree?**\n"
    assert not find_headings(said)
    headings = ["**Education**", "**2. Scope**", "**Terms:**", "__Work and posts__"]
    text = "\n\n".join(headings)
    assert [text[h.span.start : h.span.end] for h in find_headings(text)] == headings
