"""A language model of 100 kB, made on the spot: the real engine can be tested with it where no weights are.

One layer of random numbers in the llama architecture, with bytes for a vocabulary. It talks nonsense, but the same
nonsense each time, and keeps to a grammar like any other.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

WIDTH, HEADS, CONTEXT = 32, 2, 2048
UINT32, FLOAT32, STRING, ARRAY, INT32 = 4, 6, 8, 9, 5
_FLOAT_TENSOR = 0
TEMPLATE = "{% for m in messages %}<|start|>{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}<|start|>assistant: "


def write(path: Path, context: int = CONTEXT) -> Path:
    """Write the model as GGUF, version 3 (the layout: ggml's docs/gguf.md)."""
    names = ["<|end|>", "<|start|>", *_spelled(), "th"]
    kinds = [3, 3] + [1] * 257  # control, normal
    pairs = [
        _pair("general.architecture", STRING, _string("llama")),
        _pair("general.name", STRING, _string("tiny")),
        _pair("llama.context_length", UINT32, struct.pack("<I", context)),
        _pair("llama.embedding_length", UINT32, struct.pack("<I", WIDTH)),
        _pair("llama.block_count", UINT32, struct.pack("<I", 1)),
        _pair("llama.feed_forward_length", UINT32, struct.pack("<I", 2 * WIDTH)),
        _pair("llama.rope.dimension_count", UINT32, struct.pack("<I", WIDTH // HEADS)),
        _pair("llama.attention.head_count", UINT32, struct.pack("<I", HEADS)),
        _pair("llama.attention.layer_norm_rms_epsilon", FLOAT32, struct.pack("<f", 1e-5)),
        _pair("tokenizer.ggml.model", STRING, _string("gpt2")),
        _pair("tokenizer.ggml.pre", STRING, _string("qwen2")),
        _pair("tokenizer.ggml.merges", ARRAY, _array(STRING, [_string("t h")])),
        _pair("tokenizer.ggml.tokens", ARRAY, _array(STRING, [_string(name) for name in names])),
        _pair("tokenizer.ggml.token_type", ARRAY, _array(INT32, [struct.pack("<i", kind) for kind in kinds])),
        _pair("tokenizer.ggml.bos_token_id", UINT32, struct.pack("<I", 1)),
        _pair("tokenizer.ggml.eos_token_id", UINT32, struct.pack("<I", 0)),
        _pair("tokenizer.chat_template", STRING, _string(TEMPLATE)),
    ]
    shapes = {
        "token_embd.weight": (WIDTH, len(names)),
        "output_norm.weight": (WIDTH,),
        "output.weight": (WIDTH, len(names)),
        "blk.0.attn_norm.weight": (WIDTH,),
        "blk.0.ffn_norm.weight": (WIDTH,),
        **{f"blk.0.attn_{part}.weight": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")},
        "blk.0.ffn_gate.weight": (WIDTH, 2 * WIDTH),
        "blk.0.ffn_up.weight": (WIDTH, 2 * WIDTH),
        "blk.0.ffn_down.weight": (2 * WIDTH, WIDTH),
    }
    chance = random.Random(0)
    infos, data = [], b""
    for name, shape in shapes.items():
        count = 1
        for side in shape:
            count *= side
        infos.append(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _FLOAT_TENSOR, len(data)))
        # norms scale by 1; the rest is small noise, but for the output that decides which byte comes next
        scale = 0.0 if len(shape) == 1 else 0.5
        data += struct.pack(f"<{count}f", *(len(shape) == 1 or chance.gauss(0, scale) for _ in range(count)))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(pairs)) + b"".join(pairs) + b"".join(infos)
    path.write_bytes(head + bytes(-len(head) % 32) + data)
    return path


def _spelled() -> list[str]:
    """Each byte as the letter that byte-level BPE writes it with: printable ones as they are, others from U+0100 on."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _pair(key: str, kind: int, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _array(kind: int, values: list[bytes]) -> bytes:
    return struct.pack("<IQ", kind, len(values)) + b"".join(values)
