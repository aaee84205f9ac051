"""What an endpoint's refusals mean: openai's errors as ModelErrors, each with its reason and what to do next.

Bodies are never quoted: a 401 may echo the key, a 400 the document. `refusals` has what can be asked in another form.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extractor.errors import TOO_LONG, ExtractorError, ModelBusy, ModelError, ModelFatal, ReplyRefused
from extractor.models.openai import refusals, wording
from extractor.models.openai.pictures import count_pictures
from extractor.models.openai.problem import Problem, read_problem
from extractor.models.openai.refusals import (
    SYSTEM_ROLE,
    DialectRefused,
    MemberWanted,
    OutputLimited,
    ParameterRefused,
    PicturesRefused,
    SampleRefused,
)
from extractor.models.openai.retry_after import read_retry_after

_FORM_STATUSES = frozenset({400, 404, 405, 406, 415, 416, 422, 500, 501})
"""Statuses that may mean that a request's form is not taken."""

_PASSING_STATUSES = frozenset({408, 409, 423, 424, 425, 449, 498, 499})
"""Statuses below 500 of what may be otherwise the next time: timeouts, conflicts, a lock, what another server failed at
(424, as TGI and SageMaker have it), no capacity (498, as Groq has it), a request that was called off (499)."""

SPARE_TOKENS = 16
"""Tokens left free where a reply is fitted beside its prompt: endpoints count what their template adds differently."""


class RequestForbidden(ModelError):
    """HTTP 401 or 403: about the key, or about this document alone when others pass; `fatal` is for the first case."""

    reason = "forbidden"

    def __init__(self, message: str, fatal: ModelFatal) -> None:
        super().__init__(message)
        self.fatal = fatal


