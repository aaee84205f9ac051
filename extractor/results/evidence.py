"""The words behind a record's values, by the way one would write the value itself.

result.evidence.name.quote                    result.evidence["education[0].start"].spans
result.evidence.education[0].start.match      result.evidence["/education/0/start"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.results.parts import Proof as Proof
from extractor.types import Json, ValuePath, json_pointer

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class EvidenceView:
    """A part of a record, whose steps lead to its parts and at last to a Proof.

    It has no methods of its own, as every name may be a field's.
    """

    __slots__ = ("_found", "_path", "_value")

    def __init__(self, value: Json, found: Mapping[str, Proof], path: ValuePath = ()) -> None:
        self._value, self._found, self._path = value, found, path

    def __getattr__(self, name: str) -> Any:
        if not isinstance(self._value, Mapping) or name not in self._value:
            raise AttributeError(f"The record has no {_format_path((*self._path, name))}; it has {self._list_names()}.")
        return self._follow_step(name)

    def __getitem__(self, step: int | str) -> Any:
        if isinstance(step, int):
            if not isinstance(self._value, list):
                raise KeyError(f"{_format_path(self._path)} is no list")
            return self._follow_step(range(len(self._value))[step])
        at: Any = self
        for name in _split_path(step):
            at = (
                at[int(name)]
                if isinstance(at, EvidenceView) and isinstance(at._value, list)
                else _follow_name(at, name)
            )
        return at

    def __iter__(self) -> Iterator[Any]:
        """The parts of a list, the names of an object."""
        if isinstance(self._value, list):
            return (self._follow_step(i) for i in range(len(self._value)))
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._value] if isinstance(self._value, Mapping) else []

    def __repr__(self) -> str:
        return f"<evidence of {_format_path(self._path)}: {self._list_names()}>"

    def _follow_step(self, step: str | int) -> Any:
        path, value = (*self._path, step), self._value[step]
        if isinstance(value, Mapping | list):
            return EvidenceView(value, self._found, path)
        return self._found.get(json_pointer(path), Proof())

    def _list_names(self) -> str:
        return f"{len(self._value)} entries" if isinstance(self._value, list) else ", ".join(map(str, self._value))


def _follow_name(at: Any, name: str) -> Any:
    if not isinstance(at, EvidenceView):
        raise KeyError(f"nothing is inside a plain value, so there is no {name!r}")
    if name not in at._value:
        raise KeyError(f"there is no {_format_path((*at._path, name))}; there is {at._list_names()}")
    return at._follow_step(name)


def _split_path(path: str) -> list[str]:
    if path.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    return [name or number for name, number in _STEP.findall(path)]


def _format_path(path: ValuePath) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).removeprefix(".") or "record"
