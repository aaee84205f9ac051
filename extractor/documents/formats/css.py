"""Style sheets of a web page, as far as they hide text for certain: rules for tags, classes and ids, in their cascade.

Selectors with combinators, attributes or states, and rules under conditions other than the screen, hide nothing here:
whether they hold is not known. But one of them that may show an element makes it uncertain that it is hidden, and then
it is shown. Sheets that are linked to are not fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import tinycss2

MAX_STYLE_CHARACTERS = 500_000
"""Of all sheets of one page that are read."""
MAX_STYLE_RULES = 5_000
"""Rules about hidden text in all sheets of one page that are kept."""
MAX_MATCH_STEPS = 5_000_000
"""How many times a rule is held against an element; elements with the same tag, id and classes are one."""
_MAX_NESTING = 20
"""Conditions and rules within each other."""

ROOTED_PROPERTIES, INHERITED_PROPERTIES = ("display", "opacity"), ("visibility", "font-size")
"""Properties that hide all within an element, and those that an element within can take back."""
_HIDING_VALUES = {
    "display": re.compile(r"none"),
    "opacity": re.compile(r"[+-]?0*\.?0+%?|-[\d.]+%?"),
    "visibility": re.compile(r"hidden|collapse"),
    "font-size": re.compile(r"\+?0*\.?0+(?:[a-z]+|%)?"),
}
_PLAIN_MEDIA = frozenset({"", "all", "screen"})


class _StyleRule(NamedTuple):
    """The last part of a selector, and the value that its rule gives one property."""

    tag: str
    identity: str
    classes: frozenset[str]
    sure: bool
    """Whether the element's own tag, id and classes decide."""
    prop: str
    hides: bool
    weight: tuple[bool, int, int, int, int]
    """Importance, ids, classes, tags, order (CSS Cascade 4, 6.1)."""

    def matches_element(self, tag: str, identity: str, classes: frozenset[str]) -> bool:
        return (
            (not self.tag or self.tag == tag)
            and (not self.identity or self.identity == identity)
            and self.classes <= classes
        )


@dataclass(slots=True)
class StyleSheets:
    """The rules of a page's style sheets, by the elements they apply to."""

    incomplete_reason: str = ""
    """Why some of them is not followed; empty where all is."""
    _rules: dict[str, list[_StyleRule]] = field(default_factory=dict)
    """By what an element must have to be meant: #id, .class, tag, or nothing."""
    _rule_count: int = 0
    _steps_left: int = MAX_MATCH_STEPS
    _known_elements: dict[tuple[str, str, frozenset[str]], Mapping[str, bool]] = field(default_factory=dict)

    def hiding_properties(self, tag: str, attributes: Mapping[str, str | None]) -> Mapping[str, bool]:
        """For each property that a rule sets on the element, whether it hides the element for certain."""
        if not self._rules:
            return {}
        key = tag, attributes.get("id") or "", frozenset((attributes.get("class") or "").split())
        found = self._known_elements.get(key)
        if found is None:
            found = self._known_elements[key] = self._resolve_cascade(*key)
        return found

    def _resolve_cascade(self, tag: str, identity: str, classes: frozenset[str]) -> Mapping[str, bool]:
        best: dict[str, _StyleRule] = {}
        doubted: set[str] = set()
        for name in ("", tag, f"#{identity}", *(f".{one}" for one in classes)):
            known = self._rules.get(name, ())
            self._steps_left -= 1 + len(known)
            if self._steps_left < 0:
                self.incomplete_reason = f"holding them against its elements takes more than {MAX_MATCH_STEPS} steps"
                return {}
            for rule in known:
                if not rule.matches_element(tag, identity, classes):
                    continue
                if not rule.sure:
                    doubted |= set() if rule.hides else {rule.prop}
                elif rule.prop not in best or rule.weight > best[rule.prop].weight:
                    best[rule.prop] = rule
        declared = {prop: rule.hides and prop not in doubted for prop, rule in best.items()}
        return {**dict.fromkeys(doubted, False), **declared}

    def add_rules(self, rules: Sequence[Any], sure: bool, depth: int = 0) -> None:
        """The rules of a sheet, or of a condition in it."""
        for rule in rules:
            if rule.type == "qualified-rule":
                self._add_style_rule(rule, sure, depth)
            elif rule.type == "at-rule" and rule.content is not None and depth < _MAX_NESTING:
                name = rule.lower_at_keyword
                media = _spell_tokens(rule.prelude)
                if name == "media" and media == "print":
                    continue
                if name in ("media", "supports", "layer", "container", "scope", "starting-style"):
                    holds = sure and name == "media" and _applies_to_screen(media)
                    self.add_rules(tinycss2.parse_blocks_contents(rule.content), holds, depth + 1)

    def _add_style_rule(self, rule: Any, sure: bool, depth: int) -> None:
        declared: dict[str, tuple[bool, bool]] = {}
        for part in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True):
            if part.type == "declaration" and part.lower_name in _HIDING_VALUES:
                hides = _HIDING_VALUES[part.lower_name].fullmatch(_spell_tokens(part.value)) is not None
                if part.important or not declared.get(part.lower_name, (False, False))[1]:
                    declared[part.lower_name] = hides, part.important
            elif part.type == "qualified-rule" and depth < _MAX_NESTING:
                self._add_style_rule(part, False, depth + 1)  # what & stands for is not followed
            elif part.type == "at-rule" and part.content is not None and depth < _MAX_NESTING:
                self._add_nested_condition(rule, part, depth)
        for selector in _split_selectors(rule.prelude) if declared else ():
            last = _parse_last_compound(selector)
            for prop, (hides, important) in declared.items():
                self._store_rule(last, prop, hides, important, sure)

    def _add_nested_condition(self, rule: Any, part: Any, depth: int) -> None:
        """A condition within a rule: whether it applies to the rule's elements is not certain."""
        within = tinycss2.ast.QualifiedRule(part.source_line, part.source_column, rule.prelude, part.content)
        self._add_style_rule(within, False, depth + 1)

    def _store_rule(self, last: _CompoundSelector, prop: str, hides: bool, important: bool, sure: bool) -> None:
        if self._rule_count >= MAX_STYLE_RULES:
            self.incomplete_reason = f"they have more than {MAX_STYLE_RULES} rules that may hide text"
            return
        self._rule_count += 1
        tag, identity, classes, plain = last
        weight = (important, bool(identity), len(classes), bool(tag), self._rule_count)
        rule = _StyleRule(tag, identity, classes, sure and plain, prop, hides, weight)
        key = f"#{identity}" if identity else f".{min(classes)}" if classes else tag
        self._rules.setdefault(key, []).append(rule)