class RequestRefused(ModelError):
    """The endpoint refuses the request for a reason that is none of the known; `kind` is equal for equal reasons."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class ServerFailed(ModelBusy):
    """HTTP 5xx, 408 and the like. `may_be_form`, it may be that it does not take the request's form."""

    reason = "upstream"

    def __init__(self, message: str, *, retry_after: float | None = None, may_be_form: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        self.may_be_form = may_be_form


class NotReady(ModelBusy):
    """The endpoint is loading, or takes no more for now, and is waited for as long as one has patience."""

    reason = "upstream"


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What a refused request was, as far as its refusal can be about it."""

    base_url: str
    model: str
    arguments: Mapping[str, Any]
    set_by_user: frozenset[str] = frozenset()

    @property
    def limit(self) -> int | None:
        found = [self.arguments.get(name) for name in refusals.LIMIT_NAMES]
        return next((one for one in found if isinstance(one, int)), None)


def translate_api_error(error: Exception, sent: SentRequest) -> Exception:
    """openai's error as a ModelError, or as a FormRefused."""
    import openai

    for inner in _iterate_causes(error):
        if isinstance(inner, ExtractorError):
            return inner
    match error:
        case openai.APITimeoutError():
            return ModelBusy(f"{sent.base_url} did not answer in time.", reason="network", lost=True)
        case openai.APIConnectionError():
            return _translate_connection_error(error, sent.base_url)
        case openai.APIStatusError():
            problem = read_problem(error.status_code, error.response.content)
            return translate_problem(problem, sent, read_retry_after(error.response.headers, problem))
    return ModelBusy(
        f"{sent.base_url} sent what is no completion ({type(error).__name__}).", reason="bad response", lost=True
    )


def _iterate_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _translate_connection_error(error: Exception, base_url: str) -> ModelError:
    import httpx2

    cause = error.__cause__ or error
    name = type(cause).__name__
    told = " ".join(str(one) for one in _iterate_causes(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in _iterate_causes(error)) or "CERTIFICATE" in told:
        return ModelFatal(
            f"The certificate of {base_url} is not trusted; name the file of its authority's with "
            "--set ca_file=FILE or SSL_CERT_FILE."
        )
    if any(isinstance(one, ssl.SSLError) for one in _iterate_causes(error)) or "WRONG_VERSION_NUMBER" in told:
        return ModelFatal(f"{base_url} speaks no TLS that can be understood; try http:// in --base-url.")
    if isinstance(cause, httpx2.ProxyError):
        return ModelFatal(
            f"The proxy before {base_url} does not let requests pass (407 where it wants a name and password); set "
            "another with --set proxy."
        )
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        return ModelBusy(f"{base_url} cannot be reached ({name}: is it running?).", reason="network")
    if isinstance(cause, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return ModelBusy(f"Nothing can be sent to {base_url} ({name}); check --base-url.", reason="network")
    return ModelBusy(f"{base_url} broke the connection off ({name}).", reason="network", lost=True)


def translate_problem(problem: Problem, sent: SentRequest, retry_after: float | None = None) -> Exception:
    """What an error means that came with this status and body."""
    status, url = problem.status, sent.base_url
    if 300 <= status < 400:
        return ModelFatal(
            f"{url} redirects, and documents are not sent after; give the address it redirects to as --base-url."
        )
    found = _name_form_refusal(problem, sent) or _name_known_refusal(problem, sent, retry_after)
    if found is not None:
        return found
    if status in _PASSING_STATUSES or status >= 500:
        return ServerFailed(f"{url} answers HTTP {status}{_tell(problem)}.", retry_after=retry_after)
    return _refused_error(problem, sent)


def _refused_error(problem: Problem, sent: SentRequest) -> RequestRefused:
    status = problem.status
    return RequestRefused(
        f"{sent.base_url} answers HTTP {status}: it refuses the request{_tell(problem)}.", f"{status} {problem.code}"
    )


def _tell(problem: Problem) -> str:
    return f" ({problem.code})" if problem.code else ""


def _name_form_refusal(problem: Problem, sent: SentRequest) -> Exception | None:
    """What of the request's form a problem names by its own words."""
    status = problem.status
    if status not in _FORM_STATUSES | {403, 502, 200} or problem.is_page:
        return None
    final = _refused_error(problem, sent)
    if status != 403 and count_pictures(sent.arguments) and wording.names_pictures(problem):
        return PicturesRefused(final, refusals.find_picture_limit(problem))
    if wording.names_sample(problem):
        return SampleRefused(final, problem.generation)
    name = refusals.find_parameter(problem, sent.arguments, sent.set_by_user)
    if status == 403 and name != "logprobs":
        return None
    is_bound = name is not None and refusals.is_output_limit(problem, name)
    if wording.names_length(problem) and not (is_bound and refusals.concerns_output_alone(problem)):
        return _name_length(problem, sent, final)
    if wanted := refusals.find_wanted_member(problem, sent.arguments):
        return MemberWanted(final, *wanted)
    if is_bound:
        return OutputLimited(final, refusals.find_output_limit(problem, sent.limit))
    if name is not None:
        return ParameterRefused(_name_parameter(problem, sent, name), name, problem)
    if wording.names_system_role(problem):
        return ParameterRefused(final, SYSTEM_ROLE, problem)
    if wording.names_filter(problem) or wording.names_missing_model(problem) or wording.names_quota(problem):
        return None
    if wording.names_account(problem) or wording.names_memory(problem) or wording.names_no_chat(problem):
        return None
    if wording.names_dialect(problem):
        final = _dialect_error(problem, sent)
        return DialectRefused(final, is_named=True, choice=wording.names_tool_choice(problem))
    return None


def _name_parameter(problem: Problem, sent: SentRequest, name: str) -> RequestRefused:
    return RequestRefused(
        f"{sent.base_url} answers HTTP {problem.status}: it does not take {name!r} as it was sent; set it otherwise.",
        f"parameter {name}",
    )


def _name_length(problem: Problem, sent: SentRequest, final: ModelError) -> Exception:
    if refusals.concerns_output(problem) and sent.limit is not None:
        window, prompt = refusals.find_window(problem), refusals.find_prompt_tokens(problem)
        most = window - prompt - SPARE_TOKENS if window and prompt else None
        if most is None or most > 0:
            return OutputLimited(too_long_error(sent, problem.status), most, beside_prompt=True, window=window)
    return too_long_error(sent, problem.status)


def too_long_error(sent: SentRequest, status: int) -> ModelError:
    return ModelError(
        f"{sent.base_url} answers HTTP {status}: the chunk is too long for it; lower chunk_tokens in the prompt.",
        reason=TOO_LONG,
    )


def _dialect_error(problem: Problem, sent: SentRequest) -> RequestRefused:
    return RequestRefused(
        f"{sent.base_url} refuses how the schema is sent to it (HTTP {problem.status}); name another model, or a "
        "dialect that it takes.",
        f"{problem.status} dialect",
    )


def _name_known_refusal(problem: Problem, sent: SentRequest, retry_after: float | None) -> Exception | None:
    """What a problem is that no other form of the request would cure."""
    url, status = sent.base_url, problem.status
    if status == 402 and retry_after is not None:
        return NotReady(f"{url} answers HTTP 402 for now.", reason="rate limited", retry_after=retry_after)
    if wording.names_quota(problem):
        return ModelFatal(f"The quota at {url} is used up; top it up, then run again.")
    if wording.names_account(problem) and status < 500:
        return ModelFatal(
            f"{url} does not let this account use the model {sent.model!r} (HTTP {status}): its terms, region, "
            "verification or privacy settings are against it; see to that in the account's settings there."
        )
    if wording.names_memory(problem):
        return ModelFatal(
            f"{url} cannot load the model {sent.model!r} (HTTP {status}), as for want of memory; free some, or name a "
            "smaller one with --model."
        )
    if status == 407:
        return ModelFatal(f"The proxy before {url} wants a name and password (HTTP 407); set another with --set proxy.")
    if wording.names_length(problem) and (status < 500 and status != 401):
        return too_long_error(sent, status)
    if status == 429:
        return _name_rate_limit(sent, retry_after)
    if wording.names_filter(problem):
        return ReplyRefused(f"{url} answers HTTP {status}: its filter declined the text.")
    if status == 403 and problem.is_page:
        return _name_guarded(sent)
    if (status == 401 or wording.names_key(problem)) and status < 500 and status != 200:
        return _name_forbidden(sent, status)
    if wording.names_stream(problem) and status < 500:
        return ModelFatal(f"The model {sent.model!r} at {url} answers as a stream alone; name another with --model.")
    if wording.names_no_chat(problem) and (status < 500 or status == 501):
        return ModelFatal(f"{sent.model!r} at {url} is no model that one can chat with; name another with --model.")
    if wording.names_missing_model(problem) and not problem.is_page and status < 500:
        return ModelFatal(f"{url} has no model {sent.model!r}; check --model and --base-url.")
    if status == 403:
        return _name_forbidden(sent, status)
    is_elsewhere = (problem.is_page or wording.names_wrong_path(problem)) and status not in _PASSING_STATUSES
    if status in (404, 405, 410) or (status < 500 and is_elsewhere):
        return _name_route(problem, sent)
    if status == 200 and wording.names_limit(problem):
        return NotReady(f"{url} is rate-limiting.", reason="rate limited", retry_after=retry_after)
    if status >= 500 and wording.names_loading(problem):
        return NotReady(f"{url} answers HTTP {status}: it is not ready.", retry_after=retry_after)
    if status in (500, 501) and not problem.is_page:
        failed = ServerFailed(
            f"{url} answers HTTP {status}{_tell(problem)}.", retry_after=retry_after, may_be_form=True
        )
        return DialectRefused(failed, is_named=False) if status == 501 else failed
    if status in _FORM_STATUSES:
        final = RequestRefused(
            f"{url} answers HTTP {status}: it refuses the request{_tell(problem)}.", f"{status} {problem.code}"
        )
        return DialectRefused(final, is_named=False)
    return None


def _name_rate_limit(sent: SentRequest, retry_after: float | None) -> ModelBusy:
    message = f"{sent.base_url} is rate-limiting."
    if retry_after is None:
        return NotReady(message, reason="rate limited")
    return ModelBusy(message, reason="rate limited", retry_after=retry_after)


def _name_forbidden(sent: SentRequest, status: int) -> RequestForbidden:
    fatal = ModelFatal(f"{sent.base_url} refuses the key (HTTP {status}); check OPENAI_API_KEY.")
    return RequestForbidden(f"{sent.base_url} forbids this request (HTTP {status}), though it takes others.", fatal)


def _name_guarded(sent: SentRequest) -> RequestForbidden:
    fatal = ModelFatal(
        f"{sent.base_url} answers with a web page (HTTP 403), as a firewall or proxy does that stands before it; have "
        "it let requests pass, or check --base-url."
    )
    return RequestForbidden(f"A firewall before {sent.base_url} forbids this request (HTTP 403).", fatal)


def _name_route(problem: Problem, sent: SentRequest) -> Exception:
    url, status = sent.base_url, problem.status
    if problem.is_page:
        return ModelFatal(
            f"{url} answers with a web page (HTTP {status}), as no model does; give the address of the interface, "
            "which mostly ends with /v1, as --base-url."
        )
    if "/deployments/" in url:
        hint = "and its query (?api-version=2024-10-21)"
    else:
        hint = f"which mostly ends with /v1, and that the model {sent.model!r} is there"
    route = ModelFatal(
        f"There is nothing at {url}/chat/completions (HTTP {status}); check the path of --base-url, {hint}."
    )
    if wording.names_wrong_path(problem) or wording.names_missing_route(problem):
        return route
    return DialectRefused(route, is_named=False)
