"""`extractor engine`: an embedded engine that stays between runs."""

from __future__ import annotations

import argparse
import json
import os

from extractor.cli.console import sanitize_for_terminal
from extractor.cli.endpoint_flags import parse_count
from extractor.models.local.known_models import DEFAULT_MODEL

MAX_IDLE_MINUTES = 7 * 24 * 60
ENGINE_HELP = "xllamacpp, native, llama-server, or the path of one (default: xllamacpp, or EXTRACTOR_ENGINE)"


def add_engine_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    engine = commands.add_parser("engine", help="keep the embedded engine between runs, which start warm then")
    inner = engine.add_subparsers(metavar="", required=True)
    start = inner.add_parser("start", help="load a model and keep it; runs of this user use it")
    start.add_argument(
        "--model", default=DEFAULT_MODEL, help="an embedded model, or a GGUF file (default: %(default)s)"
    )
    start.add_argument("--engine", metavar="NAME", help=ENGINE_HELP)
    at_once = "documents at a time (default: 1)"
    start.add_argument("--concurrency", type=parse_count, default=1, metavar="N", help=at_once)
    start.add_argument(
        "--idle", type=float, metavar="MINUTES", help="end it when nobody has used it for so long (default: 30)"
    )
    start.set_defaults(command=_run_start_command)
    stop = inner.add_parser("stop", help="end it")
    stop.set_defaults(command=_run_stop_command)
    status = inner.add_parser("status", help="say whether one is kept, and which")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.set_defaults(command=_run_status_command)


def _run_start_command(flags: argparse.Namespace) -> int:
    from extractor.errors import UsageError
    from extractor.models.local.catalog import locate_weights
    from extractor.models.local.engines import ENGINE_VARIABLE, choose_engine
    from extractor.models.local.kept_engine import DEFAULT_IDLE_MINUTES, KEPT_CACHE_MIB, start_engine
    from extractor.models.open_endpoint import build_server_settings

    idle = DEFAULT_IDLE_MINUTES if flags.idle is None else flags.idle
    if not 0 < idle <= MAX_IDLE_MINUTES:
        raise UsageError(f"--idle takes minutes above 0, {MAX_IDLE_MINUTES:,} at most.")
    settings = build_server_settings(flags.concurrency, cache_mib=KEPT_CACHE_MIB)
    engine = choose_engine(flags.engine or os.environ.get(ENGINE_VARIABLE) or None)
    kept = start_engine(locate_weights(flags.model), settings, idle, engine=engine)
    model = sanitize_for_terminal(kept.server.model)
    print(f"{model} is kept (pid {kept.keeper}) until nobody has used it for {idle:g} min.")
    return 0


def _run_stop_command(flags: argparse.Namespace) -> int:
    from extractor.models.local.kept_engine import stop_engine

    kept = stop_engine()
    print(
        "No engine is kept."
        if kept is None
        else f"The engine with {sanitize_for_terminal(kept.server.model)} has ended."
    )
    return 0


def _run_status_command(flags: argparse.Namespace) -> int:
    """1 where no engine is kept."""
    from extractor.models.local.kept_engine import find_engine_folder, is_in_use, read_state

    kept = read_state(find_engine_folder())
    if flags.json:
        told = None
        if kept is not None:
            own = kept.server
            told = {"model": own.model, "digest": own.digest, "pid": own.pid}
            told |= {"engine": own.build.name, "version": own.build.build, "features": own.build.features}
            told |= {"keeper": kept.keeper, "idle_minutes": kept.idle_minutes, "in_use": is_in_use()}
        print(json.dumps(told))
    elif kept is None:
        print("No engine is kept.")
    else:
        doing = "in use" if is_in_use() else f"idle; it ends after {kept.idle_minutes:g} min"
        print(sanitize_for_terminal(f"{kept.server.model} (pid {kept.keeper}, {kept.server.build}): {doing}"))
    return 0 if kept else 1
