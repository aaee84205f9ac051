"""A new task's folder: a schema, a prompt, a sample, its gold and a suite, small and working, to be made one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

from extractor.errors import MachineError, UsageError
from extractor.extraction.task import SHIPPED_TASKS
from extractor.models.local.known_models import DEFAULT_MODEL

_SCHEMA_FILE = '''"""What is wanted of each document.

Change it to what you want, and see what will be asked: extractor schema check {folder}/
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from extractor.schema import Date, Money, Name, group, key


class Item(BaseModel):
    """One line of the slip."""

    model_config = key("title")  # rows with the same title are one row

    title: str = Field(description="title of the book or map")
    fee: Money | None = Field(None, description="fee for this line, without the currency")


class Record(BaseModel):
    """A loan slip of a reading room."""

    number: str | None = Field(None, description="number of the slip", json_schema_extra=group("slip"))
    date: Date | None = Field(None, description="day of the loan", json_schema_extra=group("slip"))
    borrower: Name | None = Field(None, description="who borrows", json_schema_extra=group("slip"))
    items: list[Item] = Field([], description="what is borrowed", json_schema_extra=group("items"))
'''
_SAMPLE_DOCUMENT = """Reading room of the town archive
Loan slip no. RR-2041

Lent on 3 May 2024 to Ana Sousa, reader since 2019.

Title                              Fee
Atlas of the old harbour         12.50
Letters of a lighthouse keeper    4.00

To be returned within four weeks. Thank you!
"""
_GOLD_RECORD = {
    "document": "example.txt",
    "record": {
        "number": "RR-2041",
        "date": "2024-05-03",
        "borrower": "Ana Sousa",
        "items": [
            {"title": "Atlas of the old harbour", "fee": 12.5},
            {"title": "Letters of a lighthouse keeper", "fee": 4.0},
        ],
    },
    "optional": [],
    "accept": {},
}
_SUITE_FILE = """task = "."
samples = "samples"
gold = "gold"
models = ["{model}"]
prompts = ["default"]
mode = "live"
"""


def write_task_folder(folder: Path) -> list[Path]:
    """The files of a new task, written; the folder must not be there, or be empty.

    Raises UsageError for a folder that holds something, MachineError for one that cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", folder.name):
        raise UsageError(f"{folder.name!r} is no name for a task; use letters, digits, '-' and '_'.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; name a folder that is not.")
    files = {
        "schema.py": _SCHEMA_FILE.format(folder=folder),
        "default.md": (SHIPPED_TASKS / "default.md").read_text(encoding="utf-8"),
        "samples/example.txt": _SAMPLE_DOCUMENT,
        "gold/example.json": json.dumps(_GOLD_RECORD, ensure_ascii=False, indent=2) + "\n",
        "suite.toml": _SUITE_FILE.format(model=DEFAULT_MODEL),
    }
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MachineError(f"{folder} cannot be written ({error.strerror}); choose another place.") from error
    return [folder / name for name in files]
