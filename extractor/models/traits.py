"""What is known of a model that decides how it is asked and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from extractor.types import Json


class ModelClass(StrEnum):
    """How far a model's answers carry: which fitted weights turn findings into confidence."""

    SMALL = "small"
    """Fewer than 4 B parameters: copies badly, invents, and is better with one group of fields at a time."""
    STRONG = "strong"
    """What people reach over an endpoint: asked once for the whole record of a whole document."""


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """The traits of one model."""

    model_class: ModelClass = ModelClass.STRONG
    window: int = 128_000
    """Tokens that it reads in one request, at least; a document that fits is asked about once."""
    max_output: int = 16_000
    """Tokens that it writes in one reply, at most."""
    source: str = "default"
    """How they are known: by default, by the model's class, by its name, or given by the user."""
    name: str = ""
    """The model's name, by which its own measured share of right leaves is known."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Of the traits that are known in another way than `source` says: by whom."""
    thinks: bool | None = None
    """Whether it reasons before it answers, which counts against the tokens of its reply; None: not known."""
    refuses: frozenset[str] = frozenset()
    """Parameters of a request that it is known not to take, such as temperature; what else it refuses, a run learns."""
    sees: bool | None = None
    """Whether it reads pictures, too."""
    gives_probabilities: bool | None = None
    """Whether it tells how likely each token of its reply was."""

    @property
    def asks_whole(self) -> bool:
        """Whether one request asks for the whole record of as much of the document as fits."""
        return self.model_class is ModelClass.STRONG

    def describe_sources(self) -> Json:
        """How they are known, as a manifest has it: a word, or one for each."""
        told = ("class", "window", "max_output")
        return {one: self.sources.get(one, self.source) for one in told} if self.sources else self.source

    @property
    def repairs_values(self) -> bool:
        """Whether the document's own spelling replaces what the model copied: small models copy badly."""
        return self.model_class is ModelClass.SMALL


STRONG = ModelTraits()
SMALL = ModelTraits(ModelClass.SMALL, 8_192, 2_400, "class")
