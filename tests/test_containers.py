"""Archives, mailboxes, Outlook messages, cards; files whose suffix is wrong, and what in a folder is no document."""

import gzip
import io
import os
import random
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path

import compressed_rtf
import pytest
import tiny_pdf
from bounded_work import ends_soon
from hypothesis import given, settings
from hypothesis import strategies as st
from test_inputs import sheet, word
from tiny_msg import message, write_compound_file
from tiny_office import epub, odf, p, pack

from extractor.cli.main import main
from extractor.documents.discovery import Source, find_sources, load_document, read_source
from extractor.documents.formats import CONTAINER_SUFFIXES, FORMATS_BY_SUFFIX, tar_archives
from extractor.documents.formats.containers import find_contained_files
from extractor.documents.formats.io import printable_name
from extractor.documents.formats.zip_guard import MAX_DIRECTORY_BYTES
from extractor.errors import DocumentError, UsageError
from extractor.runs.filenames import FilenameRegistry
from extractor.runs.resume import printable_source_path
from extractor.runs.source_state import observe_source
from extractor.types import Document, Span


def load(tmp_path: Path, name: str, data: str | bytes) -> Document:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return load_document(tmp_path / name)


def read_all(paths: list[Path]) -> dict[str, str]:
    """The text of every document by its path, or why there is none."""
    found = {}
    for source in find_sources(paths):
        try:
            found[str(source.path.relative_to(paths[0].parent))] = read_source(source).text
        except DocumentError as error:
            found[str(source.path.relative_to(paths[0].parent))] = f"! {error.reason}"
    return found


# archives


def test_every_member_of_an_archive_is_a_document_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(
        pack(
            {
                "x.txt": "first",
                "sub/x.txt": "second",
                "sub/book.docx": word(),
                "list.csv": "a,b\n1,2\n",
                "run.exe": "MZ",
                "inner.zip": pack({"y.txt": "no"}),
                "lines.jsonl": "{}",
                "__MACOSX/x": "no",
                "../../etc/z.txt": "third",
                "plain": "fourth",
            }
        )
    )
    assert read_all([path]) == {
        "a.zip/x.txt": "first",
        "a.zip/sub/x.txt": "second",
        "a.zip/sub/book.docx": "! empty",
        "a.zip/list.csv": "a | b\n1 | 2",
        "a.zip/run.exe": "! not read",
        "a.zip/inner.zip": "! not read",
        "a.zip/lines.jsonl": "! not read",
        "a.zip/etc/z.txt": "third",
        "a.zip/plain": "fourth",
    }
    names = FilenameRegistry()
    files = [names.choose_filename(source.path) for source in find_sources([path])]
    assert len(set(files)) == len(files) and not any("/" in name for name in files)


def test_members_of_one_name_are_two_documents_and_each_has_a_state_of_its_own(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.txt", "first")
        with pytest.warns(UserWarning):
            archive.writestr("x.txt", "second")
    path = tmp_path / "a.zip"
    path.write_bytes(buffer.getvalue())
    one, two = find_sources([path])
    assert (one.name, two.name) == ("x.txt", "x (2).txt")
    assert (read_source(one).text, read_source(two).text) == ("first", "second")
    assert observe_source(one).seen != observe_source(two).seen
    before = observe_source(one)
    path.write_bytes(buffer.getvalue() + b"\0" * 9)
    assert observe_source(one).seen == before.seen


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: b"PK\x03\x04 and no more", "no whole archive"),
        (lambda: pack({"a.txt": "x"})[:-30], "no whole archive"),
        (lambda: pack({f"{i}.txt": "" for i in range(20_001)}), "members"),
        (
            lambda: pack({"a.txt": "x"})[:-10] + struct.pack("<I", MAX_DIRECTORY_BYTES + 1) + bytes(6),
            "no whole archive",
        ),
    ],
    ids=["cut", "half", "many", "directory"],
)
def test_a_broken_archive_is_named(tmp_path: Path, make: Callable[[], bytes], why: str) -> None:
    (tmp_path / "a.zip").write_bytes(make())
    (tmp_path / "b.txt").write_text("words", encoding="utf-8")
    found = {s.path.name: s.refused or "" for s in find_sources([tmp_path])}
    assert why in found["a.zip"] and not found["b.txt"]
    with pytest.raises(UsageError):
        find_sources([tmp_path / "a.zip"])


