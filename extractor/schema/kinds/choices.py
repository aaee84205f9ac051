"""Which choice of a closed list is meant by what was said: in another case, as a text or a number, yes for true."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from extractor.schema.kinds.base import Json
from extractor.schema.kinds.boolean import BooleanKind
from extractor.schema.kinds.folding import fold
from extractor.schema.kinds.reading import Reading


def find_choice(choices: Sequence[Json], said: Json) -> Json | None:
    """The only choice that is meant, in the list's spelling and type; None where there is none, or several are."""
    for same in (_exact, _folded, _answer):
        wanted = same(said)
        found = [] if wanted is None else [c for c in choices if same(c) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _exact(value: Json) -> Hashable:
    if isinstance(value, bool):
        return bool, value
    return ("number", value) if isinstance(value, int | float) else (type(value), str(value))


def _folded(value: Json) -> Hashable:
    return fold(str(int(value) if isinstance(value, float) and value.is_integer() else value)) or None


def _answer(value: Json) -> Hashable:
    return BooleanKind().normalise(value, Reading())
