"""Office files as packages of XML parts that name each other by relationships (ECMA-376 part 2).

Names of elements are told without their namespace: strict and transitional files differ in nothing else here.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class Relation:
    """What one part names: another part by its path, or an address outside."""

    key: str
    kind: str
    """The last word of its type: worksheet, hyperlink."""
    target: str
    external: bool


class OfficePackage:
    """The parts of a file, found by name without regard to case, as Office finds them."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self._names = {name.lower().lstrip("/"): name for name in self._archive.namelist()}

    def names(self) -> list[str]:
        """The names of all parts."""
        return list(self._names.values())

    def open_part(self, name: str) -> IO[bytes] | None:
        """A part to be read; None where there is none of that name."""
        known = self._names.get(name.lower().lstrip("/"))
        return self._archive.open(known) if known else None

    def read_part(self, name: str) -> Element | None:
        """The root of a part; None where there is none of that name, or it is no XML."""
        file = self.open_part(name)
        if file is None:
            return None
        with file:
            try:
                return ElementTree.parse(file).getroot()  # noqa: S314 (entities are bounded by expat, in the sandbox)
            except ElementTree.ParseError:
                return None

    def related(self, name: str) -> dict[str, Relation]:
        """What a part names, by the key that it uses for it."""
        folder, file = posixpath.split(name.lstrip("/"))
        root = self.read_part(f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels")
        found = {}
        for element in root if root is not None else ():
            target, external = element.get("Target", ""), element.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"{folder}/{target}")
            key, kind = element.get("Id", ""), element.get("Type", "").rpartition("/")[2]
            found[key] = Relation(key, kind, target, external)
        return found

    def close(self) -> None:
        """Closes the file."""
        self._archive.close()


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element | None, *path: str) -> Iterator[Element]:
    """The elements that lie under another by a path of names."""
    if element is None:
        return
    for inner in element:
        if local_name(inner) == path[0]:
            if len(path) == 1:
                yield inner
            else:
                yield from children(inner, *path[1:])


def child(element: Element | None, *path: str) -> Element | None:
    """The first element that lies under another by a path of names."""
    return next(children(element, *path), None)


def attribute(element: Element, name: str) -> str | None:
    """An attribute in whatever namespace."""
    found = element.get(name)
    if found is not None:
        return found
    return next((value for key, value in element.items() if key.rpartition("}")[2] == name), None)


def is_on(value: str | None) -> bool:
    """Whether a switch is on: there without a value, or with one that does not say no."""
    return value is not None and value.lower() not in ("0", "false", "off")
