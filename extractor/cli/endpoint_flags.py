"""The flags that say what answers a run and how it is dealt with: how fast, for how much, and what is kept."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.cli.console import sanitize_for_terminal, show_download_bar
from extractor.errors import UsageError

if TYPE_CHECKING:
    from extractor.models.choice import ModelSpec
    from extractor.models.client_options import ClientOptions
    from extractor.models.prices import PriceList


def add_model_flags(parser: argparse.ArgumentParser, mode: str) -> None:
    """The flags that choose what answers, of every command that asks a model."""
    parser.add_argument(
        "--mode",
        choices=["live", "record", "update", "replay"],
        default=mode,
        help=f"update: record what a cassette lacks (default: {mode})",
    )
    parser.add_argument("--cassettes", type=Path, default=Path("cassettes"), help="tapes (default: cassettes)")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint (or OPENAI_BASE_URL, with OPENAI_API_KEY)")
    seen = "pages as pictures beside the text: auto (the model sees, and they are no good text), always, never"
    parser.add_argument("--vision", choices=["auto", "always", "never"], help=f"{seen} (default: auto)")
    add_settings_flags(parser)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also the engine's own log, and tracebacks of errors of extractor"
    )
    parser.add_argument("--yes", action="store_true", help="fetch the embedded model's file where it is not here")
    _add_endpoint_flags(parser)


def _add_endpoint_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("endpoint")
    group.add_argument("--rpm", type=_parse_amount, metavar="N", help="requests a minute, at most")
    group.add_argument("--tpm", type=_parse_amount, metavar="N", help="tokens a minute, at most")
    group.add_argument("--max-requests", type=parse_count, metavar="N", help="stop before more requests than this")
    group.add_argument(
        "--max-tokens", type=parse_count, metavar="N", help="stop before more tokens than this, in and out"
    )
    group.add_argument(
        "--max-cost", type=_parse_amount, metavar="SUM", help="stop before more cost, at list price or --price"
    )
    group.add_argument("--price", type=_parse_price, metavar="IN,OUT", help="of a million tokens, in any currency")
    told = "for one HTTP request; one that is not answered by then is sent again (default: 600)"
    group.add_argument("--request-timeout", type=parse_seconds, metavar="SECONDS", help=told)
    add_cache_flag(group)
    group.add_argument("--no-cache", action="store_true", help="pay for every reply, and keep none")
    group.add_argument("--use-proxy", action="store_true", help="go through the proxy that HTTPS_PROXY names")


def add_cache_flag(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--cache", type=Path, metavar="DIR", help="paid replies (default: in the user's cache folder)")


def add_settings_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that say more of a model than its name, of every command that asks one."""
    group = parser.add_argument_group("model")
    told = "temperature=0.2, window=32000, header.X-Team=docs and the like; may be repeated (docs/endpoints.md)"
    group.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=told)
    group.add_argument("--config", type=Path, metavar="FILE", help="settings and models of one's own, TOML")
    group.add_argument("--env-file", type=Path, metavar="FILE", help="keys and other variables that are not set, .env")


def choose_flagged_model(flags: argparse.Namespace, name: str | None, *, live: bool) -> ModelSpec:
    """The model that flags, config files and the environment name, with what they say of it. Raises UsageError."""
    from extractor.models.api_keys import read_env_file
    from extractor.models.choice import choose_model
    from extractor.models.config_file import load_configuration
    from extractor.models.settings import parse_settings

    said = parse_settings(flags.set)
    same = {"max_tokens": "max_run_tokens", "request_timeout": "request_deadline"}
    for flag in ("rpm", "tpm", "max_requests", "max_tokens", "max_cost", "price", "request_timeout"):
        setting = same.get(flag, flag)
        given, other = getattr(flags, flag, None), getattr(said, setting)
        if given is not None and other is not None and given != other:
            raise UsageError(f"--{flag.replace('_', '-')} and --set {setting} say two things; give one of them.")
    if (seconds := getattr(flags, "request_timeout", None)) is not None:
        said = replace(said, request_deadline=seconds)
    vision = getattr(flags, "vision", None)
    if vision and said.vision not in (None, vision):
        raise UsageError("--vision and --set vision say two things; give one of them.")
    said = replace(said, vision=vision or said.vision)
    environ = {**read_env_file(flags.env_file), **os.environ} if flags.env_file else os.environ
    files = load_configuration(flags.config, Path.cwd())
    choice = choose_model(name, flags.base_url, environ, settings=said, configuration=files, live=live)
    if live and choice.is_embedded and hasattr(flags, "yes"):
        offer_download(choice.name, yes=flags.yes)
    return choice


