from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from extractor.extraction.grounding.grounder import GroundingResult, ground_reply
from extractor.extraction.grounding.mentions import TextIndex
from extractor.schema import Date, Listed, Money, Name, Quantity, Url, key
from extractor.schema.reader import read_schema
from extractor.types import Chunk, Document, Match, Span


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


SCHEMA = read_schema(Record.model_json_schema())


def trace(text: str, value: dict[str, Any], **options: Any) -> GroundingResult:
    document = Document("a", text)
    chunk = Chunk(document, 0, Span(0, len(text)))
    return ground_reply(SCHEMA.root, value, TextIndex(chunk), **options)


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
    assert traced.evidence[("parts", 0, "made")].model_value == "March 2021"


def test_a_date_finer_than_the_document_states_is_not_supported() -> None:
    traced = trace("Bolt, March 2021", {"parts": [{"label": "Bolt", "made": "2021-03-04"}]})
    assert traced.value["parts"][0]["made"] is None


def test_a_near_copy_is_replaced_by_the_words_of_the_document_but_never_across_a_digit() -> None:
    text = "The quick brown fox jumps over 12 lazy dogs again"
    assert trace(text, {"title": "quick brown fox jumps ovr 12 lazy dogs"}).value["title"].startswith("quick brown fox")
    assert trace(text, {"title": "quick brown fox jumps over 13 lazy dogs"}).value["title"] is None


LIST = "# Parts\nBolt A1\nhttp://a.example/b\nmade by Ada King\nNut B2 of 3 May 2020\nmade by Bo Li\n"


class Made(BaseModel):
    model_config = key("label")
    label: str
    made: Date | None = None
    origin: str | None = None
    makers: list[Name] = []
    page: Url | None = None


class Works(BaseModel):
    parts: list[Made] = []
    tools: list[Listed] = []
    weight: Quantity | None = None
    code: str | None = None


def works(text: str, value: dict[str, Any], **annotations: dict[str, Any]) -> GroundingResult:
    source = Works.model_json_schema()
    for name, more in annotations.items():
        source["properties"][name].update(more)
    chunk = Chunk(Document("a", text), 0, Span(0, len(text)))
    return ground_reply(read_schema(source).root, value, TextIndex(chunk))


def test_what_stands_in_another_row_is_not_this_rows() -> None:
    rows = [
        {"label": "Bolt A1", "makers": ["Ada King", "Bo Li"], "page": "http://a.example/b"},
        {"label": "Nut B2", "makers": ["Prof. Bo Li", "Ada King"], "page": "http://a.example/b"},
    ]
    traced = works(LIST, {"parts": rows})
    assert [(p["makers"], p["page"]) for p in traced.value["parts"]] == [
        (["Ada King"], "http://a.example/b"),
        (["Bo Li"], None),
    ]
    assert {r.reason for r in traced.rejected} == {"belongs to another row", "its words say something else"}


def test_several_persons_said_in_one_string_are_several() -> None:
    text = "Bolt, made by Ada King and Bo Li"
    row = {"label": "Bolt", "makers": ["Ada King and Bo Li"]}
    assert works(text, {"parts": [row]}).value["parts"][0]["makers"] == ["Ada King", "Bo Li"]


def test_a_name_inside_an_address_proves_nobody() -> None:
    row = {"label": "Bolt", "makers": ["Ada King"]}
    assert works("Bolt http://adaking.example/", {"parts": [row]}).value["parts"][0]["makers"] == []


def test_a_name_is_read_where_it_stands_by_itself_rather_than_in_an_address() -> None:
    text = "Bolt, http://a.example/bolt and http://a.example/nut"
    rows = [{"label": "bolt", "page": "http://a.example/bolt"}, {"label": "nut"}]
    assert [p["label"] for p in works(text, {"parts": rows}).value["parts"]] == ["Bolt", "nut"]


def test_a_text_that_is_a_date_goes_to_the_field_that_its_row_has_for_dates() -> None:
    row = {"label": "Nut", "made": None, "origin": "XYMay 3, 2020"}
    part = works("XYMay 3, 2020\nNut", {"parts": [row]}).value["parts"][0]
    assert (part["made"], part["origin"]) == ("2020-05-03", None)


def test_an_end_of_a_span_of_time_is_no_lone_date() -> None:
    row = {"label": "Nut", "made": "May 2020"}
    assert works("Nut, May 2020", {"parts": [row]}).value["parts"][0]["made"] == "2020-05"
    assert works("Nut, May 2020 – June 2021", {"parts": [row]}).value["parts"][0]["made"] is None


def test_a_year_said_of_a_full_date_is_read_as_the_document_has_it() -> None:
    row = {"label": "Nut B2", "made": "2020"}
    assert works("Nut B2 of 3 May 2020", {"parts": [row]}).value["parts"][0]["made"] == "2020-05-03"


def test_an_item_of_a_list_stands_between_marks_and_not_in_a_sentence() -> None:
    text = "Tools: saw, **hammer**, drill and awl.\nShe also used a chisel once."
    said = ["saw", "hammer", "drill", "awl", "chisel", "Tools"]
    assert works(text, {"tools": said}).value["tools"] == ["saw", "hammer", "drill", "awl"]


