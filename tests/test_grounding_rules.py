"""The rules by which a reply's values are traced to the words of a document, as one table.

A case is a text, a schema, and what a model replies about it; it expects a record, and the values that are listed as
rejected. All of them are played through `extract_record`, with a model that gives the reply of the case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.traits import SMALL
from extractor.schema import Date, Email, Listed, Money, Name, Quantity, Url, key
from extractor.schema.reader import read_schema
from extractor.types import Document, Json, Match, Record, Reply, Request, Usage


class Part(BaseModel):
    model_config = key("label")
    label: str | None = None
    made: Date | None = None
    weight: float | None = None
    page: Url | None = None


class Stock(BaseModel):
    title: str | None = None
    tags: list[str] = []
    parts: list[Part] = []


class MadePart(BaseModel):
    model_config = key("label")
    label: str
    made: Date | None = None
    origin: str | None = None
    makers: list[Name] = []
    page: Url | None = None


class Works(BaseModel):
    parts: list[MadePart] = []
    tools: list[Listed] = []
    weight: Quantity | None = None
    code: str | None = None


class DigitWorks(Works):
    code: str | None = Field(None, pattern=r"\d")


class LineWorks(Works):
    code: str | None = Field(None, pattern=r"\d[\d.]*k? lines of \w+")


class AnnouncedWorks(Works):
    parts: list[MadePart] = Field([], json_schema_extra={"x-keywords": ["part"]})
    tools: list[Listed] = Field([], json_schema_extra={"x-keywords": ["tool"]})


class CodedPart(BaseModel):
    model_config = key("label")
    label: str
    code: str | None = Field(None, pattern=r"\d+ lines")


class CodedStock(BaseModel):
    parts: list[CodedPart] = []


class Bill(BaseModel):
    total: Money | None = None
    weight: Money | None = None


class Job(BaseModel):
    model_config = key("firm", "role", "start")
    firm: str | None = None
    role: str | None = None
    start: Date | None = None


class Life(BaseModel):
    jobs: list[Job] = Field([], json_schema_extra={"x-keywords": ["job", "worked"]})
    prizes: list[str] = Field([], json_schema_extra={"x-keywords": ["prize"]})
    friends: list[Name] = []


class Post(BaseModel):
    place: str | None = None
    mentors: list[Name] = []


class Pupil(BaseModel):
    teachers: list[Name] = []
    tools: list[str] = []
    posts: list[Post] = []


class Letterhead(BaseModel):
    mails: list[Email] = []


class Role(BaseModel):
    model_config = key("role")
    role: str
    firm: str | None = None
    day: Date | None = None


class Roles(BaseModel):
    roles: list[Role] = []


class Player(BaseModel):
    model_config = key("name")
    name: str
    town: str | None = None


class Team(BaseModel):
    model_config = key("team")
    team: str
    players: list[Player] = []


class League(BaseModel):
    teams: list[Team] = []


def located(*words: str) -> dict[str, Any]:
    return {"x-locate-by-position": list(words)}


class Boat(BaseModel):
    model_config = key("name")
    name: str
    crew: int | None = None
    log: Url | None = Field(None, json_schema_extra=located("log", "diary"))
    shop: Url | None = Field(None, json_schema_extra=located("shop"))
    length: str | None = Field(None, pattern=r"\d+ ft", json_schema_extra=located())
    launched: Date | None = Field(None, json_schema_extra=located())


class Harbour(BaseModel):
    harbour: str | None = None
    boats: list[Boat] = []


HARBOUR = """# Boats

