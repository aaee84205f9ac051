"""Style sheets of a page as rules: what each sets, on which elements, under which conditions (CSS Cascade 5)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import tinycss2

from extractor.documents.formats.styles.holds import Holds
from extractor.documents.formats.styles.matching import Matcher
from extractor.documents.formats.styles.media import evaluate_media, evaluate_supports
from extractor.documents.formats.styles.selectors import SelectorError, SelectorTable, Specificity
from extractor.documents.formats.styles.shorthands import list_longhands
from extractor.documents.formats.styles.values import Tokens, drop_blanks, split_at_top

MAX_STYLE_CHARACTERS = 3_000_000
"""Of all sheets of one page that are read, and of all its style attributes."""
MAX_STYLE_RULES = 30_000
"""Rules of all sheets of one page that are kept."""
_MAX_NESTING = 20
"""Conditions and rules within each other."""
_MAX_IMPORTS = 20
_LAST = 1 << 30
BROWSER, HINT, AUTHOR = 0, 1, 2
"""Who sets a value: the browser, an attribute such as bgcolor, the page's style."""
Weight = tuple[bool, int, bool, tuple[int, ...], Specificity, int, int]
"""Importance, origin, whether at the element itself, layer, specificity, order of rules, order in the rule (CSS Cascade
5, 6.1)."""


class Declaration(NamedTuple):
    """What a rule says: one property, by its full name or as part of a shorthand."""

    longhand: str
    name: str
    tokens: Tokens
    important: bool
    has_variables: bool


@dataclass(frozen=True, slots=True)
class StyleRule:
    declarations: tuple[Declaration, ...]
    origin: int
    layer: tuple[int, ...]
    order: int
    holds: Holds

    def weigh(self, declaration: Declaration, specificity: Specificity, number: int) -> Weight:
        """The weight of one of its declarations, by its number among them."""
        if declaration.important:  # the order of origins and layers is turned round
            layer = tuple(-part for part in self.layer)
            return True, -self.origin, False, layer, specificity, self.order, number
        return False, self.origin, False, self.layer, specificity, self.order, number


@dataclass(slots=True)
class StyleSheets:
    """All rules of a page, by the steps of selectors that they are about."""

    table: SelectorTable = field(default_factory=SelectorTable)
    incomplete_reason: str = ""
    """Why some of them is not followed; empty where all is."""
    has_unfetched: bool = False
    """Whether there are sheets that are linked to, and not known."""
    rules: dict[int, list[StyleRule]] = field(default_factory=dict)
    moving: dict[str, frozenset[str]] = field(default_factory=dict)
    """Names of animations, and the properties that they change."""
    variables: dict[str, Tokens] = field(default_factory=dict)
    """What variables are where nothing is said of them."""
    _rule_count: int = 0
    _layers: dict[tuple[str, ...], int] = field(default_factory=dict)
    _characters_left: int = MAX_STYLE_CHARACTERS
    _imports_left: int = _MAX_IMPORTS

    def build_matcher(self) -> Matcher:
        matcher = Matcher(self.table)
        matcher.add_steps(sorted(self.rules))
        return matcher

    def add_sheet(self, source: str, media: str = "", *, origin: int = AUTHOR) -> None:
        """A sheet's text, with the media that it is for."""
        held = evaluate_media(tinycss2.parse_component_value_list(media))
        if not held:
            return
        if len(source) > self._characters_left:
            self.incomplete_reason = f"they are longer than {MAX_STYLE_CHARACTERS} characters"
            return
        self._characters_left -= len(source)
        _SheetReader(self, origin).add_rules(
            tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True), held, (), None, 0
        )

    def add_linked_sheet(self, address: str, media: str = "") -> None:
        """A sheet that is linked to: read if its text is in the address, else noted."""
        text = read_data_address(address) if self._imports_left else None
        if text is not None:
            self._imports_left -= 1
            self.add_sheet(text, media)
        elif evaluate_media(tinycss2.parse_component_value_list(media)):
            self.has_unfetched = True

    def add_style_rule(self, steps: Iterable[int], rule: StyleRule) -> None:
        if self._rule_count >= MAX_STYLE_RULES:
            self.incomplete_reason = f"they have more than {MAX_STYLE_RULES} rules"
            return
        self._rule_count += 1
        for step in steps:
            self.rules.setdefault(step, []).append(rule)

    def rank_layer(self, path: tuple[str, ...]) -> tuple[int, ...]:
        """The place of a layer among the others: in the order in which they are first named, what is in none last."""
        names = (path[:size] for size in range(1, len(path) + 1))
        return (*(self._layers.setdefault(name, len(self._layers)) for name in names), _LAST)

    @property
    def next_order(self) -> int:
        return self._rule_count + 1


