import asyncio
import contextlib
import hashlib
import json
import multiprocessing
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diskcache
import pytest

from extractor.errors import MachineError, ModelError
from extractor.models import cache_database
from extractor.models.cache import ReplyCache, find_cache_folder
from extractor.models.cache_database import check_database
from extractor.models.cached_model import CachedModel
from extractor.testing import ScriptedModel
from extractor.types import Json, Reply, Request, Usage

SHAPE = {"type": "object", "properties": {"item": {"type": ["string", "null"]}}}


def asked(user: str = "q", **changes: Any) -> Request:
    return Request(**{"model": "m", "system": "s", "user": user, "schema": SHAPE, "parameters": {}, **changes})


def echoing(answer: Callable[[Request], Json] = lambda request: {"item": request.user}) -> ScriptedModel:
    """A model that answers with the question, unless told otherwise."""
    return ScriptedModel(answer, delay=0.01, usage=Usage(1, 10, 5, None))


def ask(
    folder: Path, model: ScriptedModel, *requests: Request, notes: list[str] | None = None, **identity: Json
) -> list[Reply]:
    notes = [] if notes is None else notes

    async def go() -> list[Reply]:
        cached = CachedModel(model, ReplyCache(folder, notes.append), identity, notes.append)
        try:
            return list(await asyncio.gather(*map(cached.complete, requests)))
        finally:
            await cached.aclose()

    return asyncio.run(go())


def poison(folder: Path, statement: str, *values: object) -> None:
    database = sqlite3.connect(folder / "cache.db")
    database.execute(statement, values)
    database.commit()
    database.close()


def test_a_reply_of_before_costs_were_kept_is_still_a_reply(tmp_path: Path) -> None:
    model = echoing()
    ask(tmp_path, model, asked("a"))
    body = b'{"item":"a"}'
    row = b"1 %s %s" % (hashlib.sha256(body).hexdigest().encode(), body)
    poison(tmp_path, "UPDATE Cache SET value = ?", row)
    [reply] = ask(tmp_path, model, asked("a"))
    assert reply.value == {"item": "a"} and len(model.requests) == 1
    assert reply.usage == Usage(cached=1, cached_input_tokens=None, cached_output_tokens=None, cached_seconds=None)


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_what_was_paid_for_is_not_paid_for_again(tmp_path: Path) -> None:
    model = echoing()
    (first,) = ask(tmp_path, model, asked())
    (again,) = ask(tmp_path, model, asked())
    assert first.value == again.value == {"item": "q"}
    assert (first.usage, again.usage) == (Usage(1, 10, 5, None), Usage(0, 0, 0, 0, 1, 0, 10, 5, None))
    assert len(model.requests) == 1


@pytest.mark.fault(23)
def test_another_model_prompt_schema_parameter_mode_or_address_is_another_question(tmp_path: Path) -> None:
    model = echoing()
    wider = {"type": "object", "properties": {**SHAPE["properties"], "more": {"type": "string"}}}  # type: ignore[dict-item]
    changes: list[dict[str, Any]] = [
        {},
        {"model": "m2"},
        {"system": "t"},
        {"user": "r"},
        {"schema": wider},
        {"parameters": {"temperature": 1}},
        {"grammar": "start: x"},
    ]
    ask(tmp_path, model, *(asked(**change) for change in changes))
    assert len(model.requests) == len(changes)
    for n, identity in enumerate([{"digest": "sha256:1"}, {"address": "http://b"}, {"dialect": "json"}], 1):
        ask(tmp_path, model, asked(), **identity)
        assert len(model.requests) == len(changes) + n


def test_the_same_question_at_the_same_time_is_asked_once(tmp_path: Path) -> None:
    model = echoing()
    replies = ask(tmp_path, model, *[asked()] * 10)
    assert len(model.requests) == 1
    assert sum((r.usage for r in replies), Usage()) == Usage(1, 10, 5, None, 9, 0, 90, 45, None)


