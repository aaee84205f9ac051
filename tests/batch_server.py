"""A vendor of batches on loopback in four forms, OpenAI's and others', with all that goes wrong with batches."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from extractor.testing.fault_endpoint import build_completion, build_reply

Answer = Callable[[dict[str, Any]], str]


@dataclass
class Batch:
    """A batch that the vendor took."""

    id: str
    lines: list[dict[str, Any]]
    told: dict[str, Any]
    looks: int = 0
    created: float = field(default_factory=time.time)


class BatchServer:
    """Answers each request of a batch by `answer(body)`, as a chat would; and chats, too, which it counts as `live`.

    `fails` and `loses` say of a request's number in its batch whether it fails or has no reply at all; `expires`
    whether it is not done in time. A batch has ended after `slow` looks; it is listed after `unlisted` lists.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.batches: dict[str, Batch] = {}
        self.files: dict[str, bytes] = {}
        self.live = 0
        self.fails: Callable[[int], bool] = lambda n: False
        self.loses: Callable[[int], bool] = lambda n: False
        self.expires: Callable[[int], bool] = lambda n: False
        self.reorders = True
        self.slow = 0
        self.unlisted = 0
        self.lists = 0
        self.more_lines: list[Any] = []
        """Lines that are no replies to what was asked."""
        self.doubles = False
        self.on_upload: Callable[[], None] = lambda: None
        self.on_create: Callable[[], None] = lambda: None
        self.drops_reply_to_create = False
        self.knows_nothing = False
        self.paths: list[str] = []
        self.lock = threading.Lock()
        self.url = ""

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.answer(*server.get(self.path))

            def do_POST(self) -> None:
                body = (
                    self.rfile.read(int(self.headers["content-length"]))
                    if "content-length" in self.headers
                    else self.chunks()
                )
                try:
                    told = server.post(self.path, body)
                except OSError:
                    told = None
                if told is None:
                    self.close_connection = True
                    return
                self.answer(*told)

            def read_chunks(self) -> bytes:
                data = b""
                while size := int(self.rfile.readline(), 16):
                    data += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return data

            def answer(self, status: int, told: Any) -> None:
                data = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        return self

    def __exit__(self, *ended: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def asked(self) -> list[str]:
        """The custom_ids of all batches."""
        return [one["custom_id"] for batch in self.batches.values() for one in batch.lines]

    def post(self, path: str, body: bytes) -> tuple[int, Any] | None:
        with self.lock:
            self.paths.append(path)
            if path.endswith("/files"):
                return self._upload(body)
            if path.endswith("/chat/completions"):
                self.live += 1
                asked = json.loads(body)
                return 200, build_reply(asked, self.answer(asked))
            if path.endswith("/messages"):
                self.live += 1
                return 200, self._say_message(json.loads(body))
            told = json.loads(body)
            if path.endswith("/messages/batches"):
                batch = self._begin(told["requests"], {})
                return 200, self._describe_anthropic(batch)
            if path.endswith(("/batches", "/batch/jobs")):
                name = told.get("input_file_id") or told["input_files"][0]
                lines = [json.loads(line) for line in self.files[name].splitlines()]
                batch = self._begin(lines, told)
                if self.drops_reply_to_create:
                    self.drops_reply_to_create = False
                    return None
                return 200, self._describe(batch, path)
            return 404, {"error": {"message": "no such path"}}

    def _upload(self, body: bytes) -> tuple[int, Any]:
        self.on_upload()
        boundary = body[: body.index(b"\r\n")]
        part = next(one for one in body.split(boundary) if b"filename=" in one)
        name = f"file-{len(self.files)}"
        self.files[name] = part.partition(b"\r\n\r\n")[2][:-2]
        return 200, {"id": name, "object": "file"}

    def _begin(self, lines: list[dict[str, Any]], told: dict[str, Any]) -> Batch:
        batch = Batch(f"batch_{len(self.batches)}", lines, told)
        self.batches[batch.id] = batch
        self.on_create()
        return batch

    def get(self, path: str) -> tuple[int, Any]:
        with self.lock:
            self.paths.append(path)
            path, _, _ = path.partition("?")
            if found := re.search(r"/files/(.+)/content$", path):
                return 200, self.files[found[1]]
            if path.endswith("/results"):
                return 200, self._write_results(self.batches[path.split("/")[-2]], anthropic=True)
            if path.endswith(("/batches", "/batch/jobs")):
                self.lists += 1
                shown = [] if self.lists <= self.unlisted else list(reversed(self.batches.values()))
                if "/messages/" in path:
                    return 200, {"data": [self._describe_anthropic(one) for one in shown], "has_more": False}
                rows = [self._describe(one, path) for one in shown]
                return 200, {"data": rows, "has_more": False, "object": "list"}
            batch = self.batches.get(path.rpartition("/")[2])
            if batch is None or self.knows_nothing:
                return 404, {"error": {"message": "no such batch"}}
            batch.looks += 1
            return 200, self._describe_anthropic(batch) if "/messages/" in path else self._describe(batch, path)

    def _describe(self, batch: Batch, path: str) -> dict[str, Any]:
        ended = batch.looks > self.slow
        expired = any(map(self.expires, range(len(batch.lines))))
        output = f"out-{batch.id}"
        if ended and output not in self.files:
            self.files[output] = self._write_results(batch)
        if "/batch/jobs" in path:
            word = ("TIMEOUT_EXCEEDED" if expired else "SUCCESS") if ended else "RUNNING"
            return {
                "id": batch.id,
                "status": word,
                "input_files": batch.told["input_files"],
                "metadata": batch.told["metadata"],
                "output_file": output if ended else None,
                "error_file": None,
            }
        return {
            "id": batch.id,
            "object": "batch",
            "status": ("expired" if expired else "completed") if ended else "in_progress",
            "input_file_id": batch.told["input_file_id"],
            "metadata": batch.told.get("metadata"),
            "output_file_id": output if ended else None,
            "error_file_id": None,
        }

    def _describe_anthropic(self, batch: Batch) -> dict[str, Any]:
        ended = batch.looks > self.slow
        many = len(batch.lines)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(batch.created))
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {
                "processing": 0 if ended else many,
                "succeeded": many if ended else 0,
                "errored": 0,
                "canceled": 0,
                "expired": 0,
            },
            "created_at": now,
            "expires_at": now,
            "results_url": f"{self.url.removesuffix('/v1')}/v1/messages/batches/{batch.id}/results" if ended else None,
        }

    def _write_results(self, batch: Batch, *, anthropic: bool = False) -> bytes:
        rows = []
        for n, one in enumerate(batch.lines):
            if self.loses(n):
                continue
            rows.append(self._answer_anthropic(n, one) if anthropic else self._answer_line(n, one))
        if self.reorders:
            rows.reverse()
        if self.doubles:
            rows.append(rows[0])
        texts = [json.dumps(row).encode() for row in rows]
        texts += [one if isinstance(one, bytes) else json.dumps(one).encode() for one in self.more_lines]
        return b"\n".join(texts) + b"\n"

    def _answer_line(self, n: int, one: dict[str, Any]) -> dict[str, Any]:
        if self.expires(n):
            return {
                "custom_id": one["custom_id"],
                "response": None,
                "error": {"code": "batch_expired", "message": "late"},
            }
        if self.fails(n):
            response = {"status_code": 500, "body": {"error": {"message": "failed"}}}
            return {"custom_id": one["custom_id"], "response": response, "error": None}
        body = build_reply(one["body"], self.answer(one["body"]))
        return {"custom_id": one["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}

    def _answer_anthropic(self, n: int, one: dict[str, Any]) -> dict[str, Any]:
        if self.expires(n) or self.fails(n):
            return {"custom_id": one["custom_id"], "result": {"type": "expired" if self.expires(n) else "errored"}}
        message = self._say_message(one["params"])
        return {"custom_id": one["custom_id"], "result": {"type": "succeeded", "message": message}}

    def _say_message(self, params: dict[str, Any]) -> dict[str, Any]:
        part = {"type": "tool_use", "id": "t", "name": "Answer", "input": json.loads(self.answer(params))}
        return {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [part],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }


def answer_order(body: dict[str, Any]) -> str:
    """The number that the document says."""
    found = re.findall(r"Order (\w+) of", json.dumps(body))
    return json.dumps({"number": found[-1] if found else None})


__all__ = ["Batch", "BatchServer", "answer_order", "build_completion"]
