"""Model files by SHA-256: which there are, and whether they are here.

The digest decides whether a file is the model; where its bytes came from does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from extractor.errors import WeightsError
from extractor.models.local.checksums import DigestCache
from extractor.models.local.known_models import CatalogModel, load_catalogue
from extractor.types import Json
from extractor.user_folders import find_cached


@dataclass(frozen=True, slots=True)
class Weights:
    """A model file that is on disk and, if it is in the catalogue, has the catalogue's digest."""

    name: str
    path: Path
    sha256: str

    @property
    def digest(self) -> str:
        return "sha256:" + self.sha256


class ModelFileState(StrEnum):
    PRESENT = "present"
    PARTIAL = "half"
    """Part of it is on disk; a pull continues it."""
    MISSING = "missing"
    CORRUPT = "wrong"
    """A file of that name is on disk, and has another digest."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """What is here of a model of the catalogue: `here` bytes at `path`, or beside it when only half."""

    model: CatalogModel
    state: ModelFileState
    path: Path
    bytes_present: int


def find_models_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of model files: $EXTRACTOR_HOME/models, or extractor/models in the user's cache folder."""
    return find_cached("models", environ)


def find_catalog_model(name: str, models: Iterable[CatalogModel] | None = None) -> CatalogModel:
    """The model of that name. Raises WeightsError, with the names there are."""
    models = load_catalogue(find_models_folder()) if models is None else tuple(models)
    for model in models:
        if model.name == name:
            return model
    raise WeightsError(f"{_describe_unknown_model(name, models)}.")


def _describe_unknown_model(name: str, models: Iterable[CatalogModel]) -> str:
    return f"No model is called {name!r}: there are {', '.join(model.name for model in models)}"


def list_installed_models(
    folder: Path | None = None, models: Iterable[CatalogModel] | None = None
) -> list[InstalledModel]:
    """What is here of each model. A file that was not looked at since it changed is read whole, at about 1 GB/s."""
    folder = folder or find_models_folder()
    models = load_catalogue(folder) if models is None else models
    return [inspect_installed_model(model, folder) for model in models]


def inspect_installed_model(model: CatalogModel, folder: Path) -> InstalledModel:
    """What is here of one model. Raises WeightsError for a file that cannot be read."""
    path, part = folder / model.file, folder / f"{model.file}.part"
    try:
        if path.is_file():
            size = path.stat().st_size
            right = size == model.size and open_digest_cache(folder).find_digest(path) == model.sha256
            return InstalledModel(model, ModelFileState.PRESENT if right else ModelFileState.CORRUPT, path, size)
        if part.is_file():
            return InstalledModel(model, ModelFileState.PARTIAL, path, part.stat().st_size)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}); make it readable or set EXTRACTOR_HOME."
        ) from None
    return InstalledModel(model, ModelFileState.MISSING, path, 0)


def open_digest_cache(folder: Path) -> DigestCache:
    """The digests of what is in use, kept beside the model files."""
    return DigestCache(folder / "digests.json")


def locate_weights(
    wanted: str | Path, folder: Path | None = None, models: Sequence[CatalogModel] | None = None
) -> Weights:
    """The file of a model by name, or any GGUF file by path, checked. Raises WeightsError saying what to do."""
    folder = folder or find_models_folder()
    models = load_catalogue(folder) if models is None else models
    model = next((m for m in models if m.name == str(wanted)), None)
    if model is None:
        path = Path(wanted).expanduser()
        if path.suffix.lower() != ".gguf" and len(path.parts) == 1 and not path.exists():
            raise WeightsError(f"{_describe_unknown_model(str(wanted), models)}, and any GGUF file by its path.")
        check_gguf_file(path)
        try:
            return Weights(path.stem, path, open_digest_cache(folder).find_digest(path))
        except OSError as error:
            raise WeightsError(f"{path} cannot be read ({error.strerror}).") from None
    held = inspect_installed_model(model, folder)
    pull_it = f"run `extractor models pull {model.name}`"
    match held.state:
        case ModelFileState.PRESENT:
            return Weights(model.name, held.path, model.sha256)
        case ModelFileState.PARTIAL:
            share = 100 * held.bytes_present // model.size
            raise WeightsError(f"Only {share} % of model {model.name} is here; {pull_it} to fetch the rest.")
        case ModelFileState.CORRUPT:
            raise WeightsError(f"{held.path} is not what its digest says; {pull_it} to fetch it anew.")
        case ModelFileState.MISSING:
            raise WeightsError(
                f"Model {model.name} ({format_byte_count(model.size)}) is not here; {pull_it}, "
                "answer yes with --yes, or name another with --model and --base-url."
            )


def check_gguf_file(path: Path) -> None:
    """Raise WeightsError unless the file begins as a GGUF file that llama.cpp reads.

    The header: magic "GGUF", version, count of tensors, count of metadata pairs (4, 4, 8 and 8 bytes, little-endian).
    """
    try:
        if path.is_dir():
            raise WeightsError(f"{path} is a folder; name the GGUF file in it.")
        if not path.is_file():
            raise WeightsError(f"There is no file {path}; give the path of a GGUF file.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}).") from None
    if head[:4] != b"GGUF":
        raise WeightsError(f"{path} is not a GGUF file; convert the model to GGUF or name another file.")
    version, tensors, pairs = (int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 16), (16, 24)))
    if version not in (2, 3):
        raise WeightsError(f"{path} is a GGUF file of version {version}, which is not read; versions 2 and 3 are.")
    # a tensor's entry takes at least 24 bytes, a pair's at least 13
    if len(head) < 24 or not tensors or not pairs or 24 * tensors + 13 * pairs > size:
        raise WeightsError(f"{path} is damaged or only half there; fetch it again.")


def format_byte_count(count: int) -> str:
    """A count of bytes in the unit that makes it short: 98 MB, 1.1 GB (powers of 1000)."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{count} B"


def measure_machine_memory() -> int | None:
    """Bytes of memory that this machine has; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def build_model_table(
    holdings: Iterable[InstalledModel], memory: int | None = None
) -> list[tuple[str, str, str, str, str, str, str]]:
    """The table of models as text: a head row, then name, size, licence, whether this machine's `memory` (in bytes)
    holds it, whether its records were scored here, state and path of each."""
    table = [("model", "size", "licence", "memory", "measured", "state", "file")]
    for held in holdings:
        state = str(held.state)
        if held.state is ModelFileState.PARTIAL:
            state += f" ({format_byte_count(held.bytes_present)})"
        one = held.model
        room = format_byte_count(one.memory) + (", too much here" if memory is not None and memory < one.memory else "")
        scored = "yes" if one.measured else "not here"
        table.append((one.name, format_byte_count(one.size), one.licence, room, scored, state, str(held.path)))
    return table


def installed_models_to_json(holdings: Iterable[InstalledModel]) -> Json:
    """The same for machines, sizes in bytes."""
    return [
        {
            "name": held.model.name,
            "size": held.model.size,
            "sha256": held.model.sha256,
            "licence": held.model.licence,
            "memory": held.model.memory,
            "measured": held.model.measured,
            "state": str(held.state),
            "here": held.bytes_present,
            "path": str(held.path),
        }
        for held in holdings
    ]
