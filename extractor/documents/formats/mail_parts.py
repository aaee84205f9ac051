"""Which parts of a mail are its text, which are files that it encloses, and which are neither.

What a mail program shows is the last of several forms that it understands, the page (RFC 2046, 5.1.4); but a form that
says nothing does not hide the other. Pictures within the text, signatures and the like are no files that anybody sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import cast

from extractor.documents.formats.mail_text import read_filename, read_payload

MAX_PARTS = 20_000
"""Parts of one mail that are looked at."""
_MAX_NESTING = 50
_SIGNATURES = frozenset(
    (
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
    )
)
_SIDE_FILES = frozenset(("text/calendar", "text/vcard", "text/x-vcard", "text/directory", "application/ics"))
"""Files that come along with a mail by themselves: read where they can be, and no loss where not."""
_SIDE_SUFFIXES = (".ics", ".vcf", ".p7s", ".asc", ".sig")
_REPORTS = frozenset(("message/delivery-status", "message/disposition-notification", "text/rfc822-headers"))
_WORD = re.compile(rb"https?://[^\s<>\"]+|[^\W_]+")
_SHOWN = re.compile(rb"cid:([^\"'\s<>)]{1,300})", re.I)
_MARKUP = re.compile(rb"<(style|script)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.S | re.I)
_MUCH_MORE = 3
"""How many times the words of its page a plain form must have to be the one that is read."""


@dataclass(slots=True)
class MailParts:
    """The parts of a mail, in order."""

    bodies: list[Message] = field(default_factory=list)
    enclosed: list[Message] = field(default_factory=list)
    optional: set[int] = field(default_factory=set)
    """Those of them that are no loss where they are not read, by identity."""
    encrypted: bool = False
    shown: list[Message] = field(default_factory=list)
    """Pictures that are no files of the mail, as its page shows them."""
    styles: dict[str, Message] = field(default_factory=dict)
    """Style sheets of its page, by the addresses that the page links to them with."""
    left_out: int = 0
    """Parts beyond the bound."""
    _pictures: list[tuple[Message, bool]] = field(default_factory=list)
    """Pictures that a page may show, and whether they belong to one."""
    _seen: int = 0

    def add_part(self, part: Message, *, related: bool = False, depth: int = 0) -> None:
        """Adds a part and those in it. `related` is whether it belongs to a page that shows it."""
        self._seen += 1
        if self._seen > MAX_PARTS or depth > _MAX_NESTING:
            self.left_out += 1
            return
        kind = part.get_content_type()
        children = _list_children(part)
        if kind == "multipart/alternative" and children:
            self._add_alternative(children, depth)
        elif kind == "multipart/related" and children:
            root = _find_root(part, children)
            self.add_part(root, depth=depth + 1)
            for child in children:
                if child is not root:
                    self.add_part(child, related=True, depth=depth + 1)
        elif kind == "multipart/encrypted":
            self.encrypted = True
        elif kind == "multipart/signed" and children:
            self.add_part(children[0], depth=depth + 1)
            for child in children[1:]:
                if child.get_content_type() not in _SIGNATURES:
                    self.add_part(child, depth=depth + 1)
        elif part.get_content_maintype() == "multipart":
            for child in children:
                self.add_part(child, related=related, depth=depth + 1)
        else:
            self._add_leaf(part, kind, related)

    def settle_pictures(self) -> None:
        """Adds the pictures that no page shows to the files; the others show what is in no file that was sent."""
        pages = b"".join(read_payload(body) for body in self.bodies if body.get_content_subtype() == "html")
        named = {name.lower() for name in _SHOWN.findall(pages)}
        for part, belongs in self._pictures:
            name = str(part["Content-ID"] or "").strip().strip("<>").encode("utf-8", "replace").lower()
            if not belongs and name not in named:
                self.enclosed.append(part)
            elif part.get_content_maintype() == "image":
                self.shown.append(part)

    def _add_alternative(self, children: list[Message], depth: int) -> None:
        """The form that is read; files in the others are files of the mail all the same."""
        texts = [child for child in children if _holds_text(child)]
        chosen = _choose_form(texts)
        for child in children:
            if child is chosen or (child not in texts and child.get_content_type() not in _SIDE_FILES):
                self.add_part(child, depth=depth + 1)
                if chosen is not None and child is not chosen and child.get_content_maintype() == "text":
                    self.optional.add(id(child))  # one more form of the same words
            elif child in texts and child.is_multipart():
                inner = MailParts()
                inner.add_part(child, depth=depth + 1)
                inner.settle_pictures()
                self.enclosed += inner.enclosed
                self.optional |= inner.optional

    def _add_leaf(self, part: Message, kind: str, related: bool) -> None:
        name = (read_filename(part)).lower()
        disposition = part.get_content_disposition() or ""
        if kind in _SIGNATURES or (name.endswith((".p7s", ".asc", ".sig")) and kind != "text/plain"):
            return
        if kind in ("text/plain", "text/html", "text/enriched") and disposition != "attachment" and not name:
            self.bodies.append(part)
        elif kind == "text/css" and related:
            key = str(part["Content-ID"] or "").strip().strip("<>")
            place = str(part["Content-Location"] or "").strip()
            self.styles |= {at: part for at in (place, key and f"cid:{key}") if at}
        elif part.get_content_maintype() in ("image", "font") or kind == "text/css":
            if part["Content-ID"] or related:
                self._pictures.append((part, related and disposition != "attachment"))
            else:
                self.enclosed.append(part)
        else:
            self.enclosed.append(part)
            if kind in _SIDE_FILES or name.endswith(_SIDE_SUFFIXES) or kind in _REPORTS:
                self.optional.add(id(part))


def find_parts(message: Message) -> MailParts:
    """The parts of a message."""
    parts = MailParts()
    parts.add_part(message)
    parts.settle_pictures()
    return parts


def _list_children(part: Message) -> list[Message]:
    payload = part.get_payload()
    if part.get_content_maintype() != "multipart" or not isinstance(payload, list):
        return []
    return cast("list[Message]", payload)


def _find_root(part: Message, children: list[Message]) -> Message:
    """The part that shows the others (RFC 2387, 3.2)."""
    start = str(part.get_param("start") or "").strip()
    return next((c for c in children if start and str(c["Content-ID"] or "").strip() == start), children[0])


def _holds_text(part: Message) -> bool:
    """Whether a form is one of text: itself, or in what it is made of."""
    return next(_find_texts(part), None) is not None


def _find_texts(part: Message) -> Iterator[Message]:
    stack, left = [part], _MAX_NESTING
    while stack and left:
        left -= 1
        inner = stack.pop(0)
        if inner.get_content_type() in ("text/plain", "text/html", "text/enriched") and not read_filename(inner):
            yield inner
        stack += _list_children(inner)


def _choose_form(forms: list[Message]) -> Message | None:
    """Of several forms of one text the last, unless another has much more to say."""
    if not forms:
        return None
    sizes = [sum(_count_words(text) for text in _find_texts(form)) for form in forms]
    best = len(forms) - 1
    for i, size in enumerate(sizes):
        if size > _MUCH_MORE * sizes[best] + 3:
            best = i
    return forms[best]


def _count_words(part: Message) -> int:
    data = read_payload(part)
    if part.get_content_subtype() == "html":
        data = _MARKUP.sub(b" ", data)
    return len(_WORD.findall(data))
