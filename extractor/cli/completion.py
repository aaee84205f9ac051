"""`extractor completion`: a script that lets a shell complete commands, flags and paths."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from extractor.errors import UsageError, name_install_command

SHELLS = ("bash", "zsh", "fish", "powershell")


def add_completion_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    completion = commands.add_parser("completion", help="print a script that lets a shell complete commands and flags")
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(command=run_completion_command)


def run_completion_command(flags: argparse.Namespace) -> int:
    try:
        import shtab  # only here
    except ModuleNotFoundError as error:
        wanted = name_install_command("completion")
        raise UsageError(f"shtab, which writes the script, is not installed; install it with {wanted}.") from error
    from extractor.cli.main import build_parser  # it holds this command, too

    parser = build_parser()
    for action in _list_actions(parser):
        if action.type is Path:
            is_folder = action.metavar == "DIR" or action.dest in ("out", "cassettes")
            action.complete = shtab.DIRECTORY if is_folder else shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=flags.shell))
    return 0


def _list_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Flags and arguments of a command and of all commands in it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _list_actions(inner)
