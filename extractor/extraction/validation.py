"""Record -> problems: what a person should look at before trusting it. One small function per rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from extractor.extraction.fitting import NOT_IN_SCHEMA
from extractor.models.traits import ModelClass, ModelTraits
from extractor.types import Json, Problem, RejectedValue

CHECKED_FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Formats that a record is held to; of others (uri, date-time) a document's own spelling may stand."""
MAX_MESSAGE_LENGTH = 200
"""Characters of a message; jsonschema's quote the whole value."""


def check_rejected(rejected: Sequence[RejectedValue], traits: ModelTraits) -> tuple[Problem, ...]:
    """A problem where values were left out that may be right: the document has their words, or the model is strong.

    What a small model says without words is mostly invented, and is left out without a problem; so is what any model
    says without words under a name of its own, such as its thoughts.
    """
    strong = traits.model_class is ModelClass.STRONG
    found = [
        r for r in rejected if (strong and r.reason != NOT_IN_SCHEMA) or (r.evidence is not None and r.evidence.spans)
    ]
    if not found:
        return ()
    many = f"{len(found)} values that the model gave were" if len(found) > 1 else "A value that the model gave was"
    return (Problem("left out", (), f"{many} left out and may be right; see what was rejected."),)


def validate_record(
    value: Mapping[str, Json], model: type[BaseModel] | None, source: Mapping[str, Json]
) -> tuple[Problem, ...]:
    """What the task's own Pydantic class, or else its JSON Schema, says of the finished record.

    They have the last word: every bound that no question could carry, and every validator, holds here.
    """
    return tuple(_validate_by_class(value, model) if model else _validate_by_schema(value, source))


def _validate_by_class(value: Mapping[str, Json], model: type[BaseModel]) -> Iterator[Problem]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            yield Problem("schema", tuple(problem["loc"]), problem["msg"])


def _validate_by_schema(value: Mapping[str, Json], source: Mapping[str, Json]) -> Iterator[Problem]:
    from referencing.exceptions import Unresolvable

    try:
        found = sorted(
            build_validator(source).iter_errors(value), key=lambda e: [str(step) for step in e.absolute_path]
        )
    except Unresolvable as error:
        yield Problem("schema", (), f"The schema refers to {error}, which is not there; the record was not validated.")
        return
    for wrong in found:
        yield Problem("schema", tuple(wrong.absolute_path), _shorten_message(wrong.message))


def build_validator(source: Mapping[str, Json]) -> Any:
    """The validator of a JSON Schema, in the draft that it names, which reaches for nothing outside it."""
    # 0.1 s of imports that only a task with a JSON Schema should wait for
    from jsonschema import Draft202012Validator, FormatChecker, validators
    from referencing import Registry

    draft = validators.validator_for(source, default=Draft202012Validator)
    return _with_exact_multiples(draft)(source, registry=Registry(), format_checker=FormatChecker(CHECKED_FORMATS))


@cache
def _with_exact_multiples(draft: Any) -> Any:
    """The draft's validator; its class takes a millisecond to make."""
    from jsonschema import validators

    return validators.extend(draft, {"multipleOf": _check_multiple})


def _check_multiple(judge: Any, step: Json, value: Json, schema: Mapping[str, Json]) -> Iterator[Exception]:
    """As fractions of what is written: in binary 635.44 is no multiple of 0.01."""
    from jsonschema import ValidationError as Wrong

    if judge.is_type(value, "number") and _as_fraction(value) % _as_fraction(step):
        yield Wrong(f"{value!r} is not a multiple of {step!r}")


def _as_fraction(number: int | float) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _shorten_message(message: str) -> str:
    return (
        message
        if len(message) <= MAX_MESSAGE_LENGTH
        else f"{message[: MAX_MESSAGE_LENGTH // 2]} ... {message[-MAX_MESSAGE_LENGTH // 2 :]}"
    )
