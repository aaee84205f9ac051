"""Object stores, s3:// gs:// az://, by obstore: listed, read and written; nothing here knows what is in them.

Keys and addresses come from the environment, by the names that each vendor's own tools use (AWS_ACCESS_KEY_ID,
AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME and so on).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import MachineError, UsageError, name_install_command

_URL = re.compile(r"(s3|gs|az):/{1,2}([^/]+)/?(.*)", re.S)
"""A path of this machine has its strokes folded, so that one is enough."""


@dataclass(frozen=True, slots=True)
class ObjectUrl:
    """A place in a store: `key` is of an object, or what the keys of several begin with."""

    scheme: str
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def join(self, *names: str) -> ObjectUrl:
        return ObjectUrl(self.scheme, self.bucket, "/".join(filter(None, [self.key.rstrip("/"), *names])))


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a list. `mark` changes when it does."""

    key: str
    size: int
    mark: str


def parse_object_url(text: str | Path) -> ObjectUrl | None:
    """The place that a text or path names; None for a path of this machine."""
    found = _URL.fullmatch(str(text))
    return ObjectUrl(*found.groups()) if found else None


class ObjectStore:
    """One bucket or container. Raises UsageError where obstore is not installed, MachineError for what fails."""

    def __init__(self, url: ObjectUrl) -> None:
        try:
            import obstore
            from obstore.store import from_url
        except ImportError as error:
            how = name_install_command("stores")
            raise UsageError(f"{url.scheme}:// needs obstore; install it with: {how}") from error
        self._obstore: Any = obstore
        self._name = f"{url.scheme}://{url.bucket}"
        with self._translate():
            self._store = from_url(self._name)

    @contextlib.contextmanager
    def _translate(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise UsageError(f"{self._name} has no such object or bucket; check the address.") from error
        except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
            what = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise MachineError(f"{self._name} cannot be used ({what}); check its keys, and the network.") from error

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose keys begin with the prefix's whole names, in the order of the store."""
        with self._translate():
            for page in self._obstore.list(self._store, prefix or None):
                for one in page:
                    yield StoredObject(one["path"], one["size"], f"{one['e_tag']} {one['last_modified']} {one['size']}")

    def find(self, key: str) -> StoredObject | None:
        """The object of exactly this key."""
        try:
            with self._translate():
                one = self._obstore.head(self._store, key)
        except UsageError:
            return None
        return StoredObject(one["path"], one["size"], f"{one['e_tag']} {one['last_modified']} {one['size']}")

    def read(self, key: str, most: int) -> Iterator[bytes]:
        """The bytes of an object. Raises MachineError for one that has more."""
        size = 0
        with self._translate():
            for part in self._obstore.get(self._store, key).stream(min_chunk_size=1 << 20):
                size += len(part)
                if size > most:
                    raise MachineError(f"{self._name}/{key} is larger than {most >> 20} MB.")
                yield bytes(part)

    def write_file(self, key: str, path: Path) -> None:
        """Puts a file under the key, whole or not at all."""
        with self._translate(), path.open("rb") as file:
            self._obstore.put(self._store, key, file)

    def remove(self, key: str) -> None:
        with self._translate():
            self._obstore.delete(self._store, key)
