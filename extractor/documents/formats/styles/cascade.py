"""What is said of one element: for each property its value, and what else it may be under other conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tinycss2

from extractor.documents.formats.styles.holds import Holds
from extractor.documents.formats.styles.sheets import (
    AUTHOR,
    HINT,
    MAX_STYLE_CHARACTERS,
    Declaration,
    StyleSheets,
    Weight,
    has_variables,
    read_declarations,
)
from extractor.documents.formats.styles.shorthands import read_longhand
from extractor.documents.formats.styles.values import Tokens, drop_blanks, spell_word, split_at_top

MAX_ALTERNATIVES = 4
"""Values of one property under other conditions that are looked at."""
_MAX_VARIABLES = 2_000
"""Variables that one element knows."""
_MAX_TOKENS, _MAX_NESTING = 2_000, 16
"""Tokens of one value after its variables are filled in, and how deep they may refer to each other."""

Variables = Mapping[str, Tokens]
Possible = tuple["Declaration | None", ...]
"""What a property may be: first as the page is first shown. None is what it is where nothing is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """All that is said of an element, compared by identity: elements of which the same is said share it."""

    possible: Mapping[str, Possible]
    variables: Mapping[str, Declaration]

    def list_variants(self, names: Sequence[str]) -> Iterator[Mapping[str, int]]:
        """The ways in which these properties may be otherwise: each by itself, then all at once."""
        several = [name for name in names if len(self.possible.get(name, ())) > 1]
        for name in several:
            for i in range(1, len(self.possible[name])):
                yield {name: i}
        if len(several) > 1:
            yield {name: len(self.possible[name]) - 1 for name in several}


NOTHING = Declared({}, {})


@dataclass(slots=True)
class Cascade:
    """Decides between the rules of a page's style sheets."""

    sheets: StyleSheets
    _known: dict[tuple[Any, ...], Declared] = field(default_factory=dict)
    _styles: dict[str, tuple[Declaration, ...]] = field(default_factory=dict)
    _characters_left: int = MAX_STYLE_CHARACTERS

    def declare(self, matched: Sequence[tuple[int, Holds]], style: str, hints: Sequence[tuple[str, str]]) -> Declared:
        """What is said of an element that matches these steps, by its style attribute and attributes of its look."""
        relevant = tuple((step, held) for step, held in matched if step in self.sheets.rules)
        if not relevant and not style and not hints:
            return NOTHING
        key = relevant, style, tuple(hints)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._decide(relevant, style, hints)
        return found

    def _decide(self, matched: Sequence[tuple[int, Holds]], style: str, hints: Sequence[tuple[str, str]]) -> Declared:
        said: dict[str, list[tuple[Weight, Holds, Declaration]]] = {}
        for step, held in matched:
            specificity = self.sheets.table.steps[step].specificity
            for rule in self.sheets.rules[step]:
                holds = min(held, rule.holds)
                for number, declaration in enumerate(rule.declarations):
                    weight = rule.weigh(declaration, specificity, number)
                    said.setdefault(declaration.longhand, []).append((weight, holds, declaration))
        for declaration in self._parse_style("".join(f"{name}:{value};" for name, value in hints)):
            weight = False, HINT, False, (), (0, 0, 0), 0, 0
            said.setdefault(declaration.longhand, []).append((weight, Holds.ALWAYS, declaration))
        for order, declaration in enumerate(self._parse_style(style)):
            origin = -AUTHOR if declaration.important else AUTHOR
            weight = declaration.important, origin, True, (), (0, 0, 0), 0, order
            said.setdefault(declaration.longhand, []).append((weight, Holds.ALWAYS, declaration))
        variables, possible = {}, {}
        for name, candidates in said.items():
            candidates.sort(key=_read_weight, reverse=True)
            if not name.startswith("--"):
                possible[name] = _list_possible(candidates)
            elif (first := _list_possible(candidates)[0]) is not None:
                variables[name] = first
        return Declared(possible, variables)

    def _parse_style(self, style: str) -> tuple[Declaration, ...]:
        if not style:
            return ()
        found = self._styles.get(style)
        if found is None:
            self._characters_left -= len(style)
            if self._characters_left < 0:
                self.sheets.incomplete_reason = (
                    f"its elements have more than {MAX_STYLE_CHARACTERS} characters of style"
                )
                return ()
            found = self._styles[style] = read_declarations(tinycss2.parse_blocks_contents(style))
        return found


def _read_weight(candidate: tuple[Weight, Holds, Declaration]) -> Weight:
    return candidate[0]


def _list_possible(candidates: Sequence[tuple[Weight, Holds, Declaration]]) -> Possible:
    """The values of a property, the heaviest first in `candidates`: that of now, then those of other conditions."""
    first: Declaration | None = None
    others: list[Declaration | None] = []
    decided = False
    for _, held, declaration in candidates:
        if not held:
            continue
        if not decided and held.at_first:
            first, decided = declaration, True
        elif len(others) < MAX_ALTERNATIVES:
            others.append(declaration)
        if held is Holds.ALWAYS:
            return first, *others
    return (first, *others, None) if decided else (None, *others)


def extend_variables(known: Variables, said: Mapping[str, Declaration]) -> Variables:
    """The variables of an element: its parent's, and its own (CSS Variables 1)."""
    if not said or len(known) + len(said) > _MAX_VARIABLES:
        return known
    own: dict[str, Tokens] = {name: d.tokens for name, d in said.items() if spell_word(d.tokens) != "inherit"}
    found = {**known, **own}
    for name, declaration in said.items():
        if declaration.has_variables:
            filled = fill_variables(declaration.tokens, found, {name})
            if filled is None:
                found.pop(name, None)
            else:
                found[name] = filled
    return found


def read_value(declaration: Declaration, variables: Variables) -> Tokens | None:
    """What a declaration gives its property, variables filled in; None where that is void."""
    tokens: Tokens | None = declaration.tokens
    if declaration.has_variables:
        tokens = fill_variables(declaration.tokens, variables, set())
    return None if tokens is None else read_longhand(declaration.name, declaration.longhand, tokens)


def fill_variables(tokens: Tokens, variables: Variables, within: set[str], depth: int = 0) -> list[Any] | None:
    """The tokens with variables in place of `var()`; None where one is not known and has nothing in its place.

    Variables that refer to themselves, or to each other too deep or too often, are not known.
    """
    filled: list[Any] = []
    for token in tokens:
        if token.type == "function" and token.lower_name in ("var", "env"):
            value = _resolve_variable(token, variables, within, depth)
            if value is None:
                return None
            filled += value
        elif token.type == "function" and has_variables(token.arguments):
            inner = fill_variables(token.arguments, variables, within, depth + 1) if depth < _MAX_NESTING else None
            if inner is None:
                return None
            filled.append(tinycss2.ast.FunctionBlock(token.source_line, token.source_column, token.name, inner))
        else:
            filled.append(token)
        if len(filled) > _MAX_TOKENS:
            return None
    return filled


def _resolve_variable(token: Any, variables: Variables, within: set[str], depth: int) -> list[Any] | None:
    first, *rest = split_at_top(token.arguments)
    names = drop_blanks(first)
    name = str(names[0].value) if names and names[0].type == "ident" else ""
    if depth < _MAX_NESTING and name in variables and name not in within:
        value = variables[name]
        if not has_variables(value):
            return list(value)
        known = fill_variables(value, variables, within | {name}, depth + 1)
        if known is not None:
            return known
    if not rest or depth >= _MAX_NESTING:
        return None
    instead = [part for parts in rest for part in parts]
    return fill_variables(instead, variables, within, depth + 1)
