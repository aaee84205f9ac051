"""What a till receipt or simple tax invoice says of the sale."""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.kinds import Quantity, VerbatimDate


class Record(BaseModel):
    """A sale, as its receipt states it."""

    company: str = Field(
        description="full name of the company that issued it, with its legal form, without registration numbers"
    )
    address: str | None = Field(
        None, description="the company's postal address, all its lines: number, street, district, postcode, city, state"
    )
    date: VerbatimDate = Field(description="date of the sale")
    total: Quantity = Field(
        description="what the sale comes to in all, tax included and rounded; not the cash given, not the change"
    )
