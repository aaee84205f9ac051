"""What a record may be: the annotations with which a schema declares its fields.

from extractor.schema import Date, Money, group, key
"""

from extractor.schema.annotations import (
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
