"""What a run learns of an endpoint from its refusals and replies: once, for all requests that come after.

It starts with what is known of the model. Each thing that is learnt is told the user once, and stands in the manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from extractor.models.endpoint import ApiKind, Dialect, Endpoint
from extractor.models.openai.parameters import RequestForm, list_set_names
from extractor.models.openai.refusals import LIMIT_NAMES, SYSTEM_ROLE, ParameterRefused
from extractor.types import Json

DIALECTS = (Dialect.SCHEMA, Dialect.TOOLS, Dialect.JSON, Dialect.TEXT)
"""What is tried, in this order, where no dialect is set."""
_NATIVE_DIALECTS = (Dialect.TOOLS, Dialect.TEXT)
THINKING_ROOM = 16_000
"""Tokens that a model is given to think that is known to."""
MORE_ROOM, TIMES_ROOM = 60_000, 3
"""Tokens for one that thought until its end, or so many times those of its answer, where that is more."""
_CUT_AGAIN = 1.02
"""How many times the tokens that a cut prompt had another one may have that was cut at the same place."""
LEAST_EFFORTS = ("none", "minimal", "low")
"""Efforts in whose place the least is taken that the model knows."""
_NEVER_DROPPED = frozenset({"model", "messages"})


def list_dialects(endpoint: Endpoint) -> list[Dialect]:
    """The dialects that are tried at an endpoint, the best first."""
    return list(DIALECTS if endpoint.api is ApiKind.OPENAI else _NATIVE_DIALECTS)


class LearntTraits:
    """How requests to one model at one endpoint have to look, as far as a run has found out. For one event loop."""

    def __init__(self, endpoint: Endpoint, note: Callable[[str], None] = lambda text: None) -> None:
        self._endpoint, self._note = endpoint, note
        self.set_by_user = list_set_names(endpoint.parameters)
        self.dialects = [endpoint.dialect] if endpoint.dialect else list_dialects(endpoint)
        """Those that are left, the best first."""
        self.proven: Dialect | None = None
        """The one in which a reply has been read."""
        self.named_tool = True
        """Whether the tool is chosen by name; else the model chooses."""
        self.left_out = dict.fromkeys(endpoint.refuses, "known")
        """Members that are not sent, and how that is known."""
        self.limit_name: str | None = next((name for name in LIMIT_NAMES if name not in self.left_out), None)
        self.values: dict[str, Json] = {}
        """Members that have to have a value of their own."""
        self.is_bare = False
        """Whether requests go without all that a user has not set."""
        self.output_limit = endpoint.parameters.max_output or endpoint.max_output
        self.room = THINKING_ROOM if endpoint.thinks and endpoint.parameters.max_output is None else 0
        """Tokens that a reply is given for thinking, beside those for the answer."""
        self.smallest_refused: int | None = None
        """Tokens of the shortest prompt that was too long, estimated."""
        self.cut_at: int | None = None
        """Tokens of a prompt, as the endpoint counts them, beyond which it was seen to read no further."""
        self.most_pictures: int | None = None
        """Pictures that one request may hold; None: no bound is known."""
        self.notes: list[str] = []
        self.has_tried_all = False
        """Whether every form was tried for a question, and none brought a reply that could be read."""

    @property
    def is_fixed(self) -> bool:
        """Whether the user, or the engine, has set the one dialect."""
        return self._endpoint.dialect is not None

    @property
    def folds_system(self) -> bool:
        return SYSTEM_ROLE in self.left_out

    def describe(self) -> dict[str, Json]:
        """What was learnt, as a manifest has it; nothing before the first reply of an endpoint. Of an embedded model,
        it is which engine answers."""
        if self._endpoint.engine is not None:
            return {"engine": self._endpoint.engine.describe()}
        if self.proven in (None, Dialect.GRAMMAR):
            return {}
        told: dict[str, Json] = {"dialect": str(self.proven)}
        left_out = sorted(name for name, why in self.left_out.items() if why == "refused")
        if self.left_out.get(LIMIT_NAMES[0]) == "renamed" and self.limit_name is not None:
            told["renamed"] = {LIMIT_NAMES[0]: self.limit_name}
        rare: dict[str, Json] = {
            "left_out": left_out,
            "values": dict(self.values),
            "bare": self.is_bare,
            "room": self.room,
            "notes": list(self.notes),
        }
        if self.most_pictures is not None:
            told["pictures"] = self.most_pictures
        if self.output_limit != (self._endpoint.parameters.max_output or self._endpoint.max_output):
            rare["max_output"] = self.output_limit
        return told | {name: one for name, one in rare.items() if one}

    def add(self, other: LearntTraits) -> None:
        """Takes over what another record of the same endpoint has, for the manifest."""
        self.proven = other.proven or self.proven
        self.left_out |= other.left_out
        self.values |= other.values
        self.limit_name, self.output_limit = other.limit_name, other.output_limit
        if other.most_pictures is not None:
            self.most_pictures = other.most_pictures
        self.is_bare, self.room = self.is_bare or other.is_bare, max(self.room, other.room)
        self.notes += [text for text in other.notes if text not in self.notes]

    def say(self, text: str) -> None:
        """Tells the user, once, and the manifest."""
        if text not in self.notes:
            self.notes.append(text)
            self._note(text)

    # What a request looks like.

    def fit_limit(self, wanted: int, *, more_room: bool = False) -> int:
        """The tokens that a reply may have, where so many are wanted for the answer."""
        room = max(TIMES_ROOM * wanted, MORE_ROOM) if more_room else 0
        limit = wanted + max(self.room, room)
        return limit if self.output_limit is None else min(limit, self.output_limit)

    def adapt(self, wanted: Mapping[str, Any], *, bare: bool = False) -> dict[str, Any]:
        """The parameters without those that are refused, under the names and with the values that are taken; `bare`,
        without all that a user has not set, too."""
        out: dict[str, Any] = {name: one for name, one in self.values.items() if name not in self.left_out}
        for name, one in wanted.items():
            if name in LIMIT_NAMES and name not in self._endpoint.parameters.extra_body:
                if self.limit_name is not None:
                    out[self.limit_name] = one
            elif name not in self.left_out and (name in self.set_by_user or not (bare or self.is_bare)):
                out.setdefault(name, one)
        return out

    # What was learnt.

    def settle(self, dialect: Dialect, refused: list[Dialect], form: RequestForm) -> None:
        """A reply came in the dialect and the form, after other dialects were tried in vain for the same request."""
        if form.blind:
            self.limit_pictures(0)
        bare = form.bare
        if bare and not self.is_bare:
            self.is_bare = True
            self.say("The endpoint refuses temperature and the like without a word; requests go without them.")
        if self.proven is None:
            self.proven = dialect
            worse = [one for one in refused if one in self.dialects]
            if worse and not self.is_fixed:
                self.dialects = [one for one in self.dialects if one not in worse]
                self.say(
                    f"The endpoint does not answer in the dialect {' or '.join(worse)}; {dialect} is used instead."
                )

    def drop_dialect(self, dialect: Dialect) -> None:
        """The endpoint says itself that it does not take it."""
        if dialect in self.dialects and len(self.dialects) > 1 and self.proven is not dialect and not self.is_fixed:
            self.dialects.remove(dialect)
            self.say(f"The endpoint does not take the dialect {dialect}; {self.dialects[0]} is tried instead.")

    def let_model_choose(self, sent: Mapping[str, Any]) -> bool:
        """Learns that a tool cannot be chosen for the model; whether it was, in what was sent."""
        if not isinstance(sent.get("tool_choice"), dict):
            return False
        if self.named_tool:
            self.named_tool = False
            self.say("The endpoint lets no one choose a tool for the model; the model is left to choose it.")
        return True

    def refuse(self, refusal: ParameterRefused) -> bool:
        """Learns that a parameter is not taken; whether a request now looks different."""
        name = refusal.name
        if name in LIMIT_NAMES:
            return self._refuse_limit(name)
        known = next((one for one in LEAST_EFFORTS if one in refusal.supported), None)
        if name == "reasoning_effort" and known is not None and name not in self.values:
            self.values[name] = known
            self.say(f"The model does not take this reasoning_effort; it is sent {known!r}.")
            return True
        if name in self.left_out or name in _NEVER_DROPPED:
            return False
        self.left_out[name] = "refused"
        self.values.pop(name, None)
        by_user = ", though it was set" if name in self.set_by_user else ""
        only = f"; it takes {', '.join(refusal.supported)}" if refusal.supported else ""
        if name == SYSTEM_ROLE:
            self.say("The model takes no system message; its words are sent at the head of the user's.")
        else:
            self.say(f"The endpoint refuses {name}{only}; requests go without it{by_user}.")
        return True

    def _refuse_limit(self, name: str) -> bool:
        if self.limit_name != name:
            return False  # another request has found out before
        other = LIMIT_NAMES[1 - LIMIT_NAMES.index(name)]
        if self.left_out.get(other):
            self.limit_name = None
            self.say("The endpoint takes no bound on a reply's length; requests go without one.")
        else:
            self.left_out[name] = "renamed"
            self.limit_name = other
            self.say(f"The endpoint wants {other} instead of {name}.")
        return True

    def set_value(self, name: str, value: Json) -> bool:
        """Learns that a member has to have a value; whether a request now looks different."""
        if self.values.get(name) == value:
            return False
        self.values[name] = value
        self.say(f"The endpoint wants {name}={value}.")
        return True

    def limit_output(self, most: int) -> None:
        """Learns how long replies may be at most."""
        if self.output_limit is None or most < self.output_limit:
            self.output_limit = most
            self.say(f"A reply of this model may have {most:,} tokens at most.")

    def give_room(self, limit: int, answer: int) -> None:
        """Learns that a model needs more than the tokens of its answer, since it thinks first."""
        if limit - answer > self.room:
            self.room = limit - answer
            self.say(f"The model thinks before it answers; replies have {self.room:,} tokens for that, too.")

    def limit_pictures(self, most: int) -> bool:
        """Learns how many pictures a request may hold; whether it now looks different."""
        if most < 0 or (self.most_pictures is not None and self.most_pictures <= most):
            return False
        self.most_pictures = most
        if most:
            self.say(f"The endpoint takes {most} pictures in a request; further pages are sent as text alone.")
        else:
            self.say("The endpoint takes no pictures; pages are sent as text alone.")
        return True

    def is_cut_at(self, counted: int) -> bool:
        """Whether so many tokens are all that the endpoint reads of a prompt, as it was found out before. One that
        reads far more after all counts otherwise, as without what it has in its cache."""
        if self.cut_at is not None and counted > _CUT_AGAIN * self.cut_at:
            self.cut_at = None
        return self.cut_at is not None and counted >= self.cut_at

    def refuse_length(self, tokens: int) -> None:
        """Learns that a prompt of so many tokens, as they are estimated, is too long."""
        if self.smallest_refused is None or tokens < self.smallest_refused:
            self.smallest_refused = tokens
