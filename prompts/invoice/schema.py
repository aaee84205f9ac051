"""What an invoice, bill or credit note says: who, what, how much, and whether it adds up.

Lines, subtotal and total are checked against each other; what does not add up is a problem of the record, not a reason
to drop or mend a number: the record holds what the document says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from extractor.schema import Date, Money, group, key

CENT = 0.011
"""Rounding that is forgiven; just over a cent, since sums of binary fractions are not exact."""


def differs(a: float, b: float) -> bool:
    return abs(a - b) > CENT


class Party(BaseModel):
    """A person or firm named on the invoice."""

    name: str | None = Field(None, description="name of the firm or person")
    address: str | None = Field(None, description="postal address, as one text, without the name")
    tax_id: str | None = Field(None, description="VAT, tax or registration number")


class Line(BaseModel):
    """A billed item. Sums, taxes and shipping are none."""

    model_config = key("description", "amount")

    description: str = Field(description="what is billed, without quantity and prices")
    quantity: Money | None = Field(None, description="how many")
    unit: str | None = Field(None, description="what the quantity counts, where the line says it (kg, hours, boxes)")
    unit_price: Money | None = Field(None, description="price of one unit")
    amount: Money | None = Field(None, description="price of the whole line")

    @model_validator(mode="after")
    def _multiplies(self) -> Line:
        if self.quantity is None or self.unit_price is None or self.amount is None:
            return self
        product = round(self.quantity * self.unit_price, 2)
        if differs(product, self.amount):
            raise ValueError(f"{self.quantity:g} x {self.unit_price:.2f} is {product:.2f}, not {self.amount:.2f}")
        return self


class Record(BaseModel):
    """An invoice: a demand for payment of goods or services."""

    number: str | None = Field(None, description="invoice number", json_schema_extra=group("head"))
    issued: Date | None = Field(None, description="date of the invoice", json_schema_extra=group("head"))
    due: Date | None = Field(None, description="date by which it is to be paid", json_schema_extra=group("head"))
    order: str | None = Field(
        None, description="number of the order or contract that it refers to", json_schema_extra=group("head")
    )
    currency: str | None = Field(
        None, description="currency code, such as CHF or JPY", max_length=12, json_schema_extra=group("head")
    )
    iban: str | None = Field(None, description="IBAN or account number to pay to", json_schema_extra=group("head"))
    seller: Party | None = Field(None, description="who sends the invoice", json_schema_extra=group("parties"))
    buyer: Party | None = Field(None, description="who has to pay it", json_schema_extra=group("parties"))
    lines: list[Line] = Field([], description="billed items", json_schema_extra=group("lines"))
    subtotal: Money | None = Field(
        None, description="sum of the lines before discount, shipping and tax", json_schema_extra=group("sums")
    )
    discount: Money | None = Field(
        None, description="discount on the whole invoice, as an amount", json_schema_extra=group("sums")
    )
    shipping: Money | None = Field(None, description="shipping or handling", json_schema_extra=group("sums"))
    tax_rate: Money | None = Field(None, description="rate of tax in percent", json_schema_extra=group("sums"))
    tax: Money | None = Field(None, description="tax or VAT, as an amount", json_schema_extra=group("sums"))
    total: Money | None = Field(None, description="total to pay, tax included", json_schema_extra=group("sums"))

    @field_validator("subtotal")
    @classmethod
    def _sums_lines(cls, subtotal: float | None, info: ValidationInfo) -> float | None:
        lines = _sum(info.data)
        if subtotal is not None and lines is not None and differs(lines, subtotal):
            raise ValueError(f"the lines come to {lines:.2f}, not {subtotal:.2f}")
        return subtotal

    @field_validator("total")
    @classmethod
    def _adds_up(cls, total: float | None, info: ValidationInfo) -> float | None:
        lines, net = _sum(info.data), info.data.get("subtotal")
        net = lines if net is None else net
        if total is None or net is None or (lines is not None and not differs(lines, total)):  # prices with tax in them
            return total
        expected = net + sum((info.data.get(k) or 0) for k in ("shipping", "tax")) - abs(info.data.get("discount") or 0)
        if differs(expected, total):
            raise ValueError(f"the parts come to {expected:.2f}, not {total:.2f}")
        return total


def _sum(data: Mapping[str, Any]) -> float | None:
    """The sum of the lines; None unless every one says its amount."""
    amounts = [line.amount for line in data.get("lines") or ()]
    return round(sum(amounts), 2) if amounts and None not in amounts else None
