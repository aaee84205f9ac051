"""Records within a pipeline that is there already: a function of batches, for Ray Data, Daft, Spark and the like.

    found = ray.data.read_parquet("letters/").map_batches(
        BatchExtractor, fn_constructor_args=[Order], fn_constructor_kwargs={"model": "gpt-5-mini"}, concurrency=4
    )
    found = letters.mapInPandas(lambda batches: map(BatchExtractor(Order, model="gpt-5-mini"), batches), schema=...)

Where a pipeline loses a block it runs that again, and its questions are paid for again, unless `cache` names a folder
of the machine. A folder of documents of one's own is better done by `extractor run --on` (docs/scale.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from extractor.api.engine import Engine
from extractor.api.sources import load_input_document
from extractor.errors import DocumentError, UsageError
from extractor.extraction.task import Task
from extractor.types import Document

_OF_ENGINES = frozenset(("model", "base_url", "concurrency", "cache", "settings"))
_COLUMNS = ("record", "status", "failures", "result")


class BatchExtractor:
    """A batch with four columns more: `record` and `result`, the whole result file, as JSON texts, `status`, and
    `failures`, a JSON list of messages. A document that cannot be read has no record, and the status "failed".

    schema: as `extract` takes it; it is sent to the workers by pickle.
    column: the column with texts, or with the bytes of files. `name`: the column with their names, if there is one; of
        bytes, its suffix says what they hold.
    prompt, accept, only_proven and timeout are those of `extract`; all else is of `Engine`: model, base_url,
    concurrency, cache and settings. A key is not among them, since it would be written down with the pipeline: each
    worker takes its own from its environment (OPENAI_API_KEY, or OPENAI_API_KEY_FILE).

    A batch is a mapping of columns, as Ray has it, or a DataFrame of pandas. Each process has one engine, from its
    first batch on.
    """

    def __init__(
        self,
        schema: type[Any] | Task | Mapping[str, Any],
        *,
        column: str = "text",
        name: str | None = None,
        prompt: str | Path | None = None,
        accept: float = 0.5,
        only_proven: bool = False,
        timeout: float | None = None,
        **engine: Any,
    ) -> None:
        if foreign := sorted(set(engine) - _OF_ENGINES):
            raise UsageError(f"{foreign[0]} is not for a pipeline; it takes {', '.join(sorted(_OF_ENGINES))}.")
        self._schema, self._column, self._name, self._settings = schema, column, name, engine
        self._asked: dict[str, Any] = {
            "prompt": prompt,
            "accept": accept,
            "only_proven": only_proven,
            "timeout": timeout,
        }
        self._engine: Engine | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None}

    def __call__(self, batch: Any) -> Any:
        columns = self._extract(list(batch[self._column]), list(batch[self._name]) if self._name else [])
        return batch.assign(**columns) if hasattr(batch, "assign") else {**batch, **columns}

    def _extract(self, contents: Sequence[str | bytes], names: Sequence[str]) -> dict[str, list[str | None]]:
        rows: list[dict[str, str | None]] = [{} for _ in contents]
        readable: list[int] = []

        def read_documents() -> Iterator[Document]:
            for index, content in enumerate(contents):
                try:
                    document = _read_document(content, names[index] if names else f"row-{index}")
                except DocumentError as error:
                    rows[index] = _build_failed_row(str(error))
                else:
                    readable.append(index)
                    yield document

        if self._engine is None:
            self._engine = Engine(**self._settings)
        for number, result in enumerate(self._engine.extract_all(read_documents(), self._schema, **self._asked)):
            content = result.file.to_content()
            record = content.get("record")
            rows[readable[number]] = {
                "record": None if record is None else json.dumps(record, ensure_ascii=False),
                "status": str(result.status),
                "failures": json.dumps([failure["message"] for failure in content.get("failures", ())]),
                "result": json.dumps(content, ensure_ascii=False),
            }
        return {column: [row[column] for row in rows] for column in _COLUMNS}


def _read_document(content: str | bytes, name: str) -> Document:
    """The document in a cell. Raises DocumentError for one that holds none."""
    if isinstance(content, bytes):
        return load_input_document(content, str(name))
    if not isinstance(content, str) or not content.strip():
        raise DocumentError(f"{name} is empty; there is nothing to extract.", reason="empty")
    return Document(str(name), content)


def _build_failed_row(message: str) -> dict[str, str | None]:
    return {"record": None, "status": "failed", "failures": json.dumps([message]), "result": None}
