"""`extractor run --split` and `--route`: files that hold several documents, and folders of several kinds.

Each question is a run of its own in its own folder: OUT/split, OUT/route, and OUT/NAME for each task of the routes. So
each goes on where it ended, is kept, shown, exported and reviewed as any run is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from extractor.cli.asking import AUTO, NONE, settle_prompt
from extractor.cli.console import (
    count_out,
    describe_bill,
    outcome_to_json,
    print_notes,
    print_summary,
    tolerate_closed_pipe,
)
from extractor.cli.dry_run import EstimateOptions, print_estimate
from extractor.cli.endpoint_flags import choose_flagged_model
from extractor.cli.progress import RunProgress
from extractor.cli.run import RunOptions, open_job, read_run_options
from extractor.cli.run_inputs import choose_run_inputs, find_run_sources
from extractor.cli.trust import allow_task_code
from extractor.documents.discovery import STDIN, Source, read_source, show_sources
from extractor.errors import DocumentError, Interrupted, MachineError, ResultUnreadable, UsageError
from extractor.extraction.acceptance import Acceptance
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task, choose_task, find_task_code
from extractor.files import write_atomically
from extractor.models.choice import ModelSpec
from extractor.models.prices import SHIPPED_PRICES, PriceList, find_model_price, load_prices
from extractor.results.model import ResultFile
from extractor.results.outcome import RunOutcomes
from extractor.results.reading import read_result_file
from extractor.runs import routing, splitting
from extractor.runs.output_folder import prepare_output_folder
from extractor.runs.runner import compute_exit_code, run_job
from extractor.runs.signals import run_until_signal
from extractor.types import Json

SPLIT_FOLDER, ROUTE_FOLDER = "split", "route"
PARTS_FILE, ROUTES_FILE = "parts.json", "routes.json"
PARTS_FORMAT, ROUTES_FORMAT, RUNS_FORMAT = "extractor.parts/1", "extractor.routes/1", "extractor.runs/1"
NO_SPLIT = "none"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a task asks, and in which folder its records are."""

    task: Task
    prompt: Prompt
    out: Path


def wants_sorting(flags: argparse.Namespace, schema: Mapping[str, Json] | None) -> bool:
    """Whether files are to be split or sent to tasks before anything is extracted."""
    if flags.route is not None or flags.split not in (None, NO_SPLIT):
        return True
    return flags.split is None and schema is not None and splitting.read_split_hint(schema) is not None


def run_sorted_command(flags: argparse.Namespace) -> int:
    """As `extractor run`: 0 when every record is complete and every document is with a task."""
    return _SortedRun(flags).run()


