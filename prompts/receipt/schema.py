"""What a till receipt or simple tax invoice says of the sale."""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.schema import Quantity, VerbatimDate


class Record(BaseModel):
    """A sale, as its receipt states it."""

    company: str = Field(description="full name of the company that issued the receipt, with its legal form")
    address: str | None = Field(
        None, description="the company's postal address, all of it: number, street, district, postcode, city, state"
    )
    date: VerbatimDate = Field(description="date of the sale")
    total: Quantity = Field(description="amount of the total line: what the sale comes to, tax and rounding included")
