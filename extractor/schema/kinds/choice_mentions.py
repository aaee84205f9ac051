"""Where a text says a choice of a closed list in other words than the list's: a letter, a word of its class, days."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from extractor.schema.kinds.base import Json, ValueMention
from extractor.schema.kinds.choice_days import find_days_of_choice
from extractor.schema.kinds.choice_words import find_choice_words
from extractor.schema.kinds.initials import find_initials

INITIAL, OTHER_WORD = "first letter", "other word for the choice"


def find_said_otherwise(
    text: str,
    label: str,
    choices: Sequence[Json],
    said: Json,
    durations: Callable[[], Mapping[Hashable, Sequence[ValueMention]]],
) -> list[ValueMention]:
    """The mentions by the first of these ways that has any; durations are asked for where they are needed."""
    if initials := [ValueMention(span, str(said), INITIAL) for span in find_initials(text, label, choices, said)]:
        return initials
    if words := [ValueMention(span, str(said), OTHER_WORD) for span in find_choice_words(text, choices, said)]:
        return words
    return list(find_days_of_choice(text, choices, said, durations))
