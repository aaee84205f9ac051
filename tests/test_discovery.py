import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.documents.discovery import MAX_TEXT_BYTES, Source, find_sources, load_document, read_source
from extractor.errors import DocumentError, UsageError

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda t: t.strip("\ufeff").strip()
)


@given(texts)
def test_every_character_is_kept(text: str) -> None:
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / "extractor-test-documents"
    folder.mkdir(exist_ok=True)
    path = folder / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_document(path).text == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (bytes(range(256)), "binary"),
        (b"%PDF-1.4\0\1\2", "broken"),  # what it holds counts, not what it is called
        (b"x" * (MAX_TEXT_BYTES + 1), "too large"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_a_word_to_count(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(DocumentError) as error:
        load_document(path)
    assert error.value.reason == reason
    assert "a.txt" in str(error.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(DocumentError, match="no regular file"):
        load_document(tmp_path / "a.txt")


def test_a_folder_is_walked_in_order_and_what_is_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/z.txt", "a.md", "c.exe", ".hidden.txt"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.md")
    found = find_sources([tmp_path])
    assert [(s.path.name, s.refused is None) for s in found] == [
        ("a.md", True),
        ("c.exe", False),
        ("link.txt", False),
        ("z.txt", True),
    ]
    with pytest.raises(DocumentError, match=r"c\.exe: files of kind \.exe"):
        read_source(found[1])


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    assert list(find_sources([tmp_path, tmp_path / "a.txt"])) == [Source(tmp_path / "a.txt")]


def test_a_path_that_is_not_there_and_a_folder_without_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        find_sources([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="holds no file"):
        find_sources([tmp_path])
