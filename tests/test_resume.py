"""What a later run in the same folder asks again, and what it leaves as it is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import unicodedata
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.documents.discovery import Source, find_sources
from extractor.errors import MachineError, ModelBusy, UsageError
from extractor.extraction.prompt import Prompt, Strategy
from extractor.extraction.task import Task
from extractor.models.client_options import ClientOptions, Mode
from extractor.models.endpoint import Endpoint
from extractor.models.session import ModelSession
from extractor.results.outcome import DocumentOutcome, RunOutcomes
from extractor.runs.document import DocumentExtractor
from extractor.runs.executor import read_unchanging_document
from extractor.runs.filenames import FilenameRegistry
from extractor.runs.job import Job
from extractor.runs.journal import JOURNAL_FILE, Journal, JournalEntry, parse_journal_line
from extractor.runs.lock import hold_folder_lock
from extractor.runs.output_folder import prepare_output_folder
from extractor.runs.runner import compute_exit_code, run_job
from extractor.runs.source_state import observe_source
from extractor.schema.reader import read_schema
from extractor.testing import ScriptedModel
from extractor.types import Json, Model, Request, Status, Usage

SCHEMA = read_schema({"type": "object", "properties": {"title": {"type": "string"}}})
PROMPT = Prompt("p", "s", "{document}{question}", {}, Strategy())
MANIFEST = {"extractor": "1", "model": {"name": "m"}, "prompt": {"fingerprint": "p"}, "schema": {"fingerprint": "s"}}


class Folder:
    """Documents, where their results go, and runs over them."""

    def __init__(self, root: Path) -> None:
        self.papers, self.out = root / "in", root / "out"
        self.model = ScriptedModel(self.answer, usage=Usage(1, 1, 1, 0.0))
        self.is_busy = True
        self.papers.mkdir()
        self.out.mkdir()
        self.job = self.build_job()

    async def answer(self, request: Request) -> Json:
        """Says "word", but of a document that says busy nothing while `is_busy`."""
        if "busy" in request.user and self.is_busy:
            raise ModelBusy("come back later")
        if "sleep" in request.user:
            await asyncio.sleep(60)
        return {"title": "word"}

    def build_job(
        self,
        *,
        model: Model | None = None,
        mode: Mode = Mode.LIVE,
        concurrency: int = 2,
        manifest: Mapping[str, Json] = MANIFEST,
        document_timeout: float | None = None,
        **how: Any,
    ) -> Job:
        """A job of the folder; cassettes are in its parent."""
        options = ClientOptions(mode, self.out.parent / "cassettes", concurrency)
        session = ModelSession(Endpoint("", "m", "none"), options, own_model=model or self.model)
        task = Task("t", SCHEMA, {})
        extractor = DocumentExtractor(task, PROMPT, session, manifest, document_timeout=document_timeout)
        return Job(extractor, self.out, **how)

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.papers / f"{name}.txt").write_text(text, encoding="utf-8")

    def run(self, paths: Sequence[Path] | None = None, **how: Any) -> RunOutcomes:
        self.model.requests.clear()
        return asyncio.run(run_job(self.build_job(**how), find_sources(paths or [self.papers])))

    def bytes(self) -> dict[str, bytes]:
        return {f.name: f.read_bytes() for f in sorted(self.out.iterdir())}

    @property
    def asked(self) -> dict[str, int]:
        """How often each document was asked about in the last run."""
        return dict(Counter(request.label.split()[0] for request in self.model.requests))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write(a="word", b="another word", c="a third word")
    return made


def said(outcomes: RunOutcomes) -> str:
    return " ".join(outcomes.notes)


def test_a_finished_run_asks_nothing_again_and_changes_no_byte(folder: Folder) -> None:
    folder.run()
    before = folder.bytes()
    again = folder.run()
    assert folder.asked == {}
    assert folder.bytes() == before
    assert [o.status for o in again] == [Status.COMPLETE] * 3
    assert again.tally.kept == 3
    assert "3 results of an earlier run kept" in said(again)


def test_journal_and_run_list_documents_in_the_order_of_the_sources(folder: Folder) -> None:
    folder.run(concurrency=3)
    lines = [json.loads(line) for line in (folder.out / JOURNAL_FILE).read_text().splitlines()]
    assert [line.get("name") for line in lines] == [None, "a.txt", "b.txt", "c.txt"]
    run = json.loads((folder.out / "run.json").read_text())
    assert [d["name"] for d in run["documents"]] == ["a.txt", "b.txt", "c.txt"]
    assert run["counts"] == {"complete": 3, "pending": 0}
    assert run["usage"]["requests"] == 3


@pytest.mark.fault(40)
def test_a_changed_document_is_done_again_alone_and_that_is_said(folder: Folder) -> None:
    folder.run()
    folder.write(b="a new word")
    again = folder.run()
    assert folder.asked == {"b.txt": 1}
    assert json.loads((folder.out / "b.json").read_text())["document"]["text"] == "a new word"
    assert "1 result done again, since the document has changed" in said(again)


def test_a_file_whose_bytes_changed_and_whose_text_did_not_is_kept(folder: Folder) -> None:
    folder.run()
    (folder.papers / "a.txt").write_bytes("\ufeffword".encode())
    before = (folder.out / "a.json").read_bytes()
    folder.run()
    assert folder.asked == {}
    assert (folder.out / "a.json").read_bytes() == before


@pytest.mark.parametrize("what", ["model", "prompt", "schema"])
def test_another_model_prompt_or_schema_asks_everything_again(folder: Folder, what: str) -> None:
    folder.run()
    again = folder.run(manifest={**MANIFEST, what: {"name": "other"}})
    assert len(folder.asked) == 3
    assert "3 results done again, since schema, prompt, model or parameters have changed" in said(again)


def test_a_new_version_of_extractor_asks_nothing_again(folder: Folder) -> None:
    folder.run()
    folder.run(manifest={**MANIFEST, "extractor": "2", "versions": {"openai": "9"}})
    assert folder.asked == {}


@pytest.mark.parametrize("harm", ["gone", "cut", "altered", "link"])
def test_a_result_file_that_is_not_as_it_was_written_is_made_again(folder: Folder, harm: str, tmp_path: Path) -> None:
    folder.run()
    file = folder.out / "b.json"
    whole = file.read_bytes()
    match harm:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(whole[:-20])
        case "altered":
            file.write_bytes(whole.replace(b"word", b"verb"))
        case "link":
            shutil.move(file, tmp_path / "elsewhere.json")
            file.symlink_to(tmp_path / "elsewhere.json")
    again = folder.run()
    assert folder.asked == {"b.txt": 1}
    assert file.read_bytes() == whole and not file.is_symlink()
    assert "1 result done again, since the file was missing or not as it was written" in said(again)


def test_failed_documents_are_asked_again_when_that_is_wanted(folder: Folder) -> None:
    folder.write(b="busy")
    first = folder.run()
    assert [o.status for o in first] == [Status.COMPLETE, Status.INCOMPLETE, Status.COMPLETE]
    kept = folder.run()
    assert folder.asked == {}
    assert "--retry-failed asks these again" in said(kept)
    folder.is_busy = False
    again = folder.run(retry_failed=True)
    assert folder.asked == {"b.txt": 1}
    assert compute_exit_code(again) == 0


def test_fresh_asks_everything_and_gives_the_same_bytes(folder: Folder) -> None:
    folder.run()
    before = folder.bytes()
    folder.run(fresh=True)
    assert len(folder.asked) == 3
    assert folder.bytes() == before


def test_what_tapes_answer_is_played_each_time_and_not_taken_for_live(folder: Folder) -> None:
    folder.run(mode=Mode.REPLAY)
    folder.run(mode=Mode.REPLAY)
    assert len(folder.asked) == 3
    folder.run()
    assert len(folder.asked) == 3


def test_where_tapes_are_recorded_a_result_without_its_tape_is_recorded_again(folder: Folder) -> None:
    folder.run()
    for name in ("a", "c"):
        cassette = folder.job.extractor.find_cassette(f"{name}.txt")
        cassette.parent.mkdir(parents=True, exist_ok=True)
        cassette.touch()
    again = folder.run(mode=Mode.RECORD)
    assert folder.asked == {"b.txt": 1}
    assert "no cassette" in said(again)


def test_results_of_documents_that_are_gone_are_named_and_left(folder: Folder) -> None:
    folder.run()
    (folder.papers / "b.txt").unlink()
    again = folder.run()
    assert (folder.out / "b.json").exists()
    assert "Left as they were, of documents that were not in this run: b.json" in said(again)
    assert [o.name for o in again] == ["a.txt", "c.txt"]
    folder.write(b="another word")
    folder.run()
    assert folder.asked == {}, "and when it is back, its result still holds"


def test_a_newcomer_of_the_same_name_takes_no_result_away(folder: Folder) -> None:
    folder.run()
    (folder.papers / "a.md").write_text("word of the newcomer")
    again = folder.run()
    assert folder.asked == {"a.md": 1}
    assert len({o.file for o in again}) == 4
    assert json.loads((folder.out / "a.json").read_text())["document"]["name"] == "a.txt"


def test_a_folder_of_documents_that_was_moved_asks_nothing_again(folder: Folder, tmp_path: Path) -> None:
    folder.run()
    moved = tmp_path / "moved"
    folder.papers.rename(moved)
    folder.run([moved])
    assert folder.asked == {}


def test_a_document_is_cut_off_at_its_deadline_and_keeps_what_was_answered(folder: Folder) -> None:
    folder.write(b="sleep")
    ended = folder.run(document_timeout=0.3)
    assert [o.status for o in ended] == [Status.COMPLETE, Status.INCOMPLETE, Status.COMPLETE]
    failure = json.loads((folder.out / "b.json").read_text())["failures"][0]
    assert failure["reason"] == "deadline"
    assert "--document-timeout" in failure["message"]
    assert ended[1].usage == Usage(1, None, None, None), "it may have been billed; nobody knows"


def test_a_document_that_nobody_foresaw_costs_itself_however_many_there_are(folder: Folder) -> None:
    def answer(request: Request) -> Json:
        if request.label.split()[0] in bad:
            raise ZeroDivisionError("secret words of the document")
        return {"title": "word"}

    broken = ScriptedModel(answer)
    bad = {"b.txt"}
    ended = folder.run(model=broken)
    assert [o.status for o in ended] == [Status.COMPLETE, Status.FAILED, Status.COMPLETE]
    assert "ZeroDivisionError" in ended[1].message and "secret" not in ended[1].message
    bad = {"a.txt", "b.txt", "c.txt"}
    assert [o.status for o in folder.run(model=broken, fresh=True)] == [Status.FAILED] * 3


def test_lines_of_one_file_are_documents_of_their_own(folder: Folder) -> None:
    file = folder.papers / "refs.jsonl"
    rows = [json.dumps({"id": f"doc-{i}", "text": f"word {i}"}) for i in range(3)]
    file.write_text("\n".join(rows))
    folder.run([file])
    assert len(folder.asked) == 3
    before = folder.bytes()
    folder.run([file])
    assert folder.asked == {} and folder.bytes() == before
    file.write_text("\n".join([rows[0], json.dumps({"id": "doc-1", "text": "another word"}), rows[2]]))
    folder.run([file])
    assert list(folder.asked) == ["doc-1"]


def test_a_new_layout_of_the_same_words_is_read_anew(folder: Folder) -> None:
    page = folder.papers / "page.html"
    page.write_text("<p>word</p>")
    folder.run([page])
    page.write_text("<div><p>word</p></div>")
    folder.run([page])
    assert folder.asked == {"page.html": 1}


# the journal itself


@pytest.mark.fault(31)
@pytest.mark.parametrize("cut", [1, 5, 60])
def test_a_torn_last_line_costs_its_document_only(folder: Folder, cut: int) -> None:
    folder.run()
    journal = folder.out / JOURNAL_FILE
    before = folder.bytes()
    journal.write_bytes(journal.read_bytes()[:-cut])
    again = folder.run()
    assert folder.asked == {"c.txt": 1}
    assert "was torn" in said(again)
    assert folder.bytes() == before


@pytest.mark.fault(31)
def test_a_damaged_line_costs_its_document_only(folder: Folder) -> None:
    folder.run()
    journal = folder.out / JOURNAL_FILE
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], b"\x00\xffgarbage\n", *lines[3:]]))
    again = folder.run()
    assert folder.asked == {"b.txt": 1}
    assert "1 lines of" in said(again)


@pytest.mark.fault(31)
def test_a_journal_of_another_version_is_refused_before_anything_is_asked(folder: Folder) -> None:
    folder.run()
    journal = folder.out / JOURNAL_FILE
    foreign = journal.read_bytes().replace(b"journal/1", b"journal/7")
    journal.write_bytes(foreign)
    with pytest.raises(UsageError, match=r"another version.*--fresh"):
        folder.run()
    assert folder.asked == {}
    assert journal.read_bytes() == foreign
    anew = folder.run(fresh=True)
    assert "journal.jsonl.aside-1" in said(anew)
    assert (folder.out / "journal.jsonl.aside-1").read_bytes() == foreign


@pytest.mark.fault(31)
@pytest.mark.parametrize("content", [b"", b"{", b'{"format": "extractor.jour'])
def test_an_empty_journal_or_one_torn_in_its_first_line_is_a_new_one(folder: Folder, content: bytes) -> None:
    (folder.out / JOURNAL_FILE).write_bytes(content)
    assert compute_exit_code(folder.run()) == 0
    folder.run()
    assert folder.asked == {}


@pytest.mark.fault(31)
@pytest.mark.parametrize("content", [b"groceries: milk\n", b"\x00" * 5000, b"[1]\n[2]\n", b"milk"])
def test_what_is_no_journal_is_put_aside_and_not_lost(folder: Folder, content: bytes) -> None:
    (folder.out / JOURNAL_FILE).write_bytes(content)
    ended = folder.run()
    assert "is no journal" in said(ended)
    assert (folder.out / "journal.jsonl.aside-1").read_bytes() == content
    folder.run()
    assert folder.asked == {}


def entry(i: int, text: str = "word") -> JournalEntry:
    outcome = DocumentOutcome(
        f"{text}.txt", f"file-{i}.json", Status.COMPLETE, 1, 0, 0, 0, Usage(1, 2, None, 0.5), text
    )
    return JournalEntry(f"in/{i}", "sha256:0", "1", "00", "job", "00", outcome)


@given(st.text(st.characters(), max_size=40))
def test_an_entry_is_read_as_it_was_written(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    line = entry(1, text).to_line()
    assert line.count(b"\n") == 1
    assert parse_journal_line(line) == entry(1, text)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reading_of_an_entry(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_journal_line(line)


@settings(max_examples=25)
@given(st.data())
def test_any_cut_of_a_journal_keeps_every_whole_line(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = Journal(folder)
        for i in range(5):
            book.append(entry(i))
        book.close()
        whole = (folder / JOURNAL_FILE).read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        (folder / JOURNAL_FILE).write_bytes(whole[:cut])
        again = Journal(folder)
        assert len(again.list_others(array("q"))) == max(0, whole[:cut].count(b"\n") - 1)
        again.append(entry(9))
        again.close()
        assert (folder / JOURNAL_FILE).read_bytes().endswith(entry(9).to_line())


# the folder


@pytest.mark.fault(32)
def test_a_second_run_in_the_same_folder_is_refused_with_the_pid(folder: Folder) -> None:
    with hold_folder_lock(folder.out), pytest.raises(UsageError, match=f"locked by pid {os.getpid()}"):
        folder.run()
    assert folder.asked == {}
    assert compute_exit_code(folder.run()) == 0, "and when the first has ended, there is no lock"


def test_an_output_folder_that_is_a_link_is_refused(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder.out)
    with pytest.raises(UsageError, match="is a link"):
        prepare_output_folder(tmp_path / "link")


def test_what_holds_documents_is_for_its_owner_only(folder: Folder) -> None:
    folder.run()
    for file in folder.out.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_drafts_of_a_killed_run_are_removed_and_nothing_else(folder: Folder) -> None:
    (folder.out / ".extractor-abc_1234.tmp").write_text("half")
    (folder.out / "mine.tmp").write_text("mine")
    folder.run()
    assert not (folder.out / ".extractor-abc_1234.tmp").exists()
    assert (folder.out / "mine.tmp").read_text() == "mine"


@pytest.mark.fault(38)
def test_names_that_differ_in_case_folder_or_composition_alone_get_own_results(folder: Folder) -> None:
    for name in ("A", "x/a", "caf\u00e9", "cafe\u0301", "x/CAF\u00c9"):
        (folder.papers / f"{name}.txt").parent.mkdir(exist_ok=True)
        (folder.papers / f"{name}.txt").write_text(f"word of {name}")
    ended = folder.run()
    assert len(ended) == 8
    assert len({unicodedata.normalize("NFC", o.file.casefold()) for o in ended}) == 8
    texts = {json.loads((folder.out / o.file).read_text())["document"]["text"] for o in ended}
    assert len(texts) == 8
    folder.run()
    assert folder.asked == {}


_names = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=80)


@given(st.lists(_names.filter(lambda n: n not in (".", "..")), max_size=8, unique=True))
def test_no_name_leaves_the_folder_or_meets_another(given_names: list[str]) -> None:
    taken = FilenameRegistry()
    files = [taken.choose_filename(Path("in") / name) for name in given_names]
    for file in files:
        assert file == Path(file).name and file not in (".", "..") and len(file.encode()) <= 255
        assert file.isprintable() and "\\" not in file
    assert len({unicodedata.normalize("NFC", f.casefold()) for f in [*files, "run.json"]}) == len(files) + 1


def test_a_name_that_was_chosen_to_meet_another_does_not(tmp_path: Path) -> None:
    first = FilenameRegistry()
    first.choose_filename(Path("x/a.txt"))
    clash = first.choose_filename(Path("y/a.txt"))
    taken = FilenameRegistry()
    files = [taken.choose_filename(Path(p)) for p in (f"z/{Path(clash).stem}.txt", "x/a.txt", "y/a.txt")]
    assert len(set(files)) == 3


@pytest.mark.fault(29)
def test_a_folder_that_cannot_be_written_is_named_before_anything_is_asked(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="Nothing can be written"):
        prepare_output_folder(tmp_path / "file" / "out")


# strange files


@pytest.mark.fault(34)
def test_bytes_are_decoded_by_their_mark_or_their_looks_or_named_as_no_text(folder: Folder) -> None:
    (folder.papers / "utf16.txt").write_bytes("word \U0001f600\r\nand\n".encode("utf-16"))
    (folder.papers / "old.txt").write_bytes("word für Köln".encode("cp1252"))
    (folder.papers / "lone.txt").write_bytes(b"word \x01\x02\0\xff")
    ended = {o.name: o for o in folder.run()}
    assert ended["lone.txt"].status is Status.FAILED
    result = json.loads((folder.out / "utf16.json").read_text())
    assert result["document"]["text"] == "word \U0001f600\r\nand\n"
    guessed = json.loads((folder.out / "old.json").read_text())["document"]
    assert guessed["text"] == "word für Köln" and "cp1252" in guessed["notes"][0]
    assert "lone.txt" not in folder.asked


@pytest.mark.fault(35)
@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\0\0\0", b"word\0\1"])
def test_a_document_of_nothing_is_a_failure_and_nothing_is_asked(folder: Folder, content: bytes) -> None:
    (folder.papers / "none.txt").write_bytes(content)
    ended = folder.run()
    assert Counter(o.status for o in ended) == {Status.COMPLETE: 3, Status.FAILED: 1}
    assert "none.txt" not in folder.asked


@pytest.mark.fault(36)
def test_a_file_that_is_too_large_is_refused_unread(folder: Folder) -> None:
    (folder.papers / "large.txt").touch()
    os.truncate(folder.papers / "large.txt", 1 << 40)
    assert {o.name for o in folder.run() if o.status is Status.FAILED} == {"large.txt"}


@pytest.mark.fault(36)
def test_no_more_documents_are_under_way_than_requests_are_allowed(folder: Folder) -> None:
    for i in range(200):
        folder.write(**{f"x{i:03}": f"word {i}"})
    open_now = most = 0

    async def count(_: Request) -> Json:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.005)
        open_now -= 1
        return {"title": "word"}

    folder.run(model=ScriptedModel(count), concurrency=4)
    assert most == 4


@pytest.mark.fault(37)
def test_places_are_code_points_whatever_the_script(folder: Folder) -> None:
    folder.write(x="\u202e\u05d0\u05d1 e\u0301 \U0001f469\u200d\U0001f4bb\r\n\U0001d54f word \U0001f600")
    folder.run()
    result = json.loads((folder.out / "x.json").read_text())
    spans = result["evidence"]["/title"]["spans"]
    assert spans
    for span in spans:
        assert result["document"]["text"][span["start"] : span["end"]] == span["quote"] == "word"


@pytest.mark.fault(39)
def test_links_pipes_and_devices_are_named_and_neither_read_nor_waited_for(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret word")
    (folder.papers / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder.papers / "zero.txt").symlink_to("/dev/zero")
    (folder.papers / "loop").symlink_to(folder.papers)
    os.mkfifo(folder.papers / "pipe.txt")
    (folder.papers / "folder.txt").mkdir()
    for _ in range(2):
        ended = folder.run()
        failed = {o.name for o in ended if o.status is Status.FAILED}
        assert {"link.txt", "zero.txt", "pipe.txt"} <= failed
        assert sum(o.status is Status.COMPLETE for o in ended) == 3
    for file in folder.out.iterdir():
        assert b"secret word" not in file.read_bytes()


@pytest.mark.fault(39)
def test_a_pipe_in_the_place_of_a_file_that_was_listed_is_not_waited_for(folder: Folder) -> None:
    sources = find_sources([folder.papers])
    (folder.papers / "b.txt").unlink()
    os.mkfifo(folder.papers / "b.txt")
    ended = asyncio.run(run_job(folder.job, sources))
    assert [o.status for o in ended] == [Status.COMPLETE, Status.FAILED, Status.COMPLETE]


@pytest.mark.fault(40)
def test_a_file_that_vanishes_between_listing_and_reading_costs_itself(folder: Folder) -> None:
    sources = find_sources([folder.papers])
    (folder.papers / "b.txt").unlink()
    ended = asyncio.run(run_job(folder.job, sources))
    assert [o.status for o in ended] == [Status.COMPLETE, Status.FAILED, Status.COMPLETE]


@pytest.mark.fault(40)
def test_a_file_that_is_written_while_it_is_read_is_not_taken_for_what_it_was(folder: Folder) -> None:
    """The bytes that were looked at are not those of the text: were they kept as its mark, an old answer would hold."""
    source = Source(folder.papers / "b.txt")
    before = observe_source(source)
    folder.write(b="a newer word")
    document, seen = read_unchanging_document(source, before)
    assert document.text == "a newer word"
    assert seen == observe_source(source) != before


def test_every_line_and_every_file_is_one_result_that_is_kept(folder: Folder, tmp_path: Path) -> None:
    papers = tmp_path / "many"
    for name in ("x", "y/x", "Y/x", "y/X", "z/x"):
        (papers / name).parent.mkdir(parents=True, exist_ok=True)
        (papers / f"{name}.txt").write_text(f"word of {name}", encoding="utf-8")
    ids = ['"id": "inv-1", ', '"id": "inv-1", ', '"id": "4", ', "", '"id": "a/b", ', '"id": "a_b", ', '"id": "INV-1", ']
    lines = [f'{{{one}"text": "word {number}"}}\n' for number, one in enumerate(ids)]
    (papers / "lines.jsonl").write_text("".join(lines), encoding="utf-8")
    count = len(list(papers.rglob("*.txt"))) + len(ids)
    outcomes = folder.run([papers])
    assert [o.status for o in outcomes] == [Status.COMPLETE] * count
    files = {o.file.casefold() for o in outcomes}
    assert len(files) == count
    texts = {
        json.loads(path.read_text())["document"]["text"]
        for path in folder.out.glob("*.json")
        if path.name != "run.json"
    }
    assert len(texts) == count
    again = folder.run([papers])
    assert folder.asked == {} and [o.file for o in again] == [o.file for o in outcomes]
