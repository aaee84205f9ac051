"""Results of one document by several models -> one result: what `run --models` and `extractor combine` write.

Each result has what its model said with the words that support it; nothing is read or asked anew. Places are copied
from the results, so that files of other formats keep their pages and cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from extractor.extraction.acceptance import Acceptance
from extractor.extraction.combining.combined import CombinedTree, combine_opinions
from extractor.extraction.combining.judging import EnsembleCalibration, load_ensemble_calibration
from extractor.extraction.combining.opinion import AskedScope
from extractor.extraction.conform import conform_record
from extractor.extraction.grounding.tree import collect_evidence, to_json
from extractor.extraction.validation import check_rejected
from extractor.models.traits import SMALL, STRONG, ModelClass
from extractor.results.file import build_range, build_usage, sort_by_path
from extractor.results.model import RESULT_FORMAT, AskedAgain, Coverage, Manifest, ResultFile, UsageEntry
from extractor.results.opinion import read_opinion
from extractor.results.parts import (
    ConflictEntry,
    FailureEntry,
    ProblemEntry,
    Proof,
    ProvedValue,
    Quote,
    RejectedEntry,
    TextRange,
)
from extractor.schema.reader import Schema
from extractor.schema.settling import settle_node
from extractor.schema.written_form import path_writer
from extractor.types import Evidence, GroundedValue, Json, Problem, Span, Status, Usage, ValuePath, json_pointer

KEPT_PROBLEMS = ("ran on", "row in pieces")
"""Codes of problems of one model's replies that are problems of what all say, too; all others are found anew."""


@dataclass(frozen=True, slots=True)
class Member:
    """One model's result about a document, with everything that it said in the record."""

    result: ResultFile
    scope: AskedScope | None = None
    """What alone it was asked about."""
    asked_again: tuple[int, int] | None = None
    """Of its values those that a second model was asked about, and how many it has."""

    @property
    def name(self) -> str:
        return self.result.manifest.model.name


@dataclass(frozen=True, slots=True)
class Combination:
    """How results are combined, whatever they are of."""

    schema: Schema
    manifest: Mapping[str, Json]
    check: Callable[[Mapping[str, Json]], tuple[Problem, ...]]
    """Says what is wrong with a record's value."""
    acceptance: Acceptance = field(default_factory=Acceptance)
    calibration: EnsembleCalibration = field(default_factory=load_ensemble_calibration)

    def combine(self, members: Sequence[Member]) -> ResultFile:
        """One result of the same document. A model that answered nothing at all counts as not asked, and its failures
        are told."""
        names = name_members(members)
        first = next((one.result for one in members if one.result.record is not None), members[0].result)
        if first.record is None:
            return first.model_copy(update={"manifest": Manifest.model_validate(self.manifest)})
        root = settle_node(self.schema.root, [one.result.record for one in members])
        opinions = [
            read_opinion(one.result, name, root, one.scope)
            for name, one in zip(names, members, strict=True)
            if one.result.record is not None and (one.result.coverage.spans or not one.result.failures)
        ]
        text = Span(0, max(1, first.document.characters))
        found = combine_opinions(root, opinions, self.calibration, self.acceptance, text)
        write = path_writer(root)
        value = conform_record(root, to_json(found.tree))
        told = list(zip(names, (one.result for one in members), strict=True))
        strong = any(one.model_class is ModelClass.STRONG for one in opinions)
        problems = [
            *_keep_problems(told, first),
            *(
                ProblemEntry(p.code, json_pointer(p.path), p.message)
                for p in (*check_rejected(found.rejected, STRONG if strong else SMALL), *self.check(value))
            ),
        ]
        failures = [one for name, result in told for one in _name_failures(name, result)]
        parts = _build_parts(found, [one for _, one in told], write)
        conflicts = parts["conflicts"]
        incomplete = failures or first.document.unread
        suspect = problems or conflicts
        return ResultFile(
            format=RESULT_FORMAT,
            document=first.document,
            task=first.task,
            status=Status.INCOMPLETE if incomplete else Status.SUSPECT if suspect else Status.COMPLETE,
            record=value,
            evidence=parts["evidence"],
            conflicts=conflicts,
            rejected=[*parts["rejected"], *_keep_rejected(told)],
            failures=failures,
            problems=problems,
            coverage=_tell_asked_again(_combine_coverage([one for _, one in told]), members),
            usage=_add_usage(told),
            manifest=Manifest.model_validate(self.manifest),
        )


def name_members(members: Sequence[Member]) -> list[str]:
    """A name for each, told apart by a number where two have the same."""
    names = [one.name or "model" for one in members]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)
    ]


