"""What a file can do that has taken its reader over: the loader of these tests runs each document as Python code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.cli.main import main
from extractor.documents import locations
from extractor.documents.confinement.landlock import find_landlock_version
from extractor.documents.confinement.seccomp import can_filter_calls
from extractor.documents.formats import answers, sandbox
from extractor.documents.formats.answers import decode_answer, encode_document, encode_failure
from extractor.documents.formats.attachments import Attachment, MailDocument
from extractor.documents.formats.sandbox import close_readers, load_in_sandbox, probe_reader
from extractor.documents.locations import AttachmentLocations, PieceLabels, SourceOffsets, WordBoxes
from extractor.errors import DocumentError
from extractor.testing import FaultEndpoint
from extractor.types import Document, Json, Span, TextTable, UnreadPart
from extractor.types.table import TableGrid

REPOSITORY = Path(__file__).parent.parent
IS_CONFINED = bool(find_landlock_version()) and can_filter_calls()
confined = pytest.mark.skipif(not IS_CONFINED, reason="this system has no Landlock, or its calls are not known")

PROGRAM = """
import sys, types
sys.path.insert(0, {repository!r})
loader = types.ModuleType("extractor.documents.formats.hostile")
def load(path, name, ocr):
    import ctypes, os, socket, signal, sys, time
    from extractor.types import Document, Span, TextTable
    said = []
    def attempt(what, call):
        try:
            call()
        except OSError:
            return
        said.append(what)
    here = dict(locals())
    exec(path.read_text(), here)
    return here.get("document") or Document(name, "did: " + " ".join(said))
