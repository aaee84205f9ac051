"""`extractor examples`: what people corrected, as examples that a prompt shows."""

from __future__ import annotations

import argparse
from pathlib import Path

from extractor.cli.console import count_out


def add_examples_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = commands.add_parser("examples", help="examples for prompts out of what was corrected in review")
    actions = examples.add_subparsers(title="commands", metavar="COMMAND", required=True)
    written = actions.add_parser("from", help="write the corrected passages of the documents that somebody finished")
    written.add_argument("out", type=Path, metavar="OUT", help="the folder that was reviewed")
    where = "for the examples (default: OUT/examples.jsonl); in a task's folder, run --examples auto finds them"
    written.add_argument("-o", "--output", type=Path, metavar="FILE", help=where)
    written.set_defaults(command=run_examples_from_command)


def run_examples_from_command(flags: argparse.Namespace) -> int:
    """0 where there is an example of any passage; 1 where there is none, and nothing is written."""
    from extractor.evaluation.review_examples import build_examples
    from extractor.evaluation.review_gold import read_folder_review
    from extractor.extraction.example_files import write_examples
    from extractor.extraction.task import EXAMPLES_FILE
    from extractor.results.decisions.reviewed import read_run_schema
    from extractor.results.model import RUN_FILE
    from extractor.results.reading import read_run_file

    review = read_folder_review(flags.out)
    built = build_examples(review, read_run_schema(read_run_file(flags.out / RUN_FILE).file))
    left = f"; {built.left_out} corrected passages make none, as not all is known of them" if built.left_out else ""
    if not built.entries:
        finished = count_out(len(review.finished), "finished document")
        print(f"No examples: nothing was corrected in {finished}{left}.")
        return 1
    file = flags.output or flags.out / EXAMPLES_FILE
    write_examples(file, built.entries)
    documents = len({one.sha256 for one in built.entries})
    print(f"{count_out(len(built.entries), 'example')} of {count_out(documents, 'document')}{left}: {file}")
    return 0