def test_a_quantity_has_a_digit_and_a_pattern_is_kept() -> None:
    text = "It is heavy: 12 kg, code none or X7."
    assert works(text, {"weight": "heavy"}).value["weight"] is None
    assert works(text, {"weight": "12 kg"}).value["weight"] == "12 kg"
    assert works(text, {"code": "none"}, code={"pattern": r"\d"}).value["code"] is None
    assert works(text, {"code": "X7"}, code={"pattern": r"\d"}).value["code"] == "X7"


def test_a_part_of_words_that_have_the_wanted_form_is_made_whole() -> None:
    text = "The lid has 11.5k lines of Rust, and 12 screws."
    lines = {"pattern": r"\d[\d.]*k? lines of \w+"}
    for said in ("11.5k", "lines of Rust", "11.5k lines of Rust"):
        assert works(text, {"code": said}, code=lines).value["code"] == "11.5k lines of Rust"
    assert works(text, {"code": "has 11.5k lines of Rust"}, code=lines).value["code"] == "has 11.5k lines of Rust"
    assert works(text, {"code": "12"}, code=lines).value["code"] is None
    assert works(text, {"code": "lid has 11.5k"}, code=lines).value["code"] is None


class Coded(BaseModel):
    model_config = key("label")
    label: str
    code: str | None = Field(None, pattern=r"\d+ lines")


class CodedParts(BaseModel):
    parts: list[Coded] = []


def test_one_mention_of_what_has_a_form_is_one_rows() -> None:
    text = "Bolt and Nut, 12 lines.\n"
    chunk = Chunk(Document("a", text), 0, Span(0, len(text)))
    said = {"parts": [{"label": "Bolt", "code": "12"}, {"label": "Nut", "code": "12 lines"}]}
    traced = ground_reply(read_schema(CodedParts.model_json_schema()).root, said, TextIndex(chunk))
    assert sorted(str(p["code"]) for p in traced.value["parts"]) == ["12 lines", "None"]


def test_rows_under_a_heading_that_announces_something_else_are_refused() -> None:
    text = "# Parts\nBolt A1\n# Tools\nsaw, hammer\n"
    cues = {"parts": {"x-keywords": ["part"]}, "tools": {"x-keywords": ["tool"]}}
    traced = works(text, {"parts": [{"label": "Bolt A1"}, {"label": "saw"}], "tools": ["saw", "Bolt A1"]}, **cues)
    assert [p["label"] for p in traced.value["parts"]] == ["Bolt A1"]
    assert traced.value["tools"] == ["saw"]


def test_a_row_without_a_required_value_is_none() -> None:
    traced = works("Bolt, 2020", {"parts": [{"label": "gear", "made": "2020"}]})
    assert traced.value["parts"] == []


def test_a_row_keeps_what_is_said_where_it_is_named_again() -> None:
    text = (
        "Bolt A1\n12 kg\n\nGear B2, of 34 kg, fits into Bolt A1, made in 2021.\n\n" + "…\n" * 300 + "Gear B2\nBolt A1\n"
    )
    said = [{"label": "Gear B2", "weight": 34}, {"label": "Bolt A1", "weight": 12, "made": "2021"}]
    parts = trace(text, {"parts": said}).value["parts"]
    assert [(p["label"], p["weight"], p["made"]) for p in parts] == [("Gear B2", 34, None), ("Bolt A1", 12, "2021")]


def test_words_are_found_across_the_lines_that_the_model_joined_with_commas() -> None:
    text = "V)\n12 Elm Row,\nOld Town\n9100 Springfield\nPHONE 7"
    traced = trace(text, {"title": "12 Elm Row, Old Town, 9100 Springfield"})
    assert traced.value["title"] == "12 Elm Row, Old Town 9100 Springfield"
    assert traced.evidence[("title",)].match is Match.NORMALISED


def test_a_full_stop_that_the_model_copied_is_copied() -> None:
    text = "12 Elm Row\nOld Town, 9100 KL.\n"
    assert trace(text, {"title": "12 Elm Row, Old Town, 9100 KL."}).value["title"] == "12 Elm Row Old Town, 9100 KL."
    assert trace(text, {"title": "12 Elm Row, Old Town, 9100 KL"}).value["title"] == "12 Elm Row Old Town, 9100 KL"


def test_a_near_match_takes_no_words_from_around_it() -> None:
    traced = trace(
        "An atlas\nof forgotten harbors and their keepers\nBy hand", {"title": "of forgoten harbours and their keepers"}
    )
    assert traced.value["title"] == "of forgotten harbors and their keepers"


def test_punctuation_inside_a_number_is_never_overlooked() -> None:
    assert trace("It weighs 12.5 in all", {"title": "weighs 125 in"}).value["title"] is None


class Bill(BaseModel):
    total: Money | None = None
    weight: Money | None = None