Gull, launched in May 1990, with a crew of 3. [Log](https://a.org/1), [shop](https://a.org/2)

Sold after 2001 - 2004, at 31 ft she was too small for us.

Link <https://logs.org/gull>

Heron, which the yard built in 1992

Link <https://logs.org/heron>

The yard has a crane. Whatever is heavier than 90 ft goes elsewhere, see https://logs.org/crane for what they lifted.

Both were raced: Gull lost to Heron, who is 44 ft long.
"""
MAKERS = "# Parts\nBolt A1\nhttp://a.example/b\nmade by Ada King\nNut B2 of 3 May 2020\nmade by Bo Li\n"
LINES = "The lid has 11.5k lines of Rust, and 12 screws."
ROLES = "# Firm\nAll of it.\n## First role\nBo Mills, 2019\n## Second role\nmore words, 2020\n"
TEAMS = "# Teams\nGulls\nAda King, Porto\nBo Li, Faro\nHerons\nCy Orr, Evora\n"


@dataclass(frozen=True)
class Case:
    why: str
    schema: type[BaseModel]
    text: str
    reply: Mapping[str, Json]
    record: Mapping[str, Json]
    """What the record holds; null and [] are left out."""
    rejected: tuple[Json, ...] = ()
    """Values of leaves that are listed as rejected, in any order."""
    matches: Mapping[str, Match] = field(default_factory=dict)
    """JSON pointers to how strictly their values were found."""
    quotes: Mapping[str, str] = field(default_factory=dict)
    """JSON pointers to the words that are their evidence."""


def stock(why: str, text: str, reply: Mapping[str, Json], record: Mapping[str, Json], *rejected: Json) -> Case:
    return Case(why, Stock, text, reply, record, rejected)


def works(
    why: str, text: str, reply: Mapping[str, Json], record: Mapping[str, Json], *rejected: Json, of: Any = Works
) -> Case:
    return Case(why, of, text, reply, record, rejected)


def harbour(why: str, text: str, boats: list[dict[str, Json]], *names: str, **said: Json) -> Case:
    """The reply gives the names of the boats, and of the first one what is said."""
    rows = [{"name": name} for name in names or ("Gull", "Heron")]
    return Case(why, Harbour, text, {"boats": [{**rows[0], **said}, *rows[1:]]}, {"boats": boats} if boats else {})


FOUND = [
    Case(
        "words that differ in their punctuation prove no e-mail address that they are not",
        Letterhead,
        "Jo Mills, jo@boats.example, page jo.mills.example",
        {"mails": ["jo@boats.example", "jo@mills.example"]},
        {"mails": ["jo@boats.example"]},
        ("jo@mills.example",),
    ),
    Case(
        "an address that is spelled out is one",
        Letterhead,
        "Jo Mills, jo (at) boats (dot) example",
        {"mails": ["jo@boats.example"]},
        {"mails": ["jo@boats.example"]},
    ),
    stock("a value without words is rejected", "A bolt.", {"title": "nut"}, {}, "nut"),
    Case(
        "words are found whatever their case",
        Stock,
        "A bolt.",
        {"title": "BOLT"},
        {"title": "bolt"},
        matches={"/title": Match.NORMALISED},
    ),
    Case(
        "words are found across lines that the model joined with commas",
        Stock,
        "V)\n12 Elm Row,\nOld Town\n9100 Springfield\nPHONE 7",
        {"title": "12 Elm Row, Old Town, 9100 Springfield"},
        {"title": "12 Elm Row, Old Town 9100 Springfield"},
        matches={"/title": Match.NORMALISED},
    ),
    stock(
        "a full stop that the model copied is copied",
        "12 Elm Row\nOld Town, 9100 KL.\n",
        {"title": "12 Elm Row, Old Town, 9100 KL."},
        {"title": "12 Elm Row Old Town, 9100 KL."},
    ),
    stock(
        "a full stop that it did not copy is not",
        "12 Elm Row\nOld Town, 9100 KL.\n",
        {"title": "12 Elm Row, Old Town, 9100 KL"},
        {"title": "12 Elm Row Old Town, 9100 KL"},
    ),
    Case(
        "a near copy becomes the words of the document, and takes none from around them",
        Stock,
        "An atlas\nof forgotten harbors and their keepers\nBy hand",
        {"title": "of forgoten harbours and their keepers"},
        {"title": "of forgotten harbors and their keepers"},
        matches={"/title": Match.FUZZY},
    ),
    stock(
        "no near copy differs in a digit",
        "The quick brown fox jumps over 12 lazy dogs again",
        {"title": "quick brown fox jumps over 13 lazy dogs"},
        {},
        "quick brown fox jumps over 13 lazy dogs",
    ),
    stock("punctuation inside a number is never overlooked", "weighs 12.5 in", {"title": "125 in"}, {}, "125 in"),
    stock(
        "an abbreviation in brackets belongs to its words",
        "M.Sc. in Marine Biology (MB), Porto (PT)",
        {"title": "M.Sc. in Marine Biology", "tags": ["Porto"]},
        {"title": "M.Sc. in Marine Biology (MB)", "tags": ["Porto"]},
    ),
    stock(
        "an abbreviation may skip small words",
        "B.S. in Computer Science and Engineering (CSE), 2020",
        {"title": "Computer Science and Engineering"},
        {"title": "Computer Science and Engineering (CSE)"},
    ),
    *(
        stock("other brackets do not", text, {"title": text.partition(" (")[0]}, {"title": text.partition(" (")[0]})
        for text in ("Rigger (HOURS)", "Peking University (PKU)", "Night watch (NW", "Night watch (at NW)")
    ),
    works("a quantity has a digit", "It is heavy: 12 kg.", {"weight": "heavy"}, {}, "heavy"),
    works("and is kept as written", "It is heavy: 12 kg.", {"weight": "12 kg"}, {"weight": "12 kg"}),
    works("a pattern holds", "code none or X7", {"code": "none"}, {}, "none", of=DigitWorks),
    works("a value that has it stays", "code none or X7", {"code": "X7"}, {"code": "X7"}, of=DigitWorks),
    *(
        works(
            "a part of words of the wanted form becomes the whole form", LINES, {"code": part}, {"code": whole}, of=of
        )
        for of, whole in [(LineWorks, "11.5k lines of Rust")]
        for part in ("11.5k", "lines of Rust", "11.5k lines of Rust")
    ),
    works(
        "more words than the form stay",
        LINES,
        {"code": "has 11.5k lines of Rust"},
        {"code": "has 11.5k lines of Rust"},
        of=LineWorks,
    ),
    works("another number is not the form", LINES, {"code": "12"}, {}, "12", of=LineWorks),
    works("nor is half of it with other words", LINES, {"code": "lid has 11.5k"}, {}, "lid has 11.5k", of=LineWorks),
    works(
        "an item of a list stands between marks, not in a sentence",
        "Tools: saw, **hammer**, drill and awl.\nShe also used a chisel once.",
        {"tools": ["saw", "hammer", "drill", "awl", "chisel", "Tools"]},
        {"tools": ["saw", "hammer", "drill", "awl"]},
        "chisel",
        "Tools",
    ),
    Case(
        "a number that a model copied up to its decimal comma is the number that stands there",
        Bill,
        "12,5 kg zu 1.160,00 EUR",
        {"total": 1.16, "weight": 12.5},
        {"total": 1160, "weight": 12.5},
        matches={"/total": Match.NORMALISED},
    ),
    Case(
        "not where the document writes decimal points",
        Bill,
        "12.5 kg at 1,160.00",
        {"total": 1.16, "weight": 12.5},
        {"weight": 12.5},
        (1.16,),
    ),
]
DATES = [
    Case(
        "dates are normalised after they are found",
        Stock,
        "Bolt, March 2021",
        {"parts": [{"label": "Bolt", "made": "March 2021"}]},
        {"parts": [{"label": "Bolt", "made": "2021-03"}]},
        quotes={"/parts/0/made": "March 2021"},
    ),
    stock(
        "a date finer than the document states has no words",
        "Bolt, March 2021",
        {"parts": [{"label": "Bolt", "made": "2021-03-04"}]},
        {"parts": [{"label": "Bolt"}]},
        "2021-03-04",
    ),
    works(
        "the year of a full date is the date that the document has",
        "Nut B2 of 3 May 2020",
        {"parts": [{"label": "Nut B2", "made": "2020"}]},
        {"parts": [{"label": "Nut B2", "made": "2020-05-03"}]},
    ),
    works(
        "one end of a span of time is no date by itself",
        "Nut, May 2020 – June 2021",
        {"parts": [{"label": "Nut", "made": "May 2020"}]},
        {"parts": [{"label": "Nut"}]},
        "May 2020",
    ),
    works(
        "a text that is a date goes to the field for dates of its row",
        "XYMay 3, 2020\nNut",
        {"parts": [{"label": "Nut", "origin": "XYMay 3, 2020"}]},
        {"parts": [{"label": "Nut", "made": "2020-05-03"}]},
        "XYMay 3, 2020",
    ),
    Case(
        "a date that ends a text is no part of it where the row has a field for dates",
        Stock,
        "Ode to Ohm, May 2020 – June 2021 was heard twice.",
        {"parts": [{"label": "Ode to Ohm, May 2020 – June 2021"}]},
        {"parts": [{"label": "Ode to Ohm"}]},
        quotes={"/parts/0/label": "Ode to Ohm"},
    ),
    *(
        stock(
            "a year may be part of a name", f"It is {name}.", {"parts": [{"label": name}]}, {"parts": [{"label": name}]}
        )
        for name in ("World Cup 2022", "Studio '54", "Ode (in D)", "May Day", "Pass (not before 5/2020)")
    ),
    stock("but not all of it", "It is 2001.", {"parts": [{"label": "2001"}]}, {}, "2001"),
]
NAMES = [
    *(
        Case("titles are no part of a name", Life, f"with {said}, a friend", {"friends": [said]}, {"friends": [name]})
        for said, name in [
            ("Prof. Dr. Ada King", "Ada King"),
            ("Assoc. Prof. Ada King", "Ada King"),
            ("Mrs King", "King"),
            ("Drew Carey", "Drew Carey"),
            ("Anders Sand", "Anders Sand"),
        ]
    ),
    works(
        "several persons in one string are several",
        "Bolt, made by Ada King and Bo Li",
        {"parts": [{"label": "Bolt", "makers": ["Ada King and Bo Li"]}]},
        {"parts": [{"label": "Bolt", "makers": ["Ada King", "Bo Li"]}]},
    ),
    works(
        "a surname before its first name is one person",
        "Bolt, made by King, Ada",
        {"parts": [{"label": "Bolt", "makers": ["King, Ada"]}]},
        {"parts": [{"label": "Bolt", "makers": ["King, Ada"]}]},
    ),
    works(
        "a name inside an address proves nobody",
        "Bolt http://adaking.example/",
        {"parts": [{"label": "Bolt", "makers": ["Ada King"]}]},
        {"parts": [{"label": "Bolt"}]},
        "Ada King",
    ),
    works(
        "a name is read where it stands by itself rather than in an address",
        "Bolt, http://a.example/bolt and http://a.example/nut",
        {"parts": [{"label": "bolt", "page": "http://a.example/bolt"}, {"label": "nut"}]},
        {"parts": [{"label": "Bolt", "page": "http://a.example/bolt"}, {"label": "nut"}]},
    ),
    Case(
        "no name has digits, and unnamed others are none",
        Life,
        "with Ada King et al., 12 May and h-index 19",
        {"friends": ["Ada King et al.", "12 May", "h-index 19"]},
        {"friends": ["Ada King"]},
        ("12 May", "h-index 19"),
    ),
    Case(
        "a person whose only mention stands in a row is the row's",
        Pupil,
        "Taught by Bo Li.\n\nHarbour office, where Ada King helped",
        {
            "teachers": ["Ada King", "Bo Li"],
            "tools": ["Ada King"],
            "posts": [{"place": "Harbour office", "mentors": ["Ada King"]}],
        },
        {
            "teachers": ["Bo Li"],
            "tools": ["Ada King"],
            "posts": [{"place": "Harbour office", "mentors": ["Ada King"]}],
        },
        ("Ada King",),
    ),
    Case(
        "a person who is mentioned elsewhere too stays in both",
        Pupil,
        "Taught by Ada King.\n\n# Posts\n\nHarbour office, where Ada King helped",
        {"teachers": ["Ada King"], "posts": [{"place": "Harbour office", "mentors": ["Ada King"]}]},
        {"teachers": ["Ada King"], "posts": [{"place": "Harbour office", "mentors": ["Ada King"]}]},
    ),
]
ROWS = [
    stock(
        "a row whose key has no words is rejected",
        "Bolt 2020",
        {"parts": [{"label": "Gear", "made": "2020"}, {"label": "Bolt", "made": "2020"}]},
        {"parts": [{"label": "Bolt", "made": "2020"}]},
        "Gear",
        "2020",
    ),
    works(
        "a row without a required value is rejected",
        "Bolt, 2020",
        {"parts": [{"label": "gear", "made": "2020"}]},
        {},
        "gear",
        "2020",
    ),
    Case(
        "of several mentions a row takes those that stand together",
        Stock,
        "Washer 2019 at http://a.example/w\n\nBolt 2020 at http://a.example/b\n\nNut 2019 of http://a.example/n",
        {
            "parts": [
                {"label": "Nut", "made": "2019", "page": "http://a.example/n"},
                {"label": "Bolt", "made": "2020", "page": "http://a.example/b"},
            ]
        },
        {
            "parts": [
                {"label": "Nut", "made": "2019", "page": "http://a.example/n"},
                {"label": "Bolt", "made": "2020", "page": "http://a.example/b"},
            ]
        },
        quotes={"/parts/0/made": "2019 of"},
    ),
    works(
        "what stands in another row is not this row's",
        MAKERS,
        {
            "parts": [
                {"label": "Bolt A1", "makers": ["Ada King", "Bo Li"], "page": "http://a.example/b"},
                {"label": "Nut B2", "makers": ["Prof. Bo Li", "Ada King"], "page": "http://a.example/b"},
            ]
        },
        {
            "parts": [
                {"label": "Bolt A1", "makers": ["Ada King"], "page": "http://a.example/b"},
                {"label": "Nut B2", "makers": ["Bo Li"]},
            ]
        },
        "Bo Li",
        "Ada King",
        "http://a.example/b",
    ),
    stock(
        "a row keeps what stands where it is named again",
        "Bolt A1\n12 kg\n\nGear B2, of 34 kg, fits into Bolt A1, made in 2021.\n\n"
        + "…\n" * 300
        + "Gear B2\nBolt A1\n",
        {"parts": [{"label": "Gear B2", "weight": 34}, {"label": "Bolt A1", "weight": 12, "made": "2021"}]},
        {"parts": [{"label": "Gear B2", "weight": 34}, {"label": "Bolt A1", "weight": 12, "made": "2021"}]},
    ),
    Case(
        "one mention of a form is one row's",
        CodedStock,
        "Bolt and Nut, 12 lines.\n",
        {"parts": [{"label": "Bolt", "code": "12"}, {"label": "Nut", "code": "12 lines"}]},
        {"parts": [{"label": "Bolt"}, {"label": "Nut", "code": "12 lines"}]},
        ("12",),
    ),
    Case(
        "a row that is hardly supported leaves before it takes its neighbours' words",
        Life,
        "# Jobs\n\nWarden, Beacon Hall, May 2019\nDriver, Corin Mills, June 2020\n",
        {
            "jobs": [
                {"firm": "Beacon Hall", "role": "Warden", "start": "May 2019"},
                {"firm": "Corin Mills", "role": "Driver", "start": "June 2020"},
                {"firm": "Corin Mills", "role": "Warden", "start": "May 2019"},
            ]
        },
        {
            "jobs": [
                {"firm": "Beacon Hall", "role": "Warden", "start": "2019-05"},
                {"firm": "Corin Mills", "role": "Driver", "start": "2020-06"},
            ]
        },
        ("Corin Mills", "Warden", "May 2019"),
    ),
    Case(
        "a heading that a row stands under is its own, however far above; the row before is not",
        Roles,
        ROLES,
        {
            "roles": [
                {"role": "First role", "firm": "Firm", "day": "2019"},
                {"role": "Second role", "firm": "Firm", "day": "2020"},
            ]
        },
        {
            "roles": [
                {"role": "First role", "firm": "Firm", "day": "2019"},
                {"role": "Second role", "firm": "Firm", "day": "2020"},
            ]
        },
    ),
    Case(
        "words of the row before are not reached",
        Roles,
        ROLES,
        {"roles": [{"role": "First role", "day": "2019"}, {"role": "Second role", "firm": "Bo Mills"}]},
        {"roles": [{"role": "First role", "day": "2019"}, {"role": "Second role"}]},
        ("Bo Mills",),
    ),
    Case(
        "words of the next row are not reached",
        Roles,
        ROLES,
        {"roles": [{"role": "First role", "firm": "more words"}, {"role": "Second role", "day": "2020"}]},
        {"roles": [{"role": "First role"}, {"role": "Second role", "day": "2020"}]},
        ("more words",),
    ),
    Case(
        "words above several rows that say the same are all of theirs",
        Roles,
        "# List\nOver all\nfirst role here\nsecond role here\nthird role here\n",
        {"roles": [{"role": f"{nth} role", "firm": "Over all"} for nth in ("first", "second", "third")]},
        {"roles": [{"role": f"{nth} role", "firm": "Over all"} for nth in ("first", "second", "third")]},
    ),
    Case(
        "a row of a row stays within it",
        League,
        TEAMS,
        {
            "teams": [
                {
                    "team": "Gulls",
                    "players": [{"name": "Ada King", "town": "Evora"}, {"name": "Bo Li", "town": "Faro"}],
                },
                {"team": "Herons", "players": [{"name": "Cy Orr", "town": "Evora"}]},
            ]
        },
        {
            "teams": [
                {"team": "Gulls", "players": [{"name": "Ada King"}, {"name": "Bo Li", "town": "Faro"}]},
                {"team": "Herons", "players": [{"name": "Cy Orr", "town": "Evora"}]},
            ]
        },
        ("Evora",),
    ),
]
ANNOUNCED = [
    works(
        "rows and items under a heading that announces something else are rejected",
        "# Parts\nBolt A1\n# Tools\nsaw, hammer\n",
        {"parts": [{"label": "Bolt A1"}, {"label": "saw"}], "tools": ["saw", "Bolt A1"]},
        {"parts": [{"label": "Bolt A1"}], "tools": ["saw"]},
        "saw",
        "Bolt A1",
        of=AnnouncedWorks,
    ),
    *(
        Case(
            why,
            Life,
            text + "\n\nWarden, Beacon Hall, May 2019" + tail,
            {"jobs": [{"firm": "Beacon Hall", "role": "Warden", "start": "May 2019"}]},
            {"jobs": [{"firm": "Beacon Hall", "role": "Warden", "start": "2019-05"}]} if stays else {},
            () if stays else ("Beacon Hall", "Warden", "2019-05"),
        )
        for why, text, tail, stays in [
            ("a heading that announces nothing decides nothing", "# Jobs\n\n## Elsewhere", "", True),
            ("the nearest heading that announces anything decides", "# Jobs\n\n## Prizes", ", worked", False),
            ("a title announces nothing", "# Ada King, prize winner", ", worked", True),
            ("a heading in capitals is above the others", "JOBS\n\n### Elsewhere", "", True),
            ("keywords are found whatever their case", "# Odd JOBS", "", True),
        ]
    ),
]
LOCATED = [
    Case(
        "what stands in the paragraph of a row is the row's, and the words are its evidence",
        Harbour,
        HARBOUR,
        {"boats": [{"name": "Gull"}]},
        {
            "boats": [
                {
                    "name": "Gull",
                    "log": "https://a.org/1",
                    "shop": "https://a.org/2",
                    "launched": "1990-05",
                    "length": "31 ft",
                }
            ]
        },
        matches={"/boats/0/log": Match.EXACT, "/boats/0/launched": Match.NORMALISED},
        quotes={"/boats/0/log": "https://a.org/1", "/boats/0/launched": "May 1990"},
    ),
    harbour(
        "in one paragraph what follows a row is its own, however near the next row begins",
        "[1] Gull, a boat of the old yard. Its size:\n31 ft, 1990.\n[2] Heron, of the new yard, it is\n44 ft.",
        [{"name": "Gull", "length": "31 ft", "launched": "1990"}, {"name": "Heron", "length": "44 ft"}],
    ),
    harbour(
        "a line that a name opens is about the row of that name",
        "# Boats\n\nGull, crew of 3\n\nHeron, crew of 4\n\n# Measures\n\nHeron  44 ft\nGull   31 ft",
        [{"name": "Gull", "length": "31 ft"}, {"name": "Heron", "length": "44 ft"}],
    ),
    harbour(
        "what stands by itself is of the row before it; prose that names no row is of none; "
        "a paragraph elsewhere is of the row that it names last",
        HARBOUR.replace("[Log](https://a.org/1), ", ""),
        [
            {
                "name": "Gull",
                "log": "https://logs.org/gull",
                "shop": "https://a.org/2",
                "launched": "1990-05",
                "length": "31 ft",
            },
            {"name": "Heron", "log": "https://logs.org/heron", "launched": "1992", "length": "44 ft"},
        ],
    ),
    harbour(
        "one end of a span of time is no day of its own",
        "Gull\n\nSold after 2001 - 2004, at 31 ft.",
        [{"name": "Gull", "length": "31 ft"}],
        "Gull",
    ),
    harbour(
        "one mention is one row's",
        "Gull and Heron have a log: https://logs.org/1",
        [{"name": "Gull"}, {"name": "Heron", "log": "https://logs.org/1"}],
    ),
    harbour(
        "what the model says counts where nothing stands in the row's place",
        "Gull was sold.\n\nThere is more to tell of her, which the yard keeps at https://a.org/7 for all to see.",
        [{"name": "Gull", "shop": "https://a.org/7"}],
        "Gull",
        shop="https://a.org/7",
    ),
    harbour(
        "but not against what stands there",
        "Gull [shop](https://a.org/1)\n\nThe club keeps what it has at https://a.org/7 for all to see.",
        [{"name": "Gull", "shop": "https://a.org/1"}],
        "Gull",
        shop="https://a.org/7",
    ),
    Case(
        "a row that is rejected has no place",
        Harbour,
        "The log of the harbour: https://logs.org/1",
        {"boats": [{"name": "Gull"}]},
        {},
        ("Gull",),
    ),
]
CASES = [*FOUND, *DATES, *NAMES, *ROWS, *ANNOUNCED, *LOCATED]


def extract(schema: type[BaseModel], text: str, reply: Mapping[str, Json], **how: Any) -> Record:
    """The record of a text about which the model gives this reply; it is asked for the whole record at once."""

    class Scripted:
        async def complete(self, request: Request) -> Reply:
            return Reply(complete_reply(request.schema, reply), Usage(1))

    task = Task("case", read_schema(schema.model_json_schema()), {}, schema)
    prompt = Prompt("whole", "", "{document}{question}", {}, Strategy(ask="whole", chunk_tokens=100_000))
    return asyncio.run(extract_record(Document("a.txt", text), task, prompt, Scripted(), "m", **how))


def complete_reply(schema: Mapping[str, Json], value: Json) -> Json:
    """The value with null and [] for what it leaves out, as a reply that fits the schema has them."""
    if "properties" in schema:
        given = value or {}
        return {name: complete_reply(sub, given.get(name)) for name, sub in schema["properties"].items()}
    if schema.get("type") == "array":
        return [complete_reply(schema["items"], one) for one in value or ()]
    return value


def without_gaps(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: kept for name, one in value.items() if (kept := without_gaps(one)) not in (None, [], {})}
    return [without_gaps(one) for one in value] if isinstance(value, list) else value


def leaf_values(value: Json) -> Iterator[Json]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaf_values(one)
    elif value is not None:
        yield value


def rejected_values(record: Record) -> set[str]:
    return {str(leaf) for one in record.rejected for leaf in leaf_values(one.value)}


def path_of(pointer: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdigit() else step for step in pointer.split("/")[1:])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_the_record_is(case: Case) -> None:
    record = extract(case.schema, case.text, case.reply)
    assert without_gaps(record.value) == case.record
    for pointer, match in case.matches.items():
        assert record.evidence[path_of(pointer)].match is match
    for pointer, words in case.quotes.items():
        (span,) = record.evidence[path_of(pointer)].spans
        assert case.text.startswith(words, span.start), pointer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_the_rejected_values_are(case: Case) -> None:
    assert rejected_values(extract(case.schema, case.text, case.reply)) == {str(value) for value in case.rejected}


@pytest.mark.parametrize(
    ("why", "text", "fields"),
    [
        ("keywords begin a word", "Unjobs", ("jobs", "prizes")),
        ("a digit is no letter of it", "12jobs, prizes", ()),
        ("they are found whatever their case", "The PRIZES of all", ("jobs",)),
        ("in a heading they announce its section", "# Jobs\n\nBolt\n\n# Prizes\n\nCup", ()),
    ],
)
def test_a_field_that_nothing_announces_is_not_asked_for_and_listed(
    why: str, text: str, fields: tuple[str, ...]
) -> None:
    record = extract(Life, text, {})
    assert tuple(name for one in record.skipped for name in one.fields) == fields


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("A bolt.", {"title": "nut"}),
        ("Nothing of it.", {"parts": [{"label": "Ode, May 2020 – June 2021"}]}),
    ],
)
def test_values_without_words_can_be_kept_as_they_are_but_never_unmarked(text: str, reply: Mapping[str, Json]) -> None:
    record = extract(Stock, text, reply, reading=Reading(SMALL, Acceptance(threshold=0)))
    assert without_gaps(record.value) == reply
    assert {e.match for e in record.evidence.values()} == {Match.NONE}


WORDS = st.text(alphabet="abc αβ אב あ 😀 e\u0301 \r\n", min_size=1).filter(str.strip)


@given(WORDS, WORDS, WORDS)
def test_every_value_of_a_record_is_read_off_its_own_span(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    record = extract(Stock, text, {"title": word, "tags": [word, "nowhere to be seen"]})
    for path, found in record.evidence.items():
        for span in found.spans:
            assert text[span.start : span.end].strip()
            if path == ("title",) and found.match is Match.EXACT:
                assert text[span.start : span.end] == word


@given(st.permutations(["Gull", "Heron"]), st.text(alphabet="ab \n.[](<>", max_size=40))
def test_what_is_located_stands_in_the_text_and_is_given_to_one_row(names: list[str], noise: str) -> None:
    text = noise.join(HARBOUR.split("\n\n"))
    record = extract(Harbour, text, {"boats": [{"name": name} for name in names]})
    spans = [s for path, e in record.evidence.items() if path[-1] in ("log", "shop", "length") for s in e.spans]
    assert all(text[s.start : s.end].strip() for s in spans)
    assert len(set(spans)) == len(spans)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=5).map(str.title), min_size=2, max_size=6))
def test_a_value_has_the_initials_that_the_text_gives_it(words: list[str]) -> None:
    whole = " ".join(words)
    text = f"{whole} ({''.join(word[0] for word in words)})"
    assert extract(Stock, text, {"title": whole}).value["title"] == text
