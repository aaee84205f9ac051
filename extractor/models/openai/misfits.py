"""Leaves of a reply that do not fit are asked for again alone: a short question, whose answers take their places."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from extractor.models.openai.reply import FittedReply, Misfit
from extractor.types import Json, Request, ValuePath

MAX_ASKED_AGAIN = 20
"""Leaves that are asked for again, the first of those that do not fit: more of them are a model's way, and no slip."""
_LONGEST_SHOWN = 80
_AGAIN = """

Asked before, you answered with values that are not of the type that is wanted:
{lines}
Give these values again, and nothing else: a JSON object with the keys {keys}. null where the document says none."""


def build_misfit_request(request: Request, reply: FittedReply) -> Request:
    """The question about the leaves of a reply that do not fit; its keys are value_1 and so on, in their order."""
    wrong = reply.misfits[:MAX_ASKED_AGAIN]
    keys = [f"value_{n}" for n in range(1, len(wrong) + 1)]
    lines = [f"- {key}: {_describe(one, reply.value)}" for key, one in zip(keys, wrong, strict=True)]
    schema = {
        "type": "object",
        "properties": {key: one.schema for key, one in zip(keys, wrong, strict=True)},
        "required": keys,
        "additionalProperties": False,
    }
    words = _AGAIN.format(lines="\n".join(lines), keys=", ".join(keys))
    return replace(request, user=request.user + words, schema=schema, grammar=None, label=f"{request.label} again")


def _describe(misfit: Misfit, value: Json) -> str:
    said = json.dumps(read_at(value, misfit.path), ensure_ascii=False)
    shown = said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}…"
    return f"{'.'.join(map(str, misfit.path))} was {shown}, which {misfit.problem}"


def put_in_place(reply: FittedReply, answer: FittedReply) -> FittedReply:
    """The reply with the answers that fit in place of the leaves that did not; the rest of these stay as they are."""
    unfit = {misfit.path[0] for misfit in answer.misfits}
    left: list[Misfit] = reply.misfits[MAX_ASKED_AGAIN:]
    settled: set[ValuePath] = set()
    for n, misfit in enumerate(reply.misfits[:MAX_ASKED_AGAIN], 1):
        key = f"value_{n}"
        if key in unfit or answer.value.get(key) is None:
            left.append(misfit)
            continue
        _write_at(reply.value, misfit.path, answer.value[key])
        settled.add(misfit.path)
    besides = [(path, one) for path, one in reply.said_besides if path not in settled]
    return FittedReply(reply.value, left, besides)


def read_at(value: Json, path: Sequence[str | int]) -> Json:
    for step in path:
        value = value[step]
    return value


def _write_at(value: Json, path: ValuePath, leaf: Json) -> None:
    read_at(value, path[:-1])[path[-1]] = leaf