@pytest.mark.fault(13)
def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    model = echoing(lambda request: ModelError("no luck"))
    for n in (1, 2):
        with pytest.raises(ModelError):
            ask(tmp_path, model, asked())
        assert len(model.requests) == n


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    ask(tmp_path / "c", echoing(), asked())
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o700
    files = list((tmp_path / "c").iterdir())
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600} and len(files) >= 2


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"no row",
        b'1 0000 {"item": "EVIL"}',
        b'2 0000 {"item": "EVIL"}',
        b"[" * 100_000,
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_a_miss_and_is_told(tmp_path: Path, row: bytes) -> None:
    model, notes = echoing(), list[str]()
    ask(tmp_path, model, asked())
    poison(tmp_path, "UPDATE Cache SET value = ?", row)
    (reply,) = ask(tmp_path, model, asked(), notes=notes)
    assert reply.value == {"item": "q"} and len(model.requests) == 2
    assert len(notes) == 1 and "1 replies" in notes[0] and "cache verify" in notes[0]
    ask(tmp_path, model, asked())
    assert len(model.requests) == 2  # what was fetched anew took its place


@pytest.mark.fault(30)
def test_a_row_that_does_not_fit_the_question_is_a_miss(tmp_path: Path) -> None:
    model = ScriptedModel(Reply({"other": 3}, Usage(1, 10, 5, None)))
    for n in (1, 2):
        ask(tmp_path, model, asked())
        assert len(model.requests) == n


@pytest.mark.fault(30)
@pytest.mark.parametrize("column", ["mode = 4, value = ?", "raw = 0, key = ?"])
def test_nothing_is_unpickled(tmp_path: Path, column: str) -> None:
    trace, model = tmp_path / "trace", echoing()
    ask(tmp_path / "c", model, asked())
    payload = pickle.dumps(Bomb(trace))
    assert payload and not trace.exists()
    poison(tmp_path / "c", f"UPDATE Cache SET {column}", payload)
    ask(tmp_path / "c", model, asked())
    cache = ReplyCache(tmp_path / "c")
    assert cache.count_replies(verify=True).damaged + cache.count_replies(verify=True).replies >= 1
    cache.clear()
    cache.close()
    assert len(model.requests) == 2 and not trace.exists()


