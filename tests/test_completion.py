"""`extractor completion`, as shells read it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from extractor.cli.completion import SHELLS
from extractor.cli.main import main


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_one_that_its_shell_can_read(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "only-proven" in script
    if shell == "powershell" or shutil.which(shell) is None:
        return
    (tmp_path / "script").write_text(script)
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["extractor", "gro"], {"ground"}),
        (["extractor", "run", "--doc"], {"--document-timeout"}),
        (["extractor", "schema", "in"], {"init"}),
        (["extractor", "run", "--mode", "re"], {"record", "replay"}),
        (["extractor", "run", "-o", "tabl"], {"tables"}),
        (["extractor", "ground", "tabl"], {"tables", "tables.csv"}),
    ],
)
def test_bash_offers_what_fits(
    words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables.csv").touch()
    assert main(["completion", "bash"]) == 0
    asks = f"""
COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
$(complete -p extractor | sed 's/.*-F \\([^ ]*\\).*/\\1/') extractor {words[-1]} {words[-2]}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    (tmp_path / "script").write_text(capsys.readouterr().out + asks)
    said = subprocess.run(["bash", "script"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert {word.strip().rstrip("/") for word in said.stdout.splitlines()} == offered
