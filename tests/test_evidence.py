from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from extractor import evidence, schemas
from extractor.domain import Chunk, Document, Match, Span
from extractor.evidence import Traced
from extractor.kinds import Date, Url, key
from extractor.mentions import Page


class Part(BaseModel):
    model_config = key("label")
    label: str | None = None
    made: Date | None = None
    weight: float | None = None
    page: Url | None = None


class Record(BaseModel):
    title: str | None = None
    tags: list[str] = []
    parts: list[Part] = []


SCHEMA = schemas.read(Record.model_json_schema())


def trace(text: str, value: dict[str, Any], **options: Any) -> Traced:
    document = Document("a", text)
    chunk = Chunk(document, 0, Span(0, len(text)))
    return evidence.trace(SCHEMA.root, value, Page(chunk), **options)


words = st.text(alphabet="abc αβ אב あ 😀 e\u0301 \r\n", min_size=1).filter(str.strip)


@given(words, words, words)
def test_every_value_kept_is_read_off_its_own_span(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    traced = trace(text, {"title": word, "tags": [word, "nowhere to be seen"]})
    for path, found in traced.evidence.items():
        for span in found.spans:
            assert text[span.start : span.end].strip()
            if path == ("title",) and found.match is Match.EXACT:
                assert text[span.start : span.end] == word


def test_a_value_without_words_leaves_the_record_and_is_listed() -> None:
    traced = trace("A bolt.", {"title": "nut"})
    assert traced.value["title"] is None
    assert [(r.value, r.reason) for r in traced.rejected] == [("nut", "unsupported")]


def test_a_value_without_words_can_be_kept_but_never_unmarked() -> None:
    traced = trace("A bolt.", {"title": "nut"}, keep_unsupported=True)
    assert traced.value["title"] == "nut"
    assert traced.evidence[("title",)].match is Match.NONE


def test_of_several_mentions_a_row_takes_those_that_stand_together() -> None:
    text = "Washer 2019 at http://a.example/w\n\nBolt 2020 at http://a.example/b\n\nNut 2019 at http://a.example/n"
    rows = [
        {"label": "Nut", "made": "2019", "page": "http://a.example/n"},
        {"label": "Bolt", "made": "2020", "page": "http://a.example/b"},
    ]
    traced = trace(text, {"parts": rows})
    assert traced.evidence[("parts", 0, "made")].spans[0].start == text.rindex("2019")


def test_a_row_whose_key_stands_nowhere_is_refused_whole() -> None:
    traced = trace("Bolt 2020", {"parts": [{"label": "Gear", "made": "2020"}, {"label": "Bolt", "made": "2020"}]})
    assert [p["label"] for p in traced.value["parts"]] == ["Bolt"]
    assert traced.rejected[0].reason == "row without a supported key"


def test_dates_are_normalised_after_they_are_found() -> None:
    traced = trace("Bolt, March 2021", {"parts": [{"label": "Bolt", "made": "March 2021"}]})
    assert traced.value["parts"][0]["made"] == "2021-03"
    assert traced.evidence[("parts", 0, "made")].said == "March 2021"


def test_a_date_finer_than_the_document_states_is_not_supported() -> None:
    traced = trace("Bolt, March 2021", {"parts": [{"label": "Bolt", "made": "2021-03-04"}]})
    assert traced.value["parts"][0]["made"] is None


def test_a_near_copy_is_replaced_by_the_words_of_the_document_but_never_across_a_digit() -> None:
    text = "The quick brown fox jumps over 12 lazy dogs again"
    assert trace(text, {"title": "quick brown fox jumps ovr 12 lazy dogs"}).value["title"].startswith("quick brown fox")
    assert trace(text, {"title": "quick brown fox jumps over 13 lazy dogs"}).value["title"] is None
