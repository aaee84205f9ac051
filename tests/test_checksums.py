import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.models.local.checksums import DigestCache, compute_sha256


@given(data=st.binary(max_size=5000))
def test_a_digest_is_the_sha256_of_the_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("digest") / "file"
    file.write_bytes(data)
    assert compute_sha256(file) == hashlib.sha256(data).hexdigest()


def test_a_file_in_the_same_state_is_not_read_again(tmp_path: Path) -> None:
    file, digests = tmp_path / "file", DigestCache(tmp_path / "memo.json")
    file.write_bytes(b"one")
    digests.remember(file, "a" * 64)
    assert digests.find_digest(file) == "a" * 64  # which only the memo says


def test_a_changed_file_is_read_again_even_if_its_time_was_set_back(tmp_path: Path) -> None:
    file, digests = tmp_path / "file", DigestCache(tmp_path / "memo.json")
    file.write_bytes(b"one")
    before = file.stat()
    assert digests.find_digest(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert digests.find_digest(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"null", b'{"x": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_memo_costs_nothing_but_time(junk: bytes, tmp_path: Path) -> None:
    file, memo = tmp_path / "file", tmp_path / "memo.json"
    file.write_bytes(b"one")
    memo.write_bytes(junk)
    assert DigestCache(memo).find_digest(file) == hashlib.sha256(b"one").hexdigest()
    assert json.loads(memo.read_text())[str(file)][-1] == hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize("entry", [None, 3, [], ["x"], [1, 2, 3, "a" * 64], [3, "a" * 64]])
def test_a_memo_entry_of_another_form_is_not_believed(entry: object, tmp_path: Path) -> None:
    file, memo = tmp_path / "file", tmp_path / "memo.json"
    file.write_bytes(b"one")
    memo.write_text(json.dumps({str(file): entry}))
    assert DigestCache(memo).find_digest(file) == hashlib.sha256(b"one").hexdigest()


def test_a_memo_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    blocked = tmp_path / "file" / "memo.json"  # a file stands where its folder would be
    assert DigestCache(blocked).find_digest(file) == hashlib.sha256(b"one").hexdigest()
    assert list(tmp_path.iterdir()) == [file]


def test_two_files_keep_their_own_digests(tmp_path: Path) -> None:
    digests = DigestCache(tmp_path / "new folder" / "memo.json")
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_text(file.name)
    for _ in range(2):
        assert [digests.find_digest(file) for file in files] == [hashlib.sha256(n.encode()).hexdigest() for n in "ab"]
    assert set(json.loads(digests.memo_file.read_text())) == {str(file) for file in files}
