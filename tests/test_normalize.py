import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.normalize import FoldedText, clean_words, fold_text


@given(st.text(), st.text(), st.text(alphabet="abcαβאבあ😀é", min_size=1))
def test_words_set_off_by_spaces_are_found_at_their_own_place(before: str, after: str, word: str) -> None:
    before, after = before.replace("<", ""), after.replace("<", "")
    text = f"{before} {word} {after}"
    spans = list(FoldedText(text).find_quote(word))
    assert any(s.start == len(before) + 1 and s.end >= s.start + len(word) for s in spans)


@given(st.text())
def test_every_place_found_folds_to_what_was_looked_for(text: str) -> None:
    for span in FoldedText(text + " needle " + text).find_quote("needle"):
        assert fold_text((text + " needle " + text)[span.start : span.end]) == "needle"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("a **bold  claim** here", "bold claim"),
        ("National 1 <sup>st</sup> Prize", "1st Prize"),
        ("up to $3.7\\times$ faster", "3.7x"),
        ("Systems \\@ Work", "Systems @ Work"),
        ("“quoted” — dash", '"quoted" - dash'),
        ("line\r\nbreak", "line break"),
        ("caf\u0065\u0301 bar", "café"),
    ],
)
def test_markup_line_breaks_and_look_alikes_do_not_hide_words(text: str, quote: str) -> None:
    assert list(FoldedText(text).find_quote(quote))


@pytest.mark.parametrize(("text", "quote"), [("the party", "art"), ("in 2012", "12"), ("-5 degrees", "+5")])
def test_part_of_a_word_or_number_is_not_found(text: str, quote: str) -> None:
    assert not list(FoldedText(text).find_quote(quote))


@pytest.mark.parametrize(
    ("words", "clean"),
    [
        ("**A** [title](http://x.y)", "A title"),
        ("1 <sup>st</sup> Prize", "1st Prize"),
        ("$3.7\\times$", "3.7x"),
        ("two\n lines", "two lines"),
        ("snake_case stays", "snake_case stays"),
    ],
)
def test_cleaned_words_are_as_a_person_would_copy_them(words: str, clean: str) -> None:
    assert clean_words(words) == clean


def test_money_is_not_taken_for_mathematics() -> None:
    assert clean_words("between $5 and $7, $x^2$ and all") == "between $5 and $7, x^2 and all"
