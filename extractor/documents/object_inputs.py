"""Documents in object stores: copied beside a run's results, those that have changed alone, and read from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path, PurePosixPath

from extractor.documents.discovery import is_system_key, matches_pattern
from extractor.errors import MachineError, UsageError
from extractor.files import make_folder, write_atomically
from extractor.object_stores import ObjectStore, ObjectUrl, StoredObject, parse_object_url
from extractor.types import Json

FOLDER = "objects"
MAX_OBJECT_BYTES = 1 << 30
"""Bytes of an object that is read."""
_AT_ONCE = 16
_INDEX = ".index.json"


def fetch_inputs(paths: Sequence[Path], out: Path, note: Callable[[str], None]) -> list[Path]:
    """The paths, those of object stores replaced by copies in the output folder, which are made where they are not.

    An address is one object, all under it, or a pattern as of files. Raises UsageError for one that names nothing and
    MachineError where a store or the disk fails.
    """
    return [path if (url := parse_object_url(path)) is None else _fetch(url, out / FOLDER, note) for path in paths]


def _fetch(url: ObjectUrl, folder: Path, note: Callable[[str], None]) -> Path:
    store = ObjectStore(url)
    target = folder / f"{url.scheme}-{url.bucket[:80]}-{sha256(str(url).encode()).hexdigest()[:12]}"
    fixed, pattern = _split_pattern(url.key)
    single = store.find(url.key) if url.key and not pattern else None
    if single is not None:
        name = single.key.rpartition("/")[2]
        wanted = {name: single}
    else:
        wanted = _choose_objects(store, fixed, pattern, note)
    if not wanted:
        raise UsageError(f"{url} names no object; check the address.")
    try:
        _copy_changed(store, wanted, target)
    except OSError as error:
        raise MachineError(
            f"{target} cannot be written ({error.strerror}); free the disk or choose another -o."
        ) from error
    return target / name if single is not None else target


def _split_pattern(key: str) -> tuple[str, list[str]]:
    """What all keys begin with, and the names of a pattern after it."""
    parts = key.rstrip("/").split("/") if key else []
    at = next((i for i, part in enumerate(parts) if any(c in part for c in "*?[")), len(parts))
    return "/".join(parts[:at]), parts[at:]


def _choose_objects(
    store: ObjectStore, prefix: str, pattern: list[str], note: Callable[[str], None]
) -> dict[str, StoredObject]:
    """Path below the folder -> object. What has no place on a disk, or is too large, is named and left out."""
    chosen: dict[str, StoredObject] = {}
    for one in store.list(prefix):
        names = one.key[len(prefix) :].strip("/").split("/")
        if one.key.endswith("/") or is_system_key(names) or (pattern and not matches_pattern(names, pattern)):
            continue
        if any(name in ("", ".", "..") or not name.isprintable() or len(name.encode()) > 255 for name in names):
            note(f"An object is left out whose name no file can have: {one.key[:100]!r}.")
        elif one.size > MAX_OBJECT_BYTES:
            note(f"{one.key[:100]!r} is left out, which is larger than {MAX_OBJECT_BYTES >> 30} GB.")
        else:
            chosen["/".join(names)] = one
    folders = {str(folder) for name in chosen for folder in PurePosixPath(name).parents}
    for name in sorted(chosen.keys() & folders):
        note(f"{chosen.pop(name).key[:100]!r} is left out, whose name is that of a folder of others.")
    return chosen


def _copy_changed(store: ObjectStore, wanted: dict[str, StoredObject], target: Path) -> None:
    for folder in (target.parent, target):
        make_folder(folder, 0o700)
    before = _read_index(target / _INDEX)
    for path in sorted(target.rglob("*"), reverse=True):
        is_stray = path.is_file() and path.name != _INDEX and path.relative_to(target).as_posix() not in wanted
        if path.is_symlink() or is_stray:  # no copy is a link, and one would lead what is copied elsewhere
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()

    def copy(name: str) -> None:
        path = target / name
        if before.get(name) != wanted[name].mark or not path.is_file():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, store.read(wanted[name].key, MAX_OBJECT_BYTES))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done in [pool.submit(copy, name) for name in wanted]:
            done.result()
    marks = {name: one.mark for name, one in wanted.items()}
    write_atomically(target / _INDEX, [json.dumps(marks).encode()])


def _read_index(path: Path) -> dict[str, Json]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
