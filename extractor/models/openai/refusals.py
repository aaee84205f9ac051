"""What an endpoint takes exception to in the form of a request, so that it can be asked in another form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.errors import ModelError
from extractor.models.openai import wording
from extractor.models.openai.problem import Problem
from extractor.types import Json

LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
"""The two names of the bound on a reply's tokens."""
SYSTEM_ROLE = "system role"
"""What is dropped where an endpoint takes no system message: its words then lead the user's."""
_THINKING_NAMES = frozenset({"reasoning_effort", "thinking", "reasoning", "enable_thinking", "chat_template_kwargs"})
_NO_THINKING = re.compile(r"n[o']t support (?:thinking|reasoning)\b")
_MOST_TOKENS = re.compile(r"\bmax(?:imum)?(?: (?:new|output|completion))? tokens\b")
_FORM_NAMES = frozenset({"model", "messages", "response_format", "tools", "tool_choice", "grammar", "stream"})
_OBJECTION = re.compile(
    r"unsupported|n[o']t (?:support|permitted|allowed|accept|enabled|available|valid|compatible)|not an? |disallowed"
    r"|unknown|unrecogni[sz]ed|unexpected|extra|invalid|forbidden|cannot|can't|\bonly\b|must (?:be|not)|should be"
    r"|deprecated|no longer|incompatible|ignored|remove|drop|out of range|above|below|too (?:large|high|big)"
    r"|greater than|exceed"
)
_ALSO_SPELLED = {
    "max_tokens": ("maxtokens", "maxoutputtokens", "maxnewtokens"),
    "max_completion_tokens": ("maxcompletiontokens", "maxoutputtokens"),
    "logprobs": ("responselogprobs", "toplogprobs"),
    "chat_template_kwargs": ("chattemplatekwargs", "enablethinking"),
    "reasoning_effort": ("reasoningeffort",),
}
_AT_MOST = (
    re.compile(r"at most (\d+)"),
    re.compile(r"less than or equal to\W{0,3}(\d+)"),
    re.compile(r"<=\s*(\d+)"),
    re.compile(r"\d+ > (\d+)"),
    re.compile(r"range .{0,60}?\[\s*1\s*,\s*(\d+)\s*\]"),
    re.compile(r"from 1 \(inclusive\) to (\d+) \(exclusive\)"),
    re.compile(r"(?:limit|maximum)\D{0,40}?(\d{3,})"),
)
_MOST_PICTURES = re.compile(
    r"(?:at most|maximum (?:of )?|up to|limit (?:is|of)|only supports?) (\d{1,4}) (?:images?|pictures?)"
    r"|(?:images?|pictures?) .{0,40}?(?:at most|maximum (?:is|of)|limit (?:is|of)|<=) (\d{1,4})\b"
)
_TOO_MUCH = re.compile(
    r"too (?:large|high|big)|exceed|maximum|at most|less than|range|limited|<=|above|greater|only up to"
)
_WINDOW = re.compile(
    r"(?:context (?:length|window|size|limit)|max_model_len|context)\D{0,30}?(\d{3,9})"
    r"|(\d{3,9}) (?:maximum )?(?:tokens? )?context"
)
_PROMPT_TOKENS = re.compile(
    r"\((\d+) in (?:the|your) (?:messages|prompt)|(?:has|contains)(?: at least)? (\d+) (?:input|prompt) tokens"
    r"|: (\d+) \+ \d+ > \d+|given: (\d+) `?inputs|(\d+) (?:input|prompt) tokens"
)
_SUM_OVER_WINDOW = re.compile(r"\d+ \+ \d+ > (\d+)|must be <=? ?(\d+)")
_OUTPUT_WORDS = re.compile(
    r"max_tokens|max_completion_tokens|max_new_tokens|completion|output tokens|generation length"
)
_PROMPT_WORDS = re.compile(r"prompt|\binputs?\b|messages|\btotal\b|\d \+ \d")
_SET_TO = re.compile(r"[`'\"]?(?:parameter\.)?(\w+)[`'\"]? must be set to [`'\"]?(true|false)\b")


class FormRefused(Exception):
    """The endpoint does not take the form of a request. `final` is what is said where there is no other form."""

    def __init__(self, final: ModelError) -> None:
        super().__init__(str(final))
        self.final = final


class DialectRefused(FormRefused):
    """It may be about how the schema was sent; `is_named`, it says so. `choice`, it is about the choice of the tool."""

    def __init__(self, final: ModelError, *, is_named: bool, choice: bool = False) -> None:
        super().__init__(final)
        self.is_named, self.choice = is_named, choice


class ParameterRefused(FormRefused):
    """It is about one parameter, which `supported` has values for where the endpoint names some."""

    def __init__(self, final: ModelError, name: str, problem: Problem) -> None:
        super().__init__(final)
        self.name = name
        self.wants_other_limit = name in LIMIT_NAMES and _other(name) in problem.words
        self.supported = tuple(re.findall(r"'([\w.-]+)'", problem.words.partition("supported values")[2]))


