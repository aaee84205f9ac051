"""Runs -> tables that several runs share: Parquet in folders by run, or Delta tables; on a disk or in an object store.

Each run is a partition (`run_name`, the name of its folder). Written again it replaces its own rows and nobody else's,
so that appending and repeating are the same command.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from extractor.errors import MachineError, UsageError, name_install_command
from extractor.files import write_atomically
from extractor.object_stores import ObjectStore, ObjectUrl, parse_object_url
from extractor.results.export.export import ExportSummary, write_parquet_tables
from extractor.results.export.reader import SavedRun

PARTITION = "run_name"
"""Not `_run`: readers of Parquet and Delta take what begins so for files of their own."""
PART_FILE = "part-0.parquet"


def export_to_lake(runs: Sequence[SavedRun], form: str, target: Path) -> ExportSummary:
    """Adds the runs to the tables at `target`, a folder or an address in an object store.

    Raises UsageError where two runs have one name or a library is missing, MachineError where nothing can be written.
    """
    names = [run.path.stem if run.path.is_file() else run.path.resolve().name for run in runs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"Two runs are called {twice[0]}, and would replace each other; export them apart.")
    whole = ExportSummary()
    for name, run in zip(names, runs, strict=True):
        with tempfile.TemporaryDirectory(prefix="extractor-export-") as room:
            written, files = write_parquet_tables([run], Path(room))
            if form == "delta":
                _write_delta(name, files, target)
            else:
                _write_dataset(name, files, target)
        whole.documents += written.documents
        whole.failed += written.failed
        whole.lost += written.lost
        for table, many in written.rows.items():
            whole.rows[table] = whole.rows.get(table, 0) + many
    return whole


def _name_partition(run: str) -> str:
    return f"{PARTITION}={quote(run, safe=' ')}"


def _write_dataset(run: str, files: dict[str, Path], target: Path) -> None:
    """TABLE/run_name=NAME/part-0.parquet for each table; tables that the run has no more lose its part."""
    url, part = parse_object_url(target), _name_partition(run)
    if url is not None:
        store = ObjectStore(url)
        for table, file in files.items():
            store.write_file(url.join(table, part, PART_FILE).key, file)
        kept = {url.join(table, part, PART_FILE).key for table in files}
        gone = [one.key for one in store.list(url.key.rstrip("/")) if f"/{part}/" in one.key and one.key not in kept]
        for key in gone:
            store.remove(key)
        return
    try:
        for table, file in files.items():
            folder = target / table / part
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / PART_FILE, _read_pieces(file))
        for path in target.glob(f"*/{part}/{PART_FILE}"):
            if path.parent.parent.name not in files:
                path.unlink()
    except OSError as error:
        raise MachineError(f"{target} cannot be written ({error.strerror}); choose another -o.") from error


def _read_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def _write_delta(run: str, files: dict[str, Path], target: Path) -> None:
    try:
        import deltalake
    except ImportError as error:
        raise UsageError(f"Delta tables need deltalake: {name_install_command('delta')}") from error
    url = parse_object_url(target)
    try:
        for table, file in files.items():
            place = str(url.join(table)) if url is not None else str(target / table)
            _replace_partition(deltalake, place, run, file)
        for place in _list_other_tables(target, url, files):
            _drop_partition(deltalake, place, run)
    except deltalake.exceptions.DeltaError as error:
        said = str(error).strip().splitlines()[0][:200]
        raise MachineError(f"{target} cannot be written as Delta tables ({said}).") from error
    except OSError as error:
        raise MachineError(f"{target} cannot be written ({error}); choose another -o.") from error


def _replace_partition(deltalake: Any, place: str, run: str, file: Path) -> None:
    """One transaction of one table: the run's rows of before go, and those of now come."""
    import pyarrow
    from pyarrow import parquet

    source = parquet.ParquetFile(file)
    schema = source.schema_arrow.append(pyarrow.field(PARTITION, pyarrow.string()))

    def add_run() -> Iterator[Any]:
        for batch in source.iter_batches(4_000):
            column = pyarrow.array([run] * batch.num_rows, pyarrow.string())
            yield pyarrow.RecordBatch.from_arrays([*batch.columns, column], schema=schema)

    rows = pyarrow.RecordBatchReader.from_batches(schema, add_run())
    how: dict[str, Any] = {"mode": "append", "partition_by": [PARTITION], "schema_mode": "merge"}
    if deltalake.DeltaTable.is_deltatable(place):
        how |= {"mode": "overwrite", "predicate": _match_run(run)}
    deltalake.write_deltalake(place, rows, **how)


def _drop_partition(deltalake: Any, place: str, run: str) -> None:
    table = deltalake.DeltaTable(place)
    if any(one.get(PARTITION) == run for one in table.partitions()):
        table.delete(_match_run(run))


def _match_run(run: str) -> str:
    return f"{PARTITION} = '{run.replace(chr(39), 2 * chr(39))}'"


def _list_other_tables(target: Path, url: ObjectUrl | None, files: dict[str, Path]) -> list[str]:
    """The places of the tables that this run has no rows for now."""
    if url is None:
        return [str(path.parent) for path in target.glob("*/_delta_log") if path.parent.name not in files]
    tables: dict[str, None] = {}
    for one in ObjectStore(url).list(url.key.rstrip("/")):
        table, log, _ = one.key[len(url.key.rstrip("/")) :].strip("/").partition("/_delta_log/")
        if log and "/" not in table and table not in files:
            tables[table] = None
    return [str(url.join(table)) for table in tables]
