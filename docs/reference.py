"""Prints docs/reference.md, from the command line's parser and the published formats: nothing is typed twice.

python docs/reference.py > docs/reference.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extractor.cli import main as cli
from extractor.results.export.layout import FIXED_TABLES

HERE = Path(__file__).parent
HEAD = """\
# Reference

Made by `python docs/reference.py > docs/reference.md`; a test holds it to the code.
"""
ENVIRONMENT = """\
## Environment

| variable | |
| --- | --- |
| `OPENAI_API_KEY` | the endpoint's key; it shows in no file, log or cassette |
| `ANTHROPIC_API_KEY`, `GEMINI_API_KEY` and the like | the key of a vendor; docs/endpoints.md lists them |
| the same with `_FILE` behind it | a file that holds the key, instead |
| `SSL_CERT_FILE`, `SSL_CERT_DIR` | certificates that are trusted instead of the system's |
| `OPENAI_BASE_URL` | an OpenAI-compatible endpoint, as with `--base-url` |
| `EXTRACTOR_ENGINE` | what an embedded model runs in, as with `--set engine` (docs/engine.md) |
| `EXTRACTOR_HOME` | the folder of model files, paid replies, the kept engine, a server's jobs and trusted tasks, instead of \
`~/.cache/extractor` and `~/.local/state/extractor` (or below `XDG_CACHE_HOME` and `XDG_STATE_HOME`) |
| `EXTRACTOR_HUB`, else `HF_ENDPOINT` | a mirror of the hub that model files are fetched from |
| `EXTRACTOR_SERVE_KEY` | a key that programs ask `extractor serve` with (docs/serve.md) |
"""
TABLES = """\
## Tables

What `extractor export` writes as CSV, Parquet and SQLite; [exports.md](exports.md) says how they hang together.
"""


def markdown() -> str:
    return "\n".join([HEAD, *_commands(), _codes(), ENVIRONMENT, *_result(), *_tables()])


def _commands() -> Iterator[str]:
    parser = cli.build_parser()
    yield "## Commands\n"
    yield _code(cli.USAGE_EXAMPLES.partition("\n")[2].rstrip())
    for path, command, about in _walk(parser, "extractor"):
        yield f"### {path}\n"
        yield f"{about[:1].upper()}{about[1:]}.\n"
        rows = [row for action in command._actions for row in _flag(action)]
        if rows:
            yield _table(("", "", "default"), rows)


def _walk(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield f"{path} {name}", command, about.get(name, "")
                yield from _walk(command, f"{path} {name}")


def _flag(action: argparse.Action) -> Iterator[tuple[str, str, str]]:
    if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
        return
    takes = "" if action.nargs == 0 else f" {_metavar(action)}"
    if action.option_strings:
        name = ", ".join(f"`{flag}{takes}`" for flag in action.option_strings)
    else:
        name = f"`{takes.strip()}`" + (" …" if action.nargs in ("+", "*") else "")
    told, _, default = (action.help or "").partition(" (default: ")
    told = told.removeprefix("(default: " + default)
    if (action.help or "").startswith("(default: "):
        told, default = "", (action.help or "").removeprefix("(default: ")
    choices = "one of " + ", ".join(f"`{c}`" for c in action.choices) if action.choices else ""
    yield name, "; ".join(filter(None, [told.replace("%%", "%"), choices])), default.rstrip(")")


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices:
        return "WORD"
    return action.dest.upper()


def _codes() -> str:
    told = (cli.__doc__ or "").partition("\n\n")[2].strip()
    return f"## Exit codes\n\n{_code(told)}"


def _result() -> Iterator[str]:
    schema = json.loads((HERE / "result.schema.json").read_text(encoding="utf-8"))
    yield "## A result\n"
    yield f"{schema['description']} Its JSON Schema is [result.schema.json](result.schema.json).\n"
    yield _table(("member", "type", ""), list(_members(schema, schema, "", set())))


def _members(schema: dict[str, Any], node: dict[str, Any], path: str, told: set[int]) -> Iterator[tuple[str, str, str]]:
    """A row for each member, at any depth; what is defined once is told once."""
    if id(node) in told:
        return
    told.add(id(node))
    for name, declared in node.get("properties", {}).items():
        inner = _resolved(schema, declared)
        at = f"{path}{name}"
        yield f"`{at}`", _type(inner), declared.get("description", inner.get("description", ""))
        yield from _members(schema, inner, f"{at}.", told)
        for part, sign in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(inner.get(part), dict):
                yield from _members(schema, _resolved(schema, inner[part]), f"{at}{sign}.", told)


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema
    for step in str(node["$ref"]).split("/")[1:] if "$ref" in node else ():
        found = found[step]
    return found if "$ref" in node else node


def _type(node: dict[str, Any]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{choice}`" for choice in node["enum"])
    kind = node.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _tables() -> Iterator[str]:
    yield TABLES
    for name, columns in FIXED_TABLES.items():
        told = ", ".join(f"`{column}` {type_}" for column, type_ in columns.items())
        yield f"- **{name}**: {told}"
    yield "- **records**: `_document` integer, `_path` string, then a column for each plain field of the record"
    yield (
        "- a table for each list: `_document` integer, `_path` string, `_parent` string, `_row` integer, then a column "
        "for each plain field of its entries, or `value`\n"
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines) + "\n"


def _code(text: str) -> str:
    return f"```\n{text}\n```\n"


if __name__ == "__main__":
    print(markdown(), end="")
