"""In which form a question is asked, and what of it changes when the endpoint refuses it or answers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from extractor.errors import ModelBusy, ModelError
from extractor.models.endpoint import Dialect, Endpoint
from extractor.models.openai.chat import ChatRequest, build_chat_request
from extractor.models.openai.dialects import DialectSchema, adapt_to_dialect
from extractor.models.openai.errors import RequestRefused, ServerFailed
from extractor.models.openai.learnt import LearntTraits
from extractor.models.openai.parameters import RequestForm, build_parameters, read_limit
from extractor.models.openai.pictures import count_pictures
from extractor.models.openai.refusals import (
    DialectRefused,
    FormRefused,
    MemberWanted,
    OutputLimited,
    ParameterRefused,
    PicturesRefused,
    SampleRefused,
)
from extractor.models.openai.sending import QuestionTally
from extractor.models.tokens import count_tokens
from extractor.types import Request

MAX_FORMS = 24
"""Forms of one question that are tried; each was refused for another reason."""
LEAST_REPLY_TOKENS, PROMPT_PER_REPLY = 512, 4
"""A reply is given so many tokens at least, and one for so many of its prompt; else the chunk is made smaller."""
REASKS_OF_LATER_DIALECTS = 1
"""Re-asks in a dialect that is tried since the one before brought no reply that could be read."""


@dataclass(slots=True)
class Question:
    """A request that is being asked, and what came of it so far."""

    request: Request
    reasks: int
    """How often a reply may still be asked for again in its dialect."""
    tally: QuestionTally = field(default_factory=QuestionTally)
    form: RequestForm = field(default_factory=RequestForm)
    tried: list[Dialect] = field(default_factory=list)
    """The dialects in which it was asked in vain."""
    forms: int = 0
    samples: int = 0
    """How often the endpoint refused it once in a form that it takes."""
    sent: dict[str, Any] = field(default_factory=dict)
    """The arguments with which it was sent last."""
    given: bytes | None = None
    """A completion that has come already, by another way than a request of its own."""
    unreadable: ModelError | None = None
    """What was wrong with its replies, where some came."""
    _adapted: dict[Dialect, DialectSchema] = field(default_factory=dict)

    def adapt_schema(self, dialect: Dialect) -> DialectSchema:
        """The request's schema as the dialect takes it."""
        if dialect not in self._adapted:
            self._adapted[dialect] = adapt_to_dialect(dialect, self.request.schema)
        return self._adapted[dialect]


