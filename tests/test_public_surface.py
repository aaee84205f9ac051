"""What others build on does not change unseen."""

import pydoc
from pathlib import Path

from public_surface import MODULES, describe_surface

import extractor


def test_the_public_surface_is_as_it_was_written_down(repository: Path) -> None:
    written = (repository / "tests" / "public_surface.txt").read_text(encoding="utf-8")
    assert describe_surface() + "\n" == written, (
        "The public surface has changed. If that is meant, say so in CHANGELOG.md, and: "
        "python tests/public_surface.py > tests/public_surface.txt"
    )


def test_the_manual_names_every_public_module_and_name(repository: Path) -> None:
    manual = (repository / "docs" / "python.md").read_text(encoding="utf-8")
    assert not [name for name in (*MODULES, *extractor.__all__) if f"`{name}`" not in manual]


def test_help_tells_every_parameter() -> None:
    text = pydoc.plain(pydoc.render_doc(extractor.extract))
    for name in (
        "source",
        "schema",
        "name",
        "prompt",
        "accept",
        "only_proven",
        "timeout",
        "engine",
        "model",
        "base_url",
    ):
        assert f"{name}:" in text
    assert "api_key:" in text and "**" not in text
    engine = pydoc.plain(pydoc.render_doc(extractor.Engine))
    for name in ("model", "base_url", "api_key", "mode", "cassettes", "concurrency", "cache"):
        assert f"`{name}`" in engine
