"""What a researcher's CV, home page or publication list says of its owner."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from extractor.schema import Date, Email, Listed, Name, Quantity, Url, group, key


class Education(BaseModel):
    """A degree of the person's own, finished or not."""

    model_config = key("institution", "degree")

    institution: str | None = Field(None, description="university or school that gives the degree")
    degree: str | None = Field(None, description="the degree with its field of study")
    start: Date | None = Field(None, description="start date")
    end: Date | None = Field(None, description="end date")
    gpa: str | None = Field(None, description="grade point average, with its scale if given")


class Position(BaseModel):
    """A job, internship, or teaching or research position that the person has held."""

    model_config = key("organization", "role", "start")

    organization: str | None = Field(None, description="company, laboratory or university of the position")
    role: str | None = Field(None, description="job title")
    advisors: list[Name] = Field([], description="persons who advised or mentored this position")
    start: Date | None = Field(None, description="start date")
    end: Date | None = Field(None, description="end date")


class Publication(BaseModel):
    """A paper, article or thesis with a written title."""

    model_config = key("title")

    title: str = Field(description="full title")
    authors: list[Name] = Field([], description="authors written beside this title, [] if none are")
    date: Date | None = Field(
        None,
        description="date or year of publication",
        json_schema_extra={"x-derive": "venue", "x-locate-by-position": []},
    )
    venue: str | None = Field(None, description="conference or journal tag with its year, such as ABC'21")
    url: Url | None = Field(
        None,
        description="link to the paper",
        json_schema_extra={
            "x-locate-by-position": [
                *(
                    "arxiv",
                    "biorxiv",
                    "medrxiv",
                    "doi",
                    "pdf",
                    "paper",
                    "preprint",
                    "openreview",
                    "acm.org",
                    "ieee",
                    "usenix",
                    "springer",
                ),
                *("proceedings", "publication", "abs/", "article", "acl"),
            ]
        },
    )


class Result(BaseModel):
    """A number that says how well the system does."""

    model_config = key("value", "measure", enumerate_by="value")

    value: Quantity = Field(description="the number with its unit, such as 2.5x or 40%")
    measure: str | None = Field(None, description="what is measured, such as latency")
    baseline: str | None = Field(None, description="what it is compared with")


LINES = r"\d[\d.,]*\s?[kKmM]?\+?\s*(?:LOC|lines)\b(?:\s+of\s+[\w+#/]+)?(?:\s+in\s+[\w+#/]+)?"


class System(BaseModel):
    """A named system, tool, framework or project that the person's papers or projects built."""

    model_config = key("name")

    name: str = Field(description="short name of the system")
    code_size: str | None = Field(
        None,
        description="how many lines of code",
        pattern=LINES,
        json_schema_extra={"x-locate-by-position": [], "x-also-ask": True},
    )
    url: Url | None = Field(
        None,
        description="link to its code or page",
        json_schema_extra={
            "x-locate-by-position": [
                "github.com",
                "gitlab",
                "bitbucket",
                "codeberg",
                "code",
                "source",
                "repo",
                "demo",
                "project",
                "page",
                "site",
                "artifact",
            ]
        },
    )
    results: list[Result] = Field([], description="numbers that say how well it does")


class Award(BaseModel):
    """An award, scholarship, prize or honour."""

    model_config = key("title", "date")

    title: str = Field(description="name of the award")
    date: Date | None = Field(None, description="when it was given", json_schema_extra={"x-locate-by-position": []})


