"""The OpenAPI document of a server: what may be asked, and what its own task answers."""

from __future__ import annotations

from typing import Any

from extractor._version import __version__
from extractor.results.model import ResultFile
from extractor.runs.document import DocumentExtractor
from extractor.serving.jobs import JobState
from extractor.serving.problems import PROBLEM_TYPE

OPENAPI_VERSION = "3.1.0"
_REF = "#/components/schemas/"
_CONFIDENCE = {"type": "number", "minimum": 0, "maximum": 1}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=60` waits so many seconds for the record, `respond-async` not at all (RFC 7240)",
    "schema": {"type": "string"},
}
_REPEAT = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "what tells this request: sent again, it is the same job",
    "schema": {"type": "string"},
}
_ASKED = {
    "name": {"type": "string", "description": "what the document is called; its suffix says what a file holds"},
    "schema": {"type": "object", "description": "a JSON Schema of the record (default: the server's own task)"},
    "accept": {**_CONFIDENCE, "description": "confidence from which on a value is in the record"},
    "only_proven": {"type": "boolean", "description": "nothing in the record that has no words of its own"},
}
_RECORD = {"record": {"type": "object", "description": "the record to prove"}}


def build_description(own: DocumentExtractor | None, *, has_keys: bool) -> dict[str, Any]:
    """The OpenAPI document of a server with this task of its own."""
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "extractor",
            "version": __version__,
            "summary": "Typed records out of documents, every value proved by the words it came from",
        },
        "servers": [{"url": "/"}],
        "paths": _build_paths(),
        "components": {
            "schemas": _build_schemas(own),
            **({"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}} if has_keys else {}),
        },
        **({"security": [{"key": []}]} if has_keys else {}),
    }


def _build_paths() -> dict[str, Any]:
    result = _answer("the result file, as `extractor run` writes it", "Result")
    accepted = _answer("accepted, and on disk: the job that the record comes of", "Job")
    return {
        "/extract": {
            "post": _operation(
                "extract",
                "A record of one document",
                {"200": result, "202": accepted},
                parameters=[_PREFER, _REPEAT],
                requestBody=_build_body(_ASKED, []),
            )
        },
        "/ground": {
            "post": _operation(
                "ground",
                "A record of any origin, proved by its document; no model is asked",
                {"200": result},
                requestBody=_build_body({**_ASKED, **_RECORD}, ["record"]),
            )
        },
        "/jobs/{id}": {
            "get": _operation(
                "showJob", "A job, and its result when it is done", {"200": _answer("the job", "Job")}, [_ID, _PREFER]
            ),
            "delete": _operation(
                "removeJob",
                "Ends a job and removes it with its document and its record",
                {"204": {"description": "removed"}},
                [_ID],
            ),
        },
        "/jobs/{id}/events": {
            "get": _operation(
                "watchJob",
                "The job at each change, as server-sent events named for its state",
                {"200": {"description": "events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
                [_ID],
            )
        },
        "/health": {
            "get": {
                **_operation("health", "Whether the server takes documents", {"200": {"description": "it does"}}),
                "security": [],
            }
        },
        "/metrics": {
            "get": _operation(
                "metrics",
                "Figures for Prometheus",
                {"200": {"description": "figures", "content": {"text/plain": {"schema": {"type": "string"}}}}},
            )
        },
        "/openapi.json": {
            "get": _operation("describe", "This document", {"200": {"description": "OpenAPI", "content": _json({})}})
        },
    }


def _operation(name: str, summary: str, answers: dict[str, Any], parameters: Any = (), **more: Any) -> dict[str, Any]:
    problem = {"description": "why not", "content": {PROBLEM_TYPE: {"schema": {"$ref": f"{_REF}Problem"}}}}
    told = {"parameters": list(parameters)} if parameters else {}
    return {"operationId": name, "summary": summary, **told, **more, "responses": {**answers, "default": problem}}


def _build_body(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    text = {"text": {"type": "string", "description": "the document's text"}}
    file = {"file": {"type": "string", "format": "binary", "description": "the document"}}
    form = {**file, **members}
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {**text, **members},
                    "required": ["text", *required],
                    "additionalProperties": False,
                }
            },
            "multipart/form-data": {
                "schema": {"type": "object", "properties": form, "required": ["file", *required]},
                "encoding": {name: {"contentType": "application/json"} for name in members if name != "name"},
            },
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": _json({"$ref": f"{_REF}{schema}"})}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _build_schemas(own: DocumentExtractor | None) -> dict[str, Any]:
    result = ResultFile.model_json_schema(ref_template=f"{_REF}{{model}}", mode="serialization")
    parts = result.pop("$defs", {})
    job = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "state": {"enum": [*(state.value for state in JobState), "removed"]},
            "document": {"type": "string", "description": "its name"},
            "size": {"type": "integer", "description": "bytes of the document"},
            "created": {"type": "number", "description": "seconds since 1970"},
            "ended": {"type": "number", "description": "seconds since 1970, when it is done"},
            "status": {"type": "string", "description": "of the record, when it is done"},
            "replies": {"type": "integer", "description": "replies of the model that were read for it"},
            "links": {"type": "object", "additionalProperties": {"type": "string"}},
            "result": {"$ref": f"{_REF}Result"},
        },
        "required": ["id", "state", "document", "size", "created", "replies", "links"],
    }
    problem = {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "one sentence that says what to do next"},
        },
        "required": ["type", "title", "status", "detail"],
    }
    # the schema of a task stands for itself: its references lead to its own root
    record = {"Record": {"$id": "urn:extractor:record", **own.task.schema.source}} if own is not None else {}
    return {**_drop_defaults(parts), "Result": _drop_defaults(result), "Job": job, "Problem": problem, **record}


def _drop_defaults(schema: Any) -> Any:
    """A schema of what is sent, which has all that it has: no default is filled in, and some would not fit."""
    if isinstance(schema, list):
        return [_drop_defaults(one) for one in schema]
    if isinstance(schema, dict):
        return {name: _drop_defaults(one) for name, one in schema.items() if name != "default"}
    return schema
