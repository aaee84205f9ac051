"""`extractor schema`: what a schema asks for, and a draft of one from examples."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from extractor.cli.console import print_notes
from extractor.cli.trust import add_trust_flag, allow_task_code
from extractor.errors import MachineError, UsageError


def add_schema_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    schema = commands.add_parser("schema", help="explain a schema, or draft one from examples")
    kinds = schema.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = kinds.add_parser("check", help="what will be asked: fields, kinds, keys, questions, dialects, warnings")
    check.add_argument("schema", help="FILE.py:CLASS, a JSON Schema file, or the name or path of a task")
    check.add_argument("--prompt", help="prompt version of the task (default: the one it prefers)")
    add_trust_flag(check)
    check.add_argument("--json", action="store_true", help="as JSON")
    check.set_defaults(command=_run_check_command)
    init = kinds.add_parser("init", help="draft a schema from examples of the JSON that is wanted")
    init.add_argument("examples", nargs="+", type=Path, metavar="EXAMPLE", help="JSON or JSONL files")
    init.add_argument("-o", "--output", type=Path, help="file to write (default: stdout)")
    init.add_argument("--python", action="store_true", help="a Pydantic file instead of a JSON Schema")
    init.add_argument("--force", action="store_true", help="overwrite the file if it is there")
    init.set_defaults(command=_run_init_command)


def _run_check_command(flags: argparse.Namespace) -> int:
    from extractor.extraction.explain import explain_task, explanation_to_json, format_explanation
    from extractor.extraction.task import choose_task, find_task_code

    path = Path(flags.schema.rpartition(":")[0] if ".py:" in flags.schema else flags.schema)
    alone = path.suffix in (".py", ".json") and not path.is_dir()
    named, schema = (None, flags.schema) if alone else (flags.schema, None)
    print_notes(allow_task_code(find_task_code(named, schema), flags, is_named=True))
    task, prompt = choose_task(named, schema, flags.prompt)
    found = explain_task(task, prompt)
    print(
        json.dumps(explanation_to_json(found), ensure_ascii=False, indent=1)
        if flags.json
        else format_explanation(found)
    )
    return 0


def _run_init_command(flags: argparse.Namespace) -> int:
    from extractor.schema.codegen import generate_model_source
    from extractor.schema.infer import draft_schema

    examples = [one for path in flags.examples for one in _read_examples(path)]
    if not examples:
        raise UsageError("The files hold no example; give at least one JSON object of the kind that is wanted.")
    title = (flags.output or flags.examples[0]).name.split(".")[0]
    schema = draft_schema(examples, title)
    text = generate_model_source(schema) if flags.python else json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    if flags.output is None:
        print(text, end="")
        return 0
    if flags.output.exists() and not flags.force:
        raise UsageError(f"{flags.output} is there already; name another file, or overwrite it with --force.")
    try:
        flags.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MachineError(f"{flags.output} cannot be written ({error.strerror}); choose another place.") from error
    print(flags.output)
    return 0


def _read_examples(path: Path) -> Sequence[dict[str, Any]]:
    """The objects in a file: one, a list of them, or one a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".jsonl":
            told = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            told = json.loads(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON ({error}); correct it.") from error
    found = told if isinstance(told, list) else [told]
    if not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{path} holds something else than objects; an example is one JSON object.")
    return found
