from pydantic import BaseModel

from extractor.extraction.grounding.name_ownership import resolve_name_ownership
from extractor.schema import Name
from extractor.schema.reader import read_schema
from extractor.types import Evidence, Match, Span


class Job(BaseModel):
    place: str | None = None
    mentors: list[Name] = []


class Person(BaseModel):
    teachers: list[Name] = []
    tools: list[str] = []
    jobs: list[Job] = []


ROOT = read_schema(Person.model_json_schema()).root


def at(start: int) -> Evidence:
    return Evidence(Match.EXACT, (Span(start, start + 3),))


def test_a_person_whose_only_mention_stands_in_a_row_is_the_rows() -> None:
    value = {"teachers": ["Ada", "Bo"], "tools": ["Ada"], "jobs": [{"place": "X", "mentors": ["Ada"]}]}
    proof = {
        ("teachers", 0): at(50),
        ("teachers", 1): at(90),
        ("tools", 0): at(50),
        ("jobs", 0, "place"): at(40),
        ("jobs", 0, "mentors", 0): at(50),
    }
    settled = resolve_name_ownership(ROOT, value, proof)
    assert settled.value == {"teachers": ["Bo"], "tools": ["Ada"], "jobs": value["jobs"]}
    assert settled.evidence[("teachers", 0)] == at(90) and ("teachers", 1) not in settled.evidence
    assert [(r.path, r.value) for r in settled.rejected] == [(("teachers", 0), "Ada")]


def test_a_person_mentioned_elsewhere_too_stays_in_both() -> None:
    value = {"teachers": ["Ada"], "tools": [], "jobs": [{"place": None, "mentors": ["Ada"]}]}
    proof = {("teachers", 0): at(5), ("jobs", 0, "mentors", 0): at(50)}
    settled = resolve_name_ownership(ROOT, value, proof)
    assert (settled.value, settled.evidence, settled.rejected) == (value, proof, ())
