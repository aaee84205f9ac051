"""How a task is asked for: the prompt version, its settings and its examples, by flags and config file."""

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
    from extractor.models.config_file import TaskSettings

AUTO, NONE = "auto", "none"
LEAST_TOKENS, MOST_TOKENS = 50, 20_000
MAX_REFUSED_TOLD = 10


def add_example_flags(parser: argparse.ArgumentParser) -> None:
    which = "corrected passages that prompts show: a file, auto (examples.jsonl of the task's folder) or none"
    parser.add_argument("--examples", metavar="FILE", help=f"{which} (default: none)")
    size = "estimated tokens of examples beside one question, at most (default: 350)"
    parser.add_argument("--examples-tokens", type=int, metavar="N", help=size)
    taught = "the top-level fields that examples are shown for, with commas between them (default: all)"
    parser.add_argument("--examples-for", metavar="FIELDS", help=taught)


def settle_prompt(flags: argparse.Namespace, task: Task, prompt: Prompt, named: str | None = None) -> Prompt:
    """The prompt as flags, else the config file, want a task asked for; `named` is the version that somebody named.

    Raises UsageError and TaskError.
    """
    from extractor.models.config_file import load_configuration

    said = load_configuration(flags.config, Path.cwd()).tasks.get(task.name)
    if said is not None:
        if named is None and said.prompt is not None:
            prompt = task.choose_prompt(said.prompt)
        prompt = prompt.change_strategy(said.ask, said.chunk_tokens)
    examples = choose_examples(flags, task, said)
    return prompt if examples is None else prompt.show_examples(examples)


def choose_examples(flags: argparse.Namespace, task: Task, said: TaskSettings | None = None) -> Examples | None:
    """The examples that the flags name, else the config file; lines that are refused are named on stderr.

    Raises UsageError and TaskError.
    """
    from extractor.extraction.examples import EXAMPLE_TOKENS, Examples

    where = flags.examples or (said.examples if said else None) or NONE
    if where == NONE:
        for flag, given in (("--examples-tokens", flags.examples_tokens), ("--examples-for", flags.examples_for)):
            if given is not None:
                raise UsageError(f"{flag} is of examples; name them with --examples.")
        return None
    tokens = flags.examples_tokens or (said.examples_tokens if said else None) or EXAMPLE_TOKENS
    if not LEAST_TOKENS <= tokens <= MOST_TOKENS:
        raise UsageError(f"Examples of {tokens} tokens are not from {LEAST_TOKENS} to {MOST_TOKENS:,}; give another.")
    from extractor.extraction.example_files import check_taught_fields, read_examples

    path = task.examples_file if where == AUTO else Path(where)
    if path is None:
        raise UsageError(
            f"The task {task.name} has no examples.jsonl in its folder; write one: `extractor examples from OUT -o`."
        )
    read = read_examples(path, task.schema)
    more = len(read.refused) - MAX_REFUSED_TOLD
    print_notes([*read.refused[:MAX_REFUSED_TOLD], *([f"And {more} lines more are refused."] if more > 0 else [])])
    if not read.entries:
        raise UsageError(f"None of the examples in {path} can be used; write them with `extractor examples from OUT`.")
    given = flags.examples_for
    fields = said.examples_for if given is None and said else tuple(filter(None, (given or "").split(",")))
    check_taught_fields(fields, task.schema)
    return Examples(read.entries, tokens, fields)
