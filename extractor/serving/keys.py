"""Who may ask: bearer keys, of which only digests are kept; and pages that may not ask where there are none.

A key is compared by its digest with every other, in constant time. It is in no log, file, or message.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError

KEY_VARIABLE = "EXTRACTOR_SERVE_KEY"
SHORTEST_KEY = 16
"""Characters that a key has at least, so that nobody finds it by trying."""
MAX_KEY_FILE_BYTES = 1 << 20
NOBODY = ""
"""The owner of jobs on a server without keys."""


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """The digests of the keys that a server takes; without any, everybody on this machine may ask."""

    digests: tuple[bytes, ...] = ()

    def find_owner(self, header: str) -> str | None:
        """Whose key an Authorization header has: a name made of its digest; None for none that is known."""
        if not self.digests:
            return NOBODY
        kind, _, key = header.strip().partition(" ")
        given = digest_key(key.strip())
        matches = [hmac.compare_digest(given, known) for known in self.digests]  # all of them, whichever fits
        return given.hex()[:16] if any(matches) and kind.lower() == "bearer" else None


def digest_key(key: str) -> bytes:
    return hashlib.sha256(b"extractor serve\0" + key.encode("utf-8", "surrogateescape")).digest()


def read_server_keys(file: Path | None, environ: Mapping[str, str]) -> ServerKeys:
    """The keys of a file, one a line, and the one of EXTRACTOR_SERVE_KEY. Raises UsageError, showing none of them."""
    lines: list[str] = []
    if file is not None:
        try:
            if file.stat().st_size > MAX_KEY_FILE_BYTES or not file.is_file():
                raise UsageError(f"{file} is no file of keys; put one key in each line of it.")
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The keys in {file} cannot be read ({type(error).__name__}); check the file.") from None
    keys = [stripped for line in lines if (stripped := line.strip()) and not stripped.startswith("#")]
    if file is not None and not keys:
        raise UsageError(f"{file} holds no key; put one in each line of it.")
    if own := environ.get(KEY_VARIABLE, "").strip():
        keys.append(own)
    _check_keys(keys)
    return ServerKeys(tuple(dict.fromkeys(map(digest_key, keys))))


def _check_keys(keys: Iterable[str]) -> None:
    for number, key in enumerate(keys, 1):
        if len(key) < SHORTEST_KEY or not all("!" <= letter <= "~" for letter in key):
            raise UsageError(
                f"Key {number} cannot be used; a key has {SHORTEST_KEY} characters or more, letters, digits and signs."
            )


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a server on this host."""
    name = host.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def is_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a request cannot come from a web page of somebody else, as far as browsers tell.

    On a server without keys, a page could ask in the name of the person who looks at it: by its address (`Origin`), or
    by a name of its own that leads here (`Host`).
    """
    host = headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return is_loopback(name) and "origin" not in headers and headers.get("sec-fetch-site", "none") in ("none",)