@dataclass(slots=True)
class _SheetReader:
    """Reads rules within conditions, layers and other rules."""

    sheets: StyleSheets
    origin: int

    def add_rules(
        self, rules: Sequence[Any], held: Holds, layer: tuple[str, ...], parents: tuple[int, ...] | None, depth: int
    ) -> None:
        for rule in rules:
            if rule.type == "qualified-rule":
                self._add_qualified(rule, held, layer, parents, depth)
            elif rule.type == "at-rule":
                self._add_at_rule(rule, held, layer, parents, depth)

    def _add_qualified(
        self, rule: Any, held: Holds, layer: tuple[str, ...], parents: tuple[int, ...] | None, depth: int
    ) -> None:
        try:
            steps = self.sheets.table.parse_list(rule.prelude, parents)
        except SelectorError:
            if self.sheets.table.is_full:
                self.sheets.incomplete_reason = "they have too many selectors"
            return
        if steps:
            self._add_block(rule.content, steps, held, layer, depth)

    def _add_block(
        self, content: Sequence[Any], steps: tuple[int, ...], held: Holds, layer: tuple[str, ...], depth: int
    ) -> None:
        """Declarations for the elements of steps, with rules and conditions among them."""
        parts = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
        declarations = read_declarations(parts)
        if declarations:
            rank = self.sheets.rank_layer(layer)
            rule = StyleRule(declarations, self.origin, rank, self.sheets.next_order, held)
            self.sheets.add_style_rule(steps, rule)
        if depth < _MAX_NESTING:
            self.add_rules([p for p in parts if p.type != "declaration"], held, layer, steps, depth + 1)

    def _add_at_rule(
        self, rule: Any, held: Holds, layer: tuple[str, ...], parents: tuple[int, ...] | None, depth: int
    ) -> None:
        name = rule.lower_at_keyword
        if name == "import" and parents is None:
            self._add_import(rule.prelude)
        elif name == "layer" and rule.content is None:
            for part in split_at_top(rule.prelude):
                self.sheets.rank_layer((*layer, *_read_layer(part)))
        elif name == "property" and rule.content is not None:
            self._add_variable(rule)
        elif name.endswith("keyframes") and rule.content is not None:
            self._add_keyframes(rule)
        elif rule.content is not None and depth < _MAX_NESTING:
            condition = _evaluate_at_rule(name, rule.prelude)
            within = (*layer, *(_read_layer(rule.prelude) or (f"?{len(layer)}",))) if name == "layer" else layer
            if not min(held, condition):
                return
            held = min(held, condition)
            if parents is None:
                inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                self.add_rules(inner, held, within, None, depth + 1)
            else:
                self._add_block(rule.content, parents, held, within, depth + 1)

    def _add_import(self, prelude: Tokens) -> None:
        tokens = drop_blanks(prelude)
        if not tokens:
            return
        address = tokens[0].value if tokens[0].type in ("url", "string") else ""
        if tokens[0].type == "function" and tokens[0].lower_name == "url":
            address = next((t.value for t in tokens[0].arguments if t.type == "string"), "")
        media = [t for t in tokens[1:] if t.type != "function" and getattr(t, "lower_value", "") != "layer"]
        self.sheets.add_linked_sheet(address, tinycss2.serialize(media) if media else "")

    def _add_variable(self, rule: Any) -> None:
        """The value that a variable has where nothing is said of it (CSS Properties and Values 1)."""
        name = next((str(t.value) for t in rule.prelude if t.type == "ident"), "")
        for part in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True):
            if part.type == "declaration" and part.lower_name == "initial-value" and name.startswith("--"):
                self.sheets.variables[name] = part.value

    def _add_keyframes(self, rule: Any) -> None:
        name = next((str(t.value) for t in rule.prelude if t.type in ("ident", "string")), "")
        frames = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        changed = set()
        for frame in frames:
            if frame.type == "qualified-rule":
                parts = tinycss2.parse_blocks_contents(frame.content, skip_comments=True, skip_whitespace=True)
                changed |= {declaration.longhand for declaration in read_declarations(parts)}
        self.sheets.moving[name] = self.sheets.moving.get(name, frozenset()) | changed


def _evaluate_at_rule(name: str, prelude: Tokens) -> Holds:
    if name == "media":
        return evaluate_media(prelude)
    if name == "supports":
        return evaluate_supports(prelude)
    if name == "layer":
        return Holds.ALWAYS
    return Holds.NOW if name in ("container", "scope") else Holds.NEVER


def _read_layer(tokens: Tokens) -> tuple[str, ...]:
    return tuple(str(token.value) for token in tokens if token.type == "ident")


def read_declarations(parts: Sequence[Any]) -> tuple[Declaration, ...]:
    """What the declarations among the parts of a block say of the properties that are asked for, and of variables."""
    found = []
    for part in parts:
        if part.type != "declaration":
            continue
        name = part.name if part.name.startswith("--") else part.lower_name
        longhands = (name,) if name.startswith("--") else list_longhands(name)
        filled = has_variables(part.value)
        found += [Declaration(longhand, name, part.value, part.important, filled) for longhand in longhands]
    return tuple(found)


def has_variables(tokens: Tokens, depth: int = 0) -> bool:
    return any(
        (token.type == "function" and (token.lower_name in ("var", "env") or _look_into(token.arguments, depth)))
        or (token.type.endswith("block") and _look_into(token.content, depth))
        for token in tokens
    )


def _look_into(tokens: Tokens, depth: int) -> bool:
    return depth < _MAX_NESTING and has_variables(tokens, depth + 1)


_DATA = re.compile(r"data:text/css(?P<parameters>[^,]{0,200}),", re.I)


def read_data_address(address: str) -> str | None:
    """The text of a style sheet that stands in its address (RFC 2397); None where it does not."""
    address = address.strip()
    match = _DATA.match(address)
    if match is None:
        return None
    data = unquote_to_bytes(address[match.end() :])
    if match["parameters"].lower().rstrip().endswith(";base64"):
        try:
            data = base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            return None
    return data.decode("utf-8", "replace")
