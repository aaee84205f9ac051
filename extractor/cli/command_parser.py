"""The parser of the command line: what is wrong is one sentence, of the command that it is wrong with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from extractor.cli.console import sanitize_for_terminal


class CommandParser(argparse.ArgumentParser):
    """argparse leaves what a command does not know to the whole command line, and prints a usage of many lines."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        flags, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._describe_unknown(unknown[0]))
        return flags, unknown

    def _describe_unknown(self, word: str) -> str:
        if not word.startswith("-"):
            return f"{self.prog} takes no {word!r} here"
        flag = word.partition("=")[0]
        near = get_close_matches(flag, self._option_string_actions, 1)
        return f"{self.prog} has no flag {flag}" + (f"; did you mean {near[0]}?" if near else "")

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument : ")  # of commands within a command, which have no name
        end = "" if message.endswith("?") else ";"
        print(f"error: {sanitize_for_terminal(message)}{end} `{self.prog} --help` says more.", file=sys.stderr)
        self.exit(2)


def parse_port(text: str) -> int:
    """A flag's port; 0 is any free one. Raises ArgumentTypeError for what is none."""
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError("give a port from 0 to 65535")
    return int(text)