class _SortedRun:
    def __init__(self, flags: argparse.Namespace) -> None:
        self._flags = flags
        self._costs: PriceList = load_prices(flags.prices or SHIPPED_PRICES)
        self._choice: ModelSpec = choose_flagged_model(
            flags, flags.model, live=flags.mode != "replay" and not flags.dry_run
        )
        self._options: RunOptions = read_run_options(flags, self._choice, self._costs)
        self._codes: list[int] = []
        self._told: list[dict[str, Any]] = []

    def run(self) -> int:
        flags = self._flags
        if flags.models or flags.then or flags.on or flags.shard or flags.batch:
            raise UsageError(
                "--split and --route ask one model here; leave out --models, --then, --on, --shard and --batch."
            )
        if STDIN in flags.paths:
            raise UsageError("What comes in through stdin can be read but once; name a file with --split or --route.")
        routes = self._read_routes()
        wanted, paths = (None, tuple(flags.paths)) if routes else self._read_task()
        if not paths:
            raise UsageError("Say what to read: files, folders or patterns.")
        sources = find_run_sources(flags, paths)
        if not flags.dry_run:
            prepare_output_folder(flags.out)
        sources = self._split(sources, wanted.task if wanted else None)
        if wanted is not None:
            self._run_pass(wanted, sources)
        else:
            self._route(sources, routes)
        if flags.json and not flags.dry_run:
            print(json.dumps({"format": RUNS_FORMAT, "runs": self._told}, ensure_ascii=False, indent=1))
        return max(self._codes, default=0)

    def _read_task(self) -> tuple[_Wanted, tuple[Path, ...]]:
        """What is asked of all documents, and where these are."""
        inputs = choose_run_inputs(self._flags)
        print_notes(() if self._flags.quiet else inputs.notes)
        prompt = settle_prompt(self._flags, inputs.task, inputs.prompt, self._flags.prompt)
        return _Wanted(inputs.task, prompt, self._flags.out), inputs.paths

    def _read_routes(self) -> list[routing.Route]:
        flags = self._flags
        if flags.route is None:
            return []
        if flags.task or flags.schema or flags.prompt:
            raise UsageError("--route says which tasks there are; leave out --task, --schema and --prompt.")
        if flags.examples not in (None, AUTO, NONE) or flags.examples_for:
            raise UsageError(
                "With --route there are examples of several tasks; give --examples auto, or [tasks.NAME] in a --config."
            )
        return routing.read_routes(flags.route)

    def _split(self, sources: Sequence[Source], task: Task | None) -> Sequence[Source]:
        """The documents in the files; a file whose documents nobody can tell stays one, which is said."""
        schema = task.schema.source if task is not None else None
        way = self._flags.split or (splitting.read_split_hint(schema) if schema is not None else None)
        if way in (None, NO_SPLIT):
            return sources
        splitting.check_split(way, schema or {})
        results: Mapping[int, ResultFile] = {}
        if way != splitting.PAGES:
            asked = splitting.build_split_task(way, schema)
            wanted = _Wanted(asked, asked.choose_prompt(None), self._flags.out / SPLIT_FOLDER)
            results = self._run_pass(wanted, sources, Acceptance(0.0))
            if self._flags.dry_run:
                return sources
        parts: list[Source] = []
        told: list[dict[str, Json]] = []
        for number, source in enumerate(sources):
            try:
                document = read_source(source)
            except DocumentError:
                parts.append(source)  # what follows says so
                continue
            if way == splitting.PAGES:
                starts = splitting.find_starts_of_pages(document)
            elif (result := results.get(number)) is not None:
                starts = splitting.find_starts(document, result, way, self._flags.accept)
            else:
                starts = []
            parts += splitting.cut_source(source, document, starts)
            if starts:
                told.append(splitting.describe_parts(source, document, starts))
        self._write(PARTS_FILE, {"format": PARTS_FORMAT, "by": way, "files": told})
        return parts

    def _route(self, sources: Sequence[Source], routes: Sequence[routing.Route]) -> None:
        tasks = self._load_tasks(routes)
        decisions = {n: found for n, one in enumerate(sources) if (found := routing.apply_rules(one, routes))}
        open_ = [n for n in range(len(sources)) if n not in decisions]
        if open_:
            asked = routing.build_route_task(routes)
            wanted = _Wanted(asked, asked.choose_prompt(None), self._flags.out / ROUTE_FOLDER)
            results = self._run_pass(wanted, [routing.take_beginning(sources[n]) for n in open_])
            if self._flags.dry_run:
                self._estimate_open([sources[n] for n in open_], tasks)
            for place, number in enumerate(open_):
                if (result := results.get(place)) is not None:
                    decisions[number] = routing.read_decision(result, routes, self._flags.accept)
        for name, wanted in tasks.items():
            mine = [n for n, found in decisions.items() if found.route == name]
            if mine:
                self._run_pass(wanted, [routing.add_route_note(sources[n], decisions[n]) for n in sorted(mine)])
        if self._flags.dry_run:
            return
        lost = [n for n in range(len(sources)) if n not in decisions or decisions[n].route is None]
        if lost:
            self._codes.append(1)
            if not self._flags.quiet:
                names = ", ".join(sources[n].name for n in lost[:5]) + (" and more" if lost[5:] else "")
                print_notes([f"No task for {count_out(len(lost), 'document')}: {names}; {ROUTES_FILE} says why."])
        told = [
            dict(routing.describe_decision(source.name, decisions[n]))
            for n, source in enumerate(sources)
            if n in decisions
        ]
        self._write(ROUTES_FILE, {"format": ROUTES_FORMAT, "documents": told})

    def _load_tasks(self, routes: Sequence[routing.Route]) -> dict[str, _Wanted]:
        tasks = {}
        for route in routes:
            code = find_task_code(route.task, route.schema)
            print_notes(() if self._flags.quiet else allow_task_code(code, self._flags, is_named=True))
            task, version = choose_task(route.task, route.schema, route.prompt)
            prompt = settle_prompt(self._flags, task, version, route.prompt)
            tasks[route.name] = _Wanted(task, prompt, self._flags.out / route.name)
        return tasks

    def _run_pass(
        self, wanted: _Wanted, sources: Sequence[Source], acceptance: Acceptance | None = None
    ) -> Mapping[int, ResultFile]:
        """Asks one thing of all of these documents; of a dry run tells what that would take.

        The results are by the number of the source. Raises Interrupted.
        """
        flags = self._flags
        if flags.dry_run:
            self._estimate(wanted, sources)
            return {}
        prepare_output_folder(wanted.out)
        price = find_model_price(self._choice, self._costs)
        say = RunProgress(
            not flags.quiet and sys.stderr.isatty(),
            len(sources),
            price,
            self._costs.currency,
            lists_records=not (flags.quiet or flags.json),
        )
        options = replace(self._options, out=wanted.out, acceptance=acceptance or self._options.acceptance)
        sources = show_sources(sources, self._choice.vision)
        with open_job(options, wanted.task, wanted.prompt, self._choice, say) as job:
            outcomes, heard = run_until_signal(lambda stop: run_job(job, sources, stop))
        say.clear_line()
        self._tell(wanted, outcomes)
        if heard:
            raise Interrupted(heard)
        return _read_results(wanted.out, outcomes)

    def _tell(self, wanted: _Wanted, outcomes: RunOutcomes) -> None:
        flags = self._flags
        self._codes.append(compute_exit_code(outcomes))
        self._told.append(
            {"folder": str(wanted.out), "task": wanted.task.name, "documents": [*map(outcome_to_json, outcomes)]}
        )
        if flags.quiet or flags.json:
            return
        price = find_model_price(self._choice, self._costs)
        with tolerate_closed_pipe():
            bill = describe_bill(outcomes, self._choice.name, self._choice.is_embedded, self._costs, price)
            print_summary(outcomes, wanted.out, bill)
        print_notes(outcomes.notes)

    def _estimate(self, wanted: _Wanted, sources: Sequence[Source]) -> None:
        flags = self._flags
        options = EstimateOptions(self._choice, wanted.out, flags.concurrency, flags.json, flags.quiet)
        self._codes.append(print_estimate(wanted.task, wanted.prompt, sources, self._costs, options))

    def _estimate_open(self, sources: Sequence[Source], tasks: Mapping[str, _Wanted]) -> None:
        """What each task would take if all went to it of which only a model can tell."""
        for name, wanted in tasks.items():
            if not self._flags.quiet and not self._flags.json:
                print(f"\nAt most, if all of {count_out(len(sources), 'document')} that no rule decides go to {name}:")
            self._estimate(wanted, sources)

    def _write(self, name: str, content: Mapping[str, Json]) -> None:
        path = self._flags.out / name
        try:
            write_atomically(path, [json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "replace")])
        except OSError as error:
            raise MachineError(f"{path} cannot be written ({error.strerror}); choose another -o.") from error


def _read_results(folder: Path, outcomes: RunOutcomes) -> dict[int, ResultFile]:
    """The results of a run by the number of their source; one that is damaged is as none."""
    found = {}
    for number, outcome in enumerate(outcomes):
        try:
            found[number] = read_result_file(folder / outcome.file).file
        except ResultUnreadable:
            continue
    return found
