"""The process in which llama-cpp-python runs, built for this machine. `server` starts it; nothing else imports it.

It reads one line of JSON and writes one (see `engines`), and serves until its standard input ends. What it serves is
what a run asks of an engine: chats that are answered whole, one after another, and the plain completion that
`extractor models bench` times. A member of a request that it does not know is refused, and not passed over.
"""

from __future__ import annotations

import codecs
import hmac
import http.server
import json
import os
import secrets
import select
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Mapping
from typing import Any

from extractor.models.local.engines import read_features
from extractor.models.local.native_model import NativeModel, NotLoaded, Unwanted, Written
from extractor.models.local.token_choice import NotAsked, Wish

MAX_BODY_BYTES = 1 << 26
MAX_CONNECTIONS = 64
IDLE_SECONDS = 600.0
"""How long a connection may be silent between requests, or within one."""
_CHAT_MEMBERS = frozenset(
    {"model", "messages", "temperature", "top_p", "seed", "max_tokens", "max_completion_tokens", "grammar"}
    | {"response_format", "logprobs", "stream", "stream_options", "timings_per_token", "n", "chat_template_kwargs"}
)
_NUMBER, _WHOLE = (int, float), (int,)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever llama.cpp prints is log
    order = json.loads(sys.stdin.readline())

    def report(**what: Any) -> None:
        answer.write(json.dumps(what) + "\n")
        answer.flush()

    try:
        server, build = _open_server(order)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{order['host']}:{server.server_address[1]}"
        report(address=address, build=build, features=read_features(server.model.system_info))
        sys.stdin.read()
    except NotLoaded as error:
        report(failed="start", reason=str(error))
    finally:
        os._exit(0)  # without waiting for a reply that nobody reads


def _open_server(order: Mapping[str, Any]) -> tuple[_ReplyServer, str]:
    """What answers as it is ordered, with what it is built of. Raises NotLoaded."""
    try:
        import llama_cpp

        model = NativeModel(llama_cpp, order)
        build = f"llama-cpp-python {llama_cpp.__version__} (llama.cpp {llama_cpp.llama_version().decode()})"
        return _ReplyServer(order, model), build
    except (ImportError, OSError, RuntimeError, AttributeError, TypeError, ValueError) as error:
        # its library cannot be loaded, it has another interface than the releases that this was written for, or the
        # port is taken
        raise NotLoaded(f"{type(error).__name__}: {error}") from None


