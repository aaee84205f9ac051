"""How long an endpoint asks to wait: in its headers, in whichever of their forms, or in the body of its error."""

from __future__ import annotations

import datetime
import email.utils
import math
import time
from collections.abc import Mapping

from extractor.models.openai.problem import Problem, read_duration

_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e8, 1e11
"""From which on a time is a moment, in seconds and in milliseconds since 1970."""


def read_retry_after(headers: Mapping[str, str], problem: Problem | None = None) -> float | None:
    """Seconds that the endpoint asks to wait (RFC 9110, 10.2.3: seconds or a date; `retry-after-ms` where it is sent;
    in words of the body). None for what makes no sense: nothing, a time that is past. A date counts from the
    endpoint's own clock.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = read_duration(headers.get(name, ""))
        if seconds is not None:
            return _require_sensible(seconds * unit)
    try:
        retry_at = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        now = email.utils.parsedate_to_datetime(headers.get("date") or email.utils.formatdate())
        return _require_sensible((retry_at - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        pass
    if problem is not None and problem.delay is not None:
        return _require_sensible(problem.delay)
    return _read_window_reset({name.lower(): value for name, value in headers.items()})


def _read_window_reset(headers: Mapping[str, str]) -> float | None:
    """When the window of a limit that is spent begins anew: x-ratelimit-remaining-requests and -reset-requests as
    OpenAI has them, without the last word (OpenRouter, GitHub), or in another order (Anthropic); a time is one to
    wait, or a moment: in seconds or milliseconds since 1970, or as ISO 8601 has it."""
    for name, left in headers.items():
        if "ratelimit" in name and "remaining" in name and left.strip() == "0":
            seconds = _read_reset(headers.get(name.replace("remaining", "reset"), ""))
            if seconds is not None:
                return _require_sensible(seconds)
    return None


def _read_reset(text: str) -> float | None:
    seconds = read_duration(text)
    if seconds is None or not math.isfinite(seconds):
        try:
            return datetime.datetime.fromisoformat(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    if seconds > _EPOCH_MILLISECONDS:
        seconds /= 1000
    return seconds - time.time() if seconds > _EPOCH_SECONDS else seconds


def _require_sensible(seconds: float) -> float | None:
    return seconds if 0 < seconds < 1e9 else None
