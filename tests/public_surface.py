"""Everything that docs/python.md calls stable, in words: names, signatures, fields.

python tests/public_surface.py > tests/public_surface.txt       after a change that is meant
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parent.parent))  # run as a script, too

MODULES = ("extractor", "extractor.schema", "extractor.errors", "extractor.testing")


def describe_surface() -> str:
    return "\n".join(line for name in MODULES for line in _describe_module(import_module(name)))


def _describe_module(module: ModuleType) -> Iterator[str]:
    yield f"# {module.__name__}"
    own = [n for n, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    for name in sorted(n for n in getattr(module, "__all__", own) if not n.startswith("_")):
        value = getattr(module, name)
        if inspect.isclass(value):
            yield from _describe_class(name, value)
        elif callable(value) and inspect.isroutine(value):
            yield f"{'async ' if inspect.iscoroutinefunction(value) else ''}{name}{inspect.signature(value)}"
        else:
            yield f"{name}: {getattr(value, '__origin__', type(value)).__name__}"
    yield ""


def _describe_class(name: str, kind: type[Any]) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(kind, enum.Enum):
        yield from (f"    {member.name} = {member.value!r}" for member in kind)
        return
    if issubclass(kind, BaseModel):
        yield from (f"    {name}: {field.annotation}" for name, field in kind.model_fields.items())
    elif "__init__" in vars(kind) and not getattr(kind, "_is_protocol", False):
        yield f"    __init__{inspect.signature(kind.__init__)}"
    fields = {f.name: f for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    for member, value in sorted(vars(kind).items()):
        if member.startswith(("_", "model_")) or member in fields:
            continue
        if isinstance(value, classmethod | staticmethod):
            yield f"    {type(value).__name__} {member}{inspect.signature(value.__func__)}"
        elif inspect.isfunction(value):
            prefix = "async " if inspect.iscoroutinefunction(value) else ""
            yield f"    {prefix}{member}{inspect.signature(value)}"
        elif isinstance(value, property) and value.fget is not None:
            yield f"    {member} -> {inspect.signature(value.fget).return_annotation}"
        elif hasattr(value, "func"):  # cached_property
            yield f"    {member} -> {inspect.signature(value.func).return_annotation}"
        else:
            yield f"    {member}: {value!r}"


if __name__ == "__main__":
    print(describe_surface())
