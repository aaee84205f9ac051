"""An engine that stays between runs, with the real engine on a model of 100 kB."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.errors import UsageError, WeightsError, name_install_command
from extractor.models.local.catalog import Weights, locate_weights
from extractor.models.local.engines import XLLAMACPP
from extractor.models.local.kept_engine import (
    KEEPER_LOCK,
    STATE_FILE,
    find_engine_folder,
    is_in_use,
    lease_engine,
    open_lock,
    read_state,
    start_engine,
    stop_engine,
    use_engine,
)
from extractor.models.local.server import ServerSettings
from extractor.models.local.speed import EngineSpeed, measure_speeds, read_processor_name, read_speeds, remember_speed
from tests import tiny_gguf

pytestmark = pytest.mark.xdist_group("engine")
pytest.importorskip("xllamacpp", reason=f"no embedded engine; {name_install_command('local')}")
FEW = ServerSettings(n_ctx=1024, n_threads=1)
HOUR = 60.0


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    path = tiny_gguf.write(tmp_path_factory.mktemp("weights") / "tiny.gguf")
    return locate_weights(path, path.parent)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "engine"
    stop_engine(tmp_path / "engine")


def until(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_runs_use_the_engine_that_is_kept_and_leave_it_there(tiny: Weights, folder: Path) -> None:
    kept = start_engine(tiny, FEW, HOUR, folder)
    for _ in range(2):
        with use_engine(tiny, FEW, folder) as engine:
            assert (engine.pid, engine.base_url) == (kept.server.pid, kept.server.base_url)
    assert lives(kept.server.pid)
    stopped = stop_engine(folder)
    assert stopped is not None and until(lambda: not lives(kept.server.pid) and not lives(kept.keeper))
    assert stop_engine(folder) is None
    with use_engine(tiny, FEW, folder) as engine:
        assert engine.pid != kept.server.pid


@pytest.mark.parametrize("other", [ServerSettings(n_ctx=2048, n_threads=1), ServerSettings(n_ctx=1024, n_parallel=2)])
def test_a_run_that_wants_another_engine_starts_its_own(tiny: Weights, folder: Path, other: ServerSettings) -> None:
    kept = start_engine(tiny, FEW, HOUR, folder)
    with use_engine(tiny, other, folder) as engine:
        assert engine.pid != kept.server.pid
    with use_engine(Weights("tiny", tiny.path, "0" * 64), FEW, folder) as engine:
        assert engine.pid != kept.server.pid


def test_an_engine_ends_once_nobody_has_used_it_for_a_while_and_not_before(tiny: Weights, folder: Path) -> None:
    kept = start_engine(tiny, FEW, 1 / 60, folder)
    with use_engine(tiny, FEW, folder) as engine:
        assert engine.pid == kept.server.pid and is_in_use(folder)
        time.sleep(2.5)
        assert lives(kept.server.pid)
    assert until(lambda: not lives(kept.server.pid) and not lives(kept.keeper))
    assert read_state(folder) is None and not (folder / STATE_FILE).exists()


def test_an_engine_whose_keeper_is_killed_ends_and_is_not_used(tiny: Weights, folder: Path) -> None:
    kept = start_engine(tiny, FEW, HOUR, folder)
    os.kill(kept.keeper, signal.SIGKILL)
    assert until(lambda: not lives(kept.server.pid))
    with lease_engine(folder) as found:
        assert found is None
    again = start_engine(tiny, FEW, HOUR, folder)
    assert again.server.pid != kept.server.pid


def test_an_engine_that_died_takes_its_keeper_with_it(tiny: Weights, folder: Path) -> None:
    kept = start_engine(tiny, FEW, 1 / 6, folder)
    os.kill(kept.server.pid, signal.SIGKILL)
    assert until(lambda: not lives(kept.keeper))
    with use_engine(tiny, FEW, folder) as engine:
        assert engine.pid != kept.server.pid


def test_a_second_engine_is_refused_by_name(tiny: Weights, folder: Path) -> None:
    start_engine(tiny, FEW, HOUR, folder)
    with pytest.raises(UsageError, match="An engine with tiny is kept already; end it with `extractor engine stop`"):
        start_engine(tiny, FEW, HOUR, folder)


def test_weights_that_cannot_be_loaded_are_told_and_nothing_stays(tiny: Weights, folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny.path.read_bytes()[:4000])
    with pytest.raises(WeightsError, match="cannot load"):
        start_engine(Weights("broken", broken, "1" * 64), FEW, HOUR, folder)
    assert read_state(folder) is None


@contextlib.contextmanager
def told(folder: Path, tiny: Weights) -> Iterator[Path]:
    """A file that tells of an engine whose keeper is there."""
    folder.mkdir(mode=0o700)
    own = {"base_url": "http://127.0.0.1:9/v1", "api_key": "k", "model": "tiny", "digest": tiny.digest}
    own |= {
        "build": {"name": "xllamacpp", "build": "1", "features": []},
        "settings": {"n_ctx": 1024},
        "pid": os.getpid(),
    }
    said = {"server": own, "keeper": os.getpid(), "idle_minutes": 1.0}
    (folder / STATE_FILE).write_text(json.dumps(said))
    (folder / STATE_FILE).chmod(0o600)
    with open_lock(folder / KEEPER_LOCK) as handle:
        assert handle is not None
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder / STATE_FILE
    (folder / STATE_FILE).unlink(missing_ok=True)


def test_only_a_file_that_nobody_else_can_have_written_tells_of_an_engine(tiny: Weights, folder: Path) -> None:
    with told(folder, tiny) as file:
        assert read_state(folder) is not None
        before = file.read_text()
        for content in ("", "[]", "{}", "[" * 100_000, before.replace("127.0.0.1", "10.0.0.1"), "\0"):
            file.write_text(content)
            assert read_state(folder) is None
        file.write_text(before)
        file.chmod(0o644)
        assert read_state(folder) is None
        file.unlink()
        os.mkfifo(file, 0o600)
        assert read_state(folder) is None
        file.unlink()
        file.symlink_to("/dev/zero")
        assert read_state(folder) is None


def test_an_engine_that_does_not_answer_is_not_used(tiny: Weights, folder: Path) -> None:
    with told(folder, tiny), lease_engine(folder) as found:
        assert found is None


def test_the_key_is_in_no_line_that_is_printed(
    tiny: Weights, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXTRACTOR_HOME", str(tmp_path))
    assert main(["engine", "status"]) == 1
    assert capsys.readouterr().out == "No engine is kept.\n"
    assert main(["engine", "start", "--model", str(tiny.path), "--idle", "5"]) == 0
    with contextlib.ExitStack() as stack:
        stack.callback(main, ["engine", "stop"])
        kept = read_state(find_engine_folder())
        assert kept is not None and kept.server.api_key not in repr(kept)
        assert main(["engine", "status"]) == 0
        assert main(["engine", "status", "--json"]) == 0
        said = capsys.readouterr().out
        assert f"tiny is kept (pid {kept.keeper}) until nobody has used it for 5 min." in said
        assert "idle; it ends after 5 min" in said and '"in_use": false' in said
        assert kept.server.api_key not in said
        assert oct((find_engine_folder() / STATE_FILE).stat().st_mode)[-3:] == "600"
    assert main(["engine", "stop"]) == 0
    assert capsys.readouterr().out.endswith("The engine with tiny has ended.\nNo engine is kept.\n")


@pytest.mark.parametrize(("flag", "value"), [("--idle", "0"), ("--idle", "nan"), ("--concurrency", "99")])
def test_what_cannot_be_meant_is_refused(tiny: Weights, flag: str, value: str) -> None:
    assert main(["engine", "start", "--model", str(tiny.path), flag, value]) == 2


def test_a_speed_is_measured_and_remembered_for_this_processor(tiny: Weights, tmp_path: Path) -> None:
    (speed,) = measure_speeds(tiny, [XLLAMACPP], FEW, read_tokens=100)  # a letter is a token
    assert speed.read > 0 and speed.write > 0 and speed.engine.startswith("xllamacpp 20")
    remember_speed(speed, tmp_path)
    assert read_speeds(tmp_path) == [speed]
    assert speed.processor == read_processor_name()


def test_a_speed_of_another_processor_counts_for_nothing(tmp_path: Path) -> None:
    remember_speed(EngineSpeed("m", "sha256:0", "x 1", "another processor", ("avx2",), 2, 40.0, 10.0), tmp_path)
    assert read_speeds(tmp_path) == []
    (tmp_path / "speeds.json").write_text('{"m": [1, 2], "n": {"read": "fast"}}')
    assert read_speeds(tmp_path) == []
