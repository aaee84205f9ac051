"""What `extractor run` is about: the documents and the task that flags name, or those of the suite in this folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.console import print_notes
from extractor.cli.trust import allow_task_code
from extractor.errors import UsageError
from extractor.extraction.prompt import Prompt
from extractor.extraction.task import Task, choose_task, find_task_code
from extractor.object_stores import parse_object_url

if TYPE_CHECKING:
    from extractor.documents.discovery import Source

MAX_NAMED = 5
"""Ignored files that a note names."""
SUITE_FOLDERS = (Path(), Path("eval"))
"""Where a suite is looked for when nothing is named."""


@dataclass(frozen=True, slots=True)
class RunInputs:
    paths: tuple[Path, ...]
    task: Task
    prompt: Prompt
    notes: tuple[str, ...] = ()
    """What the user should know of them."""


def choose_run_inputs(flags: argparse.Namespace) -> RunInputs:
    """The inputs that the flags name; without any, the samples and the task of the suite here, which is said.

    Raises TaskError for documents without a task, UsageError for a task without documents and where there is no suite.
    """
    if flags.paths:
        notes = allow_task_code(find_task_code(flags.task, flags.schema), flags, is_named=True)
        return RunInputs(tuple(flags.paths), *choose_task(flags.task, flags.schema, flags.prompt), tuple(notes))
    if wanted := flags.task or flags.schema:
        raise UsageError(f"Say what to read for {wanted}: files, folders or patterns, or - for stdin.")
    folder = next((f for f in SUITE_FOLDERS if (f / "suite.toml").is_file()), None)
    if folder is None:
        raise UsageError(
            "There is no suite here (suite.toml, eval/suite.toml) to run the samples of; "
            "name files or folders, and what to look for in them with --task or --schema."
        )
    from extractor.evaluation.suite import load_suite  # 0.2 s of imports that a run without a suite does without

    said: list[str] = []
    suite = load_suite(folder, lambda code: said.extend(allow_task_code(code, flags, is_named=False)))
    note = f"Nothing was named; running {suite.samples} of the suite {suite.name}, task {suite.task.name}."
    return RunInputs((suite.samples,), suite.task, suite.task.choose_prompt(flags.prompt), (note, *said))


def find_run_sources(flags: argparse.Namespace, paths: Sequence[Path]) -> Sequence[Source]:
    """The documents to read. What is nobody's document is left out, and named in a note; so is the schema's file."""
    from extractor.documents.discovery import (
        find_sources,
    )  # it brings the readers' modules, which a help text needs not

    paths = _fetch_objects(flags, paths)
    ignored: list[Path] = []
    schema = [Path(flags.schema)] if flags.schema else []
    sources = find_sources(paths, ocr=flags.ocr, leave_out=schema, on_ignored=ignored.append)
    if ignored and not flags.quiet:
        print_notes([_describe_ignored(ignored)])
    return sources


def _fetch_objects(flags: argparse.Namespace, paths: Sequence[Path]) -> Sequence[Path]:
    """The paths, with copies in place of what is in object stores."""
    if not any(map(parse_object_url, paths)):
        return paths
    from extractor.documents.object_inputs import fetch_inputs  # as above

    return fetch_inputs(paths, flags.out, lambda text: print_notes([] if flags.quiet else [text]))


def _describe_ignored(ignored: Sequence[Path]) -> str:
    from extractor.documents.discovery import printable_name  # as above

    names = list(dict.fromkeys(printable_name(path.name) for path in ignored))
    more = f" and {len(ignored) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return f"Ignored, as they are no documents: {', '.join(names[:MAX_NAMED])}{more}."
