"""Gold files are read whole or refused with a sentence that says what to do."""

import json

import pytest

from extractor.errors import UsageError
from extractor.evaluation.gold import Gold, fingerprint_golds, load_gold_file, load_gold_folder


def write(folder, name="a.json", **more):
    path = folder / name
    path.write_text(json.dumps({"document": "a.txt", "record": {"x": 1}} | more), encoding="utf-8")
    return path


def test_all_that_a_gold_file_says_is_read(tmp_path):
    path = write(
        tmp_path, optional=["/x"], accept={"/x": [2, None]}, spans={"/x": [[0, 2], [5, 6]]}, note="seen twice", by="me"
    )
    assert load_gold_file(path) == Gold(
        "a.txt", {"x": 1}, frozenset({"/x"}), {"/x": (2, None)}, {"/x": ((0, 2), (5, 6))}, "a.json", ("by", "note")
    )


def test_a_folder_is_read_by_name_and_other_files_are_left_alone(tmp_path):
    write(tmp_path, "b.json", document="b.txt")
    write(tmp_path, "a.json")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "old.json").mkdir()
    assert [gold.document for gold in load_gold_folder(tmp_path)] == ["a.txt", "b.txt"]


def test_a_byte_order_mark_is_not_a_fault(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"document": "a.txt", "record": {}}')
    assert load_gold_file(path).document == "a.txt"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b'{"document": "a.txt", "record": {"x": 1}', "not JSON"),
        (b'{"document": "a.txt", "record": {"x": NaN}}', "NaN"),
        (b'{"document": "a.txt", "record": {"x": -Infinity}}', "Infinity"),
        (b'{"document": "a.txt", "record": {"x": 1, "x": 2}}', 'key "x" stands twice'),
        (b'{"document": "a.txt", "record": {"x": %s}}' % (b"9" * 5000), "not JSON"),
        (b'{"document": "a.txt", "record": %s1%s}' % (b'{"x":' * 100_000, b"}" * 100_000), "nested too deeply"),
        (b'{"document": "a.txt", "record": "\xff"}', "UTF-8"),
        (b"[]", "object"),
        (b'{"record": {}}', "document"),
        (b'{"document": "", "record": {}}', "document"),
        (b'{"document": "a.txt"}', "record"),
        (b'{"document": "a.txt", "record": []}', "record"),
        (b'{"document": "a.txt", "record": {}, "optional": {"/x": 1}}', "optional"),
        (b'{"document": "a.txt", "record": {}, "accept": {"/x": "y"}}', "accept"),
        (b'{"document": "a.txt", "record": {}, "spans": {"/x": [[2, 1]]}}', "spans"),
        (b'{"document": "a.txt", "record": {}, "spans": {"/x": [[0, true]]}}', "spans"),
    ],
)
def test_a_file_that_is_no_gold_is_refused_by_name(tmp_path, content, words):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UsageError, match=words) as caught:
        load_gold_folder(tmp_path)
    assert "a.json" in str(caught.value)


def test_a_folder_without_gold_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no \.json file"):
        load_gold_folder(tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        load_gold_folder(tmp_path / "gone")


def test_the_digest_depends_on_all_that_scores_depend_on_and_on_nothing_else():
    gold = Gold("a", {"x": 1}, frozenset({"/x"}), {"/x": (2,)}, {"/x": ((0, 1),)})
    other = Gold("b", {})
    assert fingerprint_golds([gold, other]) == fingerprint_golds([other, gold])
    assert (
        gold.fingerprint == Gold("a", {"x": 1}, gold.optional, gold.accept, gold.spans, "f.json", ("note",)).fingerprint
    )
    changed = [
        Gold("c", gold.record, gold.optional, gold.accept, gold.spans),
        Gold("a", {"x": 2}, gold.optional, gold.accept, gold.spans),
        Gold("a", gold.record, frozenset(), gold.accept, gold.spans),
        Gold("a", gold.record, gold.optional, {}, gold.spans),
        Gold("a", gold.record, gold.optional, gold.accept, {}),
    ]
    assert len({one.fingerprint for one in [gold, *changed]}) == 6
