"""Typed records out of documents, every value proved by the words it came from.

    from pathlib import Path
    from extractor import extract

    result = extract(Path("invoice.txt"), Invoice)
    print(result.record.number, result.evidence.number.quote)

`extractor.schema` has the words that a schema declares its fields with, `extractor.errors` what is raised, and
`extractor.testing` models and an endpoint for tests. Names are imported when they are first used: `import extractor` is
fast and starts no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractor._version import __version__ as __version__

if TYPE_CHECKING:
    from extractor.api.combining import combine as combine
    from extractor.api.engine import Engine as Engine
    from extractor.api.functions import aextract as aextract
    from extractor.api.functions import extract as extract
    from extractor.api.functions import extract_all as extract_all
    from extractor.api.grounding import ground as ground
    from extractor.errors import ExtractorError as ExtractorError
    from extractor.extraction.task import Task as Task
    from extractor.extraction.task import load_task as load_task
    from extractor.models.settings import ModelSettings as ModelSettings
    from extractor.results.evidence import Proof as Proof
    from extractor.results.result import Result as Result
    from extractor.types import Document as Document
    from extractor.types import Match as Match
    from extractor.types import Model as Model
    from extractor.types import Reply as Reply
    from extractor.types import Request as Request
    from extractor.types import Status as Status
    from extractor.types import Usage as Usage

_MODULES = {
    "Document": "types",
    "Engine": "api.engine",
    "ExtractorError": "errors",
    "Match": "types",
    "Model": "types",
    "ModelSettings": "models.settings",
    "Proof": "results.evidence",
    "Reply": "types",
    "Request": "types",
    "Result": "results.result",
    "Status": "types",
    "Task": "extraction.task",
    "Usage": "types",
    "aextract": "api.functions",
    "combine": "api.combining",
    "extract": "api.functions",
    "extract_all": "api.functions",
    "ground": "api.grounding",
    "load_task": "extraction.task",
}
"""Where each public name is."""

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
