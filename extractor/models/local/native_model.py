"""A model in llama-cpp-python: a prompt is read by portions, from where it parts from one before, and replied to.

llama.cpp's C interface is used, as the library lends it, and not the library's own way to a reply: that tries every
word of the vocabulary against the grammar for each token, and keeps the numbers of all positions to tell
probabilities (docs/decisions/038).
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.models.local.engines import strip_function_names
from extractor.models.local.sequence_memory import ReadSequence, SequenceMemory
from extractor.models.local.token_choice import NotAsked, TokenChoice, Wish

ERROR_LEVEL = 4
"""GGML_LOG_LEVEL_ERROR."""
MAX_KEPT_ERRORS = 20
PORTION = 128
"""Tokens of a prompt that are read at once, unless fewer are ordered: what is read again of one that is shared in part
is half of that, on average."""
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
"""The form of a chat that llama.cpp takes where a file brings none."""


class NotLoaded(Exception):
    """Says why, in a clause."""


class Unwanted(Exception):
    """Nobody waits for the reply any more."""


@dataclass(slots=True)
class Written:
    """A reply, with what it took."""

    pieces: list[bytes] = field(default_factory=list)
    logs: list[float] = field(default_factory=list)
    """The logarithm of each piece's probability, where that was wished for."""
    tokens: int = 0
    """With the one that ends it, which is no piece."""
    has_ended: bool = False
    """By itself, and not at a bound."""
    prompt_tokens: int = 0
    kept_tokens: int = 0
    """Of the prompt, those that were read before."""
    read_seconds: float = 0.0
    write_seconds: float = 0.0


