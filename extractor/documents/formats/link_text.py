"""Addresses behind linked words, which a reader follows with a click: they stand in brackets after the words."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"[^0-9]")
_SCHEME = re.compile(r"^(?:mailto:|tel:|https?://(?:www\.)?|ftp://)", re.I)


def add_address(words: str, address: str) -> str:
    """The words, and the address behind them where they do not say it themselves."""
    address = " ".join(address.split())
    return words if not is_told(address) or says_address(words, address) else f"{words} ({spell_address(address)})"


def is_told(address: str) -> bool:
    """Whether an address leads out of the document, to a page or a person."""
    return bool(re.match(r"(?:https?|ftp|mailto|tel):|www\.", address, re.I))


def spell_address(address: str) -> str:
    """An address as people write it: without the scheme of a mail or a telephone, and without a mail's subject."""
    return re.sub(r"^(?:mailto|tel):", "", address, flags=re.I).partition("?subject=")[0]


def says_address(words: str, address: str) -> bool:
    """Whether words are an address, or hold it; a telephone number may be grouped, and without the country's prefix."""
    if address[:4].lower() == "tel:":
        said, dialled = _DIGITS.sub("", words).lstrip("0"), _DIGITS.sub("", address)
        return len(said) > 5 and (said in dialled or dialled in said)
    return _bare(address) in _bare(words) if _bare(address) else True


def _bare(text: str) -> str:
    return _SCHEME.sub("", "".join(text.split())).rstrip("/").casefold()