loader.load = load
sys.modules[loader.__name__] = loader
from extractor.documents.formats.reader_process import main
main({memory!r}, {forks!r})
"""


@pytest.fixture(params=["forks", "reads"] if sys.platform == "linux" else ["reads"])
def forks(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def read(forks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Document]]:
    """Reads a document that is code."""
    program = tmp_path / "reader.py"
    program.write_text(PROGRAM.format(repository=str(REPOSITORY), memory=str(sandbox.READER_MEMORY), forks=forks))
    monkeypatch.setattr(sandbox, "build_python_command", lambda *a: [sys.executable, "-I", "-B", str(program)])
    close_readers()

    def read_code(code: str, seconds: float = 20, name: str = "a", ocr: bool = False) -> Document:
        (tmp_path / "document").write_text(code)
        return load_in_sandbox("hostile", tmp_path / "document", name, ocr, seconds)

    yield read_code
    close_readers()


@confined
def test_what_is_promised_of_a_reader_holds_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "FORKS", True)
    close_readers()
    held = probe_reader()
    close_readers()
    assert len(held) == 5 and all(held.values()), held


def test_a_command_tells_how_well_a_reader_is_confined(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "FORKS", sys.platform == "linux")
    close_readers()
    assert main(["doctor"]) == (0 if IS_CONFINED else 1)
    close_readers()
    told = capfd.readouterr().out
    assert "no network" in told and ".pdf" in told
    assert ("\n  no " in told) == (not IS_CONFINED)


ATTEMPTS = {
    "tcp": "lambda: socket.create_connection(('127.0.0.1', {port}))",
    "udp": "lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))",
    "unix": "lambda: socket.socket(socket.AF_UNIX).connect({unix!r})",
    "write": "lambda: open({folder!r} + '/written', 'w')",
    "overwrite": "lambda: open({folder!r} + '/kept', 'w')",
    "append": "lambda: open({folder!r} + '/kept', 'a')",
    "truncate": "lambda: os.truncate({folder!r} + '/kept', 0)",
    "remove": "lambda: os.remove({folder!r} + '/kept')",
    "rename": "lambda: os.rename({folder!r} + '/kept', {folder!r} + '/renamed')",
    "link": "lambda: os.link({folder!r} + '/kept', {folder!r} + '/linked')",
    "mode": "lambda: os.chmod({folder!r} + '/kept', 0o777)",
    "times": "lambda: os.utime({folder!r} + '/kept', (0, 0))",
    "temporary": "lambda: open('/tmp/extractor-written', 'w')",
    "shared": "lambda: open('/dev/shm/extractor-written', 'w')",
    "cache": "lambda: open({package!r} + '/written', 'w')",
    "neighbour": "lambda: open({folder!r} + '/kept').read()",
    "listing": "lambda: os.listdir({folder!r})",
    "users": "lambda: open('/etc/shadow').read()",
    "environment": "lambda: open('/proc/{pid}/environ').read()",
    "of its parent": "lambda: open('/proc/%d/environ' % os.getppid()).read()",
    "memory": "lambda: open('/proc/{pid}/mem', 'rb').read(1)",
    "handles": "lambda: os.listdir('/proc/{pid}/fd')",
    "signal": "lambda: os.kill({pid}, 0)",
    "group": "lambda: os.setsid()",
    "fork": "lambda: os.fork() or os._exit(0)",
    "program": "lambda: os.posix_spawn('/bin/true', ['true'], {{}})",
    "become": "lambda: os.execv('/bin/true', ['true'])",
}


@confined
@pytest.mark.parametrize("forks", ["forks"], indirect=True)
@pytest.mark.parametrize("ocr", [False, True])
def test_a_reader_that_is_taken_over_reaches_nothing(
    ocr: bool, read: Callable[..., Document], tmp_path: Path, faults: Callable[..., FaultEndpoint]
) -> None:
    server = faults(lambda body, n: "{}")
    (tmp_path / "kept").write_text("kept")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        place = {
            "port": server.url.split(":")[2].split("/")[0],
            "unix": str(tmp_path / "socket"),
            "folder": str(tmp_path),
            "package": str(REPOSITORY / "extractor"),
            "pid": os.getpid(),
        }
        code = "\n".join(f"attempt({what!r}, {how.format(**place)})" for what, how in ATTEMPTS.items())
        if ocr:  # it must start tesseract, and end it
            code = "\n".join(x for x in code.split("\n") if not x.startswith(("attempt('fork", "attempt('become")))
        did = set(read(code, ocr=ocr).text.removeprefix("did: ").split())
    assert did <= ({"program"} if ocr else set())
    assert (tmp_path / "kept").read_text() == "kept"


CRASHES = {
    "a segmentation fault": "ctypes.string_at(0)",
    "an end": "os._exit(0)",
    "a failure": "os._exit(7)",
    "sys.exit": "sys.exit(3)",
    "an abort": "os.abort()",
    "a kill": "os.kill(os.getpid(), signal.SIGKILL); ctypes.string_at(0)",
    "recursion in C": "x = []\nfor _ in range(3000000): x = [x]\nrepr(x); del x; ctypes.string_at(0)",
    "memory": "x = [bytearray(100_000_000) for _ in range(100)]",
    "no answer": "for n in range(1, 30):\n    try: os.close(n)\n    except OSError: pass",
    "words on every handle": (
        "for n in range(1, 30):\n    try: os.write(n, b'\\xff' * 64)\n    except OSError: pass\nos._exit(0)"
    ),
    "a size without an end": "for n in range(1, 30):\n    try: os.write(n, b'\\xff' * 24)\n    except OSError: pass",
    "a document that is none": "document = object()",
    "half a character": "document = Document(name, chr(0xd800))",
    "a span outside the text": "document = Document(name, 'abc', hidden=(Span(2, 9),))",
    "a table outside the text": "document = Document(name, 'abc', tables=(TextTable(Span(0, 4)),))",
}


@pytest.mark.parametrize("crash", CRASHES)
def test_whatever_becomes_of_a_reader_costs_its_document_alone(crash: str, read: Callable[..., Document]) -> None:
    assert read("said.append('one')").text == "did: one"
    with pytest.raises(DocumentError) as error:
        read(CRASHES[crash], name="hostile.pdf")
    assert error.value.reason in ("broken", "too costly") and "hostile.pdf" in str(error.value)
    assert read("said.append('two')").text == "did: two"


def test_a_reader_that_hangs_is_ended_with_all_that_it_started(read: Callable[..., Document], tmp_path: Path) -> None:
    length = 1000 + int.from_bytes(os.urandom(4), "big")
    code = f"import subprocess; p = subprocess.Popen(['/bin/sleep', '{length}']); time.sleep(1000)"
    with pytest.raises(DocumentError, match="takes longer") as error:
        read(code, seconds=1, ocr=True)
    assert error.value.reason == "too costly"
    for _ in range(100):  # what is killed takes its time to be gone
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        if not any(f"/bin/sleep {length}" in line for line in listed.splitlines()):
            return
        time.sleep(0.1)
    pytest.fail("what the reader started goes on without it")


def test_a_reader_that_is_ended_with_the_process_is_not_started_again(read: Callable[..., Document]) -> None:
    read("said.append('one')")  # a reader that has read before is replaced where a file brings it down
    raised: list[DocumentError] = []

    def wait() -> None:
        with pytest.raises(DocumentError) as error:
            read("time.sleep(1000)", seconds=10)
        raised.append(error.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not sandbox._busy_readers:
        time.sleep(0.01)
    sandbox.end_readers()
    waiting.join()
    assert raised[0].reason == "broken"  # and not "too costly", as after another ten seconds


@pytest.mark.parametrize("forks", ["forks"], indirect=True)
@pytest.mark.skipif(sys.platform != "linux", reason="files are read in forks on Linux")
def test_a_document_changes_nothing_of_how_the_next_is_read(read: Callable[..., Document]) -> None:
    """Neither by what it leaves in memory, nor by an answer that it gives beforehand, nor by its name."""
    forged = encode_document(Document("b", "forged"))
    hostile = "sys.modules['extractor.documents.formats.hostile'].load = lambda *a: Document('b', 'forged')\n"
    hostile += "document = Document('another name', 'mine')"
    document = read(hostile, name="a")
    assert (document.name, document.text) == ("a", "mine")
    assert read("said.append('b')", name="b").text == "did: b"
    assert read("document = Document(name, repr(os.read(0, 1)))").text == "b''"  # it sees no question but its own
    # the answers' pipe is handle 3: a whole frame for a question that is yet to come
    early = f"os.write(3, bytes(16) + len({forged!r}).to_bytes(8, 'little') + {forged!r}); os._exit(0)"
    with pytest.raises(DocumentError):
        read(early, name="a")
    assert read("said.append('b')", name="b").text == "did: b"


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that shows an environment to others of its user")
def test_where_there_is_no_landlock_a_run_is_closed_to_others_of_its_user_and_open_again_after() -> None:
    code = """
