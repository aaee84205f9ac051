"""Addresses behind linked words: written after the words, unless these say them already."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_ADDRESS = 300
"""Characters of an address that is written; longer ones are of use to machines."""
_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://", "sms:")
_OUTSIDE = re.compile(r"^(?:https?://|mailto:|tel:|ftp://|sms:)(?:www\.)?|[\s/]+$", re.I)
_SEPARATORS = re.compile(r"[\s\u00ad\u200b().‐-]+")


def find_address(attributes: Mapping[str, str | None]) -> str:
    """The part of a link's address that is written: without the scheme and the letter of a mail; empty for one within
    the page, or in another form than people write addresses in."""
    address = (attributes.get("href") or "").strip()
    lowered = address.lower()
    if not lowered.startswith(_SCHEMES) or any(c.isspace() or not c.isprintable() for c in address):
        return ""
    if lowered.startswith(("mailto:", "tel:", "sms:")):
        address = address.partition(":")[2].partition("?")[0]
    return address if 0 < len(address) <= MAX_ADDRESS else ""


def says_address(words: str, address: str) -> bool:
    """Whether linked words are their address, or hold it."""
    bare = _OUTSIDE.sub("", _OUTSIDE.sub("", address)).casefold()
    said = words.casefold()
    if not bare or bare in said:
        return True
    plain = _SEPARATORS.sub("", said)
    return _SEPARATORS.sub("", bare) in plain or (len(plain) > 5 and plain.lstrip("+0").isdigit() and plain in bare)
