"""The shape of a reply as a grammar of the embedded engine.

The same JSON Schema, but on one line, spaced as in most training data. Without any space the 1.5B writes null and []
for what it otherwise finds (a name in 0 of 5 documents, against 5 of 5); spread over lines it costs 20 to 120 % more.

xllamacpp reads it as llguidance has it. Other builds of llama.cpp end when they are sent that, unless they were built
with it, so they are sent the same in GBNF, which every build reads: the same replies are possible in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from extractor.types import Json

MAX_REPEATED = 400
"""Repetitions that are bounded in GBNF: builds refuse a rule that makes more than 2,000, several for each repetition.
Beyond, the reply's own limit is the bound."""
_LLGUIDANCE = "%llguidance {}\nstart: %json "
_BASICS = {
    "char": r'[ !#-\[\]-~\u0080-\uD7FF\uE000-\U0010FFFF] | [\\] (["\\/bfnrt] | "u" [0-9a-fA-F]{4})',
    "inkchar": r'[!#-\[\]-~\u0080-\uD7FF\uE000-\U0010FFFF] | [\\] ["\\/]',
    "integer": '"-"? ("0" | [1-9] [0-9]*)',
    "number": 'integer ("." [0-9]+)? ([eE] [-+]? [0-9]+)?',
    "boolean": '"true" | "false"',
    "null": '"null"',
}
"""Rules that others are made of. An inkchar is any that is no white space."""


def build_reply_grammar(shape: Mapping[str, Json]) -> str:
    """A grammar for replies of this shape, on one line, as llguidance has it."""
    spacing = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
    schema = {**shape, "x-guidance": spacing}
    return _LLGUIDANCE + json.dumps(schema, ensure_ascii=False)


def build_plain_grammar(shape: Mapping[str, Json]) -> str | None:
    """The same as GBNF; None for a schema with more in it than replies are asked in (references, members that
    may be left out).

    Of a pattern, what it says is kept where it consists of characters and `\\S+`, as addresses' do.
    """
    writer = _RuleWriter()
    try:
        root = writer.write_value(shape)
    except (KeyError, TypeError, ValueError):
        return None
    return "\n".join(f"{name} ::= {rule}" for name, rule in ({"root": root} | writer.rules).items()) + "\n"


def read_last_field(grammar: str) -> str | None:
    """The field that ends the replies which one of these grammars allows; None where that cannot be told."""
    try:
        if grammar.startswith(_LLGUIDANCE):
            return next(reversed(json.loads(grammar.removeprefix(_LLGUIDANCE))["properties"]), None)
        rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
        names = re.findall(r'"((?:[^"\\]|\\.)*): "', rules[rules["root"]])
        return str(json.loads(re.sub(r"\\(.)", r"\1", names[-1])))
    except (IndexError, KeyError, TypeError, ValueError):
        return None


class _RuleWriter:
    """Rules by name; what is written refers to them."""

    def __init__(self) -> None:
        self.rules = dict(_BASICS)

    def write_value(self, schema: Mapping[str, Json]) -> str:
        """An expression for the values of the schema. Raises KeyError, TypeError or ValueError for one of another
        form."""
        if "enum" in schema:
            return _join_choices([_quote(json.dumps(one, ensure_ascii=False)) for one in schema["enum"]])
        if "anyOf" in schema:
            return _join_choices([self.write_value(one) for one in schema["anyOf"]])
        types = schema["type"]
        return _join_choices([self._write_type(one, schema) for one in ([types] if isinstance(types, str) else types)])

    def _write_type(self, kind: str, schema: Mapping[str, Json]) -> str:
        match kind:
            case "object":
                return self._name("object", self._write_object(schema))
            case "array":
                return self._name("array", self._write_array(schema))
            case "string":
                return self._name("string", _write_string(schema))
            case "integer" | "number" | "boolean" | "null":
                return kind
        raise ValueError(kind)

    def _write_object(self, schema: Mapping[str, Json]) -> str:
        members: Mapping[str, Mapping[str, Json]] = schema["properties"]
        if schema.get("additionalProperties") is not False or {*schema["required"]} != members.keys():
            raise ValueError("members that may be left out, or added")
        parts = [
            f"{_quote(json.dumps(name, ensure_ascii=False) + ': ')} {self.write_value(one)}"
            for name, one in members.items()
        ]
        return f"{_quote('{')} {' {} '.format(_quote(', ')).join(parts)} {_quote('}')}"

    def _write_array(self, schema: Mapping[str, Json]) -> str:
        item = self.write_value(schema["items"])
        most = schema.get("maxItems")
        if most == 0:
            return _quote("[]")
        more = f"({_quote(', ')} {item}){_bound(0, None if most is None else most - 1)}"
        return f"{_quote('[')} ({item} {more})? {_quote(']')}"

    def _name(self, kind: str, rule: str) -> str:
        """The name of a rule that says this; the same for the same."""
        for name, one in self.rules.items():
            if one == rule:
                return name
        name = f"{kind}-{len(self.rules)}"
        self.rules[name] = rule
        return name


def _write_string(schema: Mapping[str, Json]) -> str:
    most = schema.get("maxLength")
    parts = _split_pattern(str(schema["pattern"])) if "pattern" in schema else None
    if parts is None:
        return f"{_quote(chr(34))} char{_bound(0, most)} {_quote(chr(34))}"
    inner = " ".join(f"inkchar{_bound(1, most)}" if one is None else _quote(json.dumps(one)[1:-1]) for one in parts)
    return f"{_quote(chr(34))} {inner} {_quote(chr(34))}"


def _split_pattern(pattern: str) -> list[str | None] | None:
    """The characters of an anchored pattern in order, None for `\\S+`; None where there is anything else in it."""
    inner = re.fullmatch(r"\^((?:\\S\+|\\[^\w\s]|[^\\^$.|?*+()\[\]{}])+)\$", pattern)
    if inner is None:
        return None
    pieces = re.findall(r"\\S\+|\\.|.", inner[1])
    return [None if one == r"\S+" else one[-1] for one in pieces]


def _bound(least: int, most: int | None) -> str:
    if most is None or most > MAX_REPEATED:
        return "+" if least else "*"
    return f"{{{least},{most}}}"


def _join_choices(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"({' | '.join(choices)})"


def _quote(text: str) -> str:
    """The text as a literal of GBNF."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
