"""A library that behaves as llama-cpp-python does, as far as we ask anything of it; its replies are scripted.

A token is a byte, and one more ends a reply. What it was asked is written beside it, a line of JSON each.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_LIBRARY = """
import ctypes, json, os, time
TOLD = json.loads({told!r})
if TOLD["unusable"]:
    raise {unusable}(TOLD["unusable"])
__version__ = "0.3.99"
END, LLAMA_LOAD_MODE_NONE = 256, 0
llama_token = ctypes.c_int32
llama_log_callback = lambda call: call

def note(**what):
    with open(os.path.join(os.path.dirname(__file__), "asked.jsonl"), "a") as file:
        file.write(json.dumps(what) + "\\n")

class Bag:
    def __init__(self, **held):
        self.__dict__.update(held)

class llama_token_data(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]

class llama_token_data_array(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(llama_token_data)), ("size", ctypes.c_size_t), ("selected", ctypes.c_int64),
                ("sorted", ctypes.c_bool)]

log = []
def llama_log_set(call, data):
    log.append(call)
def llama_backend_init():
    pass
def llama_version():
    return b"0.5.0"
def llama_print_system_info():
    return b"CPU : AVX2 = 1 | AVX512 = 1 | NEON = 0 | "
def llama_model_default_params():
    return Bag()
def llama_context_default_params():
    return Bag()
def llama_model_load_from_file(path, wanted):
    if TOLD["error"]:
        log[-1](4, b"llama_model_load: error loading model: " + TOLD["error"].encode() + b"\\n", None)
        return None
    return Bag(path=path, mode=wanted.load_mode)
def llama_init_from_model(model, wanted):
    note(pid=os.getpid(), path=model.path.decode(), environ=sorted(os.environ), **wanted.__dict__)
    return Bag(window=wanted.n_ctx // wanted.n_seq_max, read=dict(), told=None)
def llama_get_memory(context):
    return context.read
def llama_n_ctx_seq(context):
    return context.window
def llama_model_get_vocab(model):
    return model
def llama_vocab_n_tokens(vocabulary):
    return END + 1
def llama_vocab_eos(vocabulary):
    return END
def llama_vocab_bos(vocabulary):
    return -1
def llama_vocab_get_add_bos(vocabulary):
    return False
def llama_vocab_is_eog(vocabulary, token):
    return token == END
def llama_model_chat_template(model, name):
    return None
def llama_tokenize(vocabulary, text, length, tokens, room, add_special, parse_special):
    tokens[:length] = text
    return length
def llama_token_to_piece(vocabulary, token, space, room, lstrip, special):
    if token != END:
        space[0] = bytes([token])
    return int(token != END)
def llama_batch_init(size, embd, sequences):
    return Bag(n_tokens=0, token=[0] * size, pos=[0] * size, logits=[0] * size, n_seq_id=[0] * size,
               seq_id=[[0] for _ in range(size)])
def llama_memory_seq_rm(memory, sequence, start, end):
    del memory.setdefault(sequence, [])[max(0, start):]
    return True
def llama_state_seq_get_size(context, sequence):
    return 2 * len(context.read.get(sequence, []))
def llama_state_seq_get_data(context, state, size, sequence):
    state[:size] = b"".join(one.to_bytes(2, "big") for one in context.read[sequence])
    return size
def llama_state_seq_set_data(context, state, size, sequence):
    data = bytes(state)
    context.read[sequence] = [int.from_bytes(data[i : i + 2], "big") for i in range(0, size, 2)]
    return size
def llama_decode(context, batch):
    sequence, count = batch.seq_id[0][0], batch.n_tokens
    read = context.read.setdefault(sequence, [])
    assert batch.pos[:count] == list(range(len(read), len(read) + count)) and len(read) + count <= context.window
    read += batch.token[:count]
    note(sequence=sequence, read=count)
    time.sleep(TOLD["seconds"])
    context.told = read if batch.logits[count - 1] else None
    return 0
def llama_get_logits_ith(context, at):
    text = bytes(one for one in context.told if one != END)
    said = text.rpartition(b"assistant\\n")[2]
    wanted = json.dumps(TOLD["reply"]).encode()
    numbers = (ctypes.c_float * (END + 1))()
    numbers[wanted[len(said)] if len(said) < len(wanted) else END] = 20
    for i, token in enumerate(TOLD["temptations"].encode()):
        numbers[token] = 30 + i
    return ctypes.cast(numbers, ctypes.POINTER(ctypes.c_float))
def llama_sampler_init_grammar(vocabulary, text, root):
    note(grammar=text.decode())
    return None if b"::=" not in text else Bag(accepted=[])
def llama_sampler_apply(sampler, tokens):
    tried = tokens._obj
    for i in range(tried.size):
        if tried.data[i].id != END and chr(tried.data[i].id) in TOLD["temptations"]:
            tried.data[i].logit = float("-inf")
def llama_sampler_accept(sampler, token):
    sampler.accepted.append(token)
def llama_sampler_free(sampler):
    note(accepted=len(sampler.accepted))
"""
_CHAT_FORMAT = """
import jinja2

class Jinja2ChatFormatter:
    def __init__(self, template, eos_token, bos_token):
        self.form = jinja2.Environment().from_string(template)
    def __call__(self, **said):
        return type("Told", (), {"prompt": self.form.render(**said)})
"""


def write_library(folder: Path, **told: Any) -> Path:
    """Writes the library into the folder, from which it can be imported then. `reply` is what it says to every chat,
    `temptations` are characters that it would rather say and that no grammar lets through, `seconds` what each reading
    takes, `error` why it loads no file, `unusable` why it cannot be imported (`kind` of error)."""
    usual: dict[str, Any] = {"reply": {}, "temptations": "", "seconds": 0.0, "error": "", "unusable": ""}
    package = folder / "llama_cpp"
    package.mkdir(parents=True, exist_ok=True)
    kind = told.pop("kind", "RuntimeError")
    text = _LIBRARY.replace("{told!r}", repr(json.dumps({**usual, **told}))).replace("{unusable}", kind)
    (package / "__init__.py").write_text(text)
    (package / "llama_chat_format.py").write_text(_CHAT_FORMAT)
    return package


def read_asked(package: Path) -> list[dict[str, Any]]:
    """What it was opened with (`pid`, `n_ctx` and others) and what it was asked (`read`, `grammar`), in order."""
    file = package / "asked.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
