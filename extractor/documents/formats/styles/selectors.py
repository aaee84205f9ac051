"""Selectors (Selectors 4; CSS Nesting 1) as chains of steps, each a compound and what stands to the left of it.

Equal beginnings of chains are one step, so that `.menu` in a hundred selectors is looked for once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tinycss2.nth import parse_nth

from extractor.documents.formats.styles.holds import Holds
from extractor.documents.formats.styles.values import Tokens, drop_blanks, split_at_top

MAX_STEPS = 20_000
"""Steps of all selectors of one page that are kept."""
_MAX_NESTING = 16
Specificity = tuple[int, int, int]
_NONE: Specificity = (0, 0, 0)

_STATES = frozenset(
    (  # noqa: SIM905 (read more easily than a list of strings)
        "hover active focus focus-within focus-visible target target-within visited current past future playing paused "
        "seeking buffering stalled muted user-valid user-invalid fullscreen modal picture-in-picture popover-open "
        "autofill -webkit-autofill valid invalid in-range out-of-range indeterminate placeholder-shown default "
        "-webkit-full-screen active-view-transition"
    ).split()
)
"""Pseudo-classes of what is not so yet as a page is first shown."""
_CERTAIN = {"defined": Holds.ALWAYS, "host": Holds.NEVER, "has-slotted": Holds.NEVER, "scope": Holds.NOW}
_BY_ATTRIBUTE = frozenset(
    ("link", "any-link", "checked", "disabled", "enabled", "required", "optional", "read-only", "read-write", "open")
)
_POSITIONS = {
    "first-child": ("nth-child", 0, 1),
    "last-child": ("nth-last-child", 0, 1),
    "first-of-type": ("nth-of-type", 0, 1),
    "last-of-type": ("nth-last-of-type", 0, 1),
}
BEFORE, AFTER = ADDED = ("::before", "::after")
"""What a style sheet may put words into."""
_OLD_ELEMENTS = frozenset(("before", "after", "first-line", "first-letter"))
"""Pseudo-elements that may be written with one colon."""
_PSEUDO_ELEMENTS = (
    *(
        "before",
        "after",
        "first-l",
        "selection",
        "marker",
        "placeholder",
        "backdrop",
        "cue",
        "file-selector-button",
        "part",
    ),
    *("slotted", "details-content", "view-transition", "target-text", "spelling", "grammar", "highlight", "column"),
    *("scroll-", "picker", "checkmark", "search-text", "-webkit-"),
)
_LISTS = {"is": "is", "matches": "is", "-webkit-any": "is", "-moz-any": "is", "where": "where", "not": "not"}


class AttributeTest(NamedTuple):
    name: str
    operator: str
    """Empty where the attribute need only be there."""
    value: str
    any_case: bool


class PseudoTest(NamedTuple):
    name: str
    steps: tuple[int, ...] = ()
    """Of `is`, `where` and `not`: the last steps of the selectors within."""
    a: int = 0
    b: int = 0
    """Of positions: every a-th, from the b-th on."""
    constant: Holds = Holds.NEVER


class Compound(NamedTuple):
    """What one element must be."""

    tag: str = ""
    identity: str = ""
    classes: tuple[str, ...] = ()
    attributes: tuple[AttributeTest, ...] = ()
    pseudos: tuple[PseudoTest, ...] = ()
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A compound at the end of a chain."""

    number: int
    compound: Compound
    combinator: str
    left: int
    """The number of the step before it; -1 where it is the first."""
    specificity: Specificity


class SelectorError(ValueError):
    """What is no selector."""