class _ReplyServer(socketserver.ThreadingTCPServer):
    """Requests over HTTP, each connection in a thread; who has the key is answered, one at a time."""

    allow_reuse_address = os.name == "posix"
    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, order: Mapping[str, Any], model: NativeModel) -> None:
        self.model, self.name = model, str(order["model"])
        self.expected = f"Bearer {order['key']}".encode()
        self.turn = threading.Lock()
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((order["host"], order["port"]), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _ReplyServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def log_message(self, *words: object) -> None:
        """Nothing: a request may hold anything."""

    def do_GET(self) -> None:
        if self._has_key():
            told = {"id": self.server.name, "object": "model", "meta": {"n_ctx": self.server.model.window}}
            is_known = self.path == "/v1/models"
            self._answer(200, {"object": "list", "data": [told]}) if is_known else self._refuse(404, "not found")

    def do_POST(self) -> None:
        answers = {"/v1/chat/completions": self._complete_chat, "/completion": self._complete}
        if not self._has_key() or (text := self._read_body()) is None:
            return
        try:
            if self.path not in answers:
                self._refuse(404, "not found")
                return
            body = json.loads(text)
            if not isinstance(body, dict):
                raise NotAsked("The body is no object.")
            if body.get("stream") and self.path == "/v1/chat/completions":
                self._stream_chat(body)
            else:
                self._answer(200, answers[self.path](body))
        except (ValueError, RecursionError):
            self._refuse(400, "The body is not JSON.")
        except NotAsked as error:
            self._refuse(500 if error.code == "server_error" else 400, str(error), error.code)
        except Unwanted:
            self.close_connection = True

    def _has_key(self) -> bool:
        said = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if hmac.compare_digest(said, self.server.expected):
            return True
        self.close_connection = True  # its body is not read
        self._refuse(401, "Invalid API Key", "authentication_error")
        return False

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY_BYTES):
            self.close_connection = True
            self._refuse(413 if length else 411, f"A body is sent with its length, {MAX_BODY_BYTES} bytes at most.")
            return None
        return self.rfile.read(int(length))

    def _complete_chat(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        messages, wish, said = _read_chat(body)
        with self.server.turn:
            written = self.server.model.write(self.server.model.encode_chat(messages, said), wish, self._is_waited_for)
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop" if written.has_ended else "length"}
        choice["message"] = {"role": "assistant", "content": b"".join(written.pieces).decode("utf-8", "replace")}
        choice["logprobs"] = {"content": _list_logs(written, 0)} if wish.tells_logs else None
        return {**self._begin_reply("chat.completion"), "choices": [choice], **_describe_cost(written)}

    def _stream_chat(self, body: Mapping[str, Any]) -> None:
        """The same as events, one for each token. Its headers are sent with the first, so that what is refused before
        is refused as ever; a reply that fails later breaks off without its end."""
        messages, wish, said = _read_chat(body)
        head = self._begin_reply("chat.completion.chunk")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")

        def send(delta: Mapping[str, Any], finish: str | None, written: Written, first: int) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            if wish.tells_logs and delta:
                choice["logprobs"] = {"content": _list_logs(written, first)}
            event = {**head, "choices": [choice], **_describe_cost(written)}
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")

        def tell(written: Written) -> None:
            if len(written.pieces) == 1:
                self._begin_stream()
            send({"content": decoder.decode(written.pieces[-1])}, None, written, len(written.pieces) - 1)

        with self.server.turn:
            prompt = self.server.model.encode_chat(messages, said)
            written = self.server.model.write(prompt, wish, self._is_waited_for, tell)
        if not written.pieces:
            self._begin_stream()
        send({"content": decoder.decode(b"", True)}, None, written, len(written.pieces))
        send({}, "stop" if written.has_ended else "length", written, 0)
        self.wfile.write(b"data: [DONE]\n\n")

    def _begin_stream(self) -> None:
        self.close_connection = True  # its end is the stream's
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def _begin_reply(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "object": kind,
            "created": 0,
            "model": self.server.name,
        }

    def _complete(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        goes_on, from_start = bool(body.get("ignore_eos")), body.get("cache_prompt") is False
        wish = Wish(_read(body, "n_predict", _WHOLE, None), goes_on=goes_on, from_start=from_start)
        with self.server.turn:
            written = self.server.model.write(
                self.server.model.encode(str(body.get("prompt", ""))), wish, self._is_waited_for
            )
        read = written.prompt_tokens - written.kept_tokens
        timings = {"prompt_n": read, "prompt_per_second": read / written.read_seconds}
        timings |= {"predicted_n": written.tokens, "predicted_per_second": written.tokens / written.write_seconds}
        return {"content": b"".join(written.pieces).decode("utf-8", "replace"), "timings": timings}

    def _is_waited_for(self) -> bool:
        try:
            if not select.select([self.connection], [], [], 0)[0]:
                return True
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _refuse(self, status: int, message: str, code: str = "invalid_request_error") -> None:
        self._answer(status, {"error": {"message": message, "type": code, "code": code}})

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _read_chat(body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Wish, dict[str, Any]]:
    """Messages, how the reply is to be written, and what the chat's form is told. Raises NotAsked."""
    said = {name: value for name, value in body.items() if value is not None}
    if unknown := sorted(said.keys() - _CHAT_MEMBERS):
        raise NotAsked(f"Unsupported parameter: '{unknown[0]}' is not supported by this engine.")
    if said.get("n", 1) != 1:
        raise NotAsked("Unsupported parameter: 'n' cannot be had here.")
    messages = said.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise NotAsked("messages is to be a list of objects.")
    wish = Wish(
        most=_read(said, "max_tokens", _WHOLE, _read(said, "max_completion_tokens", _WHOLE, None)),
        grammar=_read_grammar(said),
        temperature=_read(said, "temperature", _NUMBER, 0.0),
        top_p=_read(said, "top_p", _NUMBER, 1.0),
        seed=_read(said, "seed", _WHOLE, 0) & 0xFFFFFFFF,
        tells_logs=bool(said.get("logprobs")),
    )
    told = said.get("chat_template_kwargs", {})
    return [{**one, "content": _read_content(one)} for one in messages], wish, told if isinstance(told, dict) else {}


def _read(said: Mapping[str, Any], name: str, kinds: tuple[type, ...], default: Any) -> Any:
    value = said.get(name, default)
    if value is not default and (not isinstance(value, kinds) or isinstance(value, bool)):
        raise NotAsked(f"Unsupported value: '{name}' is to be a number.")
    return value


def _read_content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    if not all(isinstance(one, dict) and isinstance(one.get("text"), str) for one in parts):
        raise NotAsked("image input is not supported by this engine")
    return "".join(one["text"] for one in parts)


def _read_grammar(said: Mapping[str, Any]) -> str | None:
    """The grammar that the reply is to fit, in GBNF; of a JSON schema, the one that llama-cpp-python makes of it."""
    form = said.get("response_format", {"type": "text"})
    if "grammar" in said:
        return str(said["grammar"])
    try:
        if form["type"] == "text":
            return None
        schema = form["json_schema"]["schema"] if form["type"] == "json_schema" else form.get("schema", {})
        from llama_cpp.llama_grammar import json_schema_to_gbnf

        return str(json_schema_to_gbnf(json.dumps(schema)))
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NotAsked(f"response_format cannot be made into a grammar ({type(error).__name__}).") from None


def _describe_cost(written: Written) -> dict[str, Any]:
    """What a reply took so far, as llama.cpp's server tells it."""
    used = {"prompt_tokens": written.prompt_tokens, "completion_tokens": written.tokens}
    used["total_tokens"] = sum(used.values())
    return {
        "usage": {**used, "prompt_tokens_details": {"cached_tokens": written.kept_tokens}},
        "timings": {
            "cache_n": written.kept_tokens,
            "prompt_n": written.prompt_tokens - written.kept_tokens,
            "prompt_ms": 1000 * written.read_seconds,
            "predicted_n": written.tokens,
            "predicted_ms": 1000 * written.write_seconds,
        },
    }


def _list_logs(written: Written, first: int) -> list[dict[str, Any]]:
    """The tokens of a reply from this one on as OpenAI tells how likely they were."""
    return [
        {"token": piece.decode("utf-8", "replace"), "logprob": log, "bytes": list(piece), "top_logprobs": []}
        for piece, log in zip(written.pieces[first:], written.logs[first:], strict=True)
    ]
