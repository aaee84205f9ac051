"""The old place of `extractor.schema`'s annotations, kept for one release: import them from `extractor.schema`."""

from extractor.schema import (
    Amount,
    Date,
    Email,
    Kind,
    Listed,
    Money,
    Name,
    Quantity,
    Url,
    VerbatimDate,
    group,
    key,
)

__all__ = [
    "Amount",
    "Date",
    "Email",
    "Kind",
    "Listed",
    "Money",
    "Name",
    "Quantity",
    "Url",
    "VerbatimDate",
    "group",
    "key",
]
