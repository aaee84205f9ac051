"""How likely the tokens of a reply were -> how likely each of its leaves was.

An endpoint that is asked for them tells the logarithm of each token's probability (OpenAI's `logprobs`, which
llama.cpp, vLLM, SGLang and Ollama have, too). Tokens are laid along the reply's text; a leaf's are those that its
value's characters touch, without its quotation marks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from extractor.models.openai.completion import Message
from extractor.models.openai.reply_text import find_beginning
from extractor.types import Json, LeafProbability, ValuePath

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_PIECE = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*+")|([\[\]{}:,])|([^\s\[\]{},:"]+))', re.DOTALL)


def read_leaf_probabilities(
    completion: ChatCompletion, message: Message, value: Json
) -> dict[ValuePath, LeafProbability]:
    """The probability of each plain value of a reply by its place; nothing where the endpoint tells of no tokens, or of
    tokens that do not spell the reply."""
    tokens = _read_tokens(completion)
    if not tokens or len(message.texts) != 1:
        return {}
    text = message.texts[0]
    spelled, wanted = b"".join(spelling for spelling, _ in tokens), text.encode("utf-8", "surrogatepass")
    shift = 0 if spelled.startswith(wanted) else spelled.find(wanted)  # thoughts may come first, and a mark of the end
    if shift < 0:
        return {}
    ends = list(accumulate(len(spelling) for spelling, _ in tokens))
    leaves = [(path, span) for path, span, leaf in _iterate_leaves(text) if _stands_at(value, path, leaf)]
    return dict(_sum_over_leaves(leaves, text, shift, ends, [log for _, log in tokens]))


def _read_tokens(completion: ChatCompletion) -> list[tuple[bytes, float]]:
    """Spelling and logarithm of each token; nothing where one of them makes no sense."""
    told: Any = getattr(completion.choices[0], "logprobs", None)
    content = told.get("content") if isinstance(told, dict) else getattr(told, "content", None)
    tokens = []
    for one in content or ():
        read = one.get if isinstance(one, dict) else lambda name, of=one: getattr(of, name, None)
        word, log, spelling = read("token"), read("logprob"), read("bytes")
        if not isinstance(word, str) or not isinstance(log, int | float) or not math.isfinite(log):
            return []
        try:
            tokens.append((bytes(spelling) if spelling else word.encode("utf-8", "surrogatepass"), float(min(log, 0))))
        except (TypeError, ValueError):
            return []
    return tokens


def _iterate_leaves(text: str) -> Iterator[tuple[ValuePath, tuple[int, int], str]]:
    """Path, span of the value's characters and spelling of each plain value of the object that the text holds."""
    begun = find_beginning(text)
    at = text.find(begun) if begun else len(text)
    steps: list[str | int] = []
    key: str | None = None
    awaits_key = False
    while piece := _PIECE.match(text, at):
        at = piece.end()
        string, sign, word = piece.groups()
        if sign == "{" or sign == "[":
            steps.append("" if sign == "{" else 0)
            awaits_key = sign == "{"
        elif sign == "}" or sign == "]":
            if not steps:
                return
            steps.pop()
            awaits_key = False
            if not steps:
                return
        elif sign == ",":
            if steps and isinstance(steps[-1], int):
                steps[-1] += 1
            else:
                awaits_key = True
        elif string and awaits_key:
            key, awaits_key = string[1:-1], False
            steps[-1] = key
        elif string or word:
            start, end = piece.start(1 if string else 3), piece.end(1 if string else 3)
            inner = (start + 1, end - 1) if string and end - start > 2 else (start, end)
            yield tuple(steps), inner, string or word


def _stands_at(value: Json, path: Sequence[str | int], spelling: str) -> bool:
    """Whether the reply has, at this place, a value that is spelled so: it may have been unwrapped, or its keys named
    otherwise than the schema does."""
    for step in path:
        is_there = step in value if isinstance(value, dict) else isinstance(step, int) and step < len(value or ())
        if not isinstance(value, dict | list) or not is_there:
            return False
        value = value[step]  # type: ignore[index]
    if isinstance(value, dict | list):
        return False
    return isinstance(value, str) == spelling.startswith('"')


def _sum_over_leaves(
    leaves: Sequence[tuple[ValuePath, tuple[int, int]]],
    text: str,
    shift: int,
    ends: Sequence[int],
    logs: Sequence[float],
) -> Iterator[tuple[ValuePath, LeafProbability]]:
    """Adds up, for each leaf in the order of the text, the tokens that its characters touch."""
    position, place, token = 0, shift, 0  # in characters, in bytes, and the first token that ends after that
    for path, (start, end) in leaves:
        place += len(text[position:start].encode("utf-8", "surrogatepass"))
        last = place + len(text[start:end].encode("utf-8", "surrogatepass"))
        position = start
        while token < len(ends) and ends[token] <= place:
            token += 1
        total, count, one = 0.0, 0, token
        while one < len(ends) and (one == 0 or ends[one - 1] < last):
            total, count, one = total + logs[one], count + 1, one + 1
        if count:
            yield path, LeafProbability(total, count)
