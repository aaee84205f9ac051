"""What is known of a model that decides how it is asked and how its answers are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class ModelClass(StrEnum):
    """How far a model's answers carry: which fitted weights turn findings into confidence."""

    SMALL = "small"
    """Up to some 3 B parameters: copies badly, invents, and is better with one group of fields at a time."""
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
    """How they are known: by default, by the model's name, or given by the user."""
    name: str = ""
    """The model's name, by which its own measured share of right leaves is known."""

    @property
    def asks_whole(self) -> bool:
        """Whether one request asks for the whole record of as much of the document as fits."""
        return self.model_class is ModelClass.STRONG

    @property
    def repairs_values(self) -> bool:
        """Whether the document's own spelling replaces what the model copied: small models copy badly."""
        return self.model_class is ModelClass.SMALL


STRONG = ModelTraits()
SMALL = ModelTraits(ModelClass.SMALL, 8_192, 2_400, "class")


def traits_of(name: str, *, small: bool) -> ModelTraits:
    """The traits of a model by its name: an embedded one is small, what an endpoint has is taken for strong."""
    return replace(SMALL if small else STRONG, name=name)
