"""What made a result: model and digest, fingerprints of prompt and schema, parameters, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata

from extractor._version import __version__
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.judging import EnsembleCalibration
from extractor.extraction.pipeline import Reading
from extractor.extraction.planning import greedy_parameters
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task
from extractor.models.endpoint import ApiKind, Dialect, Endpoint, describe_parameters
from extractor.models.openai.client import describe_endpoint
from extractor.types import Json


def build_run_manifest(task: Task, prompt: Prompt, endpoint: Endpoint, reading: Reading) -> dict[str, Json]:
    """The manifest of a run; nothing in it changes from one run to the next, so results stay byte for byte the same."""
    model = describe_endpoint(endpoint)
    if endpoint.digest:
        del model["endpoint"]  # an embedded engine's port is drawn anew each time
    if (other := endpoint.other_engine) is not None:
        model["engine"] = other.describe()  # its answers may differ; xllamacpp is told apart by nothing
    return {
        "extractor": __version__,
        "model": model,
        "prompt": {"name": prompt.name, "fingerprint": prompt.fingerprint},
        "schema": {"fingerprint": task.schema.fingerprint},
        "parameters": _describe_sent(endpoint, prompt.strategy.max_tokens),
        "reading": reading.describe(),
        "versions": {name: metadata.version(name) for name in ("openai", "instructor", "pydantic")},
    }


def _describe_sent(endpoint: Endpoint, most: int) -> dict[str, Json]:
    """Parameters as far as they are known beforehand: what a run learns of an endpoint besides is told elsewhere."""
    sent: dict[str, Json] = {}
    for name, value in greedy_parameters(most).items():
        if name not in endpoint.refuses:
            sent[name] = value
        elif name == "max_tokens":
            sent["max_completion_tokens"] = value
    if endpoint.api is not ApiKind.OPENAI:
        sent["api"] = endpoint.api.value
    if endpoint.dialect is not None and endpoint.dialect is not Dialect.GRAMMAR:
        sent["dialect"] = endpoint.dialect.value
    return sent | describe_parameters(endpoint.parameters)


def build_ensemble_manifest(
    members: Sequence[Mapping[str, Json]],
    acceptance: Acceptance,
    calibration: EnsembleCalibration,
    below: float | None = None,
) -> dict[str, Json]:
    """The manifest of results that several models made: what is common to all, and the manifest of each. `below` is
    the confidence under which the second was asked what the first said, where they were asked in turn."""
    names = [str(_member(one, "model").get("name", "")) for one in members]
    classes = [str(_member(one, "reading").get("class", "")) for one in members]
    return {
        "extractor": __version__,
        "model": {"name": (" + " if below is None else " then ").join(names), "digest": None},
        "prompt": dict(_member(members[0], "prompt")),
        "schema": dict(_member(members[0], "schema")),
        "parameters": _find_common([_member(one, "parameters") for one in members]),
        "reading": {
            "class": "strong" if "strong" in classes else "small",
            "accept": acceptance.threshold,
            "only_proven": acceptance.only_proven,
            "ensemble": calibration.fingerprint,
            **({} if below is None else {"ask_again_below": below}),
        },
        "versions": _find_common([_member(one, "versions") for one in members]),
        "members": [dict(one) for one in members],
    }


def _find_common(told: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """What all of them say."""
    first, *others = told
    return {name: one for name, one in first.items() if all(name in other and other[name] == one for other in others)}


def _member(manifest: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    told = manifest.get(name)
    return told if isinstance(told, Mapping) else {}
