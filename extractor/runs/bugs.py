"""Errors that nobody foresaw: what is said of the document that brought one on, and the traceback for who wants it."""

from __future__ import annotations

import traceback
from pathlib import Path

from extractor.errors import DocumentError
from extractor.runs.apart import WorkerFailed


def describe_bug(name: str, error: Exception) -> DocumentError:
    """The failure of the document of this name: the error's kind and place. Its words may be the document's."""
    where = str(error) if isinstance(error, WorkerFailed) else name_place(error)
    return DocumentError(
        f"{name} made extractor fail ({where}); run it alone with -v, and please report what that says.",
        reason="internal error",
    )


def name_place(error: Exception) -> str:
    """The kind of an error, and the line that it comes from."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"


def format_trace(error: Exception) -> str:
    """The traceback, of an error in a worker the worker's."""
    return error.trace if isinstance(error, WorkerFailed) else "".join(traceback.format_exception(error))
