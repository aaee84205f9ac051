"""Tasks that are Python: they run with all that one may do oneself, so that is said, and never done unasked.

A task that the user writes as a path is run, and said to be. One that a folder names (the suite of the folder that the
command is started in) is run only if it is trusted. Trust is by digest of all Python beside the schema, and is kept in
the user's own folder: no folder can say of itself that it is trusted, and what changes is not trusted any more.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.machinery import all_suffixes
from pathlib import Path

from extractor.errors import MachineError, UsageError
from extractor.files import write_atomically
from extractor.user_folders import find_state

_MAX_FILES, _MAX_BYTES = 2_000, 50_000_000
"""Python files beside a schema, and bytes of them, that a digest is made of."""
_HEADER = "# Python of tasks that was trusted with --trust: SHA-256, and where it stood then\n"


def add_trust_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust", action="store_true", help="run the Python of this task, and remember it until it changes"
    )


def allow_task_code(code: Path | None, flags: argparse.Namespace, *, is_named: bool) -> list[str]:
    """What is to be said of a task's Python that is about to run; `is_named`, whether the user named it as a path.

    Raises UsageError for one that a folder named, and that is not trusted; MachineError where trust cannot be kept.
    """
    if code is None:
        return []
    if flags.trust:
        _remember(code)
        return []
    if (trusted := _read_trusted()) and digest_code(code) in trusted:
        return []
    if not is_named:
        raise UsageError(
            f"The suite here names a task that is Python ({code}), and would run it; look at it, then say --trust, "
            "or name the task or the suite yourself."
        )
    return [f"{code} is Python and runs; --trust remembers that it may, until it changes."]


def digest_code(code: Path) -> str | None:
    """The SHA-256 of all that running a file may import from beside it; None where that is more than is looked at."""
    folder, digest, size = code.resolve().parent, hashlib.sha256(), 0
    try:
        for number, path in enumerate(sorted(_find_modules(folder))):
            content = path.read_bytes() if path.is_file() else b""
            size += len(content)
            if number >= _MAX_FILES or size > _MAX_BYTES:
                return None
            name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
            digest.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    except OSError:
        return None
    digest.update(code.name.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _find_modules(folder: Path) -> Iterator[Path]:
    """The modules in a folder, and all of the packages in it."""
    suffixes = tuple(all_suffixes())
    for path in folder.iterdir():
        if path.name.endswith(suffixes):
            yield path
        elif any((path / f"__init__{suffix}").is_file() for suffix in suffixes):
            yield from (inner for inner in path.rglob("*") if inner.name.endswith(suffixes))


def find_trust_file(environ: Mapping[str, str] = os.environ) -> Path:
    """$EXTRACTOR_HOME/trusted-tasks, or extractor/trusted-tasks in the user's folder for state."""
    return find_state("trusted-tasks", environ)


def _read_trusted() -> dict[str, str]:
    """Digest to place; nothing where the file is not the user's own."""
    try:
        file = find_trust_file()
        if hasattr(os, "getuid") and file.stat().st_uid != os.getuid():
            return {}
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (OSError, UsageError):
        return {}
    return {digest: place for digest, _, place in (line.partition(" ") for line in lines) if len(digest) == 64}


def _remember(code: Path) -> None:
    digest = digest_code(code)
    if digest is None:
        raise UsageError(f"{code.parent} holds more Python than is looked at; give the task a folder of its own.")
    known = {**_read_trusted(), digest: str(code.resolve()).replace("\n", " ")}
    content = _HEADER + "".join(f"{one} {place}\n" for one, place in known.items())
    try:
        file = find_trust_file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file, [content.encode("utf-8", "surrogateescape")])
    except OSError as error:
        reason = error.strerror or error
        raise MachineError(f"Trust cannot be kept ({reason}); set EXTRACTOR_HOME to a folder of yours.") from error
