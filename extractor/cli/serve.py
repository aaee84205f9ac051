"""`extractor serve`: records over HTTP."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.asking import add_example_flags
from extractor.cli.command_parser import parse_port
from extractor.cli.console import print_notes, sanitize_for_terminal
from extractor.cli.endpoint_flags import add_model_flags, parse_count
from extractor.cli.trust import add_trust_flag
from extractor.errors import UsageError, name_install_command

if TYPE_CHECKING:
    from extractor.serving.options import ServerOptions

DEFAULT_PORT = 8900
DEFAULT_DOCUMENT_SECONDS = 900.0
"""Seconds for one document, so that none holds a hand for good."""


def add_serve_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="answer programs over HTTP (docs/serve.md)")
    add_served_flags(serve, "what is extracted")
    deadline = f"for one document (default: {DEFAULT_DOCUMENT_SECONDS:.0f})"
    serve.add_argument("--document-timeout", type=float, default=None, metavar="SECONDS", help=deadline)
    group = serve.add_argument_group("server")
    group.add_argument("--host", default="127.0.0.1", help="another than this machine needs a key (default: 127.0.0.1)")
    group.add_argument(
        "--port", type=parse_port, default=DEFAULT_PORT, help=f"0 is any free one (default: {DEFAULT_PORT})"
    )
    group.add_argument("--keys", type=Path, metavar="FILE", help="keys, one a line (or one in EXTRACTOR_SERVE_KEY)")
    kept = "jobs and records (default: in the user's folder for state)"
    group.add_argument("--jobs", type=Path, metavar="DIR", help=kept)
    group.add_argument("--keep", type=float, default=168.0, metavar="HOURS", help="a finished job (default: 168)")
    group.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="for a small document (default: 30)")
    group.add_argument("--max-size", type=float, default=50.0, metavar="MB", help="of a document (default: 50)")
    group.add_argument("--max-jobs", type=int, default=1000, metavar="N", help="of a key, not done (default: 1000)")
    group.add_argument(
        "--rate", type=float, default=600.0, metavar="N", help="documents a minute and key (default: 600)"
    )
    group.add_argument("--no-schemas", action="store_true", help="take no JSON Schema of a request, the task alone")
    serve.set_defaults(command=run_serve_command)


def add_served_flags(parser: argparse.ArgumentParser, task: str) -> None:
    """What answers, and for which task; `task` says what that task is for."""
    parser.add_argument("--task", help=f"{task}: a task that ships, or a folder as a path (./mine, mine/)")
    parser.add_argument("--schema", help="a schema instead of a task: FILE.py:CLASS or a JSON Schema file")
    add_trust_flag(parser)
    parser.add_argument("--prompt", help="prompt version of the task (default: the one it prefers)")
    add_example_flags(parser)
    parser.add_argument("--model", help="embedded model, path of a .gguf, or the endpoint's model name")
    add_model_flags(parser, "live")
    parser.add_argument(
        "--concurrency", type=parse_count, metavar="N", help="documents at a time (default: 1 embedded, 8 else)"
    )
    parser.add_argument(
        "--ocr", action="store_true", help="read pages without a text layer, and pictures within documents, by OCR"
    )


def run_serve_command(flags: argparse.Namespace) -> int:
    """0 when a signal stopped it; what was not done is done after the next start."""
    require_serving_libraries("serve")
    from extractor.cli.serve_model import open_served_model
    from extractor.runs.signals import run_until_signal
    from extractor.serving.keys import read_server_keys
    from extractor.serving.server import Served, open_listener, serve_requests

    if flags.mode in ("record", "update"):
        raise UsageError("A server records no cassettes; use `extractor run --mode record` for that.")
    if flags.no_schemas and not (flags.task or flags.schema):
        raise UsageError("With --no-schemas there is nothing to ask for; name a --task or a --schema.")
    options = _read_options(flags)
    keys = read_server_keys(flags.keys, os.environ)
    with open_listener(flags.host, flags.port, keys) as listener, open_served_model(flags) as (session, own):
        port = listener.getsockname()[1]
        host = f"[{flags.host}]" if ":" in flags.host else flags.host
        kept = sanitize_for_terminal(str(options.folder))
        print(f"Listening at http://{host}:{port}; jobs are in {kept}; Ctrl-C stops it.", file=sys.stderr, flush=True)
        served = Served(session, own, keys, lambda note: print_notes([note]), _print_bug)
        run_until_signal(lambda stop: serve_requests(served, options, listener, stop))
    return 0


def require_serving_libraries(extra: str) -> None:
    """Raises UsageError where the libraries of the extra are not installed."""
    wanted = {"serve": ("starlette", "uvicorn", "prometheus_client", "python_multipart"), "mcp": ("mcp",)}[extra]
    import importlib.util

    if missing := [name for name in wanted if importlib.util.find_spec(name) is None]:
        raise UsageError(f"{missing[0]} is not installed; install it with {name_install_command(extra)}.")


def _read_options(flags: argparse.Namespace) -> ServerOptions:
    from extractor.serving.options import Bounds, ServerOptions
    from extractor.serving.store import find_jobs_folder

    bounds = (flags.max_size, flags.max_jobs, flags.rate, flags.keep)
    if not all(0 < bound < 1e9 for bound in bounds) or not 0 <= flags.wait <= 300:
        raise UsageError("--max-size, --max-jobs, --rate and --keep are above 0, and --wait is 0 to 300; correct them.")
    return ServerOptions(
        folder=flags.jobs or find_jobs_folder(),
        bounds=Bounds(int(flags.max_size * 1e6), flags.max_jobs, flags.rate, flags.wait, flags.keep),
        takes_schemas=not flags.no_schemas,
        ocr=flags.ocr,
        document_timeout=flags.document_timeout or DEFAULT_DOCUMENT_SECONDS,
        verbose=flags.verbose,
    )


def _print_bug(name: str, error: Exception) -> None:
    from extractor.runs.bugs import format_trace

    print(f"{sanitize_for_terminal(name)}:\n{format_trace(error)}", file=sys.stderr, flush=True)
