"""Lists of spans: in order, and none in another."""

from __future__ import annotations

from collections.abc import Iterable

from extractor.types import Span


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that overlap made one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def subtract_spans(spans: list[Span], others: list[Span]) -> list[Span]:
    """What of the spans is in none of the others; both in order, without overlaps."""
    left: list[Span] = []
    i = 0
    for span in spans:
        at = span.start
        while i < len(others) and others[i].end <= at:
            i += 1
        j = i
        while j < len(others) and others[j].start < span.end:
            if others[j].start > at:
                left.append(Span(at, others[j].start))
            at = max(at, others[j].end)
            j += 1
        if at < span.end:
            left.append(Span(at, span.end))
    return left
