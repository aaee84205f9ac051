"""A stranger's folder that one is started in: no file of it is run, whatever its name, and no child is given a key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_pdf
from tiny_pdf import Line

from extractor.child_processes import build_child_environment, list_library_folders
from extractor.documents.discovery import load_document
from extractor.documents.formats.sandbox import close_readers
from extractor.models.local.download import _PIP_VARIABLES
from extractor.models.local.engines import ENGINE_VARIABLES
from extractor.testing import FaultEndpoint

Start = Callable[..., FaultEndpoint]
REPOSITORY = Path(__file__).parent.parent
KEY = "sk-none-of-their-business-1234"
LIBRARIES = (
    *("pypdfium2", "docx", "justhtml", "tinycss2", "python_calamine", "lxml", "email"),
    *("sitecustomize", "usercustomize", "pydantic", "openai", "instructor", "httpx2", "rich", "tenacity", "diskcache"),
    *("jsonschema", "rapidfuzz", "numpy", "coverage", "typing_extensions", "xllamacpp"),
)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder whose every module tells that it was run, in the file `ran`; and a document to be read."""
    folder = tmp_path / "trap"
    folder.mkdir()
    told = f"import os\nopen({str(tmp_path / 'ran')!r}, 'a').write(__name__ + ' ' + str(os.getpid()) + '\\n')\n"
    for name in LIBRARIES:
        (folder / f"{name}.py").write_text(told)
    (folder / "extractor").mkdir()
    (folder / "extractor" / "__init__.py").write_text(told)
    (folder / "tesseract").write_text(f"#!/bin/sh\necho tesseract >> {tmp_path / 'ran'}\n")
    (folder / "tesseract").chmod(0o755)
    (folder / "a.pdf").write_bytes(tiny_pdf.write([tiny_pdf.page([Line(60, 700, "A bolt.")])]))
    (folder / "b.html").write_text("<p>A nut.")
    (folder / "s.json").write_text(json.dumps({"type": "object", "properties": {"title": {"type": "string"}}}))
    return folder


def start(trap: Path, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OPENAI_API_KEY": KEY, "PATH": f":.:{os.environ['PATH']}"}
    return subprocess.run(
        command, cwd=trap, env={**env, **settings}, capture_output=True, text=True, timeout=120, check=False
    )


RUN = ["run", "a.pdf", "b.html", "--schema", "s.json", "--model", "m", "--ocr", "--no-cache"]


def ran(trap: Path) -> list[str]:
    file = trap.parent / "ran"
    return file.read_text().splitlines() if file.exists() else []


def endpoint(faults: Start) -> FaultEndpoint:
    return faults(lambda body, n: json.dumps({"title": "bolt" if "bolt" in str(body) else "nut"}))


def test_the_command_runs_nothing_of_the_folder(trap: Path, tmp_path: Path, faults: Start) -> None:
    program = tmp_path / "extractor"  # as pip writes it
    program.write_text("from extractor.cli.main import entry\nentry()\n")
    done = start(trap, [sys.executable, str(program), *RUN, "--base-url", endpoint(faults).url])
    assert done.returncode == 0, done.stderr
    assert ran(trap) == []


def test_python_with_m_runs_nothing_but_a_package_of_our_name(trap: Path) -> None:
    command = [*RUN, "--base-url", "http://127.0.0.1:9/v1", "--dry-run"]
    done = start(trap, [sys.executable, "-P", "-m", "extractor", *command])
    assert done.returncode == 0, done.stderr
    assert ran(trap) == []
    (trap / "extractor" / "__init__.py").unlink()
    (trap / "extractor").rmdir()
    done = start(trap, [sys.executable, "-m", "extractor", *command])
    assert done.returncode == 0, done.stderr
    assert ran(trap) == []


@pytest.mark.parametrize("how", ["a script", "from stdin", "imported late"])
def test_a_call_from_python_runs_nothing_of_the_folder_in_its_children(how: str, trap: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from extractor.documents.discovery import load_document as l;"
        "print([l(Path(n)).text for n in ('a.pdf', 'b.html')])"
    )
    if how == "a script":
        (tmp_path / "script.py").write_text(code)
        done = start(trap, [sys.executable, str(tmp_path / "script.py")])
    else:
        # the host looks for modules in the folder itself, and has found the package elsewhere before
        code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); {code}"
        late = "import sys; sys.path.remove('') if '' in sys.path else None; import extractor; sys.path.insert(0, '');"
        done = start(trap, [sys.executable, "-c", (late if how == "imported late" else "") + code])
    assert done.stdout.strip() == "['A bolt.', 'A nut.']", done.stderr
    assert ran(trap) == []


def test_a_child_looks_neither_into_the_working_folder_nor_at_variables(
    trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trap)
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE"):
        monkeypatch.setenv(name, str(trap))
    monkeypatch.setattr(sys, "path", ["", ".", str(trap), f"{trap}{os.sep}", str(tmp_path / "gone"), *sys.path])
    assert not {"", ".", str(trap), f"{trap}{os.sep}"} & set(list_library_folders())
    close_readers()
    assert load_document(trap / "a.pdf").text == "A bolt."
    close_readers()
    assert ran(trap) == []


SECRETS = (
    *("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HF_TOKEN", "MY_PASSWORD"),
    *("LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP", "BASH_ENV", "DYLD_INSERT_LIBRARIES"),
)


@pytest.mark.parametrize("also", [("TESSDATA_PREFIX",), _PIP_VARIABLES, ENGINE_VARIABLES])
def test_no_child_is_given_a_key_or_code_by_its_environment(
    also: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "bin", "/usr/bin", "../bin"]))
    kept = build_child_environment(*also)
    assert KEY not in kept.values()
    assert kept["PATH"] == "/usr/bin"


def test_every_process_that_is_started_is_given_such_an_environment() -> None:
    """Every call that starts a process names `env`."""
    for path in (REPOSITORY / "extractor").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        # a cluster's nodes are sent what the run's own process has packed; what comes back from them is data
        assert "pickle.load" not in source or path.parent.name == "cluster", path
        assert "multiprocessing" not in source, path
        starts = source.count("subprocess.Popen(") + source.count("subprocess.run(")
        assert source.count("build_child_environment(") >= starts, path
