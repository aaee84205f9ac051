"""`extractor ground`: a record that came from anywhere, proved against its document."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from extractor.cli.console import print_notes
from extractor.cli.trust import add_trust_flag, allow_task_code


def add_ground_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ground = commands.add_parser("ground", help="prove a record from any tool against its document; no model is asked")
    ground.add_argument("document", type=Path, help="the file that the record is about")
    ground.add_argument("record", type=Path, help="the record, a JSON object in a file")
    ground.add_argument("--schema", help="what a record is: FILE.py:CLASS or a JSON Schema file (default: its shape)")
    add_trust_flag(ground)
    ground.add_argument("-o", "--output", type=Path, metavar="FILE", help="the result file (default: stdout)")
    ground.add_argument("--accept", type=float, default=0.0, metavar="P", help="confidence to stay (default: 0, all)")
    ground.add_argument("--only-proven", action="store_true", help="leave out what has no words of its own")
    ground.set_defaults(command=run_ground_command)


def run_ground_command(flags: argparse.Namespace) -> int:
    """0 for a record that is complete, 1 for one that wants a look."""
    from extractor.documents.discovery import find_sources, read_source
    from extractor.errors import UsageError
    from extractor.extraction.acceptance import Acceptance
    from extractor.extraction.task import find_task_code, task_from_json_schema, task_from_schema
    from extractor.results.file import encode_part, write_result
    from extractor.runs.given import build_grounded_result
    from extractor.schema.infer import draft_schema
    from extractor.types import Status

    try:
        record = json.loads(flags.record.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{flags.record} cannot be read as JSON ({error}); check the file.") from error
    if not isinstance(record, dict):
        raise UsageError(f"{flags.record} holds no JSON object; a record is one.")
    sources = find_sources([flags.document])
    if len(sources) != 1:
        raise UsageError(f"{flags.document} holds {len(sources)} documents; name the one that the record is about.")
    print_notes(allow_task_code(find_task_code(None, flags.schema), flags, is_named=True))
    task = task_from_schema(flags.schema) if flags.schema else task_from_json_schema(draft_schema([record], "record"))
    acceptance = Acceptance(flags.accept, flags.only_proven)
    found = build_grounded_result(read_source(sources[0]), task, record, acceptance)
    if flags.output:
        write_result(flags.output, found)
    else:
        print(encode_part(found).decode(), end="")
    return 0 if found.status is Status.COMPLETE else 1
