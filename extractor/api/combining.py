"""`combine`: what several models said of one document, made into one result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractor.api.schemas import read_wanted_record
from extractor.errors import UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.judging import load_ensemble_calibration
from extractor.extraction.task import Task
from extractor.extraction.validation import validate_record
from extractor.results.combined import Combination, Member
from extractor.results.manifest import build_ensemble_manifest
from extractor.results.opinion import restore_rejected
from extractor.results.result import Result


def combine(
    results: Sequence[Result[Any]],
    schema: type[Any] | Task | Mapping[str, Any],
    *,
    accept: float = 0.5,
    only_proven: bool = False,
) -> Result[Any]:
    """One result out of several models' results about the same document; no model is asked.

    results: those of `extract`, one for each model, the one that is to be believed in a draw first.
    schema: what a record is, as `extract` was given it.
    accept: the confidence, 0 to 1, from which on a value is in the record.
    only_proven: nothing in the record that has no words of its own.

    Where models disagree the likelier value is in the record, and the others are in `result.conflicts` with their
    words; each value's proof says in `said_by` which models said it (docs/ensemble.md).

    Raises UsageError for fewer than two results, for results of different texts, and for a threshold outside 0 to 1.
    """
    if len(results) < 2:
        raise UsageError("One result cannot be combined; give those of two models or more.")
    read = [one for one in results if one.value is not None]
    if any(one.file.document.sha256 != read[0].file.document.sha256 for one in read):
        raise UsageError("The results are of different texts; combine results about the same document.")
    wanted = read_wanted_record(schema)
    acceptance, weights = Acceptance(accept, only_proven), load_ensemble_calibration()
    manifest = build_ensemble_manifest([one.file.manifest.to_content() for one in results], acceptance, weights)
    task = wanted.task
    combination = Combination(
        task.schema,
        manifest,
        lambda value: validate_record(value, task.model_class, task.schema.source),
        acceptance,
        weights,
    )
    return wanted.build_result(combination.combine([Member(restore_rejected(one.file)) for one in results]))
