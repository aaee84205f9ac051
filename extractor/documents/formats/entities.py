"""Letters in the source of a web page, which may spell one of them `&eacute;`."""

from __future__ import annotations

import html
import re

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_TAG = re.compile(r"</?[A-Za-z][^>]*>")


def find_source_offsets(data: str, source: str, origin: int) -> list[int]:
    """Where each letter of a text stands in its source, and where the last ends; shorter where the two part ways."""
    steps, at = [origin], origin
    i = 0
    while i < len(data) and at < len(source):
        letter = source[at]
        if letter == "&" and (entity := _ENTITY.match(source, at)):
            for size in range(len(entity[0]), 2, -1):
                spelled = html.unescape(entity[0][:size])
                if (
                    spelled != entity[0][:size]
                    and "&" not in spelled[1:]
                    and data.startswith(spelled, i)
                    and len(spelled) <= 2
                ):
                    steps += [at] * (len(spelled) - 1) + [at + size]
                    i, at = i + len(spelled), at + size
                    break
            else:
                if data[i] != "&":
                    return steps
                i, at = i + 1, at + 1
                steps.append(at)
            continue
        # a tag that closes nothing parts no text; what follows it may be a "<" of the text, as in "a</b><a"
        if letter == "<" and (tag := _TAG.match(source, at)) and not data.startswith(tag[0], i):
            steps[-1] = at = tag.end()
            continue
        width = 2 if letter == "\r" and source[at + 1 : at + 2] == "\n" else 1
        if data[i] != ("\n" if letter == "\r" else letter):
            return steps
        i, at = i + 1, at + width
        steps.append(at)
    return steps


_ATTRIBUTE = re.compile(r"[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"'][^\s>]*)?))?")
_LONGEST_TAG = 100_000
_TAG_NAME = re.compile(r"<[A-Za-z][^\s/>]*")


def find_attribute(source: str, tag: int, name: str) -> tuple[int, int] | None:
    """Where the value of an attribute stands, of the tag that begins at a place of the source."""
    opening = _TAG_NAME.match(source, tag)
    at = opening.end() if opening else tag
    end = min(len(source), tag + _LONGEST_TAG)
    while opening and at < end and source[at] != ">":
        attribute = _ATTRIBUTE.match(source, at, end)
        if attribute is None:
            return None
        if attribute[1].lower() == name and attribute.lastindex and attribute.lastindex > 1:
            return attribute.span(attribute.lastindex)
        at = attribute.end()
    return None