class Record(BaseModel):
    """The researcher whom the document is about."""

    name: Name | None = Field(None, description="full name of the person", json_schema_extra=group("person"))
    position: str | None = Field(
        None, description="the person's present level or job", json_schema_extra=group("person")
    )
    affiliation: str | None = Field(
        None, description="institution where the person is now", json_schema_extra=group("person")
    )
    emails: list[Email] = Field([], description="the person's e-mail addresses", json_schema_extra=group("person"))
    homepage: Url | None = Field(
        None, description="address of the personal home page", json_schema_extra=group("person")
    )
    research_interests: list[Annotated[str, Field(max_length=120)]] = Field(
        [],
        max_length=12,
        description="phrases that the document calls research interests, vision or focus",
        json_schema_extra=group(
            "person",
            **{
                "x-keywords": [
                    "interest",
                    "vision",
                    "focus",
                    "passion",
                    "research area",
                    "research direction",
                    "topics",
                ]
            },
        ),
    )
    advisors: list[Name] = Field(
        [],
        description="who advises the person's own degree (not mentors of internships)",
        json_schema_extra=group(
            "person", **{"x-keywords": ["advis", "supervis", "guidance", "under the direction", "committee chair"]}
        ),
    )
    h_index: int | None = Field(
        None,
        description="h-index, if stated",
        json_schema_extra=group("person", **{"x-keywords": ["h-index", "h index", "hindex"]}),
    )
    citations: int | None = Field(
        None,
        description="number of citations, if stated",
        json_schema_extra=group("person", **{"x-keywords": ["citation", "cited"]}),
    )
    education: list[Education] = Field(
        [],
        description="the person's degrees",
        json_schema_extra=group(
            "education",
            **{
                "x-keywords": [
                    *("educat", "degree", "bachelor", "master", "ph.d", "phd", "doctora", "b.s", "m.s", "bsc", "msc"),
                    *(
                        "b.a",
                        "b.e",
                        "m.e",
                        "b.tech",
                        "m.tech",
                        "undergrad",
                        "diploma",
                        "studies",
                        "studied",
                        "alma mater",
                    ),
                ]
            },
        ),
    )
    experience: list[Position] = Field(
        [],
        description="jobs, internships, teaching and research positions",
        json_schema_extra=group(
            "experience",
            **{
                "x-keywords": [
                    *("experience", "employ", "internship", "interned", "research intern", "intern at", "career"),
                    *(
                        "position",
                        "appointment",
                        "work history",
                        "worked",
                        "working at",
                        "joined",
                        "teaching",
                        "postdoc",
                    ),
                    *("assistant", "software engineer", "developer", "consultant", "lecturer", "instructor", "manager"),
                    *("scientist at", "researcher at", "engineer at", "professor", "volunteer", "visiting"),
                ]
            },
        ),
    )
    publications: list[Publication] = Field(
        [],
        description="papers with a written title",
        json_schema_extra=group(
            "publications",
            **{
                "x-keywords": [
                    *("publi", "paper", "article", "thesis", "dissertation", "preprint", "arxiv", "doi", "et al"),
                    *("proceedings", "conference", "journal", "workshop", "accept", "appear", "submi", "review", "pdf"),
                ]
            },
        ),
    )
    systems: list[System] = Field(
        [],
        description="all named systems and software projects",
        json_schema_extra=group(
            "systems",
            **{
                "x-keywords": [
                    "project",
                    "experience",
                    "employment",
                    "publication",
                    "paper",
                    "propose",
                    "present",
                    "software",
                    "implement",
                ]
            },
        ),
    )
    awards: list[Award] = Field(
        [],
        description="awards, scholarships, prizes",
        json_schema_extra=group(
            "awards",
            **{
                "x-keywords": [
                    *(
                        "award",
                        "honor",
                        "honour",
                        "scholar",
                        "prize",
                        "medal",
                        "fellow",
                        "grant",
                        "winner",
                        "recipient",
                    ),
                    *("place", "distinction", "finalist", "champion", "competition", "dean"),
                ]
            },
        ),
    )
    skills: list[Listed] = Field(
        [],
        description="every item of an explicit list of skills",
        json_schema_extra=group(
            "skills",
            **{
                "x-keywords": [
                    *("skill", "programming language", "proficient", "competenc", "tech stack", "toolkit"),
                    *("technologies:", "tools:", "languages:", "software:"),
                ],
                "x-keywords-only": True,
            },
        ),
    )
