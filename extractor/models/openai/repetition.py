"""A JSON reply as it is written: whether it only says the same entry again.

A small model that finds no end to a list writes its last entry until it is cut short. Nothing new comes of that, so
whoever reads along may stop it. A document may hold the same line many times, and then the reply rightly does, too: an
entry may follow itself as often as the prompt has those words of it that it has most often.
"""

from __future__ import annotations

import json
import re

FEWEST = 5
"""An entry may follow itself until it is there so often, whatever the prompt holds."""
_WORD = re.compile(r'("(?:[^"\\]|\\.)*+")(\s*:)?|[^\s\[\]{},:"]+')
"""A text, and whether it is a key; a number or a constant."""
_CONSTANTS = frozenset({"null", "true", "false"})


class RepetitionWatch:
    """Reads a reply piece by piece, in time that is proportional to it, and searches the prompt once for each entry
    that comes `FEWEST` times in a row.

    Only the list in the reply's last field is watched: whatever runs in circles elsewhere ends some time, and more
    comes after it.
    """

    def __init__(self, prompt: str, last_field: str) -> None:
        self._prompt = prompt
        self._last_field = last_field
        self._signs: list[str] = []
        self._depth = 0
        self._watched: _OpenList | None = None
        self._in_string = self._is_escaped = False
        self._string_start = 0
        self._key = ""
        """The last text of the reply's outermost object."""

    def loops(self, piece: str) -> bool:
        """Whether, with this piece, the reply has said an entry again more often than the prompt explains."""
        found = False
        for sign in piece:
            found = self._follow(sign) or found
            self._signs.append(sign)
        return found

    def _follow(self, sign: str) -> bool:
        if self._in_string:
            self._in_string = self._is_escaped or sign != '"'
            self._is_escaped = sign == "\\" and not self._is_escaped
            if not self._in_string and self._depth == 1:
                self._key = "".join(self._signs[self._string_start :])
        elif sign == '"':
            self._in_string, self._string_start = True, len(self._signs) + 1
        elif sign in "[{":
            self._depth += 1
            if self._depth == 2 and sign == "[" and self._key == self._last_field:
                self._watched = _OpenList(len(self._signs) + 1)
        elif sign in "]}":
            self._depth -= 1
            self._watched = self._watched if self._depth > 1 else None
        elif sign == "," and self._depth == 2 and self._watched is not None:
            return self._end_entry(self._watched)
        return False

    def _end_entry(self, watched: _OpenList) -> bool:
        entry = "".join(self._signs[watched.start :]).strip()
        watched.start = len(self._signs) + 1
        if entry != watched.entry:
            watched.entry, watched.times, watched.most = entry, 0, None
        watched.times += 1
        if watched.times <= FEWEST:
            return False
        if watched.most is None:
            watched.most = max(FEWEST, self._count_explained(entry))
        return watched.times > watched.most

    def _count_explained(self, entry: str) -> int:
        """How often the prompt has those words of an entry that it has most often; its lines for an entry of which it
        has none, since that may be a label of each line."""
        words = {_read_leaf(word[0]) for word in _WORD.finditer(entry) if not word[2]} - _CONSTANTS
        return max((self._prompt.count(word) for word in words if word), default=0) or self._prompt.count("\n") + 1


class _OpenList:
    """The list that is watched."""

    __slots__ = ("entry", "most", "start", "times")

    def __init__(self, start: int) -> None:
        self.start = start
        """Where its next entry begins."""
        self.entry: str | None = None
        """The last one."""
        self.times = 0
        """How often that has come in a row."""
        self.most: int | None = None
        """How often it may, once that is known."""


def _read_leaf(leaf: str) -> str:
    try:
        return str(json.loads(leaf)) if leaf.startswith('"') else leaf
    except ValueError:  # a reply that nothing holds to JSON
        return leaf[1:-1]