def test_members_that_are_encrypted_large_or_lying_cost_themselves_alone(tmp_path: Path) -> None:
    good = pack({"a.txt": "words of a", "b.txt": "words of b", "c.txt": b"x" * 30_000_000})
    at = good.index(b"PK\x01\x02")
    locked = bytearray(good)
    locked[at + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(locked))
    wrong = bytearray(good)
    wrong[at + 16] ^= 255
    (tmp_path / "wrong.zip").write_bytes(bytes(wrong))
    liar = bytearray(good)
    liar[at + 24 : at + 28] = struct.pack("<I", 3)
    (tmp_path / "liar.zip").write_bytes(bytes(liar))
    found = read_all([tmp_path])
    for name, reason in (("locked", "not read"), ("wrong", "broken"), ("liar", "broken")):
        assert found[f"{tmp_path.name}/{name}.zip/a.txt"] == f"! {reason}"
        assert found[f"{tmp_path.name}/{name}.zip/b.txt"] == "words of b"
        assert found[f"{tmp_path.name}/{name}.zip/c.txt"] == "! not read"


# mailboxes


def tar(members: dict[str, bytes], mode: str = "w", more: Sequence[tarfile.TarInfo] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in more:
            archive.addfile(member)
    return buffer.getvalue()


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.gz", "w:gz"), ("a.tar.bz2", "w:bz2")]
)
def test_every_member_of_a_tar_archive_is_a_document_of_its_own(tmp_path: Path, name: str, mode: str) -> None:
    members = {
        "x.txt": b"first",
        "sub/x.txt": b"second",
        "../../etc/z.txt": b"third",
        "x.csv": b"a,b\n1,2\n",
        "run.exe": b"MZ",
        "inner.tgz": b"no",
        ".hidden": b"no",
        "long" * 40 + ".txt": b"fourth",
    }
    more = [link("soft.txt", tarfile.SYMTYPE), link("hard.txt", tarfile.LNKTYPE), link("pipe", tarfile.FIFOTYPE)]
    path = tmp_path / name
    path.write_bytes(tar(members, mode, more))
    found = {printed.removeprefix(f"{name}/"): text for printed, text in read_all([path]).items()}
    assert found == {
        "x.txt": "first",
        "sub/x.txt": "second",
        "etc/z.txt": "third",
        "x.csv": "a | b\n1 | 2",
        "run.exe": "! not read",
        "inner.tgz": "! not read",
        "long" * 40 + ".txt": "fourth",
        "soft.txt": "! not read",
        "hard.txt": "! not read",
        "pipe": "! not read",
    }


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.tgz", gzip.compress(tar({"x.txt": b"words" * 1000}), mtime=0)[:60], "no whole archive"),
        ("a.tgz", b"\x1f\x8b\x08\0", "no whole archive"),
        ("a.tar", tar({"x.txt": b"words"})[:300], "no whole archive"),
        ("a.tar", b"no archive at all" * 100, "no whole archive"),
        ("a.tar.bz2", b"BZh9" + b"\0" * 100, "no whole archive"),
        ("a.tar", tar({"x.txt": b"words" * 500})[:1024], "cut off"),
    ],
    ids=["half packed", "a packed head", "half a head", "words", "no bzip2", "cut"],
)
def test_a_broken_tar_archive_is_named(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "b.txt").write_text("words", encoding="utf-8")
    found = {source.refused or "" for source in find_sources([tmp_path])}
    assert any(why in refused for refused in found) and "" in found


def test_a_packed_archive_that_is_out_of_proportion_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_archives, "_ALWAYS_UNPACKED", 100_000)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(tar({"x.txt": bytes(5_000_000)})))
    with pytest.raises(UsageError):
        find_sources([tmp_path / "a.tgz"])
    (tmp_path / "b.txt").write_text("words", encoding="utf-8")
    assert "out of proportion" in (find_sources([tmp_path])[0].refused or "")


