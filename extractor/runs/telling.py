"""What OpenTelemetry is told of a run's documents: how many ended how, and what they took."""

from __future__ import annotations

from collections.abc import Sequence

from extractor import telemetry
from extractor.documents.discovery import Source
from extractor.models.prices import compute_cost
from extractor.results.outcome import DocumentOutcome
from extractor.runs.job import Job


def describe_run(job: Job, sources: Sequence[Source]) -> dict[str, telemetry.Attribute | None]:
    """What a run's span says as it begins."""
    documents = len(sources) if job.part is None else len(job.part.indexes)
    one = job.extractor
    return {
        "recordproof.task": one.task.name,
        "recordproof.documents": documents,
        "gen_ai.request.model": one.model_name,
    }


def tell_outcome(span: telemetry.Trace, outcome: DocumentOutcome, job: Job) -> None:
    """Counts a document that the run did itself, and says in its span how it ended."""
    usage, status = outcome.usage, str(outcome.status)
    model = {"gen_ai.request.model": job.extractor.model_name}
    counts = {"input": usage.input_tokens or 0, "output": usage.output_tokens or 0}
    telemetry.count("recordproof.documents", 1, "{document}", {"recordproof.status": status})
    telemetry.count("recordproof.requests", usage.requests, "{request}", model)
    for kind, tokens in counts.items():
        telemetry.count("recordproof.tokens", tokens, "{token}", {**model, "gen_ai.token.type": kind})
    if job.price is not None:
        cost = compute_cost(job.price, counts["input"], counts["output"])
        telemetry.count("recordproof.cost", cost or 0.0, job.currency, model)
    span.set(
        {
            "recordproof.status": status,
            "recordproof.values": outcome.values,
            "recordproof.failures": outcome.failures,
            "recordproof.requests": usage.requests,
            "recordproof.cached": usage.cached,
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
        }
    )
