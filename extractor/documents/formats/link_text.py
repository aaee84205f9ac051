"""Addresses behind linked words, which a reader follows with a click: they stand in brackets after the words."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"^(?:mailto:|tel:|https?://(?:www\.)?|ftp://)", re.I)


def add_address(words: str, address: str) -> str:
    """The words, and the address behind them where they do not say it themselves."""
    address = " ".join(address.split())
    return words if not is_told(address) or _says(words, address) else f"{words} ({_spell(address)})"


def is_told(address: str) -> bool:
    """Whether an address leads out of the document, to a page or a person."""
    return bool(re.match(r"(?:https?|ftp|mailto|tel):|www\.", address, re.I))


def _spell(address: str) -> str:
    return re.sub(r"^(?:mailto|tel):", "", address, flags=re.I).partition("?subject=")[0]


def _says(words: str, address: str) -> bool:
    return _bare(address) in _bare(words) if _bare(address) else True


def _bare(text: str) -> str:
    return _SCHEME.sub("", "".join(text.split())).rstrip("/").casefold()
