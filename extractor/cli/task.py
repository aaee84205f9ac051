"""`extractor task`: the tasks that ship, and a folder to begin one's own with."""

from __future__ import annotations

import argparse
from pathlib import Path

from extractor.cli.console import count_out


def add_task_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    task = commands.add_parser("task", help="list the tasks that ship, or begin one of your own")
    kinds = task.add_subparsers(title="commands", metavar="COMMAND", required=True)
    shipped = kinds.add_parser("list", help="the tasks that ship")
    shipped.set_defaults(command=_run_list_command)
    new = kinds.add_parser("new", help="write a folder with schema, prompt, sample, gold and suite that already runs")
    new.add_argument("folder", type=Path, metavar="NAME", help="the new folder; its name is the task's")
    new.set_defaults(command=_run_new_command)


def _run_list_command(flags: argparse.Namespace) -> int:
    from extractor.extraction.task import list_shipped_tasks, load_task

    for name in list_shipped_tasks():
        task = load_task(name)
        print(f"{name:12} {count_out(len(task.schema.groups), 'question')}, prompts: {', '.join(task.prompts)}")
        print(f"{'':12} {task.schema.root.description}")
    return 0


def _run_new_command(flags: argparse.Namespace) -> int:
    from extractor.cli.scaffold import write_task_folder

    for path in write_task_folder(flags.folder):
        print(path)
    print(f"\nIt runs as it is:  extractor run {flags.folder}/samples --task {flags.folder}/")
    print(f"and is scored by:  extractor eval --suite {flags.folder}")
    return 0
