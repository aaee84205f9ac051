"""The examples of pandas, DuckDB, FastAPI and Airflow run, on recorded replies; without its library one is skipped."""

import ast
import importlib.util
import io
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from extractor import Engine, extract_all, load_task
from extractor.cli.main import main

MODEL = "qwen2.5-coder-1.5b"
RECORDED = ["--model", MODEL, "--mode", "replay"]


def load_example(repository: Path, name: str) -> ModuleType:
    path = repository / "docs" / "examples" / name
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the invoices, replayed."""
    out = tmp_path_factory.mktemp("invoices") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parent.parent)
        assert main(["run", "eval/invoice/samples", "--task", "invoice", "-o", str(out), "--quiet", *RECORDED]) in (
            0,
            1,
        )
    return out


def test_values_of_a_run_are_a_pandas_frame(repository: Path, run_folder: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is not in the lock")
    example = load_example(repository, "pandas_frames.py")
    values = example.read_values(run_folder)
    assert set(values["document"]) == {"001_bindery.txt", "002_imkerei.txt", "003_rigging.md"}
    doubtful = example.find_doubtful(values)
    assert doubtful["confidence"].is_monotonic_increasing and (doubtful["confidence"] < 0.8).all()
    sums = example.compare_sums(values)
    assert sums.loc["001_bindery.txt", "lines"] == pytest.approx(sums.loc["001_bindery.txt", "subtotal"])


def test_tables_of_a_run_are_queried_by_duckdb(repository: Path, run_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="DuckDB is not in the lock")
    assert main(["export", str(run_folder), "-f", "parquet", "-o", str(tmp_path / "tables")]) == 0
    example = load_example(repository, "duckdb_queries.py")
    tables = example.open_tables(tmp_path / "tables")
    rows = example.find_largest_lines(tables)
    assert len(rows) == 5 and [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)
    assert all(re.sub(r"\D", "", row[3]) for row in rows), "each amount has its words"
    assert tables.execute(example.SPENT_BY_SELLER).fetchall()


def test_a_fastapi_service_answers_with_a_record_and_its_words(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fastapi", reason="FastAPI is not in the lock")
    from starlette.testclient import TestClient

    monkeypatch.chdir(repository)
    example = load_example(repository, "fastapi_service.py")
    with TestClient(example.build_service(Engine(MODEL, mode="replay"))) as client:
        text = Path("eval/invoice/samples/001_bindery.txt").read_bytes()
        told: dict[str, Any] = client.post("/invoices?name=001_bindery.txt", content=text).json()
        assert told["record"]["currency"] == "GBP" and told["evidence"]["/buyer/name"] == "St Mary's College Library"
        monkeypatch.setattr(example, "MAX_BYTES", 10)
        assert client.post("/invoices?name=a.txt", content=text).status_code == 413


def test_the_steps_of_the_airflow_dag_run_without_a_scheduler(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    steps = load_example(repository, "airflow/invoice_steps.py")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    sample = repository / "eval/invoice/samples/002_imkerei.txt"
    (inbox / sample.name).write_bytes(sample.read_bytes())
    out = steps.extract_invoices(str(inbox), str(tmp_path / "out"), *RECORDED)
    for _ in range(2):  # a step may be repeated
        assert Path(steps.export_tables(out, str(tmp_path / "tables"))).joinpath("lines.parquet").exists()
    assert steps.archive_inbox(str(inbox), str(tmp_path / "archive")) == 1
    assert [path.name for path in (tmp_path / "archive").iterdir()] == [sample.name]
    with pytest.raises(RuntimeError, match="ended with 2"):
        steps.extract_invoices(str(inbox), str(tmp_path / "other"), *RECORDED)


def test_the_dag_calls_the_steps_that_there_are(repository: Path) -> None:
    """Airflow brings some hundred packages and is not in the lock: here its file is read, and run where it is."""
    source = repository / "docs/examples/airflow/invoice_dag.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imported = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "invoice_steps"
        for name in node.names
    }
    steps = load_example(repository, "airflow/invoice_steps.py")
    assert imported and all(callable(getattr(steps, name, None)) for name in imported)


def test_the_dag_is_one_for_airflow(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow.sdk", reason="Airflow is too large for the lock; its steps are run by the test above")
    monkeypatch.syspath_prepend(str(repository / "docs/examples/airflow"))
    monkeypatch.delitem(sys.modules, "invoice_steps", raising=False)
    load_example(repository, "airflow/invoice_dag.py")


def test_a_progress_bar_goes_round_extract_all_and_moves_with_each_result(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What docs/python.md does in a notebook, with the bar of a terminal."""
    tqdm = pytest.importorskip("tqdm", reason="tqdm is not here")
    monkeypatch.chdir(repository)
    files = sorted(Path("eval/invoice/samples").iterdir())
    with Engine(MODEL, mode="replay") as engine, tqdm.tqdm(total=len(files), file=io.StringIO()) as bar:
        seen = []
        for result in extract_all(files, load_task("invoice"), engine=engine):
            bar.update()
            seen.append((bar.n, result.name))
    assert seen == [(n, file.name) for n, file in enumerate(files, 1)]
