"""Figures of a server in Prometheus' text form. No name of a document, a key or a schema is among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily

from extractor.serving.jobs import JobOrder
from extractor.types import Status, Usage

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)


class ServerMetrics:
    """The figures of one server."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which few want
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "extractor_http_requests", "Requests that were answered", ("route", "code"), registry=self._registry
        )
        self._documents = Counter(
            "extractor_documents",
            "Jobs that are done, by the status of the record",
            ("status",),
            registry=self._registry,
        )
        self._replies = Counter("extractor_model_requests", "Requests to the model", registry=self._registry)
        self._tokens = Counter("extractor_model_tokens", "Tokens as told", ("direction",), registry=self._registry)
        self._seconds = Histogram(
            "extractor_job_seconds",
            "From when a job was accepted to when its record was on disk",
            buckets=_SECONDS,
            registry=self._registry,
        )

    def watch_jobs(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Has the jobs in each state counted when somebody asks."""
        self._registry.register(_JobStates(count))

    def count_request(self, route: str, code: int) -> None:
        self._requests.labels(route, str(code)).inc()

    def count_reply(self, usage: Usage) -> None:
        self._replies.inc(usage.requests)
        self._tokens.labels("in").inc(usage.input_tokens or 0)
        self._tokens.labels("out").inc(usage.output_tokens or 0)

    def count_document(self, status: Status, order: JobOrder) -> None:
        self._documents.labels(status.value).inc()
        if order.ended is not None:
            self._seconds.observe(max(0.0, order.ended - order.created))

    def render(self) -> bytes:
        return generate_latest(self._registry)


class _JobStates:
    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def collect(self) -> Iterator[GaugeMetricFamily]:
        states = GaugeMetricFamily("extractor_jobs", "Jobs that the server has, by their state", labels=["state"])
        for state, count in self._count().items():
            states.add_metric([state], count)
        yield states
