"""The properties of one element, asked for by name, and judged under the conditions that they may be said for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from extractor.documents.formats.sight import Sight
from extractor.documents.formats.styles.cascade import Declared, Variables, read_value
from extractor.documents.formats.styles.values import Length, Tokens, parse_length, parse_number, spell_word

_NO_CHOICE: Final[Mapping[str, int]] = {}


@dataclass(slots=True)
class Style:
    """What is said of an element, under one choice of conditions. `font` is the size of its letters in pixels."""

    declared: Declared
    variables: Variables
    moving: Mapping[str, frozenset[str]]
    font: float = 16.0
    choice: Mapping[str, int] = field(default_factory=dict)
    _read: dict[str, Tokens] = field(default_factory=dict)

    def tokens(self, name: str) -> Tokens:
        """The value of a property; empty where nothing is said, or nothing that makes sense."""
        found = self._read.get(name)
        if found is None:
            possible = self.declared.possible.get(name)
            said = possible[self.choice.get(name, 0)] if possible else None
            found = self._read[name] = (read_value(said, self.variables) or ()) if said is not None else ()
        return found

    def says(self, name: str) -> bool:
        return name in self.declared.possible

    def word(self, name: str) -> str:
        return spell_word(self.tokens(name))

    def length(self, name: str) -> Length | None:
        """None for what is no length: auto, none, nothing."""
        return parse_length(self.tokens(name), self.font)

    def pixels(self, name: str, whole: float = 0.0) -> float:
        """A length in pixels, 0 where nothing is said."""
        length = self.length(name)
        return length.resolve(whole) if length else 0.0

    def number(self, name: str) -> float | None:
        return parse_number(self.tokens(name))

    def judge(self, names: Sequence[str], look: Callable[[Style], Sight]) -> Sight:
        """How the element is seen by these properties: doubtful where it would be under other conditions, or moves."""
        found = look(self)
        if found is not Sight.HIDDEN:
            return found
        for variant in self.declared.list_variants(names):
            if look(Style(self.declared, self.variables, self.moving, self.font, variant)) < found:
                return Sight.DOUBTFUL
        return Sight.DOUBTFUL if self._moves(names) else found

    def _moves(self, names: Sequence[str]) -> bool:
        """Whether an animation changes one of the properties."""
        animations = [str(token.value) for token in self.tokens("animation-name") if token.type in ("ident", "string")]
        return any(not self.moving.get(name, frozenset()).isdisjoint(names) for name in animations)