def offer_download(name: str, *, yes: bool) -> None:
    """Fetches the embedded model's file where it is not here: after `yes`, or a terminal's, of which it asks once."""
    from extractor.models.local import catalog
    from extractor.models.local.known_models import load_catalogue
    from extractor.models.local.pull import pull_model

    folder = catalog.find_models_folder()
    model = next((one for one in load_catalogue(folder) if one.name == name), None)
    if model is None or (folder / model.file).exists():
        return
    wanted = catalog.inspect_installed_model(model, folder)
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return
        size = catalog.format_byte_count(model.size - wanted.bytes_present)
        print(f"Model {name} is not here. Fetch {size} ({model.licence})? [y/N] ", end="", file=sys.stderr)
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return
    with show_download_bar(name) as progress:
        pull_model(name, progress=progress, note=lambda text: print(text, file=sys.stderr))


def choose_flagged_models(flags: argparse.Namespace, *, live: bool) -> list[ModelSpec]:
    """The models that the flags of a run name: one, or those of --models, or a model and the one of --then.

    Raises UsageError for flags that contradict each other.
    """
    if flags.models is None:
        if flags.then is None:
            if flags.ask_again_below is not None:
                raise UsageError("--ask-again-below is for a second model; name it with --then.")
            return [choose_flagged_model(flags, flags.model, live=live)]
        names: list[str | None] = [flags.model, flags.then]
    elif flags.model is not None or flags.then is not None:
        raise UsageError("--models names all models; leave out --model and --then, or name two with these.")
    else:
        names = [*_list_models(flags)]
    found = [choose_flagged_model(flags, name, live=live) for name in names]
    if len({(one.name, one.base_url) for one in found}) < len(found):
        raise UsageError("A model is named twice; name models that differ.")
    return found


def _list_models(flags: argparse.Namespace) -> list[str]:
    """The names of --models, or those that the ensemble of this name has in a config file."""
    from extractor.models.config_file import load_configuration

    ensembles = load_configuration(flags.config, Path.cwd()).ensembles
    names = [name.strip() for name in flags.models.split(",")]
    names = [*ensembles.get(names[0], names)] if len(names) == 1 else names
    if len(names) < 2 or not all(names):
        raise UsageError(f"--models {flags.models} names no two models; write --models A,B, or --model for one.")
    return names


def choose_threshold(flags: argparse.Namespace, first: ModelSpec) -> float | None:
    """The confidence below which a second model is asked after the first; None where there is none."""
    from extractor.extraction.combining.asking import ASK_AGAIN_BELOW

    if flags.then is None:
        return None
    threshold: float | None = flags.ask_again_below
    return ASK_AGAIN_BELOW[first.traits.model_class] if threshold is None else threshold


def read_document_deadline(flags: argparse.Namespace, choice: ModelSpec) -> float | None:
    """Seconds for one document, by its flag or its setting. Raises UsageError where the two differ."""
    flagged: float | None = flags.document_timeout
    said = choice.settings.document_deadline
    if flagged is not None and said is not None and flagged != said:
        raise UsageError("--document-timeout and document_deadline say two things; give one of them.")
    if flagged is not None and (choice.settings.request_deadline or 0) > flagged:
        raise UsageError(
            "--document-timeout ends before the request_deadline that is set, or --request-timeout; lower that one."
        )
    return said if flagged is None else flagged


def read_client_options(
    flags: argparse.Namespace, mode: str, concurrency: int | None = None, prices: PriceList | None = None
) -> ClientOptions:
    """What the flags of `add_model_flags` say of every model that is asked.

    Raises UsageError for flags that make no sense together.
    """
    from extractor.models.client_options import ClientOptions, Mode
    from extractor.models.limits.budget import BudgetLimits

    if flags.price is not None and flags.max_cost is None:
        raise UsageError("--price=IN,OUT is for --max-cost; give that, too, or --prices FILE for the bill.")
    if flags.no_cache and flags.cache:
        raise UsageError("--cache and --no-cache exclude each other; give one.")
    return ClientOptions(
        mode=Mode(mode),
        cassettes=flags.cassettes,
        concurrency=concurrency,
        rpm=flags.rpm,
        tpm=flags.tpm,
        limits=BudgetLimits(flags.max_requests, flags.max_tokens, flags.max_cost, flags.price or (0.0, 0.0)),
        prices=prices,
        cache=flags.cache,
        uses_default_cache=not flags.no_cache,
        use_proxy=flags.use_proxy,
        verbose=flags.verbose,
        note=lambda text: print(f"note: {sanitize_for_terminal(text)}", file=sys.stderr),
    )


def parse_seconds(text: str) -> float:
    """A flag's seconds. Raises ArgumentTypeError for none above 0."""
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return seconds


def parse_count(text: str) -> int:
    """A flag's number of things. Raises ArgumentTypeError for none above 0."""
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _parse_amount(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e12:
        raise argparse.ArgumentTypeError(f"{text} is no amount above 0")
    return value


def _parse_price(text: str) -> tuple[float, float]:
    come, comma, go = text.partition(",")
    prices = float(come), float(go)
    if not comma or not all(0 <= price < 1e12 for price in prices):
        raise argparse.ArgumentTypeError(f"{text!r} is not IN,OUT")
    return prices
