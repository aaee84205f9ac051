"""`extractor models`: the models that can be named, embedded and at endpoints; one fetched, one probed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.console import sanitize_for_terminal, show_download_bar
from extractor.cli.endpoint_flags import add_settings_flags, choose_flagged_model
from extractor.models.local.known_models import DEFAULT_MODEL

if TYPE_CHECKING:
    from extractor.models.probe import ProbeFindings


def add_models_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = commands.add_parser("models", help="list the models that can be named, fetch one or probe one")
    models.add_argument("--json", action="store_true", help="print JSON: the embedded ones")
    models.add_argument("--config", type=Path, metavar="FILE", help="settings and models of one's own, TOML")
    models.set_defaults(command=run_models_command)
    inner = models.add_subparsers(metavar="")
    pull = inner.add_parser("pull", help="fetch a model and check its digest")
    pull.add_argument("name", help="its name in the list")
    pull.set_defaults(command=_run_pull_command)
    add = inner.add_parser("add", help="note a model file of the hub or of an address, and fetch it")
    add.add_argument("source", help="its address, or owner/name:file.gguf of the hub")
    add.add_argument("--sha256", required=True, metavar="HEX", help="the digest that its maker states")
    add.add_argument("--name", help="what to call it (default: the file's name)")
    add.add_argument("--licence", default="not stated", help="what its maker states")
    add.set_defaults(command=_run_add_command)
    bench = inner.add_parser("bench", help="measure how fast an embedded model reads and writes here, in each engine")
    bench.add_argument("name", nargs="?", default=DEFAULT_MODEL, help="its name, or a GGUF file (default: %(default)s)")
    bench.add_argument("--engine", metavar="NAME", help="one besides those that are found, by its name or path")
    bench.add_argument("--json", action="store_true", help="print JSON")
    bench.set_defaults(command=_run_bench_command)
    probe = inner.add_parser("probe", help="ask an endpoint's model a few tiny questions and print what it can do")
    probe.add_argument("name", nargs="?", help="the endpoint's name of the model")
    probe.add_argument("--base-url", help="an OpenAI-compatible endpoint (or OPENAI_BASE_URL, with OPENAI_API_KEY)")
    probe.add_argument("--use-proxy", action="store_true", help="go through the proxy that HTTPS_PROXY names")
    probe.add_argument("--json", action="store_true", help="print JSON")
    add_settings_flags(probe)
    probe.set_defaults(command=_run_probe_command)


def run_models_command(flags: argparse.Namespace) -> int:
    from extractor.models.local.catalog import (
        build_model_table,
        installed_models_to_json,
        list_installed_models,
        measure_machine_memory,
    )
    from extractor.models.local.engines import describe_engines

    held = list_installed_models()
    if flags.json:
        print(json.dumps(installed_models_to_json(held), indent=1))
        return 0
    _print_table(build_model_table(held, measure_machine_memory()))
    print()
    _print_table([("engine of embedded models", "state"), *describe_engines()])
    print()
    _print_table(_build_endpoint_table(flags.config))
    return 0


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _build_endpoint_table(config: Path | None) -> list[tuple[str, ...]]:
    """The models of config files by their own names, then the vendors whose models can be named."""
    from extractor.models.config_file import load_configuration
    from extractor.models.vendors import VENDORS

    files = load_configuration(config, Path.cwd())
    rows: list[tuple[str, ...]] = [("endpoint's model", "called there", "address", "key")]
    for name, one in files.models.items():
        key = one.key_env or one.key_file or "OPENAI_API_KEY"
        where = one.base_url or "by its name"
        rows.append(tuple(map(sanitize_for_terminal, (name, one.model or name, where.partition("?")[0], key))))
    for vendor in VENDORS:
        is_set = any(os.environ.get(one) or os.environ.get(f"{one}_FILE") for one in vendor.key_variables)
        key = f"{vendor.key_variables[0]} ({'set' if is_set else 'not set'})"
        rows.append((f"{vendor.prefix}/NAME", "NAME", vendor.base_url, key))
    rows.append(("NAME", "NAME", "--base-url URL", "OPENAI_API_KEY, where it wants one"))
    return rows


def _run_pull_command(flags: argparse.Namespace) -> int:
    from extractor.models.local.pull import pull_model

    with show_download_bar(flags.name) as progress:
        found = pull_model(flags.name, progress=progress, note=lambda text: print(text, file=sys.stderr))
    print(found.path)
    return 0


def _run_add_command(flags: argparse.Namespace) -> int:
    from extractor.models.local.pull import add_model

    flags.name = add_model(flags.source, flags.sha256, flags.name, flags.licence).name
    return _run_pull_command(flags)


def _run_bench_command(flags: argparse.Namespace) -> int:
    from dataclasses import asdict

    from extractor.models.local.catalog import locate_weights
    from extractor.models.local.engines import ENGINE_VARIABLE, NATIVE, XLLAMACPP, list_engines, tell_native_cost
    from extractor.models.local.speed import find_faster_engine, measure_speeds, remember_speed

    engines = list_engines(flags.engine or os.environ.get(ENGINE_VARIABLE) or None) or [XLLAMACPP]
    speeds = measure_speeds(locate_weights(flags.name), engines, note=lambda text: print(text, file=sys.stderr))
    for speed in speeds:
        remember_speed(speed)
    if flags.json:
        print(json.dumps([asdict(speed) for speed in speeds], indent=1))
        return 0
    first = speeds[0]
    print(sanitize_for_terminal(f"{first.model}, {first.threads} threads, {first.processor}"))
    print(sanitize_for_terminal(f"it has {' '.join(first.features) or 'features that are not known'}"))
    for speed in speeds:
        print(sanitize_for_terminal(f"{speed.engine} {speed.program}".rstrip()))
        print(f"  reads {speed.read:,.0f} and writes {speed.write:,.0f} tokens a second; uses {' '.join(speed.used)}")
    if (best := find_faster_engine(first.model, None)) is not None:
        share = best.page_seconds / first.page_seconds
        name = sanitize_for_terminal(best.engine_name)
        print(f"{name} takes {share:.2f} of the time; to use it: --set engine={name} (docs/engine.md)")
    if not NATIVE.is_here:
        print(f"the engine {NATIVE.name} may be faster; it is {tell_native_cost()} (docs/engine.md)")
    print("`--dry-run` reckons with that now")
    return 0


def _run_probe_command(flags: argparse.Namespace) -> int:
    """1 where no dialect brought an answer."""
    import asyncio  # a quarter of what `extractor --help` takes

    from extractor.models.probe import findings_to_json, probe_model, write_model_table

    choice = choose_flagged_model(flags, flags.name, live=True)
    found = asyncio.run(probe_model(choice, flags.use_proxy))
    if flags.json:
        print(json.dumps(findings_to_json(found), ensure_ascii=False, indent=1))
    else:
        _print_findings(found)
        print("\n# for extractor.toml")
        print("\n".join(map(sanitize_for_terminal, write_model_table(found, choice))))
    return 1 if found.best_dialect is None else 0


def _print_findings(found: ProbeFindings) -> None:
    words = {True: "yes", False: "no", None: "not known"}
    rows = [(f"dialect {dialect}", came) for dialect, came in found.dialects.items()]
    rows += [
        ("thinks", words[found.thinks]),
        ("token probabilities", words[found.gives_probabilities]),
        ("window", f"{found.limits.window:,} ({found.limits.path})" if found.limits.window else "not told"),
        ("longest reply", f"{found.limits.max_output:,}" if found.limits.max_output else "not told"),
        *(("learnt", note) for note in found.learnt.get("notes", ())),
        ("took", f"{found.requests} requests, {found.tokens:,} tokens"),
    ]
    print(sanitize_for_terminal(f"{found.model} at {found.base_url}"))
    for what, told in rows:
        print(f"  {what:<20}{sanitize_for_terminal(told)}")