def _build_parts(
    found: CombinedTree, results: Sequence[ResultFile], write: Callable[[ValuePath], ValuePath]
) -> dict[str, Json]:
    quotes = {(q.start, q.end): q for one in results for q in _list_quotes(one)}

    def prove(evidence: Evidence) -> Proof:
        return Proof(
            match=evidence.match,
            spans=[quotes[s.start, s.end] for s in evidence.spans],
            said=evidence.model_value,
            confidence=evidence.confidence,
            findings=list(evidence.findings),
            said_by=list(evidence.said_by),
        )

    def prove_leaf(leaf: GroundedValue) -> ProvedValue:
        return ProvedValue(value=leaf.value, evidence=prove(leaf.evidence))

    return {
        "evidence": {
            json_pointer(write(path)): prove(e)
            for path, e in sorted(collect_evidence(found.tree).items(), key=sort_by_path)
        },
        "conflicts": [
            ConflictEntry(path=json_pointer(write(c.path)), kept=prove_leaf(c.kept), other=prove_leaf(c.other))
            for c in found.conflicts
        ],
        "rejected": [
            RejectedEntry(
                path=json_pointer(write(r.path)),
                value=r.value,
                reason=r.reason,
                chunk=build_range(r.chunk),
                evidence=prove(r.evidence) if r.evidence else None,
            )
            for r in found.rejected
        ],
    }


def _list_quotes(result: ResultFile) -> Iterable[Quote]:
    proofs = [*result.evidence.values(), *(r.evidence for r in result.rejected if r.evidence is not None)]
    return (quote for proof in proofs for quote in proof.spans)


def _keep_problems(told: Sequence[tuple[str, ResultFile]], first: ResultFile) -> list[ProblemEntry]:
    """What was not read, once; and of each model's replies what is wrong with them whatever others say."""
    unread = {part.reason for part in first.document.unread}
    return [
        *(p for p in first.problems if p.code in unread),
        *(
            ProblemEntry(p.code, p.path, f"{name}: {p.message}")
            for name, one in told
            for p in one.problems
            if p.code in KEPT_PROBLEMS
        ),
    ]


def _keep_rejected(told: Sequence[tuple[str, ResultFile]]) -> list[RejectedEntry]:
    """What each model said that has no place in a record, or none that is known; with the model's name."""
    return [
        RejectedEntry(r.path, r.value, r.reason, r.chunk, _name_sayer(r, name))
        for name, one in told
        for r in one.rejected
    ]


def _name_failures(name: str, result: ResultFile) -> list[FailureEntry]:
    """What a model did not answer, with its name; a document that could not be read for it is one failure."""
    if result.record is None and result.error is not None:
        return [FailureEntry(reason=result.error.reason, message=f"{name}: {result.error.message}")]
    return [FailureEntry(f.chunk, f.group, f.reason, f"{name}: {f.message}") for f in result.failures]


def _name_sayer(entry: RejectedEntry, name: str) -> Proof:
    proof = entry.evidence
    if proof is None:
        return Proof(said=str(entry.value), said_by=[name])
    return Proof(proof.match, proof.spans, proof.said, proof.confidence, proof.findings, [name])


def _combine_coverage(results: Sequence[ResultFile]) -> Coverage:
    """What at least one model answered about, and what none was asked."""
    whole = max((one.coverage for one in results), key=lambda c: (c.asked, c.characters))
    skipped = [s for one in results for s in one.coverage.skipped]
    told = {(s.chunk.start, s.chunk.end, tuple(s.fields)): s for s in skipped}
    spans = _join(r for one in results for r in one.coverage.spans)
    unasked = whole.unasked if len(results) == 1 or spans == list(whole.spans) else _subtract(whole.unasked, spans)
    return Coverage(
        characters=whole.characters,
        asked=sum(s.end - s.start for s in spans),
        spans=spans,
        unasked=unasked,
        skipped=list(told.values()),
    )


def _tell_asked_again(coverage: Coverage, members: Sequence[Member]) -> Coverage:
    for one in members:
        if one.asked_again is not None:
            again, values = one.asked_again
            return coverage.model_copy(update={"asked_again": AskedAgain(values=values, asked=again)})
    return coverage


def _join(ranges: Iterable[TextRange]) -> list[TextRange]:
    joined: list[TextRange] = []
    for one in sorted(ranges, key=lambda r: (r.start, r.end)):
        if joined and one.start <= joined[-1].end:
            joined[-1] = TextRange(joined[-1].start, max(one.end, joined[-1].end))
        else:
            joined.append(one)
    return joined


def _subtract(ranges: Iterable[TextRange], gone: Sequence[TextRange]) -> list[TextRange]:
    left = list(ranges)
    for one in gone:
        left = [
            TextRange(a, b)
            for r in left
            for a, b in ((r.start, min(r.end, one.start)), (max(r.start, one.end), r.end))
            if a < b
        ]
    return left


def _add_usage(told: Sequence[tuple[str, ResultFile]]) -> UsageEntry:
    """The sum, and by model and field group what each took."""
    spent = sum((one.usage.to_usage() for _, one in told), Usage())
    groups = {f"{name}: {group}": usage for name, one in told for group, usage in one.usage.groups.items()}
    return UsageEntry.model_validate({**build_usage(spent).to_content(), "groups": groups})