class FormFinder:
    """Finds the form in which one endpoint takes questions, and shares what it learns."""

    def __init__(self, endpoint: Endpoint, learnt: LearntTraits) -> None:
        self._endpoint, self._learnt = endpoint, learnt

    def choose_dialect(self, question: Question) -> Dialect | None:
        """The best dialect that is left for a question; strict mode only for a schema that it can take. None: none."""
        left = [one for one in self._learnt.dialects if one not in question.tried]
        if len(left) > 1 and question.adapt_schema(left[0]).refusal_reasons:
            return left[1]
        return left[0] if left else None

    def build_chat(self, question: Question, dialect: Dialect) -> ChatRequest:
        request = question.request
        return build_chat_request(
            request,
            dialect,
            question.adapt_schema(dialect).response_schema,
            build_parameters(request.parameters, self._endpoint, self._learnt, question.form),
            folds_system=self._learnt.folds_system,
            named_tool=self._learnt.named_tool,
            most_pictures=0 if question.form.blind else self._learnt.most_pictures,
            plain_grammar=self._endpoint.other_engine is not None,
        )

    def find_limit(self, question: Question) -> int | None:
        """The tokens that a reply may have as the question is asked now."""
        return read_limit(build_parameters(question.request.parameters, self._endpoint, self._learnt, question.form))

    def give_room(self, question: Question) -> bool:
        """Whether the reply may have more room than it had, which others are then given, too."""
        had, wanted = read_limit(question.sent), self._endpoint.parameters.max_output
        wanted = wanted or read_limit(question.request.parameters)
        question.form = replace(question.form, more_room=True)
        limit = self.find_limit(question)
        if had is None or limit is None or wanted is None or limit <= had or question.form.limit is not None:
            return False
        self._learnt.give_room(limit, wanted)
        return True

    def change_form(self, question: Question, dialect: Dialect, refusal: FormRefused) -> bool:
        """Learns what a refusal teaches; whether the question can be asked in another form."""
        question.forms += 1
        if question.forms > MAX_FORMS:
            return False
        if _list_form(self.build_chat(question, dialect).arguments) != _list_form(question.sent):
            return True  # another question has found out before
        match refusal:
            case SampleRefused():
                return self._ask_for_another_sample(question, dialect)
            case ParameterRefused():
                return self._learnt.refuse(refusal)
            case MemberWanted(name=name, value=value):
                return self._learnt.set_value(name, value)
            case PicturesRefused(most=most):
                return self._learnt.limit_pictures(min(most, count_pictures(question.sent) - 1))
            case OutputLimited():
                return self._shorten_reply(question, refusal)
            case DialectRefused():
                return self._leave_dialect(question, dialect, refusal)
        return False

    def _ask_for_another_sample(self, question: Question, dialect: Dialect) -> bool:
        """One reply that the endpoint found fault with is no reason to ask others differently."""
        question.samples += 1
        if question.samples <= self._endpoint.reasks:
            self._learnt.say(f"The endpoint refused what the model wrote in the dialect {dialect}; it was asked again.")
            return True
        return self.leave_dialect_for_question(question, dialect, None)

    def _leave_dialect(self, question: Question, dialect: Dialect, refusal: DialectRefused) -> bool:
        if refusal.choice and dialect is Dialect.TOOLS and self._learnt.let_model_choose(question.sent):
            return True
        if self._learnt.proven is dialect and not question.samples:  # it was taken before: it may be this once
            question.samples += 1
            self._learnt.say(f"The endpoint refused one request in the dialect {dialect}; it was sent again.")
            return True
        if refusal.is_named:
            self._learnt.drop_dialect(dialect)
        return self.leave_dialect_for_question(question, dialect, refusal.final)

    def leave_dialect_for_question(self, question: Question, dialect: Dialect, error: ModelError | None) -> bool:
        """Whether there is another dialect for this question; or the same ones, without what is optional."""
        learnt = self._learnt
        if self._is_out_of_tries(question, error):
            return False
        is_wordless = isinstance(error, RequestRefused | ServerFailed) and question.unreadable is None
        may_be_pictures = is_wordless and count_pictures(question.sent) > 0 and not question.form.blind
        if (learnt.is_fixed or learnt.has_tried_all) and not may_be_pictures:
            return False
        if not learnt.is_fixed:
            question.tried.append(dialect)
            question.reasks = min(self._endpoint.reasks, REASKS_OF_LATER_DIALECTS)
            if self.choose_dialect(question) is not None:
                return True
        if may_be_pictures:
            question.form = replace(question.form, blind=True)
            question.tried.clear()
            return True
        if is_wordless and not question.form.bare and learnt.proven is None:
            question.form = replace(question.form, bare=True)
            question.tried.clear()
            return True
        learnt.has_tried_all = learnt.proven is None
        return False

    def _is_out_of_tries(self, question: Question, error: ModelError | None) -> bool:
        return isinstance(error, ModelBusy) and question.tally.retries >= self._endpoint.connection.attempts

    def _shorten_reply(self, question: Question, refusal: OutputLimited) -> bool:
        """Whether the same prompt may be sent with room for a shorter reply."""
        if (had := read_limit(question.sent)) is None:
            return False
        if not refusal.beside_prompt:
            self._learnt.limit_output(refusal.most or had // 2)
            return had > 1
        # a bound that has been kept and refused says that the endpoint counts otherwise than it tells
        shorter = refusal.most if refusal.most is not None and refusal.most < had else had // 2
        if shorter < max(LEAST_REPLY_TOKENS, estimate_prompt(question.request) // PROMPT_PER_REPLY):
            return False
        question.form = replace(question.form, limit=shorter)
        return True


def _list_form(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What of a request's arguments is its form, and not what is asked."""
    asked = {"model", "messages", "tools", "grammar", "response_format"}
    own = [(name, one) for name, one in sorted(arguments.items()) if name not in asked]
    return [*own, ("first", arguments["messages"][0]["role"]), ("pictures", count_pictures(arguments))]


def estimate_prompt(request: Request) -> int:
    """The tokens of the text of a request's messages, estimated."""
    return int(count_tokens(request.system) + count_tokens(request.user))