@dataclass(slots=True)
class SelectorTable:
    """All steps of the selectors of a page."""

    any_case: bool = False
    """Whether ids and classes are compared without case, as in pages without a doctype (Selectors 4, 6.6)."""
    steps: list[Step] = field(default_factory=list)
    _known: dict[tuple[int, str, Compound], int] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return len(self.steps) >= MAX_STEPS

    def parse_list(self, tokens: Tokens, parents: Sequence[int] | None = None) -> tuple[int, ...]:
        """The last steps of a list of selectors. `::before` and `::after` are taken for elements of that name within
        theirs; other pseudo-elements are left out. `parents` are those of the rule around this one. Raises
        SelectorError where one is none: then the rule is void."""
        return self._parse_list(tokens, parents, 0, nested=parents is not None)

    def _parse_list(
        self,
        tokens: Tokens,
        parents: Sequence[int] | None,
        depth: int,
        *,
        nested: bool = False,
        forgiving: bool = False,
    ) -> tuple[int, ...]:
        if depth > _MAX_NESTING:
            raise SelectorError("nested too deep")
        found = []
        for part in split_at_top(tokens):
            try:
                number = self._parse_complex(part, parents, depth, nested)
            except SelectorError:
                if forgiving:
                    continue
                raise
            if number is not None:
                found.append(number)
        return tuple(found)

    def _parse_complex(self, tokens: Tokens, parents: Sequence[int] | None, depth: int, nested: bool) -> int | None:
        """The last step of a selector; None for one of a pseudo-element that holds no words of its own."""
        left, combinator = -1, ""
        stream = [token for token in tokens if token.type != "comment"]
        if nested and parents is not None and not _mentions_parent(stream):
            left, combinator = self._add_step(-1, "", _wrap_parents(parents)), " "
        compound: list[Any] = []
        for kind, value in _split_combinators(stream):
            if kind == "combinator":
                if compound:
                    left, compound = self._end_compound(left, combinator, compound, parents, depth), []
                elif left < 0 or value == " " or combinator not in ("", " "):
                    raise SelectorError("a combinator without an element")
                combinator = value
            else:
                compound = value
        if not compound:
            raise SelectorError("no element")
        pseudo, start, end = _find_pseudo_element(compound)
        if not pseudo:
            return self._end_compound(left, combinator, compound, parents, depth)
        if pseudo not in ADDED or end < len(compound):
            return None
        holder = self._end_compound(left, combinator, compound[:start], parents, depth)
        return self._add_step(holder, ">", Compound(pseudo))

    def _end_compound(
        self, left: int, combinator: str, tokens: list[Any], parents: Sequence[int] | None, depth: int
    ) -> int:
        return self._add_step(left, combinator, self._parse_compound(tokens, parents, depth))

    def _add_step(self, left: int, combinator: str, compound: Compound) -> int:
        key = left, combinator, compound
        number = self._known.get(key)
        if number is None:
            if self.is_full:
                raise SelectorError("too many")
            number = self._known[key] = len(self.steps)
            before = self.steps[left].specificity if left >= 0 else _NONE
            specificity = _add(before, self._weigh(compound))
            self.steps.append(Step(number, compound, combinator, left, specificity))
        return number

    def _weigh(self, compound: Compound) -> Specificity:
        total = (
            int(bool(compound.identity)),
            len(compound.classes) + len(compound.attributes),
            int(bool(compound.tag)),
        )
        for pseudo in compound.pseudos:
            inner = max((self.steps[number].specificity for number in pseudo.steps), default=_NONE)
            total = _add(total, _NONE if pseudo.name == "where" else inner if pseudo.steps else (0, 1, 0))
        return total

    def _parse_compound(self, tokens: list[Any], parents: Sequence[int] | None, depth: int) -> Compound:
        tag, identities, classes = "", [], []
        attributes: list[AttributeTest] = []
        pseudos: list[PseudoTest] = []
        i = 0
        while i < len(tokens):
            token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else None
            if token.type == "hash":
                identities.append(self._fold(token.value))
            elif token.type == "[] block":
                attributes.append(_parse_attribute(token))
            elif token.type == "ident" and (i == 0 or _is_sign(tokens[i - 1], "|")):
                tag = token.lower_value
            elif _is_sign(token, ".") and after is not None and after.type == "ident":
                classes.append(self._fold(after.value))
                i += 1
            elif _is_sign(token, "&"):
                pseudos.append(_wrap_parents(parents or ()).pseudos[0] if parents else PseudoTest("root"))
            elif _is_sign(token, ":") and after is not None:
                pseudos.append(self._parse_pseudo(after, parents, depth))
                i += 1
            elif not (_is_sign(token, "*") or _is_sign(token, "|")):
                raise SelectorError(f"not understood: {token.type}")
            i += 1
        impossible = len(set(identities)) > 1
        return Compound(tag, "".join(identities[:1]), tuple(classes), tuple(attributes), tuple(pseudos), impossible)

    def _fold(self, name: str) -> str:
        return name.lower() if self.any_case else name

    def _parse_pseudo(self, token: Any, parents: Sequence[int] | None, depth: int) -> PseudoTest:
        if token.type == "ident":
            name = token.lower_value
            if name in _POSITIONS:
                return PseudoTest(_POSITIONS[name][0], (), *_POSITIONS[name][1:])
            if name in _STATES:
                return PseudoTest("constant", constant=Holds.LATER)
            if name in _CERTAIN:
                return PseudoTest("constant", constant=_CERTAIN[name])
            if name in _BY_ATTRIBUTE or name in ("root", "empty", "only-child", "only-of-type"):
                return PseudoTest(name)
        elif token.type == "function":
            name = token.lower_name
            if name in _LISTS:
                forgiving = _LISTS[name] != "not"
                steps = self._parse_list(token.arguments, parents, depth + 1, forgiving=forgiving)
                return PseudoTest(_LISTS[name], steps)
            if name.startswith("nth-"):
                found = parse_nth(token.arguments)
                if found is not None:
                    return PseudoTest(name, (), *found)
            # what these ask is not followed: they hold, or so it seems
            if name in ("has", "nth-child", "nth-last-child", "lang", "dir", "state", "host", "host-context"):
                return PseudoTest("constant", constant=Holds.NOW)
        raise SelectorError(f"no pseudo-class: {token.type}")