def raw_header(name: bytes, kind: bytes, size: int) -> bytes:
    """A header of a tar archive as nobody but a stranger writes it."""
    block = name.ljust(100, b"\0") + b"0000644\0" * 1 + b"0000000\0" * 2 + b"%011o\0" % size + b"0" * 11 + b"\0"
    block += b" " * 8 + kind + bytes(100) + b"ustar\x0000" + bytes(247)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def test_headers_of_a_tar_archive_that_are_about_other_headers_cost_their_length(tmp_path: Path) -> None:
    def long_name(name: bytes) -> bytes:
        return raw_header(b"././@LongLink", b"L", len(name)) + name.ljust(-(-len(name) // 512) * 512, b"\0")

    file = raw_header(b"x.txt", b"0", 5) + b"words".ljust(512, b"\0") + bytes(1024)
    (tmp_path / "deep.tar").write_bytes(b"".join(long_name(b"n%d.txt" % n) for n in range(3000)) + file)
    assert read_all([tmp_path / "deep.tar"]) == {"deep.tar/n2999.txt": "words"}
    records = b"1" * (3 << 20)  # which Python's own reader takes the square of
    (tmp_path / "wide.tar").write_bytes(raw_header(b"pax", b"x", len(records)) + records + file)
    assert ends_soon(lambda: read_all([tmp_path / "wide.tar"]))


def test_a_header_that_stands_for_another_is_as_the_formats_have_it(tmp_path: Path) -> None:
    def record(key: str, value: str) -> bytes:
        line = f" {key}={value}\n".encode()
        size = len(line) + 1
        while len(b"%d" % size + line) != size:
            size += 1
        return b"%d" % size + line

    def pax(kind: bytes, *records: bytes) -> bytes:
        content = b"".join(records)
        return raw_header(b"pax", kind, len(content)) + content.ljust(-(-len(content) // 512) * 512, b"\0")

    words = b"words".ljust(512, b"\0")
    data = pax(b"g", record("comment", "all")) + pax(b"x", record("path", "d/é.txt"), record("size", "5"))
    data += raw_header(b"short", b"0", 0) + words
    data += pax(b"x", record("GNU.sparse.major", "1"), record("GNU.sparse.name", "holes.txt"))
    data += raw_header(b"GNUSparseFile.0/holes.txt", b"0", 5) + words
    data += (
        raw_header(b"old/", b"\0", 0) + raw_header(b"device.txt", b"3", 0) + raw_header(b"last.txt", b"7", 5) + words
    )
    (tmp_path / "a.tar").write_bytes(data + raw_header(b"huge.txt", b"0", 8**11 - 1))
    found = {name.removeprefix("a.tar/"): text for name, text in read_all([tmp_path / "a.tar"]).items()}
    assert found == {
        "d/é.txt": "words",
        "holes.txt": "! not read",
        "device.txt": "! not read",
        "last.txt": "words",
        "huge.txt": "! not read",
    }
    (tmp_path / "b.tar").write_bytes(raw_header(b"x.txt", b"0", 5) + words + b"a header that is none".ljust(512))
    found = read_all([tmp_path])
    assert found[f"{tmp_path.name}/b.tar/x.txt"] == "words" and found[f"{tmp_path.name}/b.tar"] == "! not read"


def test_names_that_a_stranger_has_chosen_are_numbered_without_end(tmp_path: Path) -> None:
    names = ["a", *("a" + " (2)" * n for n in range(1, 1200)), "a", "a"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            archive.writestr(name, "words")
    found = [one.name for one in find_contained_files(tmp_path / "a.zip")]
    assert len(found) == len(set(found)) == len(names) and found[-2:] == ["a (3)", "a (4)"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "<!-- -->" * 2000 + "x"),
        ("a.mbox", "From a 10:00 x\n\nwords\n\nFrom " + "a" * 250_000 + "\n"),
        ("a.mbox", "From a 10:00 x\n\nwords\n\nFrom " + "a1:2" * 60_000 + "\n"),
        ("a.mbox", "From a 10:00 x\n\nwords\n\nFrom a" + "10:00" * 50_000),
        ("a.csv", "a,'" + "," * 90_000 + "'x\n"),
    ],
    ids=["comments", "a divider of letters", "of hours", "without end", "single quotes"],
)
def test_what_a_file_is_is_told_in_time_in_proportion(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert ends_soon(lambda: find_sources([tmp_path]) if name == "a.mbox" else load_document(tmp_path / name))


def mail(subject: str, body: str) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "ada@a.example", subject
    letter.set_content(body)
    return letter.as_bytes()


def test_every_message_of_a_mailbox_is_a_document(tmp_path: Path) -> None:
    divider = b"From ada@a.example Sat Nov 28 19:00:00 2026\n"
    quoted = mail("one", "words\n\nFrom here on\n").replace(b"\nFrom here", b"\n>From here")
    (tmp_path / "in.mbox").write_bytes(divider + quoted + b"\n" + divider + mail("two", "more"))
    sources = find_sources([tmp_path])
    assert [(s.path.parent.name, s.name) for s in sources] == [("in.mbox", "in-1.eml"), ("in.mbox", "in-2.eml")]
    texts = [read_source(source).text for source in sources]
    assert texts[0].endswith("Subject: one\n\nwords\n\nFrom here on") and "two" in texts[1]
    assert observe_source(sources[0]).seen != observe_source(sources[1]).seen


def test_mails_without_a_suffix_are_mails_and_a_mailbox_without_messages_is_named(tmp_path: Path) -> None:
    letter = b"Message-ID: <1@a.example>\n" + mail("maildir", "words")
    (tmp_path / "1700.M1P2.host:2,S").write_bytes(letter)
    (tmp_path / "no.mbox").write_bytes(b"nothing of a mailbox\n")
    found = {s.path.name: s for s in find_sources([tmp_path])}
    assert "no mailbox" in (found["no.mbox"].refused or "")
    assert "Subject: maildir" in read_source(found["1700.M1P2.host:2,S"]).text


# Outlook


def outlook(**more: object) -> bytes:
    return write_compound_file(message({0x37: "Größe", 0x42: "Ada King", 0x5D02: "ada@a.example"}, **more))  # type: ignore[arg-type]


def test_an_outlook_message_is_a_mail(tmp_path: Path) -> None:
    inner = message({0x37: "Inner", 0x1000: "inner words", 0x0C1F: "bo@b.example"}, header=24)
    data = write_compound_file(
        message(
            {0x37: "Größe", 0x42: "Ada King", 0x5D02: "ada@a.example", 0x1000: "the wheels are 12 cm wide"},
            times={0x39: 133_000_000_000_000_000},
            recipients=[message({0x3001: "Bo Li", 0x39FE: "bo@b.example"}, integers={0x0C15: 1}, header=8)],
            attachments=[
                message({0x3707: "list.csv"}, data={0x3701: b"Part,Count\nSpoke,48\n"}, header=8),
                {**message({0x3001: "mail"}, header=8), "__substg1.0_3701000D": inner},
                message({0x3707: "x.bin"}, data={0x3701: b"\0\1\2" * 2000}, header=8),
            ],
        )
    )
    document = load(tmp_path, "a.msg", data)
    assert document.text.startswith(
        "From: Ada King <ada@a.example>\nTo: Bo Li <bo@b.example>\nDate: Sat, 18 Jun 2022 04:26:40 +0000\n"
        "Subject: Größe\n\nthe wheels are 12 cm wide\n\n# Attachment: list.csv\n\nPart | Count\nSpoke | 48"
    )
    assert "inner words" in document.text
    assert [(u.part, u.reason) for u in document.unread] == [("attachment x.bin", "not read")]
    assert document.locations is not None
    start = document.text.index("48")
    assert document.locations.locate(Span(start, start + 2)) == [{"attachment": "list.csv", "row": 2, "column": 2}]


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (outlook(data={0x1013: b"<p>of <b>brass</b></p>"}), "of brass"),
        (outlook(data={0x1013: "<p>Größe</p>".encode("cp1252")}, integers={0x3FDE: 1252}), "Größe"),
        (outlook(data={0x1009: compressed_rtf.compress(rb"{\rtf1\ansi Due: 12 {\v secret}EUR\par}")}), "Due: 12 EUR"),
        (outlook(data={0x1000: b"none"}), ""),
    ],
)  # fmt: skip
def test_the_body_of_an_outlook_message_is_read_in_any_of_its_forms(tmp_path: Path, data: bytes, body: str) -> None:
    document = load(tmp_path, "a.msg", data)
    assert document.text.strip().endswith(f"\n\n{body}" if body else "Größe")
    assert not (body and document.unread)


# cards and calendars


def test_cards_and_calendars_are_lines_under_names_that_people_know(tmp_path: Path) -> None:
    card = (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:K=C3=B6nig;Ad=\r\na\r\n"
        "item1.TEL;CELL:+49 30 1\r\nADR;TYPE=WORK:;;Main 1;Berlin;;10115;DE\r\nPHOTO;ENCODING=b:AAAA\r\nEND:VCARD\r\n"
    )
    document = load(tmp_path, "a.vcf", card)
    assert document.text == (
        "# Card\nFamily and given names: König, Ada\nTelephone: +49 30 1 (CELL)\n"
        "Address: Main 1, Berlin, 10115, DE (WORK)"
    )
    assert not document.unread
    event = (
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\nBEGIN:VEVENT\n"
        'DTSTART;TZID="Europe/Berlin":20261201T1400\n'
        'SUMMARY:Meet\\, and\n  greet\nATTENDEE;CN="King: Ada":mailto:ada@a.example\n'
        "DESCRIPTION:one\\ntwo\nEND:VEVENT\n"
        "END:VCALENDAR\n"
    )
    document = load(tmp_path, "a.ics", event)
    assert document.text == (
        "# Event\nStart: 2026-12-01 14:00 (Europe/Berlin)\nSubject: Meet, and greet\n"
        "Attendee: ada@a.example (King: Ada)\nDescription: one\ntwo"
    )
    assert document.locations is not None
    start = document.text.index("greet")
    assert document.locations.locate(Span(start, start + 5)) == [{"line": 7}]
    assert load(tmp_path, "b.ics", event[:-40]).unread
    with pytest.raises(DocumentError, match="no card"):
        load(tmp_path, "c.vcf", "words\n")


# what a file holds, whatever it is called

PAGE = b"<!DOCTYPE html><p>words of a page</p>"
RICH = rb"{\rtf1\ansi words of rich text}"
PDF = tiny_pdf.write([tiny_pdf.page([tiny_pdf.Line(60, 700, "words of a PDF")])])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pdf", PAGE, "words of a page"),
        ("a.txt", PDF, "words of a PDF"),
        ("a.docx", PDF, "words of a PDF"),
        ("a.xls", PAGE, "words of a page"),
        ("a.xls", b"name;count\nbolt;3\n", "bolt | 3"),
        ("a.xls", b"<?xml version='1.0'?><Workbook><Row><Cell>x</Cell></Row></Workbook>", "Cell: x"),
        ("a.xlsx", odf("text", p("words of a text")), "words of a text"),
        ("a.doc", RICH, "words of rich text"),
        ("a.doc", PAGE, "words of a page"),
        ("a.docx", RICH, "words of rich text"),
        ("a.pdf", b"plain words", "plain words"),
        ("a.zip", sheet([["Item", "Price"], ["Bolt", "3"]]), "Bolt | 3"),
        ("a.odt", epub({"a.xhtml": "<html><body><p>words of a book</p></body></html>"}), "words of a book"),
        ("a", PDF, "words of a PDF"),
        ("a", PAGE, "words of a page"),
        ("a", b'{"name": "words of JSON"}', "words of JSON"),
        ("README", b"plain words", "plain words"),
        ("a.weird", RICH, "words of rich text"),
        ("a.htm", b"no tags, but words", "no tags, but words"),
        ("a.txt", PAGE, "<!DOCTYPE html>"),
        ("a.md", RICH, "words of rich text"),
    ],
)
def test_a_file_is_read_by_what_it_holds(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    (source,) = find_sources([tmp_path])
    assert source.refused is None
    assert words in read_source(source).text
    with (tmp_path / name).open("rb") as file:
        assert words in load_document(Path(file.name)).text


def test_a_file_that_is_another_than_its_suffix_says_has_a_note(tmp_path: Path) -> None:
    assert not load(tmp_path, "a.html", PAGE).notes
    assert "no .pdf file" in load(tmp_path, "a.pdf", PAGE).notes[0]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.py", b"print()", "files of kind .py"),
        ("a.svg", b"<?xml version='1.0'?><svg/>", "files of kind .svg"),
        ("a.bin", bytes(range(256)), "files of kind .bin"),
        ("a", bytes(range(256)), "without suffix"),
        ("a.doc", write_compound_file({"WordDocument": b"x"}), "Word file of the old format"),
        ("a.doc", write_compound_file({"EncryptedPackage": b"x"}), "password"),
        ("a.ppt", write_compound_file({"PowerPoint Document": b"x"}), "PowerPoint file of the old format"),
        ("a.rar", b"Rar!\x1a\x07\0", "a RAR archive"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        ("a.gz", b"\x1f\x8b\x08\0", "a gzip archive"),
        ("a.bz2", b"BZh91AY", "a bzip2 archive"),
        ("a.tape", tar({"x.txt": b"words"}), "tar archive under another name"),
        ("a.exe", b"MZ\x90\0", "a program"),
        ("a.backup", pack({"x.txt": "words"}), "zip archive under another name"),
    ],
)
def test_a_file_of_a_kind_that_is_not_read_is_named(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text("words", encoding="utf-8")
    found = {s.path.name: s for s in find_sources([tmp_path])}
    assert why in (found[name].refused or "")
    with pytest.raises(DocumentError) as error:
        read_source(found[name])
    assert error.value.reason == "not read"


def test_what_is_no_document_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        ".DS_Store",
        "~$x.docx",
        "Thumbs.db",
        ".~lock.a.odt#",
        ".git/config",
        "out/run.json",
        "out/journal.jsonl",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"a": {"type": "string"}}}', encoding="utf-8")
    ignored: list[Path] = []
    found = find_sources([tmp_path], leave_out=[schema], on_ignored=ignored.append)
    assert list(found) == [Source(tmp_path / "a.txt")]
    names = [".git", "out", ".DS_Store", ".~lock.a.odt#", "Thumbs.db", "schema.json", "~$x.docx"]
    assert [path.name for path in ignored] == names
    assert main(["run", str(tmp_path), "--schema", str(schema), "--dry-run", "-o", str(tmp_path / "none")]) == 0
    assert "Ignored, as they are no documents: .git, out, .DS_Store" in capsys.readouterr().err


