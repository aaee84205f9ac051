"""A model that is an object of the caller's: its name, its traits, and which settings it takes."""

from __future__ import annotations

from dataclasses import replace

from extractor.errors import UsageError
from extractor.models.known_traits import override_traits
from extractor.models.settings import ModelSettings
from extractor.models.traits import STRONG, ModelTraits
from extractor.types import Model

OWN_MODEL_SETTINGS = ("class", "window", "max_output", "document_deadline", "vision")
"""Settings of a model that is an object of the caller's."""


def find_own_traits(model: Model, said: ModelSettings) -> ModelTraits:
    """The traits of a model of the caller's own: what settings say of it; it sees if its attribute `sees` says so."""
    known = replace(STRONG, name=name_own_model(model), sees=getattr(model, "sees", None) is True)
    return override_traits(known, said)


def name_own_model(model: Model) -> str:
    """Its attribute `name`, or its class's name."""
    return str(getattr(model, "name", None) or type(model).__name__)


def check_own_model_settings(said: ModelSettings) -> None:
    """Raises UsageError for settings that are of an endpoint, which an object of the caller's has not."""
    if foreign := [one for one in said.list_said() if one not in OWN_MODEL_SETTINGS]:
        taken = ", ".join(OWN_MODEL_SETTINGS)
        raise UsageError(f"{foreign[0]} is of an endpoint, and a model of your own has none; it takes {taken}.")