def _add(one: Specificity, other: Specificity) -> Specificity:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _wrap_parents(parents: Sequence[int]) -> Compound:
    return Compound(pseudos=(PseudoTest("is", tuple(parents)),))


def _mentions_parent(tokens: Tokens, depth: int = 0) -> bool:
    return any(
        _is_sign(token, "&")
        or (token.type == "function" and depth < _MAX_NESTING and _mentions_parent(token.arguments, depth + 1))
        for token in tokens
    )


def _split_combinators(tokens: list[Any]) -> Iterator[tuple[str, Any]]:
    """Compounds, as lists of tokens, and the combinators between them."""
    compound: list[Any] = []
    pending = ""
    for token in tokens:
        sign = " " if token.type == "whitespace" else token.value if token.type == "literal" else ""
        if sign in (" ", ">", "+", "~"):
            if compound:
                yield "compound", compound
                compound = []
                pending = sign
            elif sign != " ":
                if pending in (">", "+", "~"):
                    raise SelectorError("two combinators")
                pending = sign
            continue
        if pending:
            yield "combinator", pending
            pending = ""
        compound.append(token)
    if pending in (">", "+", "~"):
        raise SelectorError("nothing to the right of a combinator")
    if compound:
        yield "compound", compound


def _find_pseudo_element(tokens: list[Any]) -> tuple[str, int, int]:
    """The pseudo-element of a compound, with two colons, and which of its tokens it is; empty where it has none. Raises
    SelectorError for one that browsers don't have: it makes its whole rule void."""
    for i, token in enumerate(tokens):
        if not _is_sign(token, ":"):
            continue
        names = [getattr(t, "lower_value", "") or getattr(t, "lower_name", "") for t in tokens[i + 1 : i + 3]]
        if names[:1] == [":"] or (i + 1 < len(tokens) and _is_sign(tokens[i + 1], ":")):
            if len(names) < 2 or not names[1].startswith(_PSEUDO_ELEMENTS):
                raise SelectorError("no pseudo-element")
            return f"::{names[1]}", i, i + 3
        if names and names[0] in _OLD_ELEMENTS:
            return f"::{names[0]}", i, i + 2
    return "", 0, 0


def _parse_attribute(block: Any) -> AttributeTest:
    tokens = drop_blanks(block.content)
    while len(tokens) > 1 and (_is_sign(tokens[0], "*") or _is_sign(tokens[0], "|") or _is_sign(tokens[1], "|")):
        tokens = tokens[1:]  # a namespace
    if not tokens or tokens[0].type != "ident":
        raise SelectorError("no attribute")
    name = tokens[0].lower_value
    if len(tokens) == 1:
        return AttributeTest(name, "", "", False)
    if len(tokens) < 3 or tokens[1].type != "literal" or tokens[2].type not in ("ident", "string"):
        raise SelectorError("no test of an attribute")
    flag = tokens[3].lower_value if len(tokens) > 3 and tokens[3].type == "ident" else ""
    return AttributeTest(
        name, str(tokens[1].value), str(tokens[2].value), flag == "i" or (not flag and name in _ANY_CASE)
    )


_ANY_CASE = frozenset(("type", "align", "valign", "dir", "lang", "method", "rel", "media", "scope", "shape", "checked"))
"""Attributes whose values HTML compares without case (HTML, 4.16.2)."""


def _is_sign(token: Any, sign: str) -> bool:
    return bool(token.type == "literal" and token.value == sign)