class NativeModel:
    """The model of an order, loaded. One call at a time. Raises NotLoaded."""

    def __init__(self, library: Any, order: Mapping[str, Any]) -> None:
        self._library = library
        self._portion = min(PORTION, int(order["n_ubatch"]), int(order["n_batch"]))
        self._errors: list[str] = []
        self._log = library.llama_log_callback(_build_log(self._errors, shown=bool(order["verbose"])))
        library.llama_log_set(self._log, ctypes.c_void_p(0))
        library.llama_backend_init()
        sizes = library.llama_model_default_params()
        sizes.load_mode = library.LLAMA_LOAD_MODE_NONE  # read, and not mapped, as for xllamacpp
        self._model = library.llama_model_load_from_file(str(order["path"]).encode(), sizes)
        self._context = self._open_context(order) if self._model else None
        if not self._context:
            raise NotLoaded(next(iter(self._errors), "it does not say why"))
        most_bytes = int(order["cache_mib"]) << 20
        self._memory = SequenceMemory(library, self._context, order["n_parallel"], self._portion, most_bytes)
        self._vocabulary = library.llama_model_get_vocab(self._model)
        self._vocabulary_size = library.llama_vocab_n_tokens(self._vocabulary)
        self.window = int(library.llama_n_ctx_seq(self._context))
        """Tokens that a prompt and its reply may have together."""
        self._batch = library.llama_batch_init(self._portion, 0, 1)
        self._chat = self._build_chat_form()

    @property
    def system_info(self) -> str:
        """What this build uses of the processor, as llama.cpp tells it."""
        return str(self._library.llama_print_system_info().decode("utf-8", "replace"))

    def _open_context(self, order: Mapping[str, Any]) -> Any:
        wanted = self._library.llama_context_default_params()
        wanted.n_ctx, wanted.n_seq_max, wanted.kv_unified = order["n_ctx"], order["n_parallel"], False
        wanted.n_batch = wanted.n_ubatch = self._portion
        wanted.n_threads = wanted.n_threads_batch = order["n_threads"]
        wanted.n_outputs_max = order["n_parallel"]
        return self._library.llama_init_from_model(self._model, wanted)

    def _build_chat_form(self) -> Callable[..., Any]:
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        library = self._library
        told = library.llama_model_chat_template(self._model, None)
        ends = [self._spell(of(self._vocabulary), True) for of in (library.llama_vocab_eos, library.llama_vocab_bos)]
        self._start = ends[1] if library.llama_vocab_get_add_bos(self._vocabulary) else b""
        form = told.decode("utf-8", "replace") if told else CHATML
        return Jinja2ChatFormatter(form, *(one.decode("utf-8", "replace") for one in ends))  # type: ignore[no-any-return]

    def encode_chat(self, messages: Sequence[Mapping[str, Any]], said: Mapping[str, Any]) -> list[int]:
        """The tokens of a chat in the model's own form, `said` being what that form is told besides.

        Raises NotAsked.
        """
        import jinja2

        try:
            prompt = self._chat(**{**said, "messages": messages}).prompt
        except (jinja2.TemplateError, TypeError, ValueError, LookupError, RecursionError) as error:
            raise NotAsked(f"The model's chat template does not take these messages ({error}).") from None
        return self.encode(prompt)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, with the one that every text of the model begins with, if there is one."""
        data = text.encode("utf-8", "replace").removeprefix(self._start)
        room = len(data) + 8
        tokens = (self._library.llama_token * room)()
        count = self._library.llama_tokenize(self._vocabulary, data, len(data), tokens, room, True, True)
        if count < 0:
            raise NotAsked("The prompt cannot be made into tokens.")
        return list(tokens[:count])

    def write(
        self,
        prompt: Sequence[int],
        wish: Wish,
        is_wanted: Callable[[], bool] = lambda: True,
        tell: Callable[[Written], None] = lambda written: None,
    ) -> Written:
        """The reply to a prompt, told as far as it is with each of its pieces. Raises NotAsked, and Unwanted as soon as
        `is_wanted` says so."""
        if not 0 < len(prompt) < self.window:
            raise NotAsked(
                f"request ({len(prompt)} tokens) exceeds the available context size ({self.window} tokens)",
                "exceed_context_size_error",
            )
        with TokenChoice(self._library, self._vocabulary, wish) as choice:
            begun = time.perf_counter()
            sequence = self._memory.take(prompt, from_start=wish.from_start)
            written = Written(prompt_tokens=len(prompt), kept_tokens=len(sequence.tokens))
            self._read_prompt(sequence, prompt, is_wanted)
            written.read_seconds = time.perf_counter() - begun
            most = self.window - len(prompt)
            for token, log in self._iterate_reply(sequence, wish, choice, is_wanted):
                written.tokens += 1
                if not wish.goes_on and choice.ends(token):
                    written.has_ended = True
                    break
                written.pieces.append(self._spell(token))
                written.logs.append(log)
                tell(written)
                if written.tokens >= min(most, most if wish.most is None else wish.most):
                    break
            written.write_seconds = time.perf_counter() - begun - written.read_seconds
        return written

    def _read_prompt(self, sequence: ReadSequence, prompt: Sequence[int], is_wanted: Callable[[], bool]) -> None:
        """Reads what the sequence does not have of the prompt, by portions."""
        for start in range(len(sequence.tokens), len(prompt), self._portion):
            if not is_wanted():
                raise Unwanted
            portion = prompt[start : start + self._portion]
            self._read(sequence, portion, is_last=start + len(portion) == len(prompt))
            self._memory.note_read(sequence, portion)

    def _read(self, sequence: ReadSequence, tokens: Sequence[int], *, is_last: bool) -> None:
        """Reads on; with `is_last`, what the model has after the last of the tokens can be read then."""
        batch, before = self._batch, len(sequence.tokens)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.logits[i] = token, before + i, False
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence.number
        batch.logits[len(tokens) - 1] = is_last
        if self._library.llama_decode(self._context, batch) != 0:
            self._memory.forget(sequence)
            raise NotAsked("The engine could not read the prompt.", "server_error")

    def _iterate_reply(
        self, sequence: ReadSequence, wish: Wish, choice: TokenChoice, is_wanted: Callable[[], bool]
    ) -> Iterator[tuple[int, float]]:
        """Each token of the reply with the logarithm of its probability; each but the first is asked for by reading
        the one before."""
        while True:
            numbers = self._read_numbers()
            token = choice.choose(numbers)
            if token is None:
                return
            yield token, choice.measure_log(numbers, token) if wish.tells_logs else 0.0
            choice.accept(token)
            if not is_wanted():
                raise Unwanted
            self._read(sequence, [token], is_last=True)
            sequence.tokens.append(token)

    def _read_numbers(self) -> Any:
        """What the model has for each token of its vocabulary, until it reads on."""
        import numpy  # comes with llama-cpp-python

        told = self._library.llama_get_logits_ith(self._context, -1)
        return numpy.ctypeslib.as_array(told, shape=(self._vocabulary_size,))

    def _spell(self, token: int, is_special: bool = False) -> bytes:
        """The bytes of a token; of one that steers the model none, unless that is wanted."""
        if token < 0:
            return b""
        for room in (64, 1 << 14):
            space = ctypes.create_string_buffer(room)
            count = self._library.llama_token_to_piece(self._vocabulary, token, space, room, 0, is_special)
            if count >= 0:
                return space.raw[:count]
        return b""


def _build_log(errors: list[str], *, shown: bool) -> Callable[[int, bytes, Any], None]:
    """What llama.cpp calls for each line of its log: errors are kept, and all of it is shown if that is wanted."""

    def log(level: int, text: bytes, data: Any) -> None:
        said = text.decode("utf-8", "replace")
        if shown:
            sys.stderr.write(said)
        if level == ERROR_LEVEL and len(errors) < MAX_KEPT_ERRORS and said.strip():
            errors.append(strip_function_names(said.strip()))

    return log