class MemberWanted(FormRefused):
    """A member that was not sent has to stand in the body with this value."""

    def __init__(self, final: ModelError, name: str, value: Json) -> None:
        super().__init__(final)
        self.name, self.value = name, value


class OutputLimited(FormRefused):
    """A reply may not be as long as was asked for: `most` tokens, or fewer than asked for where that is None.

    `beside_prompt`, since both have to fit into one window of `window` tokens.
    """

    def __init__(
        self, final: ModelError, most: int | None, *, beside_prompt: bool = False, window: int | None = None
    ) -> None:
        super().__init__(final)
        self.most, self.beside_prompt, self.window = most, beside_prompt, window


class PicturesRefused(FormRefused):
    """A request may hold `most` pictures: none, where the model does not see."""

    def __init__(self, final: ModelError, most: int) -> None:
        super().__init__(final)
        self.most = most


class SampleRefused(FormRefused):
    """The endpoint found fault with what the model wrote this time: `generation`, where it shows it."""

    def __init__(self, final: ModelError, generation: str | None) -> None:
        super().__init__(final)
        self.generation = generation


def _other(name: str) -> str:
    return LIMIT_NAMES[1 - LIMIT_NAMES.index(name)]


def find_parameter(problem: Problem, arguments: Mapping[str, Any], set_by_user: frozenset[str]) -> str | None:
    """The parameter of the request that the problem is about; of several, one that no user has set before others."""
    sent = [name for name in arguments if name not in _FORM_NAMES]
    named = {_fold(name) for name in problem.names}
    found = [name for name in sent if any(one in named for one in _spellings(name))]
    if not found and _OBJECTION.search(problem.words):
        words = {_fold(word) for word in re.findall(r"[a-z_]\w+", problem.words)}
        found = [name for name in sent if any(one in words for one in _spellings(name))]
        if LIMIT_NAMES[0] in found and LIMIT_NAMES[1] in found:
            found.remove(LIMIT_NAMES[1])
    if not found and _NO_THINKING.search(problem.words):
        found = [name for name in sent if name in _THINKING_NAMES]
    if not found and _MOST_TOKENS.search(problem.words):
        found = [name for name in sent if name in LIMIT_NAMES and find_output_limit(problem, arguments[name])]
    found.sort(key=lambda name: name in set_by_user)
    return found[0] if found else None


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _spellings(name: str) -> Iterator[str]:
    yield _fold(name)
    yield from _ALSO_SPELLED.get(name, ())


def find_wanted_member(problem: Problem, arguments: Mapping[str, Any]) -> tuple[str, bool] | None:
    """A switch that the endpoint wants in the body, as in "enable_thinking must be set to false"."""
    found = _SET_TO.search(problem.words)
    if found is None or found[1] in _FORM_NAMES or arguments.get(found[1]) == (found[2] == "true"):
        return None
    return found[1], found[2] == "true"


def is_output_limit(problem: Problem, name: str) -> bool:
    """Whether a refusal of the bound on a reply's tokens is about its size, not its name."""
    if name not in LIMIT_NAMES or (_other(name) in problem.words and "unsupported parameter" in problem.words):
        return False
    return bool(_TOO_MUCH.search(problem.words)) and any(char.isdigit() for char in problem.words)


def find_picture_limit(problem: Problem) -> int:
    """How many pictures a request may hold, by a problem that is about them."""
    found = _MOST_PICTURES.search(problem.words)
    return int(found[1] or found[2]) if found else 0


def find_output_limit(problem: Problem, asked: int | None) -> int | None:
    """The tokens that a reply may have, if the problem names a number below the one that was asked for."""
    for pattern in _AT_MOST:
        for found in pattern.findall(problem.words):
            most = int(found) - ("exclusive" in pattern.pattern)
            if most > 0 and (asked is None or most < asked):
                return most
    return None


def concerns_output_alone(problem: Problem) -> bool:
    """Whether a refusal of a reply's length says nothing of the prompt beside it."""
    return not _PROMPT_WORDS.search(problem.words) and find_window(problem) is None


def concerns_output(problem: Problem) -> bool:
    """Whether a window that is too small may do for the prompt, with a shorter reply."""
    return wording.names_length(problem) and bool(_OUTPUT_WORDS.search(problem.words))


def find_window(problem: Problem) -> int | None:
    """The tokens of the model's window, if the problem names them."""
    found = _SUM_OVER_WINDOW.search(problem.words) or _WINDOW.search(problem.words)
    return int(found[1] or found[2]) if found else None


def find_prompt_tokens(problem: Problem) -> int | None:
    """The tokens of the prompt, if the problem names them."""
    found = _PROMPT_TOKENS.search(problem.words)
    return int(next(one for one in found.groups() if one)) if found else None