def test_a_number_copied_up_to_its_decimal_comma_is_the_number_that_stands_there() -> None:
    schema = read_schema(Bill.model_json_schema())

    def read(text: str) -> GroundingResult:
        page = TextIndex(Chunk(Document("a", text), 0, Span(0, len(text))))
        return ground_reply(schema.root, {"total": 1.16, "weight": 12.5}, page)

    german = read("12,5 kg zu 1.160,00 EUR")
    assert german.value == {"total": 1160, "weight": 12.5}
    assert german.evidence[("total",)].match is Match.NORMALISED
    assert read("12.5 kg at 1,160.00").value["total"] is None


class Job(BaseModel):
    model_config = key("firm", "role", "start")
    firm: str | None = None
    role: str | None = None
    start: Date | None = None


class Life(BaseModel):
    jobs: list[Job] = Field([], json_schema_extra={"x-keywords": ["job", "worked"]})
    prizes: list[str] = Field([], json_schema_extra={"x-keywords": ["prize"]})
    friends: list[Name] = []


LIFE = read_schema(Life.model_json_schema())


def life(text: str, value: dict[str, Any]) -> GroundingResult:
    return ground_reply(LIFE.root, value, TextIndex(Chunk(Document("a", text), 0, Span(0, len(text)))))


def test_a_row_that_is_hardly_supported_leaves_before_it_takes_its_neighbours_words() -> None:
    text = "# Jobs\n\nWarden, Beacon Hall, May 2019\nDriver, Corin Mills, June 2020\n"
    real = [
        {"firm": "Beacon Hall", "role": "Warden", "start": "May 2019"},
        {"firm": "Corin Mills", "role": "Driver", "start": "June 2020"},
    ]
    mixed = {"firm": "Corin Mills", "role": "Warden", "start": "May 2019"}
    traced = life(text, {"jobs": [*real, mixed]})
    assert [job["firm"] for job in traced.value["jobs"]] == ["Beacon Hall", "Corin Mills"]
    assert [job["start"] for job in traced.value["jobs"]] == ["2019-05", "2020-06"]


def test_the_nearest_heading_that_announces_anything_decides() -> None:
    jobs = {"jobs": [{"firm": "Beacon Hall", "role": "Warden", "start": "May 2019"}]}
    entry = "Warden, Beacon Hall, May 2019"
    assert life(f"# Jobs\n\n## Elsewhere\n\n{entry}", jobs).value["jobs"]
    assert not life(f"# Jobs\n\n## Prizes\n\n{entry}, worked", jobs).value["jobs"]
    assert life(f"# Ada King, prize winner\n\n{entry}, worked", jobs).value["jobs"], "a title announces nothing"


def test_no_name_has_digits_and_unnamed_others_are_none() -> None:
    traced = life(
        "with Ada King et al., 12 May and h-index 19", {"friends": ["Ada King et al.", "12 May", "h-index 19"]}
    )
    assert traced.value["friends"] == ["Ada King"]


def test_a_date_that_ends_a_text_is_none_of_it_where_the_row_has_a_field_for_dates() -> None:
    said = {
        "label": "Ode to Ohm, May 2020 – June 2021",
        "made": None,
        "weight": None,
        "page": None,
    }
    text = "Ode to Ohm, May 2020 – June 2021 was heard twice."
    traced = trace(text, {"title": None, "tags": [], "parts": [said]})
    assert traced.value["parts"][0]["label"] == "Ode to Ohm"
    (span,) = traced.evidence["parts", 0, "label"].spans
    assert text[span.start : span.end] == "Ode to Ohm"


@given(st.sampled_from(["World Cup 2022", "Studio '54", "2001", "Ode (in D)", "May Day"]))
def test_a_year_alone_may_be_part_of_a_name(name: str) -> None:
    said = {"label": name, "made": None, "weight": None, "page": None}
    assert str(trace(f"It is {name}, they say.", {"parts": [said]}).value).count(name) == (name != "2001")


@given(words)
def test_words_without_their_date_are_the_beginning_of_them(noise: str) -> None:
    text = f"Gala {noise} (May 2020)"
    page = TextIndex(Chunk(Document("a", text), 0, Span(0, len(text))))
    rest = page.strip_trailing_date(Span(0, len(text)))
    assert rest is not None
    assert text[: rest.end].startswith("Gala")
    assert "2020" not in text[rest.start : rest.end]


def test_a_text_that_nothing_supports_is_kept_as_it_was_said() -> None:
    said = {"label": "Ode, May 2020 – June 2021", "made": None, "weight": None, "page": None}
    kept = trace("Nothing of it.", {"parts": [said]}, keep_unsupported=True).value["parts"][0]
    assert kept["label"] == "Ode, May 2020 – June 2021"


def test_words_in_brackets_that_end_with_a_date_are_not_torn() -> None:
    said = {"label": "Pass (not before 5/2020)", "made": None, "weight": None, "page": None}
    traced = trace("Pass (not before 5/2020)", {"parts": [said]})
    assert traced.value["parts"][0]["label"] == "Pass (not before 5/2020)"
