from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from extractor.extraction.compact import compact_part, expand_reply
from extractor.schema import Date, Url, key
from extractor.schema.reader import read_schema
from extractor.types import Json


class Prize(BaseModel):
    """A prize that was won."""

    model_config = key("title", "day")

    title: str = Field(description="name of the prize")
    day: Date | None = Field(None, json_schema_extra={"x-locate-by-position": []})


class Race(BaseModel):
    model_config = key("name")

    name: str
    page: Url | None = Field(None, json_schema_extra={"x-locate-by-position": ["race"]})
    result: Url | None = Field(None, json_schema_extra={"x-locate-by-position": [], "x-also-ask": True})
    prizes: list[Prize] = []


class Club(BaseModel):
    name: str | None = None
    prizes: list[Prize] = Field([], description="all prizes")
    races: list[Race] = []


ROOT = read_schema(Club.model_json_schema()).root


def test_what_a_reply_lacks_it_lacks_afterwards() -> None:
    assert expand_reply(ROOT, {"prizes": None}) == {"prizes": []}
    assert expand_reply(ROOT, {}) == {}
    assert expand_reply(ROOT, None) is None


class Plain(BaseModel):
    owner: str | None = None
    races: list[dict[str, int]] = Field([], json_schema_extra={"x-skip": True})
    tags: list[str] = []


values = st.recursive(st.none() | st.text(max_size=3) | st.integers(), lambda v: st.lists(v, max_size=3), max_leaves=4)


@given(st.dictionaries(st.sampled_from(["owner", "tags", "else"]), values))
def test_without_such_rows_nothing_changes(reply: dict[str, Json]) -> None:
    root = read_schema(Plain.model_json_schema()).root
    assert compact_part(root) == root
    assert expand_reply(root, reply) == reply
