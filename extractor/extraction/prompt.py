"""Prompt versions, and Chunk -> Request.

A version is one Markdown file: settings between `+++` lines (TOML; in a table [small] those that hold for small models
alone), then sections under level-one headings:

    # system            the system message
    # user              the message, with {document} and {question}; with {heading} in it, what a part of a document
                        stands under is shown with it
    # note GROUP        text added to the request for one field group

Any other heading is text. Placeholders are replaced once, from left to right; a document is never read as a template.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from extractor.errors import TaskError
from extractor.extraction.examples import Examples, ShownExample, list_passages
from extractor.models.traits import ModelTraits
from extractor.schema.reader import Object, ObjectList, Scalar, ValueList
from extractor.types import Chunk, Json, fingerprint_json

_SECTION = re.compile(r"^# +(system|user|note +\S+)[ \t]*$", re.M)
WAYS_TO_ASK = ("groups", "whole")
LEAST_CHUNK_TOKENS = 100
"""Tokens of a chunk that somebody may ask for."""
MIN_CHUNK_TOKENS = 500
"""Tokens of a chunk however small a model's window is."""
WITH_EXAMPLES = "+examples"
"""What the name of a version ends with that shows examples."""
EXAMPLES_BEGIN = "The same, answered for passages of other documents:"
EXAMPLES_END = "Take nothing from these examples; answer for the document above."
_TAG_START = r"<\s*(?:/\s*)?"
_PLACEHOLDER = re.compile(r"\{(document|question|heading)\}")


@dataclass(frozen=True, slots=True)
class Strategy:
    """The settings of a prompt version. All of them change what is sent, so all are in the fingerprint."""

    ask: str = "groups"
    """"groups": one request per field group and chunk; "whole": one for the whole record."""
    chunk_tokens: int = 2800
    candidates: bool = True
    """Keep a small model to the form of an address, and to the mentions of a declared form that code places."""
    max_rows: int = 40
    max_values: int = 40
    max_length: int = 240
    max_tokens: int = 2400

    @property
    def narrows_schema(self) -> bool:
        """Whether a reply is kept to forms and bounds that only small models need."""
        return self.candidates


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    system: str
    user: str
    notes: Mapping[str, str]
    strategy: Strategy
    preferred: bool = False
    """The version that is taken when none is named; no part of the fingerprint, as it changes nothing that is sent."""
    declared: Mapping[str, str | int | bool] = field(default_factory=dict)
    """The settings that the version has for all models; those in its table [small] hold for small models alone."""
    cited: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Lines of words of the document that go with a group's question, which is so of one document alone."""
    examples: Examples | None = None
    """Passages of other documents with the right answers, of which each question shows some that are like its chunk."""

    def show_examples(self, examples: Examples) -> Prompt:
        """The version that shows examples, by a name of its own: what is recorded and written of it stands apart."""
        return replace(self, name=f"{self.name}{WITH_EXAMPLES}", examples=examples)

    def change_strategy(self, ask: str | None = None, chunk_tokens: int | None = None) -> Prompt:
        """The version with other settings than its file has, for all models. Raises TaskError for what is none."""
        said: dict[str, Any] = {"ask": ask, "chunk_tokens": chunk_tokens}
        changed = {name: value for name, value in said.items() if value is not None}
        if ask not in (None, *WAYS_TO_ASK):
            raise TaskError(f"A prompt cannot ask {ask!r}; choose {' or '.join(WAYS_TO_ASK)}.")
        if chunk_tokens is not None and chunk_tokens < LEAST_CHUNK_TOKENS:
            raise TaskError(f"A chunk of {chunk_tokens} tokens is too short; give {LEAST_CHUNK_TOKENS} or more.")
        declared = {**self.declared, **changed}
        return replace(self, strategy=replace(self.strategy, **changed), declared=declared) if changed else self

    def fit_to_model(self, traits: ModelTraits) -> Prompt:
        """The version as a model of these traits is asked.

        A strong model is asked once for the whole record of as much of the document as its window holds, and nothing
        in the schema of its reply is bounded or narrowed, unless the version declares it for all models.
        """
        if not traits.asks_whole:
            return self
        settings: dict[str, Any] = {
            "ask": "whole",
            "chunk_tokens": max(MIN_CHUNK_TOKENS, traits.window - traits.max_output),
            "candidates": False,
            "max_rows": 0,
            "max_values": 0,
            "max_length": 0,
            "max_tokens": traits.max_output,
        }
        return replace(self, strategy=Strategy(**(settings | dict(self.declared))))

    def _list_unseen_settings(self) -> dict[str, Json]:
        """What is declared as it is by default anyway: a strong model is asked otherwise for it."""
        usual = Strategy()
        return {name: value for name, value in self.declared.items() if value == getattr(usual, name)}

    @property
    def fingerprint(self) -> str:
        return fingerprint_json(
            {
                "system": self.system,
                "user": self.user,
                "notes": dict(self.notes),
                "strategy": {f.name: getattr(self.strategy, f.name) for f in fields(Strategy)},
                **({"declared": unseen} if (unseen := self._list_unseen_settings()) else {}),
                **({} if self.examples is None else {"examples": self.examples.fingerprint}),
            }
        )


