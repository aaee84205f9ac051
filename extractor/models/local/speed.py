"""How fast an engine reads and writes on this machine: measured in under a minute, and remembered for estimates."""

from __future__ import annotations

import contextlib
import http.client
import json
import platform
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from extractor.errors import MachineError
from extractor.files import write_atomically
from extractor.models.local.catalog import Weights, find_models_folder
from extractor.models.local.server import LocalServer, ServerSettings, serve_model
from extractor.types import Json

SPEEDS_FILE = "speeds.json"
MAX_SPEEDS_BYTES = 1 << 20
READ_TOKENS, WRITTEN_TOKENS, ROUNDS = 512, 48, 3
"""Of one round: as much as a page, and as a short list. One round before them is not counted."""
_WORDS = "The bolt was ordered in March and shipped from the harbour with nine others of its kind. "
_SECONDS = 300.0
FEATURES = ("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "neon")
"""Of the processor, those that decide how fast llama.cpp is built to compute."""


@dataclass(frozen=True, slots=True)
class EngineSpeed:
    """What was measured of one model on one engine."""

    model: str
    digest: str
    engine: str
    """Name and version."""
    processor: str
    features: tuple[str, ...]
    threads: int
    read: float
    """Tokens of a prompt in a second, the median of the rounds."""
    write: float
    """Tokens of a reply in a second."""


def measure_speed(
    weights: Weights, settings: ServerSettings | None = None, *, read_tokens: int = READ_TOKENS
) -> EngineSpeed:
    """Starts the engine and times it, on prompts of about so many tokens.

    Raises what `serve_model` raises, and MachineError where it does not answer.
    """
    settings = settings or ServerSettings()
    with serve_model(weights, settings) as engine:
        rounds = [_time_round(engine, i, read_tokens) for i in range(ROUNDS + 1)][1:]
    return EngineSpeed(
        weights.name,
        weights.digest,
        f"xllamacpp {engine.version}",
        read_processor_name(),
        read_processor_features(),
        engine.threads,
        round(statistics.median(read for read, _ in rounds), 1),
        round(statistics.median(written for _, written in rounds), 1),
    )


def _time_round(engine: LocalServer, n: int, read_tokens: int) -> tuple[float, float]:
    """Tokens read and written in a second, as the engine counts them."""
    body = {
        "prompt": f"Letter {n}. " + _WORDS * (read_tokens // 18),
        "n_predict": WRITTEN_TOKENS,
        "ignore_eos": True,
        "cache_prompt": False,
        "temperature": 0,
    }
    address = urlsplit(engine.base_url)
    head = {"Authorization": f"Bearer {engine.api_key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SECONDS)
    with contextlib.closing(connection):
        try:
            connection.request("POST", "/completion", json.dumps(body), head)
            timings = json.loads(connection.getresponse().read(MAX_SPEEDS_BYTES))["timings"]
            return float(timings["prompt_per_second"]), float(timings["predicted_per_second"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise MachineError(f"The engine did not answer ({type(error).__name__}); run it again with -v.") from None


def read_processor_name() -> str:
    """What the system calls the processor; its family where it has no name for it."""
    return _read_cpu_lines().get("model name") or platform.processor() or platform.machine()


def read_processor_features() -> tuple[str, ...]:
    """Those of FEATURES that the processor has; none where the system does not say."""
    lines = _read_cpu_lines()
    flags = set((lines.get("flags") or lines.get("features") or "").split())
    return tuple(one for one in FEATURES if one in flags or (one == "neon" and "asimd" in flags))


def _read_cpu_lines() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip().casefold(): value.strip() for name, _, value in pairs}


def remember_speed(speed: EngineSpeed, folder: Path | None = None) -> None:
    """Keeps what was measured, in place of what was before of the same model here. Raises OSError."""
    folder = folder or find_models_folder()
    kept = {name: asdict(one) for name, one in read_speeds(folder).items()}
    kept[speed.model] = asdict(speed)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / SPEEDS_FILE, [json.dumps(kept, indent=1).encode() + b"\n"])


def read_speeds(folder: Path | None = None) -> dict[str, EngineSpeed]:
    """What was measured on this processor, by the model's name; nothing of a file that cannot be read."""
    try:
        with ((folder or find_models_folder()) / SPEEDS_FILE).open("rb") as file:
            said: Json = json.loads(file.read(MAX_SPEEDS_BYTES))
        speeds = [EngineSpeed(**{**one, "features": tuple(one["features"])}) for one in said.values()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    here = read_processor_name()
    return {one.model: one for one in speeds if one.processor == here and _is_speed(one.read) and _is_speed(one.write)}


def _is_speed(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
