"""Flags to parts: the only place where parts are chosen and put together, and where errors become exit codes.

0  every record is complete            2  nothing was run: usage, no model, no input
1  some record wants a look            3  the machine failed us        130  interrupted (143: by SIGTERM)
4  batches are under way: nothing was finished, and the same command goes on
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Sequence

from extractor._version import __version__
from extractor.cli.cache import add_cache_command
from extractor.cli.combine import add_combine_command
from extractor.cli.command_parser import CommandParser
from extractor.cli.completion import add_completion_command
from extractor.cli.console import sanitize_for_terminal
from extractor.cli.doctor import add_doctor_command
from extractor.cli.engine import add_engine_command
from extractor.cli.eval import add_eval_command
from extractor.cli.examples import add_examples_command
from extractor.cli.export import add_export_command
from extractor.cli.gold import add_gold_command
from extractor.cli.ground import add_ground_command
from extractor.cli.mcp import add_mcp_command
from extractor.cli.merge import add_merge_command
from extractor.cli.models import add_models_command
from extractor.cli.review import add_review_command
from extractor.cli.run import add_run_command
from extractor.cli.schema import add_schema_command
from extractor.cli.serve import add_serve_command
from extractor.cli.show import add_show_command
from extractor.cli.status import add_status_command
from extractor.cli.task import add_task_command
from extractor.cli.tune import add_tune_command
from extractor.errors import BudgetSpent, ExtractorError, Interrupted, MachineError

USAGE_EXAMPLES = """\
examples:
  extractor run                                the samples of the suite in this folder, with its task
  extractor run my_docs/ --task invoice        records of every file of a known kind, on the embedded model
  extractor run cv.md --task researcher --prompt whole    one file, one prompt version
  extractor run docs/ --task my_task/          your own schema and prompts (a folder)
  extractor run docs/ --task invoice --model NAME --base-url http://localhost:8000/v1    any OpenAI-compatible endpoint
  extractor run docs/ --schema my.py:Invoice   a schema of your own and nothing else (or a JSON Schema file)
  extractor show out                           one HTML page: each value beside the words that prove it
  extractor review out                         go through what is doubtful in the browser; it becomes gold
  extractor gold from out -o gold/             gold of what was reviewed, for `extractor eval --gold gold/`
  extractor examples from out -o my_task/examples.jsonl   corrected passages, for run --examples
  extractor export out -f sqlite -o out.db     records, evidence and runs, ready to query (also jsonl, csv, parquet)
  extractor run docs/ --task invoice --dry-run requests, tokens, money and time, before anything is sent
  extractor ground order.pdf record.json        prove a record from any tool by the words of its document
  extractor combine out_a out_b -o out_both    one record out of what several models said, disagreements named
  extractor models pull qwen2.5-coder-1.5b     fetch an embedded model
  extractor schema init wanted.json -o my.schema.json    draft a schema from examples of the JSON you want
  extractor schema check my.schema.json        what will be asked, and what is worth a look
  extractor task new letters                   a folder with schema, prompt, sample and gold, ready to run
  extractor tune --ask groups whole            which way to ask is better, for a part of the calls of trying all
  extractor eval --mode replay                 score the recorded comparison against gold
"""


LAST_SECONDS = 0.3
"""How long threads are waited for once a signal has ended a command."""


def entry() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # not every terminal can write every name
    code = main()
    if code <= 128:
        raise SystemExit(code)
    # Stopped by a signal: a thread that reads a large reply is no reason to stay, and what counts is saved; but one
    # whose reader was ended has its temporary files to remove.
    until = time.monotonic() + LAST_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command."""
    commands = build_parser()
    flags = commands.parse_args(arguments)
    if not hasattr(flags, "command"):
        commands.print_help()
        return 2
    try:
        code: int = flags.command(flags)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("Interrupted; what was finished is kept.", file=sys.stderr)
        return 130
    except Interrupted as error:
        print(error, file=sys.stderr)
        return 128 + error.signal
    except MachineError as error:
        print(f"error: {sanitize_for_terminal(str(error))}", file=sys.stderr)
        return 3
    except BudgetSpent as error:
        print(f"stopped: {sanitize_for_terminal(str(error))}", file=sys.stderr)
        return 1
    except ExtractorError as error:
        print(f"error: {sanitize_for_terminal(str(error))}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        # of a thread that cannot be started, Python says so in these words and no others
        if isinstance(error, RuntimeError) and str(error) != "can't start new thread":
            raise
        print(
            "error: This process may take too little memory; what was finished is kept. "
            "Allow it more (ulimit -v), or lower --concurrency.",
            file=sys.stderr,
        )
        return 3
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stderr.close()
        return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line, which docs/reference.md is made of too."""
    parser: argparse.ArgumentParser = CommandParser(
        prog="extractor",
        description="Typed records out of documents, every value proved by the words it came from.",
        epilog=USAGE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"extractor {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_run_command(commands)
    add_merge_command(commands)
    add_status_command(commands)
    add_show_command(commands)
    add_review_command(commands)
    add_export_command(commands)
    add_ground_command(commands)
    add_combine_command(commands)
    add_serve_command(commands)
    add_mcp_command(commands)
    add_models_command(commands)
    add_engine_command(commands)
    add_cache_command(commands)
    add_eval_command(commands)
    add_tune_command(commands)
    add_gold_command(commands)
    add_examples_command(commands)
    add_schema_command(commands)
    add_task_command(commands)
    add_doctor_command(commands)
    add_completion_command(commands)
    return parser
