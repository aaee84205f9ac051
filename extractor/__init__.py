"""Typed records out of documents, every value proved by the words it came from.

    from pathlib import Path
    from extractor import extract

    result = extract(Path("invoice.txt"), Invoice)
    print(result.record.number, result.evidence.number.quote)

Names are imported when they are first used: `import extractor` is fast and starts no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractor._version import __version__

if TYPE_CHECKING:
    from extractor.api.engine import Engine, aextract, extract, extract_all
    from extractor.errors import ExtractorError
    from extractor.extraction.task import Task
    from extractor.extraction.task import load_task as load_task
    from extractor.results.evidence import Proof
    from extractor.results.result import Result
    from extractor.types import Document, Match, Status

__all__ = [
    "Document",
    "Engine",
    "ExtractorError",
    "Match",
    "Proof",
    "Result",
    "Status",
    "Task",
    "__version__",
    "aextract",
    "extract",
    "extract_all",
    "load_task",
]

_WHERE = {
    "Document": "types",
    "Engine": "api.engine",
    "ExtractorError": "errors",
    "Match": "types",
    "Proof": "results.evidence",
    "Result": "results.result",
    "Status": "types",
    "Task": "extraction.task",
    "aextract": "api.engine",
    "extract": "api.engine",
    "extract_all": "api.engine",
    "load_task": "extraction.task",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"{__name__}.{_WHERE[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