def parse_style_sheets(sources: Sequence[tuple[str, str]]) -> StyleSheets:
    """The sheets of a page: each one's media, and its text."""
    style_sheets, left = StyleSheets(), MAX_STYLE_CHARACTERS
    for media, source in sources:
        media = media.strip().lower()
        if media == "print":
            continue
        if len(source) > left:
            style_sheets.incomplete_reason = f"they are longer than {MAX_STYLE_CHARACTERS} characters"
            break
        left -= len(source)
        rules = tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True)
        style_sheets.add_rules(rules, _applies_to_screen(media))
    return style_sheets


def _applies_to_screen(media: str) -> bool:
    return all(one.strip() in _PLAIN_MEDIA for one in media.split(","))


def _spell_tokens(tokens: Sequence[Any]) -> str:
    """What the tokens spell; a question mark where they nest, as they may do so deeper than can be spelled."""
    if any(token.type == "function" or token.type.endswith("block") for token in tokens):
        return "?"
    return str(tinycss2.serialize(tokens)).strip().lower()


_CompoundSelector = tuple[str, str, frozenset[str], bool]


def _split_selectors(prelude: Sequence[Any]) -> Iterator[list[Any]]:
    """The selectors of a list, as tokens."""
    found: list[Any] = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield found
            found = []
        elif token.type != "comment":
            found.append(token)
    yield found


def _parse_last_compound(tokens: list[Any]) -> _CompoundSelector:
    """The tag, id and classes that an element needs to match a selector, and whether the selector has no more parts."""
    while tokens and tokens[-1].type == "whitespace":
        tokens = tokens[:-1]
    while tokens and tokens[0].type == "whitespace":
        tokens = tokens[1:]
    tag, identity, classes, plain = "", "", set[str](), bool(tokens)
    at = len(tokens)
    while at and not (tokens[at - 1].type == "whitespace" or _is_literal(tokens[at - 1], "+>~|")):
        at -= 1
    plain = plain and at == 0
    i = at
    while i < len(tokens):
        token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
        if token.type == "ident" and i == at:
            tag = token.lower_value
        elif token.type == "hash":
            plain = plain and identity in ("", token.value)
            identity = token.value
        elif _is_literal(token, ".") and after is not None and after.type == "ident":
            classes.add(after.value)
            i += 1
        elif not (_is_literal(token, "*") and i == at):
            plain = False  # a state, an attribute, a function
            if _is_literal(token, ":"):
                i += 1 + (after is not None and _is_literal(after, ":"))  # its name is no tag
        i += 1
    return tag, identity, frozenset(classes), plain


def _is_literal(token: Any, signs: str) -> bool:
    return token.type == "literal" and token.value in signs
