"""What an endpoint says when it refuses: the words, codes and names in the body of an error, in whichever form.

    OpenAI     {"error": {"message", "type", "param", "code"}}         Azure adds innererror, a gateway metadata.raw
    Google     [{"error": {"code", "message", "status", "details": [{"fieldViolations", "retryDelay"}]}}]
    Anthropic  {"type": "error", "error": {"type", "message"}}         Ollama, TGI  {"error": "words"}
    FastAPI    {"detail": [{"type", "loc", "msg"}]}                    vLLM  {"object": "error", "message", "code"}

The forms are read alike: every text of the body is its words, and a text that is JSON itself is read as such. What
holds the request's own words is left out, so that a document is not taken for the endpoint's.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_BODY_CHARACTERS, MAX_PARTS, MAX_DEPTH = 40_000, 400, 12
"""Of an error's body that is looked at: more is no error's."""
_ECHOES = frozenset({"input", "flagged_input", "prompt", "messages", "failed_generation", "ctx", "user_id", "url"})
"""Members that hold what was sent, or what the model wrote."""
_CODES = frozenset({"code", "type", "status", "reason", "error_code", "error_type", "errorcode", "blockreason"})
_NAMES = frozenset({"param", "parameter", "field", "property", "argument"})
_WORD = re.compile(r"[A-Za-z][\w.\-]{1,60}")
_FIELD_IN_WORDS = re.compile(
    r"(?:field|property|parameter|argument|name|param)s?:?\s*[`'\"\[({]+([A-Za-z_]\w{1,40})[`'\"]"
)
_LONG_RUN = re.compile(r"(\w{200})\w+|(\s)\s+")
"""Letters or blanks without end: no words, and patterns for words take the square of them."""
_GENERIC = frozenset(
    "http error errors status code the a an was is has been occurred request response provider upstream returned bad "
    "internal server client invalid unknown unexpected unprocessable entity content unsupported media type not "
    "implemented allowed method found null none undefined something went wrong failed failure exception api detail "
    "message object false true badrequest badrequesterror invalid_request_error internal_error server_error api_error "
    "invalid_argument internalservererror unknown_error bad_request request_error".split()
)
"""Words that say no more than that something is wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as its endpoint tells it."""

    status: int
    words: str = ""
    """All that it says, in lower case, a line for each text."""
    codes: frozenset[str] = frozenset()
    """Its codes, types and reasons, in lower case."""
    names: tuple[str, ...] = ()
    """Members of the request that it names as the trouble."""
    is_page: bool = False
    """Whether it is a web page, which no interface answers with."""
    generation: str | None = None
    """What the model had written, where the endpoint refused that."""
    delay: float | None = None
    """Seconds after which it may be asked again, as the body has it."""

    @property
    def is_wordless(self) -> bool:
        """Whether it says nothing beyond that something is wrong."""
        return self.is_page or all(word in _GENERIC or word.isdigit() for word in re.findall(r"\w+", self.words))

    @property
    def code(self) -> str:
        """The most telling of its codes that may be shown; a body itself may hold the key, or the document."""
        shown = [one for one in sorted(self.codes) if "_" in one and len(one) <= 50]
        return shown[0] if shown else ""


def read_problem(status: int, content: bytes) -> Problem:
    """The problem that the body of an error tells."""
    text = content[:MAX_BODY_CHARACTERS].decode("utf-8", "replace").strip()
    if _begins_page(content):
        return Problem(status, is_page=True)
    found = _Findings()
    try:
        found.add(json.loads(text), "message", 0)
    except (ValueError, RecursionError):
        found.words.append(_shorten_runs(text))
    words = "\n".join(found.words).lower()
    names = [*found.names, *_FIELD_IN_WORDS.findall("\n".join(found.words))]
    return Problem(
        status,
        words,
        frozenset(found.codes),
        tuple(dict.fromkeys(names)),
        generation=found.generation,
        delay=found.delay if found.delay is not None else _find_delay(words),
    )


def _shorten_runs(text: str) -> str:
    return _LONG_RUN.sub(r"\1\2", text)


class _Findings:
    """Collects what is told in the parts of a body."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.codes: list[str] = []
        self.names: list[str] = []
        self.generation: str | None = None
        self.delay: float | None = None
        self._parts = 0

    def add(self, value: Any, name: str, depth: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS or depth > MAX_DEPTH:
            return
        if name == "failed_generation":
            self.generation = value if isinstance(value, str) else json.dumps(value)
        if name.lower() in _ECHOES:
            return
        if name == "loc" and isinstance(value, list):
            self._add_location(value)
        elif isinstance(value, Mapping):
            for key, one in value.items():
                self.add(one, str(key), depth + 1)
        elif isinstance(value, list):
            for one in value:
                self.add(one, name, depth + 1)
        elif isinstance(value, str):
            self._add_text(value, name, depth)
        elif isinstance(value, int) and not isinstance(value, bool) and name.lower() in _CODES:
            self.codes.append(str(value))

    def _add_text(self, text: str, name: str, depth: int) -> None:
        if name in ("retryDelay", "retry_after"):
            self.delay = read_duration(text)
        begins = text.lstrip()[:1]
        if begins in ("{", "["):
            with contextlib.suppress(ValueError, RecursionError):
                self.add(json.loads(text), name, depth + 1)
                return
        text = _shorten_runs(text)
        if begins in ("{", "["):
            self.names += _find_locations(text)  # Python's spelling of pydantic's errors
        if name.lower() in _CODES and _WORD.fullmatch(text):
            self.codes.append(text.lower())
        if name.lower() in _NAMES and _WORD.fullmatch(text):
            self.names.append(text)
        self.words.append(text)

    def _add_location(self, steps: list[Any]) -> None:
        """pydantic's `loc`: where in the request it is. A member of a message is none of the parameters."""
        words = [step for step in steps if isinstance(step, str) and step not in ("body", "query")]
        if words and words[0] != "messages":
            self.names.append(words[0])
        self.words.append(" ".join(words))


_LOCATION = re.compile(r"""['"]loc['"]:\s*[\[(]\s*['"]body['"],\s*['"](\w+)['"]""")


def _find_locations(text: str) -> Iterator[str]:
    return (found for found in _LOCATION.findall(text) if found != "messages")


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)(?![a-z])")
_AGAIN = re.compile(r"(?:try again|retry|available again|wait|reset)\w*\s+(?:in|after|for)?\s*(?:about\s+)?(?=\d)")
_LONGEST_DURATION = 100
"""Characters of a time that is told."""
_UNIT_SECONDS = {"ms": 0.001, "mi": 60.0, "m": 60.0, "s": 1.0, "h": 3600.0}


