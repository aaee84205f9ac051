import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.extraction.text.normalize import FoldedText, clean_words, fold_text
from extractor.schema.kinds import Folded, folding, occurrences

WORDS = st.text(alphabet="aB1²- .,+中é\u0301\u00ad\u200bﬁ×\\tims\n", max_size=60)


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


@given(WORDS, st.lists(WORDS.map(lambda words: words[:4]), max_size=6))
def test_the_index_of_a_text_finds_what_a_look_through_it_finds(text: str, quotes: list[str]) -> None:
    quotes += [text[i : i + 3] for i in range(0, len(text), 7)]
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for looks in (10_000, 0):
            patch.setattr(occurrences, "LOOKS", looks)
            here, there = FoldedText(text), Folded(text)
            found.append(
                [
                    [list(one) for one in (here.find_quote(q), here.without_punctuation.find_quote(q))]
                    + [list(one) for one in (there.find(q), there.words.find(q))]
                    for q in quotes
                ]
            )
        assert found[0] == found[1]


def test_words_that_are_found_all_over_are_not_held_against_the_text_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, joined = [], folding._joined
    monkeypatch.setattr(folding, "_joined", lambda text, at: bool(asked.append(at)) or joined(text, at))
    text = "an ant ate an apple at an inn " * 400
    folded = Folded(text)
    for _ in range(200):
        assert not list(folded.find("nn"))
        assert not list(folded.find("p"))
    assert len(asked) < 3 * len(text)  # of 80,000 and more


def test_money_is_not_taken_for_mathematics() -> None:
    assert clean_words("between $5 and $7, $x^2$ and all") == "between $5 and $7, x^2 and all"
