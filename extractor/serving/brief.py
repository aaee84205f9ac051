"""A result in short, for who asks by way of a model: values with their words, and words with what stands around them.

What is hidden in a document is not shown, and characters that nobody sees are spelled out: a reader of these lines may
do what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from extractor.results.model import ResultFile
from extractor.results.parts import Proof, Quote
from extractor.results.unseen import show_unseen
from extractor.types import Json

MAX_QUOTE, AROUND = 200, 200
"""Characters of a quote, and of what stands before and after it."""
MAX_LISTED = 50
"""Entries of a list that are told; more are counted."""


def shorten_result(file: ResultFile, name: str) -> dict[str, Json]:
    """The record, its evidence in short, and what is to be looked at; `name` is by what it can be asked for again."""
    told: dict[str, Json] = {
        "result": name,
        "document": show_unseen(file.document.name),
        "status": file.status.value,
        "record": file.record,
        "evidence": {pointer: _shorten_proof(proof) for pointer, proof in file.evidence.items()},
    }
    if file.error is not None:
        told["error"] = file.error.message
    lists: Mapping[str, list[dict[str, Json]]] = {
        "left_out": [{"path": one.path, "value": one.value, "reason": one.reason} for one in file.rejected],
        "conflicts": [{"path": c.path, "kept": c.kept.value, "other": c.other.value} for c in file.conflicts],
        "problems": [{"path": one.path, "message": one.message} for one in file.problems],
        "failures": [{"reason": one.reason, "message": one.message} for one in file.failures],
        "unread": [{"part": one.part, "message": one.message} for one in file.document.unread],
    }
    for key, entries in lists.items():
        if entries:
            told[key] = [
                *entries[:MAX_LISTED],
                *([{"more": len(entries) - MAX_LISTED}] if entries[MAX_LISTED:] else []),
            ]
    shown: dict[str, Json] = _show_all(told)
    return shown


def _show_all(value: Json) -> Json:
    """What a model said, too, with what nobody sees spelled out: in names of members as in values."""
    if isinstance(value, str):
        return show_unseen(value)
    if isinstance(value, Mapping):
        return {show_unseen(name): _show_all(inner) for name, inner in value.items()}
    return [_show_all(inner) for inner in value] if isinstance(value, list | tuple) else value


def _shorten_proof(proof: Proof) -> dict[str, Json]:
    quote = " … ".join(show_unseen(span.quote) for span in proof.spans)
    return {
        "match": proof.match.value,
        "confidence": proof.confidence,
        **({"quote": quote if len(quote) <= MAX_QUOTE else f"{quote[:MAX_QUOTE]}…"} if quote else {}),
        **({"findings": list(proof.findings)} if proof.findings else {}),
    }


def describe_evidence(file: ResultFile, pointer: str) -> dict[str, Json]:
    """The words behind a value, with what stands around them and where. Raises KeyError for a value that has none.

    The pointer may be as `shorten_result` shows it.
    """
    shown = {show_unseen(own): proof for own, proof in file.evidence.items()}
    proof = file.evidence.get(pointer) or shown[pointer]
    told: dict[str, Json] = {
        "document": show_unseen(file.document.name),
        "path": pointer,
        **_shorten_proof(proof),
        "said": proof.said,
        "places": [_describe_quote(file, span) for span in proof.spans],
    }
    described: dict[str, Json] = _show_all(told)
    return described


def _describe_quote(file: ResultFile, span: Quote) -> dict[str, Any]:
    text = file.document.text
    before = _show_visible(file, max(0, span.start - AROUND), span.start)
    after = _show_visible(file, span.end, min(len(text), span.end + AROUND))
    told: dict[str, Any] = {"before": before, "quote": show_unseen(span.quote), "after": after}
    pages = sorted({place.page for place in span.places if place.page is not None})
    headers = {"column": list(span.column_headers), "row": list(span.row_headers)}
    told |= {key: value for key, value in {"pages": pages, **headers}.items() if value}
    return {**told, "start": span.start, "end": span.end}


def _show_visible(file: ResultFile, start: int, end: int) -> str:
    """text[start:end] without what is hidden in it."""
    hidden: Iterable[tuple[int, int]] = sorted((one.start, one.end) for one in file.document.hidden)
    pieces, at = [], start
    for first, last in hidden:
        if first < end and last > at:
            pieces.append(file.document.text[at : max(at, first)])
            at = max(at, last)
    return show_unseen("".join([*pieces, file.document.text[at:end]]))
