"""A model's traits as they are known without asking it: by its name, by what a library keeps of it, by default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from extractor.errors import UsageError
from extractor.models.price_library import find_library_model, is_own_address, name_library, strip_model_name
from extractor.models.settings import ModelSettings
from extractor.models.traits import SMALL, STRONG, ModelClass, ModelTraits
from extractor.types import Json, Vision

SMALL_BELOW = 4.0
"""Thousand millions of parameters below which a model is small, where its name says how many it has."""
OWN_SERVER_WINDOW, OWN_SERVER_OUTPUT = 32_768, 8_192
"""Tokens that a server of one's own is taken to read and write. What it was started with decides, not the model, and
it can't be known without asking; a document that does not fit is cut, and one too long for the server cut smaller."""
_LARGEST_SHARE = 3
"""A reply takes one part in so many of the window at most, or nothing would be left to be read."""
_PARAMETERS = re.compile(r"(?<![a-z0-9.])(?:(\d+)x)?e?(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])")


def find_traits(name: str, base_url: str | None) -> ModelTraits:
    """The traits of an endpoint's model. A name that tells nothing, such as a deployment's, gives the default."""
    family = _find_family(strip_model_name(name))
    size = read_parameter_count(name)
    is_small = family.get("class") == "small" or (size is not None and size < SMALL_BELOW)
    traits = _find_limits(name, base_url, family, STRONG)
    if is_small:
        by_class = {"class": "name", "window": SMALL.source, "max_output": SMALL.source}
        traits = replace(SMALL, model_class=ModelClass.SMALL, sources=by_class)
    return replace(
        traits,
        name=name,
        thinks=family.get("thinks"),
        refuses=frozenset(family.get("refuses", ())),
        sees=family.get("sees"),
        gives_probabilities=family.get("gives_probabilities"),
    )


def _find_limits(name: str, base_url: str | None, family: Mapping[str, Json], traits: ModelTraits) -> ModelTraits:
    """The traits with the window and the longest reply that are known; on a server of one's own not beyond its own."""
    sources: dict[str, str] = {}
    library = find_library_model(name, base_url)
    own = base_url is not None and library is None and is_own_address(base_url)
    window, output = (OWN_SERVER_WINDOW, OWN_SERVER_OUTPUT) if own else (traits.window, traits.max_output)
    if library is not None and library.window:
        window, sources["window"] = library.window, name_library()
    elif "window" in family and (not own or family["window"] < window):
        window, sources["window"] = family["window"], "name"
    if "max_output" in family and (not own or family["max_output"] < output):
        output, sources["max_output"] = family["max_output"], "name"
    return replace(traits, window=window, max_output=min(output, window // _LARGEST_SHARE), sources=sources)


def read_parameter_count(name: str) -> float | None:
    """Thousand millions of parameters that a name tells: 1.5 of "qwen2.5-1.5b", 56 of "mixtral-8x7b", 0.135 of "135M".

    Of several the largest: a model of experts tells those that are active, too. None where it tells none.
    """
    found = []
    for experts, number, unit in _PARAMETERS.findall(name.lower().replace("_", "-")):
        if unit == "m" and len(number) < 2:
            continue  # "-1m" is a window
        found.append(int(experts or 1) * float(number) * (1.0 if unit == "b" else 0.001))
    return max(found, default=None)


def _find_family(bare: str) -> Mapping[str, Json]:
    families = _load_families()
    return next((one for one in families if any(fnmatchcase(bare, pattern) for pattern in one["names"])), {})


@cache
def _load_families() -> tuple[Mapping[str, Json], ...]:
    file = Path(__file__).parent / "families.toml"
    return tuple(tomllib.loads(file.read_text(encoding="utf-8"))["family"])


def override_traits(traits: ModelTraits, said: ModelSettings) -> ModelTraits:
    """The traits with what a user says of them. Raises UsageError where nothing would be left to be read."""
    sources = dict(traits.sources)
    if said.model_class is not None and said.model_class is not traits.model_class:
        usual = SMALL if said.model_class is ModelClass.SMALL else STRONG
        traits = replace(traits, model_class=usual.model_class, window=usual.window, max_output=usual.max_output)
        sources = {"window": "class", "max_output": "class"}
    if said.window is not None:
        traits = replace(traits, window=said.window, max_output=min(traits.max_output, said.window // _LARGEST_SHARE))
    if said.max_output is not None:
        traits = replace(traits, max_output=said.max_output)
    if traits.max_output >= traits.window:
        raise UsageError(
            f"max_output {traits.max_output:,} leaves nothing to be read of the {traits.window:,} tokens that "
            f"{traits.name or 'the model'} is taken to have as its window; lower it, or set window."
        )
    named = {"class": said.model_class, "window": said.window, "max_output": said.max_output}
    told = {name: "user" for name, value in named.items() if value is not None}
    return replace(traits, sources={**sources, **told})


def share_vision(wanted: Iterable[Vision]) -> Vision:
    """Which pages are shown where several models are asked about one reading of a document: those that all may see."""
    return min(wanted, key=[Vision.NEVER, Vision.AUTO, Vision.ALWAYS].index)


def choose_vision(traits: ModelTraits, said: ModelSettings) -> Vision:
    """Which pages a model is shown as pictures, too: none, where nobody says so and it is not known to see."""
    vision = Vision(said.vision or Vision.AUTO)
    return Vision.NEVER if vision is Vision.AUTO and not traits.sees else vision
