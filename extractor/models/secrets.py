"""What must not be seen of keys, in whatever form an endpoint sends them back: found and masked.

Texts are compared by their letters and digits alone, without case, and again with escapes decoded. So a key is found
plain, in any case, split by line breaks or other signs, backwards, in hexadecimal, as numbers, in base64 or base32 at
any place of what was encoded, and in the escapes of JSON, C, URLs, HTML and mail, once or twice over. All steps take
time in proportion to the text.
"""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from extractor.models.endpoint import SECRET_NAME, Endpoint
from extractor.types import Json

KEY_MASK = "[key]"
_SHORTEST_SECRET = 8
"""Characters from which on a key is a secret and not the word that a local server wants in its place."""
_SHORTEST_FOLDED = 12
"""Letters and digits from which on a key is found in any form; a shorter one may be a word, and is masked as it is."""

_ESCAPE = (
    r"(?<!\\)\\++(?:[uU]\{0*(?P<braced>[0-9a-fA-F]{1,6})\}"
    r"|u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\++u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<four>[0-9a-fA-F]{4})|U(?P<eight>[0-9a-fA-F]{8})"
    r"|[xX](?P<two>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})|(?P<sign>[nrtfbv0](?![0-9])))"
    r"|%(?:25)*(?P<percent>[0-9a-fA-F]{2})"
    r"|&(?:amp;)*\#(?:(?P<decimal>[0-9]{1,7})|[xX](?P<entity>[0-9a-fA-F]{1,6}));?"
)
_ESCAPES = re.compile(_ESCAPE)
_MAIL_ESCAPES = re.compile(_ESCAPE + r"|=(?P<mail>[0-9a-fA-F]{2})|=\r?\n")
"""With those of mail (quoted-printable), which are looked for apart: an equals sign before a key is none."""
_NO_ESCAPE = re.compile(r"[^\\uUxX{}0-9a-fA-Fnrtvmp%&;#=\r\n]")
"""What no escape holds: behind it a text is cut without cutting one."""
_TEN, _EIGHT = frozenset({"decimal"}), frozenset({"octal"})
_SLICE = 1 << 16
"""Characters that are folded, or looked through for escapes, at once, so that other threads come to run."""
_NOT_FOLDED = re.compile(r"[^0-9A-Za-z]+")
_FOLDED = re.compile(r"[0-9A-Za-z]|[^\x00-\x7f]")


_PUBLIC_HEADERS = frozenset(
    ("accept", "accept-language", "user-agent", "referer", "http-referer", "x-title", "anthropic-version")
)
"""Headers whose values tell who asks, and in what form: they are public, and may stand in documents."""
_PUBLIC_QUERY = frozenset({"api-version"})


def find_secrets(endpoint: Endpoint) -> tuple[str, ...]:
    """What nobody may see of an endpoint: its key, what its headers, its query and members of its body called keys
    hold, and the password of its proxy."""
    way = endpoint.connection
    headers = [value for name, value in way.headers.items() if name.lower() not in _PUBLIC_HEADERS]
    words = [word for value in headers for word in (value, *value.split())]
    query = [value for name, value in way.query.items() if name.lower() not in _PUBLIC_QUERY]
    body = endpoint.parameters.extra_body.items()
    members = [value for name, value in body if SECRET_NAME.search(name) and isinstance(value, str)]
    password = urlsplit(way.proxy or "").password or ""
    found = (endpoint.api_key, *words, *query, *members, password)
    return tuple(dict.fromkeys(one for one in found if len(one) >= _SHORTEST_SECRET))


