import hashlib
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import UsageError, WeightsError
from extractor.models.local.catalog import (
    ModelFileState,
    Weights,
    build_model_table,
    check_gguf_file,
    find_models_folder,
    format_byte_count,
    installed_models_to_json,
    list_installed_models,
    locate_weights,
)
from extractor.models.local.known_models import CATALOGUE, CatalogModel

DATA = b"GGUF" + bytes(range(256)) * 4
MODEL = CatalogModel("tiny", "tiny.gguf", len(DATA), hashlib.sha256(DATA).hexdigest(), "MIT", "owner/tiny", "abc")


def gguf(version: int = 3, tensors: int = 1, pairs: int = 1, size: int = 500) -> bytes:
    head = b"GGUF" + version.to_bytes(4, "little") + tensors.to_bytes(8, "little") + pairs.to_bytes(8, "little")
    return head.ljust(size, b"\0")[:size]


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_the_catalogue_is_sound(model: CatalogModel) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert re.fullmatch(r"[0-9a-f]{40}", model.revision)
    assert Path(model.file).name == model.file
    assert sum(archive.size for archive in model.archives) in (model.size, 0)
    assert all(archive.size > 0 for archive in model.archives)
    assert len({archive.project for archive in model.archives}) == len(model.archives)


def test_the_names_files_and_digests_of_the_catalogue_are_all_different() -> None:
    for column in ("name", "file", "sha256"):
        assert len({getattr(model, column) for model in CATALOGUE}) == len(CATALOGUE)


