"""How long an endpoint asks to wait: in its headers, in whichever of their forms, or in the body of its error."""

from __future__ import annotations

import datetime
import email.utils
import math
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
    named = {name.lower(): value for name, value in headers.items()}
    try:
        return _require_sensible(_wait_until(email.utils.parsedate_to_datetime(named.get("retry-after", "")), named))
    except (ValueError, TypeError, OverflowError):
        pass
    if problem is not None and problem.delay is not None:
        return _require_sensible(problem.delay)
    return _read_window_reset(named)


def _wait_until(moment: datetime.datetime, headers: Mapping[str, str]) -> float:
    """Seconds until then by the endpoint's clock, which its Date has; by this machine's where it says none."""
    now = email.utils.parsedate_to_datetime(headers.get("date") or email.utils.formatdate(usegmt=True))
    return (moment - now).total_seconds()


def _read_window_reset(headers: Mapping[str, str]) -> float | None:
    """When the window of a limit that is spent begins anew: x-ratelimit-remaining-requests and -reset-requests as
    OpenAI has them, without the last word (OpenRouter, GitHub), or in another order (Anthropic); a time is one to
    wait, or a moment: in seconds or milliseconds since 1970, or as ISO 8601 has it."""
    for name, left in headers.items():
        if "ratelimit" in name and "remaining" in name and left.strip() == "0":
            seconds = _read_reset(headers.get(name.replace("remaining", "reset"), ""), headers)
            if seconds is not None:
                return _require_sensible(seconds)
    return None


def _read_reset(text: str, headers: Mapping[str, str]) -> float | None:
    seconds = read_duration(text)
    try:
        if seconds is None or not math.isfinite(seconds):
            moment = datetime.datetime.fromisoformat(text)
            return _wait_until(moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC), headers)
        if seconds > _EPOCH_SECONDS:
            since = seconds / 1000 if seconds > _EPOCH_MILLISECONDS else seconds
            return _wait_until(datetime.datetime.fromtimestamp(since, datetime.UTC), headers)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return seconds


def _require_sensible(seconds: float) -> float | None:
    return seconds if 0 < seconds < 1e9 else None
