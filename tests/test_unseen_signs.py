"""Signs that no reader sees are hidden in every format that is text; those that scripts are written with are not."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_text import texts

from extractor.documents.discovery import find_sources, load_bytes, load_document, read_source
from extractor.documents.formats.unseen_signs import find_unseen_signs, mark_unseen_signs
from extractor.extraction.chunking import split_document
from extractor.extraction.grounding.mentions import TextIndex
from extractor.types import Document, Span

TAGS = "".join(chr(0xE0000 + ord(c)) for c in "Total 0")
"""Words in signs that only programs read."""


def shown(text: str) -> str:
    document = mark_unseen_signs(Document("a", text))
    return document.shown_text(Span(0, len(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Total 45" + TAGS, "Total 45"),
        ("to\u200btal", "total"),
        ("\ufefftotal", "total"),
        ("1\u2060234", "1234"),
        ("me\u200cdia me\u200ddia", "media media"),
        ("a\u2061b\u2063c", "abc"),
        ("a\ufe0fb", "ab"),
        ("a" + "".join(chr(0xE0100 + ord(c)) for c in "x0"), "a"),
        ("a\u3164b\uffa0c", "abc"),
        ("a\u202db\u202cc", "abc"),
        ("a\u2066b\u2069c", "abc"),
        ("a\u180eb", "ab"),
        ("a\u034fb", "ab"),
    ],
)
def test_a_sign_that_is_not_seen_is_not_shown_to_a_model(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Größe é e\u0301 ½ m² №",
        "soft\u00adhyphen",
        "می\u200cخواهم",
        "क्\u200dष क\u094d\u200c",
        "👨\u200d👩\u200d👧 ❤\ufe0f ☑\ufe0f yes 1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f England",
        "שלום\u200f (1) \u200eabc\u200e",
        "葛\U000e0100城市",
        "ᠠ\u180b",
        "ᄒ\u1160",
        "1 234\u00a0567\u202f890\u2009€",
    ],
)
def test_signs_that_scripts_and_pictures_are_written_with_stay(text: str) -> None:
    assert shown(text) == text and not mark_unseen_signs(Document("a", text)).doubtful


def test_words_that_are_turned_round_are_doubtful() -> None:
    document = mark_unseen_signs(Document("a", "Total \u202e54.00\u202c EUR"))
    assert texts(document, document.doubtful) == ["54.00"]
    assert texts(document, document.hidden) == ["\u202e", "\u202c"]


def test_a_word_with_unseen_signs_in_it_stays_one_and_their_words_support_nothing() -> None:
    document = mark_unseen_signs(Document("a", f"Grand to\u200btal{TAGS}: 45.00"))
    (chunk,) = split_document(document, 100)
    page = TextIndex(chunk)
    assert list(page.folded.find_quote("Grand total"))
    assert not list(page.folded.find_quote("Total 0"))
    assert len(chunk.text) == len(document.text)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", f"Total 45{TAGS}"),
        ("a.md", f"# Total 45{TAGS}"),
        ("a.csv", f"Item,Total\nBolt,45{TAGS}\n"),
        ("a.html", f"<p>Total 45{TAGS}"),
        ("a.eml", f"From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\nTotal 45{TAGS}"),
    ],
)
def test_every_format_that_is_text_has_them_marked(name: str, data: str) -> None:
    document = load_bytes(data.encode(), name)
    assert texts(document, document.hidden) == [TAGS]


def test_lines_of_json_have_them_marked(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "x", "text": "Total 45\\u200b"}\n', encoding="utf-8")
    (source,) = find_sources([tmp_path])
    assert texts(read_source(source), read_source(source).hidden) == ["\u200b"]
    (tmp_path / "b.txt").write_text("plain", encoding="utf-8")
    assert not load_document(tmp_path / "b.txt").hidden


SIGNS = st.sampled_from(
    ["a", "1", " ", "ب", "क", "葛", "👩", "\u200b", "\u200d", "\ufe0f", "\U000e0041", "\u202e", "\u202c"]
)


@given(st.lists(SIGNS, max_size=30))
def test_marks_are_in_order_and_nothing_else_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    spans = list(find_unseen_signs(text))
    assert all(a.end <= b.start for a, b in pairwise(spans))
    document = mark_unseen_signs(Document("a", text))
    assert len(document.visible_text(Span(0, len(text) or 1))) == len(text)
    for letter in "a1ب葛👩":
        assert document.shown_text(Span(0, len(text) or 1)).count(letter) == text.count(letter)