def read_duration(text: str) -> float | None:
    """Seconds of "20ms", "1.5s" or "6m0s", whose parts are added up; a bare number is seconds. Else None."""
    plain = text[:_LONGEST_DURATION].strip().lower()
    try:
        return float(plain)
    except ValueError:
        pass
    total, end = 0.0, 0
    for part in _DURATION.finditer(plain):
        if plain[end : part.start()].strip(" ,"):
            break
        unit = part[2]
        total += float(part[1]) * (0.001 if unit.startswith(("ms", "mil")) else _UNIT_SECONDS[unit[0]])
        end = part.end()
    return total if end else None


def _find_delay(words: str) -> float | None:
    """The wait that words such as "please try again in 20s" ask for."""
    found = _AGAIN.search(words)
    return read_duration(words[found.end() : found.end() + 40]) if found else None


_TOLD_BESIDE = frozenset({"code", "status", "message", "msg", "base_resp"})


def find_problem_in_reply(content: bytes) -> Problem | None:
    """The error that stands where a completion should, in an answer that calls itself good; None for no error."""
    try:
        data = json.loads(content[: MAX_BODY_CHARACTERS * 4])
    except (ValueError, RecursionError):
        return read_problem(200, content) if _begins_page(content) else None
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, dict):
        return None
    told = data.get("error") or data.get("errors") or data.get("detail")
    if not told:  # MiniMax, and gateways that count their own answers
        told = {name: one for name, one in data.items() if name in _TOLD_BESIDE and not data.get("choices")}
        if not any(isinstance(told.get(name), str) for name in ("message", "msg")) and "base_resp" not in told:
            return None
        content = json.dumps(told).encode()
    code = told.get("code") or told.get("status") if isinstance(told, dict) else None
    status = int(code) if isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)) else 200
    return read_problem(status, content)


def _begins_page(content: bytes) -> bool:
    begins = content[:2000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return begins.startswith((b"<!doctype", b"<html", b"<?xml")) or (begins.startswith(b"<!--") and b"<html" in begins)