def test_names_that_cannot_be_shown_are_spelled_out_and_stay_apart(tmp_path: Path) -> None:
    names = [b"caf\xe9.txt", b"caf\xe8.txt", b"two\nlines.txt", "turned\u202e.txt".encode(), "nb\u202fsp.txt".encode()]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_text("words", encoding="utf-8")
    sources = find_sources([tmp_path])
    shown = {s.name for s in sources}
    assert shown == {"caf\\xe9.txt", "caf\\xe8.txt", "two\\nlines.txt", "turned\\u202e.txt", "nb\u202fsp.txt"}
    assert len({printable_source_path(s) for s in sources}) == len(names)
    assert all(read_source(s).text == "words" for s in sources)


@given(st.text(min_size=1, max_size=20))
def test_a_printable_name_is_one_line_of_what_can_be_seen(name: str) -> None:
    shown = printable_name(name.encode("utf-8", "ignore").decode())
    assert ("\n" not in shown and shown.isprintable()) or any(c.isspace() for c in shown)


def test_every_suffix_has_a_reader_and_there_are_enough_of_them() -> None:
    assert len({(kind.module, suffix) for suffix, kind in FORMATS_BY_SUFFIX.items()}) + len(CONTAINER_SUFFIXES) >= 40
    assert len({kind.module for kind in FORMATS_BY_SUFFIX.values()}) >= 16


GOOD = {
    "msg": outlook(data={0x1013: b"<p>words</p>"}),
    "ics": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n",
    "zip": pack({"a.txt": "words", "b/c.csv": "a,b\n1,2\n"}),
    "mbox": b"From a@a.example Sat Nov 28 19:00:00 2026\n" + mail("one", "words"),
    "doc": RICH,
}


@settings(max_examples=60)
@given(st.binary(max_size=40), st.randoms(use_true_random=False), st.sampled_from(sorted(GOOD)))
def test_any_bytes_are_documents_or_errors_in_one_sentence(data: bytes, chance: random.Random, kind: str) -> None:
    good = bytearray(GOOD[kind])
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(good))
        good[at : at + chance.randrange(9)] = data
    path = Path(f"/tmp/extractor-test-container.{kind}")
    path.write_bytes(bytes(good[: chance.randrange(len(good))]) if chance.random() < 0.3 else bytes(good))
    try:
        for source in find_sources([path]):
            try:
                assert read_source(source).text
            except DocumentError as error:
                assert str(error).count("\n") == 0
    except UsageError as error:
        assert "holds no file to read" in str(error)
