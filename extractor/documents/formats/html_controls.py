"""What the controls of a form show: the option that is chosen, what is filled in, which boxes are ticked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_FILLED = frozenset(
    ("", "text", "search", "tel", "url", "email", "number", "date", "datetime-local", "month", "week", "time", "range")
)
_LABELLED = frozenset(("submit", "reset", "button"))
_SIGNS = {("checkbox", True): "☑", ("checkbox", False): "☐", ("radio", True): "●", ("radio", False): "○"}
"""What a box and a button of several look like, chosen or not."""
_NOT_SHOWN = frozenset(("hidden", "password", "file", "color", "image"))


class Shown(NamedTuple):
    """Words that a control shows, and where they stand: the attribute of an element, or else its text or tag."""

    words: str
    node: Any
    attribute: str = ""


def show_input(node: Any) -> Shown | None:
    """What an `input` shows; None where it shows nothing that was filled in."""
    attributes = node.attrs or {}
    kind = (attributes.get("type") or "").strip().lower()
    if kind in ("checkbox", "radio"):
        return Shown(_SIGNS[kind, "checked" in attributes], node)
    value = attributes.get("value") or ""
    if kind in _NOT_SHOWN or not value.strip():
        return None
    return Shown(value, node, "value")


def show_select(node: Any) -> Iterator[Shown]:
    """The options of a `select` that are seen: the one that is chosen, or in a list all of them with their boxes."""
    attributes = node.attrs or {}
    options = [option for option in _walk(node) if option.name == "option"]
    chosen = [option for option in options if "selected" in (option.attrs or {})]
    size = (attributes.get("size") or "").strip()
    if "multiple" in attributes or (size.isdigit() and int(size[:4]) > 1):
        for option in options:
            yield Shown(_SIGNS["checkbox", option in chosen], option)
            yield _show_option(option)
    elif options:
        free = [option for option in options if "disabled" not in (option.attrs or {})]
        yield _show_option(chosen[-1] if chosen else (free or options)[0])


def _show_option(option: Any) -> Shown:
    label = (option.attrs or {}).get("label") or ""
    return Shown(label, option, "label") if label.strip() else Shown("", option)


def _walk(node: Any) -> Iterator[Any]:
    stack = [node]
    while stack:
        inner = stack.pop()
        yield inner
        stack += reversed(getattr(inner, "children", None) or ())