def read_prompt(path: Path) -> Prompt:
    """The prompt version in a file. Raises TaskError, naming the file, for one that cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"The prompt {path} cannot be read ({error}); check the file.") from error
    strategy, preferred, declared = Strategy(), False, dict[str, Any]()
    if text.startswith("+++\n"):
        head, found, text = text[4:].partition("\n+++\n")
        if not found:
            raise TaskError(f"The settings of {path} have no closing '+++' line; add one.")
        strategy, preferred, declared = _read_settings(head, path)
    pieces = _SECTION.split(text)
    sections = {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    for needed in ("system", "user"):
        if needed not in sections:
            raise TaskError(f"The prompt {path} has no section '# {needed}'; add one.")
    for placeholder in ("{document}", "{question}"):
        if placeholder not in sections["user"]:
            raise TaskError(f"The section '# user' of {path} does not hold {placeholder}; put it where it belongs.")
    notes = {name[5:].strip(): body for name, body in sections.items() if name.startswith("note ")}
    return Prompt(path.stem, sections["system"], sections["user"], notes, strategy, preferred, declared)


def _read_settings(head: str, path: Path) -> tuple[Strategy, bool, dict[str, Any]]:
    try:
        settings = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"The settings of {path} are not TOML ({error}); correct them.") from error
    known = {f.name: f.type for f in fields(Strategy)} | {"preferred": "bool"}
    small = settings.pop("small", {})
    if not isinstance(small, dict):
        raise TaskError(f"{path} sets small to {small!r}; write a table [small] with settings for small models.")
    for name, value in [*settings.items(), *small.items()]:
        if name not in known:
            raise TaskError(f"{path} sets {name!r}, which is no setting; choose from {', '.join(known)}.")
        if type(value).__name__ != known[name]:
            raise TaskError(f"{path} sets {name} to {value!r}; it must be of type {known[name]}.")
    preferred = bool(settings.pop("preferred", False))
    small.pop("preferred", None)
    strategy = Strategy(**(settings | small))
    if strategy.ask not in WAYS_TO_ASK:
        raise TaskError(f"{path} sets ask to {strategy.ask!r}; choose 'groups' or 'whole'.")
    return strategy, preferred, settings


def build_part_messages(
    prompt: Prompt,
    chunk: Chunk,
    group: str,
    part: Object,
    shown: Sequence[ShownExample] = (),
    hints: Sequence[str] = (),
) -> tuple[str, str]:
    """The system and the user message that ask for one field group in one chunk; `hints` are lines of its words."""
    cited = [*prompt.cited.get(group, ()), *hints]
    return build_messages(prompt, chunk, group, describe_fields(part), cited, shown)


def build_messages(
    prompt: Prompt,
    chunk: Chunk,
    group: str,
    question: Sequence[str],
    cited: Sequence[str] = (),
    shown: Sequence[ShownExample] = (),
) -> tuple[str, str]:
    """The system and the user message of a question of some lines and the group's note, about one chunk.

    Whatever comes from the document stands between tags: its headings with its text, and the lines that are `cited` of
    it with the question that needs them before it. The examples that are `shown` stand between tags of their own.
    """
    text = f"{chunk.header}\n{chunk.shown_text}" if chunk.header else chunk.shown_text
    if chunk.heading and "{heading}" in prompt.user:
        text = f"{chunk.heading}\n\n{text}"
    everything = "\n".join([text, *cited, *([list_passages(shown)] if shown else [])])
    tag = _choose_tag(everything)
    quoted = [_enclose("\n".join(cited), tag)] if cited else []
    lines = "\n".join([*question, *quoted, *filter(None, [prompt.notes.get(group)]), *_quote(shown, everything)])
    inserts = {"document": _enclose(text, tag), "question": lines, "heading": ""}
    return prompt.system, _PLACEHOLDER.sub(lambda m: inserts[m[1]], prompt.user)


def _enclose(text: str, tag: str) -> str:
    return f"<{tag}>\n{text}\n</{tag}>"


def _quote(shown: Sequence[ShownExample], everything: str) -> list[str]:
    """The examples between tags that no text of the message holds; the likest is the last, next to the reply."""
    if not shown:
        return []
    passage, answer = (_choose_tag(everything, name) for name in ("example", "answer"))
    pairs = [(_enclose(one.passage, passage), _enclose(one.answer, answer)) for one in reversed(shown)]
    return ["", EXAMPLES_BEGIN, *(text for pair in pairs for text in pair), EXAMPLES_END]


def _choose_tag(text: str, name: str = "document") -> str:
    """The name of tags that the text does not hold itself; the same for the same text, so that caches stay exact."""
    tag = name
    # A model takes "</DOCUMENT >" for the end just as well, and a tag with an attribute for a beginning.
    while re.search(rf"{_TAG_START}{tag}(?![\w-])", text, re.IGNORECASE):
        tag = f"{name}-{fingerprint_json([tag, text])[7:15]}"
    return tag


def describe_fields(part: Object, indent: str = "") -> list[str]:
    """The fields of a part as a nested list of names and descriptions, a line each."""
    lines = []
    for f in part.fields:
        match f.node:
            case ObjectList(row):
                about = " ".join(filter(None, [f.description, row.description]))
                lines.append(f"{indent}- {f.name}: a list, one entry each. {about} An entry has:")
                lines.extend(describe_fields(row, indent + "  "))
            case Object():
                lines.append(f"{indent}- {f.name}: {f.description or f.node.description}, with:")
                lines.extend(describe_fields(f.node, indent + "  "))
            case ValueList(item):
                lines.append(f"{indent}- {f.name}: a list of {f.description or f.name}{_describe_choices(item)}")
            case Scalar():
                lines.append(f"{indent}- {f.name}: {f.description or f.name}{_describe_choices(f.node)}")
    return lines


def _describe_choices(leaf: Scalar) -> str:
    return f" (one of: {', '.join(map(str, leaf.enum))})" if leaf.enum else ""
