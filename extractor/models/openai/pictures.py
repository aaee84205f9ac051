"""Pictures of pages in a request: put into its messages, counted, and taken out again where a request is kept."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from extractor.types import Json, PageImage
from extractor.types.picture import MEDIA_TYPE

_ADDRESS = f"data:{MEDIA_TYPE};base64,"
_TOLD = "The document's {pages} as {pictures}; their words are in the text below, as far as they could be read."


def show_pictures(messages: Sequence[Mapping[str, Any]], pictures: Sequence[PageImage]) -> list[dict[str, Any]]:
    """The messages with the pictures in the first one of the user: what they are, they themselves, then its text."""
    shown, is_shown = [], not pictures
    for message in messages:
        if is_shown or message["role"] != "user":
            shown.append(dict(message))
            continue
        is_shown = True
        text = message["content"]
        texts = text if isinstance(text, list) else [_text_part(text)]
        addresses = (_ADDRESS + base64.b64encode(page.data).decode() for page in pictures)
        parts = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
        shown.append({**message, "content": [_text_part(_describe(pictures)), *parts, *texts]})
    return shown


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _describe(pictures: Sequence[PageImage]) -> str:
    numbers = [str(page.page) for page in pictures]
    if len(numbers) == 1:
        return _TOLD.format(pages=f"page {numbers[0]}", pictures="a picture")
    return _TOLD.format(pages=f"pages {', '.join(numbers[:-1])} and {numbers[-1]}", pictures="pictures")


def count_pictures(arguments: Mapping[str, Any]) -> int:
    """How many pictures the messages of a request hold."""
    return sum(len(list_pictures(message.get("content"))) for message in arguments.get("messages", ()))


def list_pictures(content: Any) -> list[str]:
    """The pictures in the content of a message, in base64."""
    parts = content if isinstance(content, list) else ()
    urls = [part.get("image_url", {}).get("url", "") for part in parts if isinstance(part, dict)]
    return [url.removeprefix(_ADDRESS) for url in urls if url.startswith(_ADDRESS)]


def replace_pictures(body: bytes) -> bytes:
    """The body of a request, in which the digest of each picture stands for it, whoever's interface it is of.

    A body without pictures stays as it is, to the byte.
    """
    if b"image/jpeg" not in body:
        return body
    try:
        told = json.loads(body)
    except ValueError:
        return body
    return json.dumps(_replace_in(told, False), ensure_ascii=False).encode()


def _replace_in(value: Json, is_picture: bool) -> Json:
    """`is_picture`, a member `data` of the value is that of a picture."""
    if isinstance(value, list):
        return [_replace_in(one, False) for one in value]
    if isinstance(value, dict):
        typed = any(value.get(name) == MEDIA_TYPE for name in ("media_type", "mimeType", "mime_type"))
        return {name: _replace_in(one, typed and name == "data") for name, one in value.items()}
    if isinstance(value, str) and (is_picture or value.startswith(_ADDRESS)):
        return _name_digest(value.removeprefix(_ADDRESS))
    return value


def _name_digest(text: str) -> str:
    """The digest of what is given in base64, of either alphabet; of what is none that of the text."""
    try:
        data = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        data = text.encode()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
