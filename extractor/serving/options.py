"""What a server is started with: its bounds, and where it listens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_SCHEMA_BYTES = 256 << 10
"""Bytes of a JSON Schema in a request."""
MAX_RECORD_BYTES = 4 << 20
"""Bytes of a record in a request, and of any other field of a form."""
MAX_JSON_LEVELS = 100
"""Levels of lists and objects in a request."""
SMALL_BYTES = 1_000_000
"""Bytes of a document up to which a request waits for its record unless it says otherwise."""
MAX_WAIT_SECONDS = 300.0
"""Seconds that a request may ask to wait for."""
UPLOAD_SECONDS = 300.0
"""Seconds that the body of a request may take to arrive."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one may ask of a server."""

    document_bytes: int = 50_000_000
    """Bytes of one document."""
    jobs_per_key: int = 1000
    """Jobs of one key that are not done."""
    requests_per_minute: float = 600.0
    """Documents of one key, in a minute."""
    wait_seconds: float = 30.0
    """Seconds that a request waits for the record of a small document, unless it says otherwise."""
    kept_hours: float = 168.0
    """Hours that a finished job is kept; then it is removed with its record."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a server goes about what it is asked."""

    folder: Path
    """Where jobs and records are kept."""
    bounds: Bounds = Bounds()
    takes_schemas: bool = True
    """Whether a request may bring a JSON Schema of its own."""
    ocr: bool = False
    document_timeout: float | None = None
    """Seconds."""
    verbose: bool = False
    """Whether tracebacks of errors of ours are printed."""
