"""A program that behaves as llama.cpp's llama-server does, as far as we ask anything of it; its replies are scripted.

It is a real process that serves HTTP. What it was started with and asked is written beside it, a line of JSON each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_SCRIPT = """#!{python} -S
import http.server, json, os, sys, time
TOLD = json.loads({told!r})
HERE = os.path.dirname(os.path.abspath(__file__))

def note(what):
    with open(os.path.join(HERE, "asked.jsonl"), "a") as file:
        file.write(json.dumps(what) + "\\n")

if "--version" in sys.argv:
    print("version: " + TOLD["build"] if TOLD["build"] else "hello", file=sys.stderr)
    sys.exit(0)
if "--help" in sys.argv:
    print(TOLD["help"])
    sys.exit(0)
flags = dict(zip(sys.argv[1:], sys.argv[2:]))
note({{"argv": sys.argv[1:], "pid": os.getpid(), "environ": sorted(os.environ), "session": os.getsid(0)}})
if TOLD["error"]:
    print("0.00.001 E srv    load_model: " + TOLD["error"], file=sys.stderr)
    sys.exit(1)
key = os.environ.get("LLAMA_API_KEY")
print("0.00.001 I system_info: n_threads = 1 | CPU : AVX2 = 1 | AVX512 = 1 | NEON = 0 |", file=sys.stderr, flush=True)
loaded_at = time.monotonic() + TOLD["seconds"]

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args):
        pass
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def refuses(self):
        if not TOLD["open"] and self.headers.get("Authorization") != "Bearer " + key:
            self.answer(401, {{"error": {{"message": "Invalid API Key"}}}})
            return True
    def do_GET(self):
        if self.path == "/health":
            return self.answer(*((200, {{"status": "ok"}}) if time.monotonic() >= loaded_at else (503, {{}})))
        self.refuses() or self.answer(200, {{}})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refuses():
            return
        note({{"path": self.path, "body": body, "at": time.monotonic()}})
        if self.path == "/completion":
            timings = {{"prompt_per_second": TOLD["read"], "predicted_per_second": TOLD["write"]}}
            return self.answer(200, {{"timings": timings}})
        message = {{"role": "assistant", "content": json.dumps(TOLD["reply"])}}
        choice = {{"index": 0, "finish_reason": "stop", "message": message}}
        usage = {{"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}}
        self.answer(200, {{"id": "1", "object": "chat.completion", "created": 1, "model": flags["--alias"],
                          "choices": [choice], "usage": usage}})

http.server.ThreadingHTTPServer((flags["--host"], int(flags["--port"])), Handler).serve_forever()
"""
HELP = """
-lm,   --load-mode MODE    how the model is loaded
-cram, --cache-ram N       maximum cache size in MiB
       --no-kv-unified     a buffer for each sequence
       --ui, --no-ui       whether there is a page
"""


def write_program(folder: Path, name: str = "llama-server", **told: Any) -> Path:
    """Writes the program. `build` is its version, `reply` what it says to every question, `read` and `write` the speeds
    that it reports, `seconds` what it takes to load, `error` why it does not, `open` that it asks for no key."""
    usual = {"build": "99 (abc)", "help": HELP, "error": "", "open": False, "seconds": 0.0, "reply": {}}
    usual |= {"read": 100.0, "write": 50.0}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(_SCRIPT.format(python=sys.executable, told=json.dumps({**usual, **told})))
    path.chmod(0o755)
    return path


def read_asked(program: Path) -> list[dict[str, Any]]:
    """What programs in the same folder were started with (`argv`) and asked (`path`, `body`), in order."""
    file = program.parent / "asked.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
