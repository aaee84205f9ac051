"""What a researcher's CV, home page or publication list says of its owner."""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.kinds import Date, Email, Name, Quantity, Url, group, key


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
    """A paper, article or thesis by the person, that has a written title."""

    model_config = key("title")

    title: str | None = Field(None, description="full title of the paper")
    authors: list[Name] = Field([], description="names of its authors")
    venue: str | None = Field(None, description="conference or journal tag with its year, such as ABC'21")
    date: Date | None = Field(None, description="publication date or year", json_schema_extra={"x-derive": "venue"})
    url: Url | None = Field(None, description="link to the paper")


class Result(BaseModel):
    """A number that says how well a system does."""

    model_config = key("value", "measure")

    value: Quantity | None = Field(None, description="the number with its unit, such as 2.5x or 40%")
    measure: str | None = Field(None, description="what is measured, such as latency")
    baseline: str | None = Field(None, description="what it is compared with")


class System(BaseModel):
    """A named piece of software, framework or project that the person's work or project built."""

    model_config = key("name")

    name: str | None = Field(None, description="short name of the system")
    results: list[Result] = Field([], description="numbers that say how well it does")
    code_size: Quantity | None = Field(None, description="how many lines of code")
    url: Url | None = Field(None, description="link to its code or page")


class Award(BaseModel):
    """An award, scholarship, prize or honour that the person received."""

    model_config = key("title", "date")

    title: str | None = Field(None, description="name of the award")
    date: Date | None = Field(None, description="when it was given")


class Record(BaseModel):
    """The researcher whom the document is about."""

    name: Name | None = Field(None, description="full name of the person", json_schema_extra=group("person"))
    position: str | None = Field(
        None, description="the person's present level or job", json_schema_extra=group("person")
    )
    affiliation: str | None = Field(
        None, description="institution where the person is now", json_schema_extra=group("person")
    )
    emails: list[Email] = Field([], description="e-mail addresses", json_schema_extra=group("person"))
    homepage: Url | None = Field(
        None, description="address of the personal home page", json_schema_extra=group("person")
    )
    research_interests: list[str] = Field(
        [],
        description="phrases that the document calls research interests, vision or focus",
        json_schema_extra=group("person"),
    )
    advisors: list[Name] = Field(
        [],
        description="who advises the person's own degree (not mentors of internships)",
        json_schema_extra=group("person"),
    )
    h_index: int | None = Field(None, description="h-index, if stated", json_schema_extra=group("person"))
    citations: int | None = Field(None, description="number of citations, if stated", json_schema_extra=group("person"))
    education: list[Education] = Field([], description="the person's degrees", json_schema_extra=group("education"))
    experience: list[Position] = Field(
        [],
        description="jobs, internships, teaching and research positions",
        json_schema_extra=group("experience"),
    )
    publications: list[Publication] = Field(
        [], description="papers with a written title", json_schema_extra=group("publications")
    )
    systems: list[System] = Field(
        [], description="named systems and software projects", json_schema_extra=group("systems")
    )
    awards: list[Award] = Field([], description="awards, scholarships, prizes", json_schema_extra=group("awards"))
    skills: list[str] = Field([], description="only from an explicit list of skills", json_schema_extra=group("skills"))
