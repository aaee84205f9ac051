"""Documents in an object store, and tables that go to one, against a server on loopback that speaks S3."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from extractor import extract
from extractor.cli.main import main
from extractor.documents import object_inputs
from extractor.errors import MachineError
from extractor.object_stores import ObjectStore, StoredObject, parse_object_url
from extractor.results.file import encode_part
from extractor.runs.publishing import ResultPublisher
from extractor.testing import FaultEndpoint, ScriptedModel

pytest.importorskip("obstore")
pyarrow = pytest.importorskip("pyarrow")
SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": ["string", "null"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"item": {"type": "string"}}}},
    },
}
SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.disable()
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        moto = pytest.importorskip("moto.server", reason="no moto; pip install 'moto[s3,server]'")
    assert moto
    # in a process of its own: deltalake holds Python's lock while it waits for an answer
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A bucket of its own: its address, and a client that puts objects into it."""
    import boto3

    told = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
    for name, value in {**told, "AWS_ENDPOINT_URL": server, "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    name = "b" + str(abs(hash(request.node.nodeid)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
        client.create_bucket(Bucket=name)
    return name, client


def write_run(folder: Path, numbers: list[str | None], *, lines: bool = True) -> Path:
    """A folder as a run leaves it, a document for each number."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, number in enumerate(numbers):
        record = {"number": number, "lines": [{"item": "bolt"}] if lines else []}
        result = extract(f"Order {number} of a bolt.", SCHEMA, model=ScriptedModel([record]), name=f"{n}.txt")
        (folder / f"{n}.json").write_bytes(encode_part(result.file))
    return folder


def test_places_are_told_from_paths() -> None:
    assert str(parse_object_url("s3://b/a/c.pdf")) == str(parse_object_url(Path("s3://b/a/c.pdf"))) == "s3://b/a/c.pdf"
    assert parse_object_url(Path("docs/s3")) is None and parse_object_url("https://b/a") is None
    assert str(parse_object_url("gs://b")) == "gs://b/"


def test_documents_of_a_store_are_read_and_those_that_changed_are_asked_again(
    bucket: Any, tmp_path: Path, faults: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name, client = bucket
    endpoint: FaultEndpoint = faults(lambda body, n: '{"number": null, "lines": []}')
    for key, text in {"in/a.txt": "one", "in/deep/b.txt": "two", "in/c.md": "three", "other/d.txt": "four"}.items():
        client.put_object(Bucket=name, Key=key, Body=text.encode())
    client.put_object(Bucket=name, Key="bad/../../escape.txt", Body=b"out")
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    common = ["--schema", str(tmp_path / "s.json"), "-o", str(tmp_path / "out"), "--model", "m"]
    common += ["--base-url", endpoint.url, "--no-cache", "--quiet"]

    def run(*paths: str) -> int:
        return main(["run", *(f"s3://{name}/{path}" for path in paths), *common])

    assert run("in/**/*.txt") == 0
    assert endpoint.requests == 2 and (tmp_path / "out" / "a.json").is_file()
    assert not (tmp_path / "escape.txt").exists() and not list(tmp_path.rglob("escape*"))
    assert run("in/**/*.txt") == 0 and endpoint.requests == 2
    client.put_object(Bucket=name, Key="in/a.txt", Body=b"another")
    client.delete_object(Bucket=name, Key="in/deep/b.txt")
    assert run("in/**/*.txt") == 0 and endpoint.requests == 3
    assert run("other/d.txt") == 0 and endpoint.requests == 4
    assert run("in/") == 0 and run("nothing/") == 2 and run("nothing/*.pdf") == 2
    assert run("bad/") == 3 and not list(tmp_path.rglob("escape*"))
    assert "names no object" in capsys.readouterr().err


def test_objects_of_which_one_is_called_like_a_folder_of_another_cost_themselves_alone() -> None:
    class Listing:
        def list(self, prefix: str) -> list[StoredObject]:
            keys = ["in/a", "in/a/b/c.txt", "in/a/b", "in/d.txt"]
            return [StoredObject(key, 1, "mark") for key in keys]

    notes: list[str] = []
    chosen = object_inputs._choose_objects(cast(ObjectStore, Listing()), "in", [], notes.append)
    assert list(chosen) == ["a/b/c.txt", "d.txt"] and len(notes) == 2


def test_a_run_itself_writes_to_a_folder(bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    command = ["run", str(tmp_path / "a.txt"), "--schema", str(tmp_path / "s.json"), "-o", f"s3://{bucket[0]}/out"]
    assert main([*command, "--model", "m", "--base-url", "http://127.0.0.1:9/v1"]) == 2
    assert "--publish" in capsys.readouterr().err


def test_results_are_copied_to_a_store_as_they_are_finished_and_a_repeat_copies_what_changed(
    bucket: Any, tmp_path: Path, faults: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name, client = bucket
    endpoint: FaultEndpoint = faults(lambda body, n: '{"number": null, "lines": []}')
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "in").mkdir()
    for text in ("one", "two"):
        (tmp_path / "in" / f"{text}.txt").write_text(text)
    out = tmp_path / "out"
    command = ["run", str(tmp_path / "in"), "--schema", str(tmp_path / "s.json"), "-o", str(out), "--model", "m"]
    command += ["--base-url", endpoint.url, "--no-cache", "--quiet", "--publish"]

    def stored() -> dict[str, Any]:
        found = client.list_objects_v2(Bucket=name, Prefix="lake/").get("Contents", [])
        return {one["Key"]: one["LastModified"] for one in found}

    assert main([*command, f"s3://{name}/lake"]) == 0
    assert set(stored()) == {"lake/one.json", "lake/two.json", "lake/journal.jsonl", "lake/run.json"}
    copied = client.get_object(Bucket=name, Key="lake/one.json")["Body"].read()
    assert copied == (out / "one.json").read_bytes()
    client.delete_object(Bucket=name, Key="lake/two.json")
    (tmp_path / "in" / "one.txt").write_text("another")
    assert main([*command, f"s3://{name}/lake"]) == 0 and endpoint.requests == 3
    assert client.get_object(Bucket=name, Key="lake/one.json")["Body"].read() == (out / "one.json").read_bytes()
    assert "lake/two.json" not in stored(), "what was copied once is not copied again"
    assert main([*command, "s3://b-that-is-not-there/lake"]) == 3 and endpoint.requests == 3
    assert main([*command, str(tmp_path / "lake")]) == 2
    assert "write s3://BUCKET/PREFIX" in capsys.readouterr().err
    assert main([*command, f"s3://{name}/lake", "--split", "pages"]) == 2
    assert "leave it out beside --split" in capsys.readouterr().err


def test_what_cannot_be_copied_is_told_and_stays_in_the_folder(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = parse_object_url(f"s3://{bucket[0]}/lake")
    assert url is not None
    for file in ("a.json", "b.json", "journal.jsonl", "run.json"):
        (tmp_path / file).write_text(file)
    write, broken = ObjectStore.write_file, {"lake/b.json"}

    def fail(store: ObjectStore, key: str, path: Path) -> None:
        if key in broken:
            raise MachineError("the store is away")
        write(store, key, path)

    monkeypatch.setattr(ObjectStore, "write_file", fail)
    with ResultPublisher(tmp_path, url) as publisher:
        for file in ("a.json", "b.json", "gone.json"):
            publisher.copy(file)
        with pytest.raises(MachineError, match=r"the store is away.*same command copies the rest"):
            publisher.finish(["a.json", "b.json"])
    broken.clear()
    with ResultPublisher(tmp_path, url) as publisher:
        assert publisher.finish(["a.json", "b.json"]) == 2
    assert {one.key for one in ObjectStore(url).list("lake")} >= {"lake/a.json", "lake/b.json", "lake/run.json"}


def read_tables(form: str, target: str, table: str) -> list[dict[str, Any]]:
    if form == "delta":
        import deltalake

        return list(deltalake.DeltaTable(f"{target}/{table}").to_pyarrow_table().to_pylist())
    if (url := parse_object_url(target)) is not None:
        from pyarrow import BufferReader, parquet

        store, rows = ObjectStore(url), []
        for one in store.list(f"{url.key}/{table}"):
            rows += parquet.read_table(BufferReader(b"".join(store.read(one.key, 1 << 20)))).to_pylist()
        return rows
    from pyarrow import dataset

    return list(dataset.dataset(f"{target}/{table}", partitioning="hive").to_table().to_pylist())


@pytest.mark.parametrize("where", ["disk", "store"])
@pytest.mark.parametrize("form", ["dataset", "delta"])
def test_runs_are_added_to_tables_and_repeating_changes_nothing(
    form: str, where: str, bucket: Any, tmp_path: Path
) -> None:
    if form == "delta":
        pytest.importorskip("deltalake")
    target = str(tmp_path / "lake") if where == "disk" else f"s3://{bucket[0]}/lake"
    first, second = write_run(tmp_path / "first", ["A1", "A2"]), write_run(tmp_path / "it's second", ["B1"])

    def export(*runs: Path) -> None:
        assert main(["export", *map(str, runs), "-f", form, "-o", target, "--quiet"]) == 0

    def numbers() -> list[str]:
        return sorted(one["number"] for one in read_tables(form, target, "records"))

    export(first)
    assert numbers() == ["A1", "A2"]
    export(first)
    assert numbers() == ["A1", "A2"]
    export(second, first)
    assert numbers() == ["A1", "A2", "B1"]
    quotes = {one["quote"] for one in read_tables(form, target, "evidence")}
    assert quotes == {"A1", "A2", "B1", "bolt"}
    write_run(first, ["A1", "A3"], lines=False)
    export(first)
    assert numbers() == ["A1", "A3", "B1"]
    assert len(read_tables(form, target, "lines")) == 1


def test_one_file_goes_to_a_store_as_it_is(bucket: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "one", ["A1"])
    url = f"s3://{bucket[0]}/a/results.jsonl"
    assert main(["export", str(run), "-f", "jsonl", "-o", url, "--quiet"]) == 0
    body = bucket[1].get_object(Bucket=bucket[0], Key="a/results.jsonl")["Body"].read()
    assert json.loads(body)["record"]["number"] == "A1"
    assert main(["export", str(run), "-f", "csv", "-o", url, "--quiet"]) == 2


def test_a_store_that_refuses_says_so(bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "one", ["A1"])
    assert main(["export", str(run), "-f", "jsonl", "-o", "s3://no-such-bucket-at-all/x", "--quiet"]) in (2, 3)
    assert "no-such-bucket-at-all" in capsys.readouterr().err


def test_two_runs_of_one_name_are_not_mixed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = write_run(tmp_path / "a" / "out", ["A1"]), write_run(tmp_path / "b" / "out", ["B1"])
    assert main(["export", str(one), str(other), "-f", "dataset", "-o", str(tmp_path / "lake")]) == 2
    assert "Two runs are called out" in capsys.readouterr().err


def test_no_link_among_copies_leads_what_is_copied_elsewhere(bucket: Any, tmp_path: Path) -> None:
    name, client = bucket
    for key in ("in/sub/a.txt", "in/b.txt", "in/c.txt"):
        client.put_object(Bucket=name, Key=key, Body=b"words")
    url, out, other = Path(f"s3://{name}/in/"), tmp_path / "out", tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("kept")
    (copies,) = object_inputs.fetch_inputs([url], out, lambda note: None)
    (copies / "sub" / "a.txt").unlink()
    (copies / "sub").rmdir()
    (copies / "sub").symlink_to(other)
    (copies / "b.txt").unlink()
    (copies / "b.txt").symlink_to(other / "mine.txt")
    object_inputs.fetch_inputs([url], out, lambda note: None)
    assert [path.name for path in other.iterdir()] == ["mine.txt"] and (other / "mine.txt").read_text() == "kept"
    assert (copies / "sub" / "a.txt").read_text() == (copies / "b.txt").read_text() == "words"
    copies.rename(other / "moved")
    copies.symlink_to(other)
    with pytest.raises(MachineError):
        object_inputs.fetch_inputs([url], out, lambda note: None)
    assert (other / "mine.txt").exists()
