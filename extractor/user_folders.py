"""Where what is kept for the user between runs lies: never in the folder that a command is started in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from extractor.errors import UsageError


def find_cached(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """What can be fetched or asked for again: $EXTRACTOR_HOME/name, or extractor/name in the user's cache folder."""
    return _find(name, environ, "XDG_CACHE_HOME", Path(".cache"))


def find_state(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """What is nowhere else: $EXTRACTOR_HOME/name, or extractor/name in the user's folder for state."""
    return _find(name, environ, "XDG_STATE_HOME", Path(".local", "state"))


def _find(name: str, environ: Mapping[str, str], variable: str, below_home: Path) -> Path:
    """Raises UsageError where there is no home folder."""
    try:
        if own := environ.get("EXTRACTOR_HOME"):
            return Path(own).expanduser() / name
        base = Path(environ.get(variable, ""))
        if not base.is_absolute():  # the XDG base directory specification: others are to be ignored
            base = Path.home() / below_home
    except RuntimeError:
        raise UsageError(f"There is no home folder to keep {name} in; set EXTRACTOR_HOME to a folder.") from None
    return base / "extractor" / name
