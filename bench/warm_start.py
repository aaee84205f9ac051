"""What a kept engine saves: one document asked a second, other question, cold and warm, by the engine's own seconds.

    python bench/warm_start.py [--model NAME]

Another document is asked about in between. Needs the model's file; an engine that is kept already is ended.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ASKED, BETWEEN = "003_257b105e8ce406de.txt", "004_eda485c0ac17a2d1.txt"
FIRST = {"name": "full name of the person", "position": "present job"}
SECOND = {"affiliation": "institution where the person is now", "degree": "the latest degree"}


def schema(fields: dict[str, str]) -> dict[str, Any]:
    texts = {name: {"type": ["string", "null"], "description": about} for name, about in fields.items()}
    return {"type": "object", "properties": texts}


def command(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "extractor", *map(str, words)], check=False, cwd=ROOT, capture_output=True)


def run(folder: Path, sample: str, fields: dict[str, str], model: str) -> dict[str, Any]:
    """The result of one document."""
    out = Path(tempfile.mkdtemp(dir=folder))
    (folder / "asked.json").write_text(json.dumps(schema(fields)))
    document = ROOT / "eval" / "samples" / sample
    command("run", document, "--schema", folder / "asked.json", "--model", model, "--no-cache", "--quiet", "-o", out)
    return dict(json.loads((out / sample).with_suffix(".json").read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    model = parser.parse_args().model
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        command("engine", "stop")
        cold = run(folder, ASKED, SECOND, model)
        command("engine", "start", "--model", model)
        try:
            run(folder, ASKED, FIRST, model)
            run(folder, BETWEEN, FIRST, model)
            warm = run(folder, ASKED, SECOND, model)
        finally:
            command("engine", "stop")
    before, after = cold["usage"]["seconds"], warm["usage"]["seconds"]
    same = "the same record" if cold["record"] == warm["record"] else "another record"
    print(f"cold {before:.1f} s, warm {after:.1f} s: {after / before:.3f}, {same}")


if __name__ == "__main__":
    main()