import os
from extractor.documents.confinement import confine, landlock
from extractor.documents.confinement.system_calls import PR_SET_DUMPABLE, set_process_option
if not os.getuid():  # nothing is closed to root
    os.setgid(65534); os.setuid(65534)
    set_process_option(PR_SET_DUMPABLE, 1)
def look():
    child = os.fork()
    if not child:
        try:
            open(f"/proc/{os.getppid()}/environ").read()
        except OSError:
            os._exit(1)
        os._exit(0)
    return "closed" if os.waitpid(child, 0)[1] else "seen"
with confine.hide_from_readers():
    confined = look()
landlock.find_landlock_version = lambda: 0
with confine.hide_from_readers():
    print(confined, look(), end=" ")
print(look())
"""
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["seen" if find_landlock_version() else "closed", "closed", "seen"], done.stderr


# -- what an answer may be ----------------------------------------------------------------------------------------


def full_document() -> MailDocument:
    boxes = WordBoxes()
    for numbers, value in ((boxes.starts, 0), (boxes.lines, 0), (boxes.ends, 3), (boxes.pages, 0)):
        numbers.append(value)
    for edges in (boxes.lefts, boxes.rights, boxes.tops, boxes.bottoms):
        edges.append(1.5)
    offsets = SourceOffsets()
    offsets.add_run(0, 3, 0, 3)
    labels = PieceLabels(("sheet", "row", "column"), {"sheet": ["one"]})
    labels.add_piece(0, 3, (1, 2, 3))
    grid = TableGrid(1)
    grid.add_cell(0, 1, (0, 0), header=True)
    grid.add_cell(1, 2, (1, 0), (1, 2))
    places = AttachmentLocations(3, boxes)
    places.add_attachment(3, 6, "x", offsets)
    places.add_attachment(6, 9, "y", labels)
    places.add_attachment(9, 12, "z", None)
    return MailDocument(
        "a.eml",
        "abcdefghi\u20ac\U0001f600z",
        (Span(0, 1), Span(2, 4)),
        (TextTable(Span(4, 6), Span(4, 5), grid), TextTable(Span(6, 9))),
        (UnreadPart("body", "empty", "why"),),
        places,
        "by hand",
        notes=("read as cp1252",),
        doubtful=(Span(5, 7),),
        attachments=(Attachment("x", ".pdf", b"\0\xff"),),
    )


def test_a_document_arrives_as_it_was_sent() -> None:
    sent = full_document()
    got = decode_answer(encode_document(sent))
    assert got == sent and isinstance(got, MailDocument)
    assert got.tables[0].cells() == sent.tables[0].cells() != []
    assert got.locations is not None and sent.locations is not None
    assert got.locations.locate(Span(0, 12)) == sent.locations.locate(Span(0, 12))
    failure = decode_answer(encode_failure(DocumentError("it\x1b is broken", reason="broken")))
    assert isinstance(failure, DocumentError) and (str(failure), failure.reason) == ("it  is broken", "broken")


def test_every_way_back_to_a_file_can_be_sent() -> None:
    kinds = {k for k in vars(locations).values() if isinstance(k, type) and is_dataclass(k) and hasattr(k, "locate")}
    assert kinds == set(answers._LOCATIONS.values())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\x80\x04\x95",
        b'{"document": null}',
        b'{"document": {}}',
        b'{"document": {"is": "object"}}',
        b'{"document": {"is": "Path"}}',
        b'{"document": {"is": ["Document"]}}',
        b'{"failure": {"message": 1, "reason": "x"}}',
        b'{"failure": "x"}',
        b"[" * 100_000,
        b'{"document": ' * 50_000,
        b"1" * 10_000,
        b'{"document": \xff}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode_answer(body)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 2**70), st.floats(), st.text(max_size=9), st.just([]), st.just({}),
    st.just("AAAA"), st.just("AACAfw=="), st.just("//////////8="), st.just([{"is": "Span", "start": 5, "end": 1}]),
    st.just({"is": "PieceLabels"}), st.just({"is": "Span", "start": 0, "end": 10**9}),
)  # fmt: skip


def _paths(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(one, (*path, key))


@given(st.data())
def test_an_answer_that_was_changed_is_refused_or_a_document_that_fits_together(data: Any) -> None:
    told = json.loads(encode_document(full_document()))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([p for p in _paths(told) if p] or [()]))
        if not path:
            break
        inner = told
        for step in path[:-1]:
            inner = inner[step]
        if data.draw(st.booleans()) and isinstance(inner, dict):
            del inner[path[-1]]
        else:
            inner[path[-1]] = deepcopy(data.draw(ANYTHING))  # the next change may change it
    try:
        answer = decode_answer(json.dumps(told).encode())
    except ValueError:
        return
    if isinstance(answer, DocumentError):
        return
    answer.text.encode()
    for start in range(len(answer.text)):
        for end in range(start + 1, len(answer.text) + 1):
            found = answer.locations.locate(Span(start, end)) if answer.locations else []
            json.dumps(found, allow_nan=False)
    answer.shown_text(Span(0, len(answer.text)))
