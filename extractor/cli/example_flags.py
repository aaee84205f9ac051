"""The flags that say which examples prompts show."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.console import print_notes
from extractor.errors import UsageError

if TYPE_CHECKING:
    from extractor.extraction.examples import Examples
    from extractor.extraction.prompt import Prompt
    from extractor.extraction.task import Task

AUTO, NONE = "auto", "none"
LEAST_TOKENS, MOST_TOKENS = 50, 20_000
MAX_REFUSED_TOLD = 10


def add_example_flags(parser: argparse.ArgumentParser) -> None:
    which = "corrected passages that prompts show: a file, auto (examples.jsonl of the task's folder) or none"
    parser.add_argument("--examples", default=NONE, metavar="FILE", help=f"{which} (default: none)")
    size = "estimated tokens of examples beside one question, at most (default: 350)"
    parser.add_argument("--examples-tokens", type=int, metavar="N", help=size)


def wants_examples(flags: argparse.Namespace) -> bool:
    return str(flags.examples) != NONE


def choose_examples(flags: argparse.Namespace, task: Task) -> Examples | None:
    """The examples that the flags name; lines that are refused are named on stderr. Raises UsageError and TaskError."""
    if not wants_examples(flags):
        if flags.examples_tokens is not None:
            raise UsageError("--examples-tokens is of examples; name them with --examples.")
        return None
    from extractor.extraction.example_files import read_examples
    from extractor.extraction.examples import EXAMPLE_TOKENS, Examples

    tokens = EXAMPLE_TOKENS if flags.examples_tokens is None else flags.examples_tokens
    if not LEAST_TOKENS <= tokens <= MOST_TOKENS:
        raise UsageError(f"--examples-tokens {tokens} is not from {LEAST_TOKENS} to {MOST_TOKENS:,}; give another.")
    path = task.examples_file if flags.examples == AUTO else Path(flags.examples)
    if path is None:
        raise UsageError(
            f"The task {task.name} has no examples.jsonl in its folder; write one with `extractor examples from OUT -o`."
        )
    read = read_examples(path, task.schema)
    more = len(read.refused) - MAX_REFUSED_TOLD
    print_notes([*read.refused[:MAX_REFUSED_TOLD], *([f"And {more} lines more are refused."] if more > 0 else [])])
    if not read.entries:
        raise UsageError(f"None of the examples in {path} can be used; write them with `extractor examples from OUT`.")
    return Examples(read.entries, tokens)


def add_examples(prompt: Prompt, examples: Examples | None) -> Prompt:
    """The prompt with the examples, where there are any."""
    return prompt if examples is None else prompt.show_examples(examples)