def test_models_are_kept_in_the_folder_that_the_user_names_or_else_in_the_cache() -> None:
    assert find_models_folder({"EXTRACTOR_HOME": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a/models")
    assert find_models_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/extractor/models")
    assert find_models_folder({"XDG_CACHE_HOME": "b"}) == Path.home() / ".cache/extractor/models"
    assert find_models_folder({}) == Path.home() / ".cache/extractor/models"


def test_a_model_that_is_here_is_found_by_name(tmp_path: Path) -> None:
    (tmp_path / MODEL.file).write_bytes(DATA)
    found = locate_weights("tiny", tmp_path, [MODEL])
    assert found == Weights("tiny", tmp_path / "tiny.gguf", MODEL.sha256)
    assert found.digest == "sha256:" + MODEL.sha256


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not here; run `extractor models pull tiny`"):
        locate_weights("tiny", tmp_path / "none", [MODEL])


def test_a_half_downloaded_model_says_how_to_get_the_rest(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[: len(DATA) // 2])
    with pytest.raises(WeightsError, match=r"Only 50 % of model tiny is here; run `extractor models pull tiny`"):
        locate_weights("tiny", tmp_path, [MODEL])


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", DATA[:-1] + b"x", b""])
def test_a_file_that_is_not_the_model_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / MODEL.file).write_bytes(data)
    with pytest.raises(WeightsError, match="not what its digest says; run `extractor models pull tiny`"):
        locate_weights("tiny", tmp_path, [MODEL])


def test_a_model_that_is_changed_after_it_was_found_is_refused(tmp_path: Path) -> None:
    (tmp_path / MODEL.file).write_bytes(DATA)
    locate_weights("tiny", tmp_path, [MODEL])
    (tmp_path / MODEL.file).write_bytes(DATA[:-1] + b"x")
    with pytest.raises(WeightsError, match="digest"):
        locate_weights("tiny", tmp_path, [MODEL])


def test_an_unknown_name_brings_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"No model is called 'huge': there are tiny, and any GGUF file by its path\."
    ):
        locate_weights("huge", tmp_path, [MODEL])


def test_any_gguf_file_is_found_by_path_and_named_for_its_stem(tmp_path: Path) -> None:
    own = tmp_path / "my own.Q8.gguf"
    own.write_bytes(gguf())
    found = locate_weights(str(own), tmp_path / "home", [MODEL])
    assert found == Weights("my own.Q8", own, hashlib.sha256(gguf()).hexdigest())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a GGUF file"),
        (b"GGU", "not a GGUF file"),
        (b"PK\3\4" + bytes(100), "not a GGUF file"),
        (b"GGUF", "version 0"),
        (gguf(version=1), "version 1"),
        (gguf(version=3 << 24), "version"),  # written on a big-endian machine
        (gguf(size=20), "half there"),
        (gguf(tensors=0), "damaged"),
        (gguf(pairs=0), "damaged"),
        (gguf(tensors=1 << 60), "damaged"),
        (gguf(pairs=1 << 40), "damaged"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_refused_before_the_engine_sees_it(
    data: bytes, message: str, tmp_path: Path
) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(data)
    with pytest.raises(WeightsError, match=message):
        locate_weights(str(own), tmp_path)


@given(data=st.binary(max_size=60))
def test_checking_any_bytes_ends_well_or_with_one_sentence(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = tmp_path_factory.getbasetemp() / "any.gguf"
    own.write_bytes(b"GGUF\3\0\0\0" + data)
    try:
        check_gguf_file(own)
    except WeightsError as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no file"):
        locate_weights(str(tmp_path / "x.gguf"), tmp_path)
    with pytest.raises(WeightsError, match="is a folder"):
        locate_weights(str(tmp_path), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(gguf())
    own.chmod(0)
    with pytest.raises(WeightsError, match="cannot be read"):
        locate_weights(str(own), tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(WeightsError, match="There is no file"):
        locate_weights(str(tmp_path / "pipe.gguf"), tmp_path)


def test_the_status_tells_present_half_missing_and_wrong_apart(tmp_path: Path) -> None:
    models = [
        CatalogModel(name, f"{name}.gguf", len(DATA), MODEL.sha256, "MIT", "owner/tiny", "abc")
        for name in ("here", "half", "none", "fake")
    ]
    (tmp_path / "here.gguf").write_bytes(DATA)
    (tmp_path / "half.gguf.part").write_bytes(DATA[:7])
    (tmp_path / "fake.gguf").write_bytes(DATA[::-1])
    held = list_installed_models(tmp_path, models)
    assert [h.state for h in held] == [
        ModelFileState.PRESENT,
        ModelFileState.PARTIAL,
        ModelFileState.MISSING,
        ModelFileState.CORRUPT,
    ]
    assert [h.bytes_present for h in held] == [len(DATA), 7, 0, len(DATA)]
    assert [h.path.name for h in held] == ["here.gguf", "half.gguf", "none.gguf", "fake.gguf"]


def test_the_table_and_its_json_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[:7])
    held = list_installed_models(tmp_path, [MODEL])
    path = str(tmp_path / "tiny.gguf")
    assert build_model_table(held) == [
        ("model", "size", "licence", "memory", "measured", "state", "file"),
        ("tiny", "1.0 kB", "MIT", "1.0 GB", "yes", "half (7 B)", path),
    ]
    assert installed_models_to_json(held) == [
        {
            "name": "tiny",
            "size": 1028,
            "sha256": MODEL.sha256,
            "licence": "MIT",
            "memory": 1_000_001_028,
            "measured": True,
            "state": "half",
            "here": 7,
            "path": path,
        }
    ]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (98_362_432, "98 MB"),
        (1_117_320_768, "1.1 GB"),
        (10**11, "100 GB"),
    ],
)
def test_sizes_are_short(count: int, text: str) -> None:
    assert format_byte_count(count) == text


def test_looking_makes_nothing_but_the_memo_and_keeps_it_private(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(gguf())
    locate_weights(str(own), tmp_path / "home" / "models")
    made = tmp_path / "home" / "models"
    assert [path.name for path in made.iterdir()] == ["digests.json"]
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_weights_errors_are_usage_errors() -> None:
    assert issubclass(WeightsError, UsageError)
