"""What an endpoint's refusals mean: openai's errors as ModelErrors, each with its reason and what to do next.

Bodies are never quoted: a 401 may echo the key, a 400 the document.
"""

from __future__ import annotations

import email.utils
from typing import Any

from extractor.errors import ExtractorError, ModelBusy, ModelError, ModelFatal


class DialectRefused(Exception):
    """The endpoint does not take the dialect that the reply's schema was sent in."""


class RequestForbidden(ModelError):
    """HTTP 401 or 403: about the key, or about this document alone when others pass; `fatal` is for the first case."""

    reason = "forbidden"

    def __init__(self, message: str, fatal: ModelFatal) -> None:
        super().__init__(message)
        self.fatal = fatal


def translate_api_error(error: Exception, base_url: str, model: str) -> Exception:
    """openai's error as a ModelError."""
    import openai

    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ExtractorError):
            return inner
        inner = inner.__cause__
    match error:
        case openai.APITimeoutError():
            return ModelBusy(f"{base_url} did not answer in time.", reason="network", lost=True)
        case openai.APIConnectionError():
            return _translate_connection_error(error, base_url)
        case openai.APIStatusError():
            return _translate_status_error(error, base_url, model)
    return ModelBusy(
        f"{base_url} sent what is no completion ({type(error).__name__}).", reason="bad response", lost=True
    )


def _translate_connection_error(error: Exception, base_url: str) -> ModelBusy:
    import httpx2

    cause = error.__cause__ or error
    name = type(cause).__name__
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        return ModelBusy(f"{base_url} cannot be reached ({name}: is it running?).", reason="network")
    if isinstance(cause, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return ModelBusy(f"Nothing can be sent to {base_url} ({name}); check --base-url.", reason="network")
    return ModelBusy(f"{base_url} broke the connection off ({name}).", reason="network", lost=True)


def _translate_status_error(error: Any, base_url: str, model: str) -> Exception:
    status = error.status_code
    message = f"{error.code} {error.type} {error.message}".lower()
    if 300 <= status < 400:
        return ModelFatal(
            f"{base_url} redirects, and documents are not sent after; give the address it redirects to as --base-url."
        )
    if "insufficient_quota" in message or status == 402:
        return ModelFatal(f"The quota at {base_url} is used up; top it up, then run again.")
    if status in (401, 403):
        fatal = ModelFatal(f"{base_url} refuses the key (HTTP {status}); check OPENAI_API_KEY.")
        return RequestForbidden(f"{base_url} forbids this request (HTTP {status}), though it takes others.", fatal)
    if status == 404:
        return ModelFatal(f"{base_url} has no model {model!r}; check --model and --base-url.")
    if status == 429:
        return ModelBusy(f"{base_url} is rate-limiting.", reason="rate limited", retry_after=read_retry_after(error))
    if status == 413 or "context" in message:
        return ModelError(
            f"{base_url} answers HTTP {status}: the chunk is too long for it; lower chunk_tokens in the prompt.",
            reason="too long",
        )
    if status in (400, 422) and _concerns_response_format(message):
        return DialectRefused(f"HTTP {status}")
    if status in (408, 409) or status >= 500:
        return ModelBusy(f"{base_url} answers HTTP {status}.", reason="upstream", retry_after=read_retry_after(error))
    return ModelError(f"{base_url} answers HTTP {status}: it refuses the request.")


def _concerns_response_format(message: str) -> bool:
    return any(word in message for word in ("response_format", "json_schema", "tool", "grammar", "schema"))


def read_retry_after(error: Any) -> float | None:
    """Seconds that the endpoint asks to wait (RFC 9110, 10.2.3: seconds or a date; `retry-after-ms` where it is sent).

    None for what makes no sense: words, nothing, a time that is past. A date counts from the endpoint's own clock.
    """
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return seconds if 0 < seconds < 1e9 else None
    try:
        retry_at = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        now = email.utils.parsedate_to_datetime(headers.get("date") or email.utils.formatdate())
        seconds = (retry_at - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if 0 < seconds < 1e9 else None