@pytest.mark.fault(30)
@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_a_file_that_a_row_names_is_neither_read_nor_deleted(tmp_path: Path, mode: int) -> None:
    secret, model = tmp_path / "secret.txt", echoing()
    secret.write_text('{"item": "stolen"}')
    ask(tmp_path / "c", model, asked())
    poison(tmp_path / "c", "UPDATE Cache SET mode = ?, filename = '../secret.txt', value = NULL", mode)
    (reply,) = ask(tmp_path / "c", model, asked())
    assert reply.value == {"item": "q"} and len(model.requests) == 2
    poison(tmp_path / "c", "UPDATE Cache SET mode = ?, filename = '../secret.txt'", mode)
    cache = ReplyCache(tmp_path / "c")
    cache.clear()
    cache.close()
    assert secret.exists()


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no database" * 500),
        lambda path: path.write_bytes(b"\0" * 100 + path.read_bytes()[100:]),
        lambda path: poison(path.parent, "INSERT INTO Settings VALUES ('_directory', '/tmp')"),
        lambda path: poison(path.parent, "INSERT INTO Settings VALUES ('get', 'x')"),
        lambda path: poison(path.parent, "INSERT INTO Settings VALUES ('disk_x', 1)"),
        lambda path: poison(path.parent, "DROP TABLE Cache") or poison(path.parent, "CREATE VIEW Cache AS SELECT 1"),
        lambda path: poison(path.parent, "CREATE TRIGGER t AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END"),
        lambda path: poison(path.parent, "CREATE TRIGGER t AFTER UPDATE ON Settings BEGIN DELETE FROM Cache; END"),
        lambda path: poison(path.parent, "CREATE INDEX own ON Cache (value)"),
        lambda path: poison(path.parent, "CREATE VIEW own AS SELECT 1"),
        lambda path: poison(path.parent, "CREATE TABLE own (x)"),
        lambda path: poison(path.parent, "ALTER TABLE Cache ADD COLUMN own TEXT AS (hex(key))"),
        lambda path: poison(path.parent, "UPDATE Settings SET value = 'least-recently-used' WHERE key LIKE 'evict%'"),
        lambda path: poison(path.parent, "UPDATE Settings SET value = 1 WHERE key = 'size_limit'"),
        lambda path: poison(path.parent, "UPDATE Settings SET value = 'off' WHERE key = 'sqlite_journal_mode'"),
        lambda path: poison(path.parent, "UPDATE Settings SET value = 9000000000000 WHERE key = 'sqlite_mmap_size'"),
        lambda path: poison(path.parent, "UPDATE Settings SET value = 0 WHERE key = 'sqlite_synchronous'"),
        lambda path: poison(path.parent, "UPDATE Settings SET value = 'x' WHERE key = 'count'"),
        lambda path: path.with_name("cache.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 504),
        lambda path: path.with_name("cache.db-journal").symlink_to(path),
        lambda path: path.unlink() or os.mkfifo(path),
        lambda path: path.rename(f"{path}.real") and path.symlink_to(f"{path}.real"),
    ],
)
def test_a_database_that_is_none_is_set_aside_and_told(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    model, notes = echoing(), list[str]()
    ask(tmp_path, model, asked())
    damage(tmp_path / "cache.db")
    (reply,) = ask(tmp_path, model, asked(), notes=notes)
    assert reply.value == {"item": "q"} and len(model.requests) == 2
    assert len(list(tmp_path.glob("cache.db.corrupt-*"))) == 1
    assert len(notes) == 1 and "is not used, since it" in notes[0].replace("cache.db-journal is", "it")
    ask(tmp_path, model, asked())
    assert len(model.requests) == 2


def test_what_diskcache_makes_in_a_file_is_what_is_taken_for_its_own(tmp_path: Path) -> None:
    """A new version that makes other tables or settings is noticed here, and not by its users."""
    ask(tmp_path, echoing(), asked())
    with contextlib.closing(sqlite3.connect(tmp_path / "cache.db")) as database:
        made = {" ".join(sql.split()) for (sql,) in database.execute("SELECT sql FROM sqlite_master") if sql}
    assert made == cache_database._SCHEMA
    check_database(tmp_path / "cache.db")


def test_a_file_that_a_killed_process_had_begun_to_make_is_no_obstacle(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "cache.db")) as database:
        database.execute("CREATE TABLE Settings ( key TEXT NOT NULL UNIQUE, value)")
    model, notes = echoing(), list[str]()
    ask(tmp_path, model, asked(), notes=notes)
    ask(tmp_path, model, asked(), notes=notes)
    assert len(model.requests) == 1 and notes == []


@pytest.mark.fault(30)
def test_damage_in_the_middle_gives_no_wrong_answer(tmp_path: Path) -> None:
    model = echoing()
    questions = [asked(f"{i} " + "x" * 300) for i in range(120)]
    ask(tmp_path, model, *questions)
    path = tmp_path / "cache.db"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8192] = b"\xa5" * 8192
    path.write_bytes(data)
    replies = ask(tmp_path, model, *questions)
    assert [r.value["item"] for r in replies] == [q.user for q in questions]
    assert len(model.requests) > 120


def test_a_folder_that_cannot_be_written_is_known_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "c", Path("/proc/c")):
        with pytest.raises(MachineError, match="--no-cache"):
            ReplyCache(folder)


def test_a_folder_whose_name_holds_a_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "/tmp")
    with pytest.raises(MachineError, match="variable"):
        ReplyCache(tmp_path / "$ELSEWHERE")


