"""What a contract says: who binds themselves to what, from when until when, for how much, and clause by clause."""

from __future__ import annotations

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from extractor.schema import Date, Money, Name, group, key


class Party(BaseModel):
    """One who is bound by the contract. Witnesses, consultants and courts are none."""

    model_config = key("name")

    name: str = Field(description="full name of the firm or person")
    role: str | None = Field(None, description="what the contract calls it from then on")
    registration: str | None = Field(None, description="number in a register of companies or associations")
    address: str | None = Field(None, description="address of the party, as one text")
    signatory: Name | None = Field(None, description="name of the person who signs for it, without the office")


class Clause(BaseModel):
    """A clause of the first level, with a number and a heading."""

    model_config = key("number")

    number: str = Field(description="its number as written")
    title: str | None = Field(None, description="its heading")


class Payment(BaseModel):
    """A sum that one party owes the other: price, rent, fee or deposit. Limits and penalties are none."""

    model_config = key("what", "amount")

    what: str = Field(description="what is paid for, in a few words of the contract")
    amount: Money = Field(description="the sum")
    currency: str | None = Field(None, description="currency code or sign")
    due: str | None = Field(None, description="when it is to be paid, in the words of the contract")


class Record(BaseModel):
    """A contract, agreement, lease or letter that binds its parties."""

    title: str | None = Field(None, description="title or subject of the document", json_schema_extra=group("head"))
    reference: str | None = Field(
        None, description="number of the contract or file, alone", json_schema_extra=group("head")
    )
    signed: Date | None = Field(None, description="date of the contract", json_schema_extra=group("head"))
    parties: list[Party] = Field([], description="who is bound", json_schema_extra=group("parties"))
    effective: Date | None = Field(None, description="day on which it takes effect", json_schema_extra=group("term"))
    expires: Date | None = Field(None, description="day on which its term ends", json_schema_extra=group("term"))
    notice_period: str | None = Field(
        None,
        description="how long before the end either side has to give notice, in words or figures",
        max_length=60,
        json_schema_extra=group("term", **{"x-keywords": ["notice", "terminat", "end"]}),
    )
    governing_law: str | None = Field(
        None,
        description="country or state whose law governs it, its name alone",
        max_length=80,
        json_schema_extra=group("law", **{"x-keywords": ["law"]}),
    )
    disputes: str | None = Field(
        None,
        description="courts or arbitrators that decide disputes, and where",
        max_length=120,
        json_schema_extra=group("law", **{"x-keywords": ["court", "arbitra", "jurisdiction", "dispute"]}),
    )
    liability_cap: Money | None = Field(
        None,
        description="sum in figures that limits the liability of a party",
        json_schema_extra=group("law", **{"x-keywords": ["liab"]}),
    )
    payments: list[Payment] = Field(
        [],
        description="what is to be paid",
        json_schema_extra=group(
            "payments", **{"x-keywords": ["pay", "charge", "price", "rent", "fee", "deposit", "remunerat", "salary"]}
        ),
    )
    clauses: list[Clause] = Field([], description="clauses, each once", json_schema_extra=group("clauses"))

    @field_validator("expires")
    @classmethod
    def _ends_after_it_begins(cls, expires: str | None, info: ValidationInfo) -> str | None:
        begins = info.data.get("effective")
        # ISO 8601 sorts by time, as far as both are stated
        if begins and expires and expires[:1].isdigit() and expires < begins[: len(expires)]:
            raise ValueError(f"it would end on {expires}, before it takes effect on {begins}")
        return expires