class SecretMask:
    """Masks some secrets. One of fewer than 8 characters is taken for none."""

    def __init__(self, secrets: str | Iterable[str] = ()) -> None:
        given = [secrets] if isinstance(secrets, str) else secrets
        known = [secret for secret in dict.fromkeys(given) if len(secret) >= _SHORTEST_SECRET]
        long = [secret for secret in known if len(_fold(secret)) >= _SHORTEST_FOLDED]
        self._plain = sorted({form for s in known for form in _list_plain_forms(s)}, key=len, reverse=True)
        self._folded = sorted({form for secret in long for form in _list_folded_forms(secret)}, key=len, reverse=True)

    def mask_text(self, text: str) -> str:
        """The text with a mask in the place of each secret."""
        for form in self._plain:
            text = text.replace(form, KEY_MASK)
        if not self._folded:
            return text
        for escapes in (None, _ESCAPES, _MAIL_ESCAPES):
            if self._is_found(text, escapes):
                text = self._mask_folded(text, escapes)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        """The same of bytes; what is no UTF-8 in them stays as it is."""
        text = data.decode("utf-8", "surrogateescape")
        masked = self.mask_text(text)
        return data if masked is text or masked == text else masked.encode("utf-8", "surrogateescape")

    def mask_json(self, value: Json) -> Json:
        """The same of every text in a value, names of members included."""
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, list):
            return [self.mask_json(one) for one in value]
        if isinstance(value, dict):
            return {self.mask_text(name): self.mask_json(one) for name, one in value.items()}
        return value

    def _is_found(self, text: str, escapes: re.Pattern[str] | None) -> bool:
        if escapes is not None:
            slices = [escapes.subn(_decode_escape, one) for one in _cut_outside_escapes(text)]
            if not any(count for _, count in slices):
                return False
            text = "".join(decoded for decoded, _ in slices)
        if not text.isascii():
            # sign by sign: the whole at once would take the square of a run of combining marks
            text = text.translate({ord(c): alike for c in set(text) if c > "\x7f" and (alike := _fold_letter(c))})
        folded = _fold(text)
        return any(form in folded for form in self._folded)

    def _mask_folded(self, text: str, escapes: re.Pattern[str] | None) -> str:
        letters, starts, ends = [], [], []
        for letter, start, end in _iterate_letters(text, escapes):
            letters.append(letter)
            starts.append(start)
            ends.append(end)
        folded = "".join(letters)
        found = sorted((starts[i], ends[i + n - 1]) for i, n in _find_all(folded, self._folded))
        pieces, at = [], 0
        for start, end in found:
            if start >= at:
                pieces += [text[at:start], KEY_MASK]
            at = max(at, end)
        return "".join((*pieces, text[at:]))


def _cut_outside_escapes(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _NO_ESCAPE.search(text, at + _SLICE)
        end = found.end() if found else len(text)
        yield text[at:end]
        at = end


def _fold(text: str) -> str:
    slices = (text[at : at + _SLICE] for at in range(0, len(text), _SLICE))
    return "".join(_NOT_FOLDED.sub("", one) for one in slices).lower()


def _list_plain_forms(secret: str) -> Iterator[str]:
    """A secret as it is, and in the forms of short ones."""
    data = secret.encode()
    yield secret
    yield base64.b64encode(data).decode().rstrip("=")
    yield base64.urlsafe_b64encode(data).decode().rstrip("=")
    yield data.hex()
    yield data.hex().upper()
    yield "".join(f"\\u{ord(c):04x}" for c in secret)
    yield "".join(f"%{byte:02X}" for byte in data)
    yield "".join(f"&#{ord(c)};" for c in secret)


def _list_folded_forms(secret: str) -> Iterator[str]:
    """Letters and digits of a secret in every form that is looked for."""
    data = secret.encode()
    yield _fold(secret)
    yield _fold(secret)[::-1]
    yield _fold(codecs.encode(secret, "rot13"))
    yield data.hex()
    yield "".join(f"0x{byte:02x}" for byte in data)
    yield "".join(map(str, data))
    for encode, bits, period in ((base64.b64encode, 6, 3), (base64.b32encode, 5, 5)):
        for before in range(period):
            yield _fold(_encode_within(encode, data, bits, before))


def _encode_within(encode: Callable[[bytes], bytes], data: bytes, bits: int, before: int) -> str:
    """The signs that encode these bytes alone, where so many others stand before them and any after."""
    first, last = -(-before * 8 // bits), (before + len(data)) * 8 // bits
    return encode(bytes(before) + data + bytes(8)).decode()[first:last]


def _decode_escape(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind is None or kind == "sign":
        return " "
    if kind == "low":  # a sign beyond the first plane is two escapes in JSON
        return chr(0x10000 + ((int(found["high"], 16) & 0x3FF) << 10) + (int(found["low"], 16) & 0x3FF))
    number = int(found[kind], 10 if kind in _TEN else 8 if kind in _EIGHT else 16)
    return chr(number) if number < 0x110000 else " "


def _iterate_letters(text: str, escapes: re.Pattern[str] | None) -> Iterator[tuple[str, int, int]]:
    """The letters and digits of a text, without case, and where each stands in it."""
    at = 0
    for found in escapes.finditer(text) if escapes else ():
        yield from _iterate_plain_letters(text, at, found.start())
        yield from ((letter, found.start(), found.end()) for letter in _fold_letter(_decode_escape(found)))
        at = found.end()
    yield from _iterate_plain_letters(text, at, len(text))


def _iterate_plain_letters(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for found in _FOLDED.finditer(text, start, end):
        for letter in _fold_letter(found[0]):
            yield letter, found.start(), found.end()


def _fold_letter(letter: str) -> str:
    return _fold(letter if letter.isascii() else unicodedata.normalize("NFKC", letter))


def _find_all(text: str, wanted: Iterable[str]) -> Iterator[tuple[int, int]]:
    for form in wanted:
        at = text.find(form)
        while at >= 0:
            yield at, len(form)
            at = text.find(form, at + len(form))
