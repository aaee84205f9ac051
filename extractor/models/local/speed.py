"""How fast an engine reads and writes on this machine: measured in under a minute, and remembered for estimates."""

from __future__ import annotations

import contextlib
import http.client
import json
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from extractor.errors import MachineError
from extractor.files import write_atomically
from extractor.models.local.catalog import Weights, find_models_folder
from extractor.models.local.engines import LocalEngine, choose_engine
from extractor.models.local.server import (
    EngineNotStarted,
    LocalServer,
    ServerSettings,
    describe_engine,
    serve_model,
)
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
    """Name and build."""
    processor: str
    features: tuple[str, ...]
    threads: int
    read: float
    """Tokens of a prompt in a second, the median of the rounds."""
    write: float
    """Tokens of a reply in a second."""
    used: tuple[str, ...] = ()
    """What the engine says that it uses of the processor."""
    program: str = ""
    """The path of the llama-server; none of xllamacpp."""

    @property
    def engine_name(self) -> str:
        """What names the engine in settings: its program, or its name."""
        return self.program or self.engine.partition(" ")[0]

    @property
    def page_seconds(self) -> float:
        """Seconds for what a page takes: 1,000 tokens read and 400 written, the measure of samples."""
        return 1000 / self.read + 400 / self.write


def measure_speeds(
    weights: Weights,
    engines: Sequence[LocalEngine],
    settings: ServerSettings | None = None,
    *,
    read_tokens: int = READ_TOKENS,
    note: Callable[[str], None] = lambda text: None,
) -> list[EngineSpeed]:
    """Starts these engines, all at once, and times them in turns, so that what else the machine does slows all alike.

    One that does not start is left out, and `note` is told so. Raises what `serve_model` raises where none is left,
    and MachineError where one does not answer.
    """
    with contextlib.ExitStack() as stack:
        servers = []
        for engine in engines:
            try:
                servers.append(stack.enter_context(serve_model(weights, settings, engine)))
            except EngineNotStarted as error:
                if len(engines) == 1:
                    raise
                note(f"{describe_engine(engine)} did not start ({error.why}), so it is not measured.")
        rounds = [[_time_round(one, i, read_tokens) for one in servers] for i in range(ROUNDS + 1)][1:]
    return [_build_speed(weights, server, times) for server, *times in zip(servers, *rounds, strict=True)]


def _build_speed(weights: Weights, server: LocalServer, times: Sequence[tuple[float, float]]) -> EngineSpeed:
    return EngineSpeed(
        weights.name,
        weights.digest,
        str(server.build),
        read_processor_name(),
        read_processor_features(),
        server.threads,
        round(statistics.median(read for read, _ in times), 1),
        round(statistics.median(written for _, written in times), 1),
        server.build.features,
        server.program,
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
    """Keeps what was measured, in place of what was before of the same model and engine here. Raises OSError."""
    folder = folder or find_models_folder()
    kept = {(one.model, one.engine_name): one for one in [*read_speeds(folder), speed]}
    content = {f"{model} in {engine}": asdict(one) for (model, engine), one in kept.items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / SPEEDS_FILE, [json.dumps(content, indent=1).encode() + b"\n"])


def read_speeds(folder: Path | None = None) -> list[EngineSpeed]:
    """What was measured on this processor, of each model and engine; nothing of a file that cannot be read."""
    try:
        with ((folder or find_models_folder()) / SPEEDS_FILE).open("rb") as file:
            said: Json = json.loads(file.read(MAX_SPEEDS_BYTES))
        lists = ("features", "used")
        speeds = [EngineSpeed(**{**one, **{name: tuple(one.get(name, ())) for name in lists}}) for one in said.values()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    here = read_processor_name()
    return [one for one in speeds if one.processor == here and _is_speed(one.read) and _is_speed(one.write)]


def find_speed(model: str, engine: str | None, folder: Path | None = None) -> EngineSpeed | None:
    """What was measured of the model in the engine of that name (None: the one that answers unless one is named)."""
    wanted = choose_engine(engine)
    name = wanted.program or wanted.name
    return next((one for one in read_speeds(folder) if (one.model, one.engine_name) == (model, name)), None)


def find_faster_engine(model: str, engine: str | None, folder: Path | None = None) -> EngineSpeed | None:
    """The fastest engine that was measured of the model here and is still here, if it is another one than this."""
    now = find_speed(model, engine, folder)
    here = [one for one in read_speeds(folder) if one.model == model and choose_engine(one.engine_name).is_here]
    best = min(here, key=lambda one: one.page_seconds, default=None)
    return best if best is not None and now is not None and best.page_seconds < now.page_seconds else None


def _is_speed(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