def test_a_disk_that_is_full_costs_no_answer(tmp_path: Path) -> None:
    notes: list[str] = []

    async def go() -> list[Reply]:
        cache = ReplyCache(tmp_path, notes.append)
        cached = CachedModel(echoing(), cache, {}, notes.append)
        await cached.complete(asked("before"))
        poison(tmp_path, "CREATE TRIGGER full BEFORE INSERT ON Cache BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        try:
            return [await cached.complete(asked(str(i))) for i in range(3)]
        finally:
            await cached.aclose()

    assert [r.value["item"] for r in asyncio.run(go())] == ["0", "1", "2"]
    assert len(notes) == 1 and "disk is full" in notes[0]


def _one_of_ten(folder: Path) -> None:
    async def go() -> int:
        cached = CachedModel(echoing(), ReplyCache(folder), {})
        for i in range(20):
            assert (await cached.complete(asked(str(i)))).value == {"item": str(i)}
        await cached.aclose()
        return cached.unkept + cached.damaged

    sys.exit(asyncio.run(go()))


@pytest.mark.fault(33)
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes are started by fork")
def test_ten_runs_share_one_cache(tmp_path: Path) -> None:
    runs = [multiprocessing.get_context("fork").Process(target=_one_of_ten, args=(tmp_path,)) for _ in range(10)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * 10
    cache = ReplyCache(tmp_path)
    assert cache.count_replies(verify=True).replies == 20
    cache.close()


@pytest.mark.fault(33)
def test_a_lock_of_another_process_does_not_stop_the_loop(tmp_path: Path) -> None:
    turned = threading.Event()

    async def go() -> tuple[Reply, bool]:
        cached = CachedModel(echoing(), ReplyCache(tmp_path), {})
        await cached.complete(asked("before"))
        other = sqlite3.connect(tmp_path / "cache.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")

        def release() -> bool:
            went_on = turned.wait(5)  # if the loop stands, somebody has to let it go
            other.execute("COMMIT")
            other.close()
            return went_on

        releasing = asyncio.create_task(asyncio.to_thread(release))
        asking = asyncio.create_task(cached.complete(asked()))
        for _ in range(30):
            await asyncio.sleep(0.01)
        held = not asking.done()
        turned.set()
        reply = await asking
        await cached.aclose()
        return reply, await releasing and held

    reply, went_on = asyncio.run(go())
    assert reply.value == {"item": "q"} and went_on


def test_the_folder_is_the_users_own() -> None:
    assert find_cache_folder({"EXTRACTOR_HOME": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a/replies")
    assert find_cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/extractor/replies")
    assert find_cache_folder({}) == Path.home() / ".cache/extractor/replies"


def test_contents_and_clearing(tmp_path: Path) -> None:
    ask(tmp_path, echoing(), asked("a"), asked("b"))
    poison(tmp_path, "UPDATE Cache SET value = ? WHERE rowid = 1", b"x")
    cache = ReplyCache(tmp_path)
    assert cache.count_replies().replies == 2
    assert (cache.count_replies(verify=True).replies, cache.count_replies(verify=True).damaged) == (1, 1)
    assert cache.clear() == 2
    assert cache.count_replies(verify=True).replies == 0
    cache.close()


def test_a_row_is_json_and_can_be_read_by_a_person(tmp_path: Path) -> None:
    ask(tmp_path, echoing(), asked("é"))
    database = sqlite3.connect(tmp_path / "cache.db")
    ((value, mode, filename),) = database.execute("SELECT value, mode, filename FROM Cache").fetchall()
    database.close()
    assert (mode, filename) == (1, None)
    assert json.loads(value.split(b" ", 2)[2])["value"] == {"item": "é"}


_KEPT = """
import hashlib, sys
from pathlib import Path
from extractor.models.cache import ReplyCache

def measure_own_memory():
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1])

cache = ReplyCache(Path(sys.argv[1]))
before = measure_own_memory()
for first in range(0, 40_000, 20_000):
    keys = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(first, first + 20_000)]
    cache.set_all(dict.fromkeys(keys, {"value": {"item": "saw" * 40}}))
    del keys
print(measure_own_memory() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_long_run_holds_a_few_megabytes_of_the_replies_that_it_keeps(tmp_path: Path) -> None:
    kept = subprocess.run([sys.executable, "-c", _KEPT, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(kept.stdout) < 12_000  # kB


def test_replies_are_kept_as_every_version_of_this_program_reads_them(tmp_path: Path) -> None:
    ask(tmp_path, echoing(), asked("a"))
    with contextlib.closing(sqlite3.connect(tmp_path / "cache.db")) as database:
        told = dict(database.execute("SELECT key, value FROM Settings"))
    assert told["sqlite_cache_size"] == diskcache.DEFAULT_SETTINGS["sqlite_cache_size"]
    check_database(tmp_path / "cache.db")
