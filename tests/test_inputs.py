"""Formats that are not PDF, and what is hidden, broken, hostile or no file at all."""

import io
import json
import os
import re
import socket
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
import tiny_pdf
from docx.oxml import parse_xml
from hypothesis import given
from hypothesis import strategies as st
from tiny_office import bomb
from tiny_pdf import Line

from extractor.documents.discovery import find_sources, load_document, read_source, show_sources
from extractor.documents.formats.jsonl import JsonLines
from extractor.documents.formats.markdown import find_hidden_spans
from extractor.documents.formats.sandbox import load_in_sandbox
from extractor.documents.formats.zip_guard import MAX_PARTS
from extractor.documents.locations import AttachmentLocations
from extractor.errors import DocumentError, UsageError
from extractor.extraction.chunking import estimate_tokens, halve_chunk, split_document
from extractor.extraction.grounding.mentions import TextIndex
from extractor.runs.filenames import FilenameRegistry
from extractor.types import Document, Span, TextTable, Vision

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def load(tmp_path: Path, name: str, data: str | bytes) -> Document:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return load_document(tmp_path / name)


def hidden(document: Document) -> list[str]:
    return [document.text[h.start : h.end] for h in document.hidden]


def place(document: Document, words: str) -> list[dict[str, object]]:
    assert document.locations is not None
    start = document.text.index(words)
    return document.locations.locate(Span(start, start + len(words)))


# what is seen


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=5))
def test_a_chunk_shows_what_is_seen_where_it_stands_and_nothing_that_is_hidden(
    text: str, marks: list[tuple[int, int]]
) -> None:
    spans, at = [], 0
    for gap, size in marks:
        if at + gap + size <= len(text):
            spans.append(Span(at + gap, at + gap + size))
            at += gap + size + 1
    document = Document("a", text, hidden=tuple(spans))
    shown = "".join(chunk.text for chunk in split_document(document, 7))
    assert len(shown) == len(text)
    for i, (a, b) in enumerate(zip(shown, text, strict=True)):
        assert a == (" " if any(s.start <= i < s.end for s in spans) and not b.isspace() else b)


def test_hidden_words_support_no_value() -> None:
    text = "Ada King <!-- Bo Li, bo@li.example --> of Ockham"
    document = Document("a", text, hidden=tuple(find_hidden_spans(text)))
    (chunk,) = split_document(document, 100)
    page = TextIndex(chunk)
    assert list(page.folded.find_quote("Ada King"))
    assert not list(page.folded.find_quote("Bo Li"))


# tables


def test_every_chunk_of_a_table_has_whole_rows_and_the_header(tmp_path: Path) -> None:
    rows = [f'Bolt {i},{i * 3},"steel, galvanised, no. {i}"' for i in range(300)]
    document = load(tmp_path, "parts.csv", "Item,Count,Remark\n" + "\n".join(rows) + "\n")
    assert document.tables[0].header == Span(0, len("Item | Count | Remark"))
    pieces = split_document(document, 120)
    assert len(pieces) > 10
    assert [c.header for c in pieces] == ["", *["Item | Count | Remark"] * (len(pieces) - 1)]
    assert "".join(c.text for c in pieces) == document.text
    assert all(c.text.startswith(("Item", "Bolt")) and c.text.rstrip("\n").count("\n") > 0 for c in pieces)
    assert all(estimate_tokens(c.header + c.text) <= 120 for c in pieces)
    assert place(document, "galvanised, no. 299") == [{"row": 301, "column": 3}]
    for half in halve_chunk(pieces[3]):
        assert half.header == "Item | Count | Remark"


@given(
    st.lists(st.lists(st.text("ab 1", max_size=9), min_size=1, max_size=4), min_size=1, max_size=30),
    st.integers(8, 60),
)
def test_chunks_of_any_table_hold_all_of_it(rows: list[list[str]], budget: int) -> None:
    text = "\n".join(" | ".join(row) for row in rows)
    header = Span(0, text.index("\n")) if "\n" in text and text.index("\n") else None
    if not text:
        return
    document = Document("a", text, tables=(TextTable(Span(0, len(text)), header),))
    pieces = split_document(document, budget)
    assert "".join(c.text for c in pieces) == text
    assert all(c.text for c in pieces)


@pytest.mark.parametrize(
    ("name", "text", "cells"),
    [
        ("a.csv", "a;b\n1,5;2\n", "a | b\n1,5 | 2"),
        ("a.tsv", "a\tb\n1\t2\n", "a | b\n1 | 2"),
        ("a.csv", 'x,"two\nlines"\n', "x | two lines"),
        ("a.csv", "only\none\n", "only\none"),
    ],
)
def test_tables_of_any_dialect_are_rows_of_cells(tmp_path: Path, name: str, text: str, cells: str) -> None:
    assert load(tmp_path, name, text).text == cells


def sheet(rows: list[list[str]], *, state: str = "visible") -> bytes:
    """A workbook of two sheets, the second in the given state, with strings written in place."""

    def cells(row: list[str], number: int) -> str:
        return "".join(
            f'<c r="{chr(65 + j)}{number}"><v>{c}</v></c>'
            if re.fullmatch(r"[\d.]+", c)
            else f'<c r="{chr(65 + j)}{number}" t="inlineStr"><is><t>{c}</t></is></c>'
            for j, c in enumerate(row)
        )

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    body = "".join(f'<row r="{i}">{cells(row, i)}</row>' for i, row in enumerate(rows, 1))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.'
            f'openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="{kind}.sheet.main+xml"/>'
            + "".join(f'<Override PartName="/xl/s{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n in (1, 2))
            + "</Types>",
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Prices" sheetId="1" r:id="r1"/>'
            f'<sheet name="Notes" sheetId="2" state="{state}" r:id="r2"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            + "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="s{n}.xml"/>' for n in (1, 2))
            + "</Relationships>",
        )
        for n in (1, 2):
            archive.writestr(f"xl/s{n}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>')
    return buffer.getvalue()


def test_sheets_are_tables_and_a_hidden_one_is_hidden(tmp_path: Path) -> None:
    document = load(tmp_path, "a.xlsx", sheet([["Item", "Price"], ["Bolt", "3"], ["Nut", "0.5"]], state="hidden"))
    assert document.text.startswith("# Prices\n\nItem | Price\nBolt | 3\nNut | 0.5\n\n# Notes")
    assert place(document, "0.5") == [{"sheet": "Prices", "cell": "B3"}]
    assert "".join(hidden(document)).count("Bolt") == 1
    assert document.visible_text(Span(0, len(document.text))).count("Bolt") == 1


# Word


def word(*xml: str) -> bytes:
    file = docx.Document()
    for piece in xml:
        file.element.body.insert(len(file.element.body) - 1, parse_xml(piece))
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def test_what_word_shows_is_read_and_what_it_hides_is_hidden(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        "a.docx",
        word(
            f'<w:p {W}><w:r><w:t xml:space="preserve">kept </w:t></w:r><w:ins w:id="1" w:author="a"><w:r><w:t>inserted'
            f'</w:t></w:r></w:ins><w:del w:id="2" w:author="a"><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>',
            f"<w:sdt {W}><w:sdtContent><w:p><w:r><w:t>in a control</w:t></w:r></w:p></w:sdtContent></w:sdt>",
            f"<w:p {W}><w:r><w:rPr><w:vanish/></w:rPr><w:t>vanished</w:t></w:r></w:p>",
            f'<w:p {W}><w:r><w:rPr><w:color w:val="FFFFFF"/></w:rPr><w:t>white on white</w:t></w:r></w:p>',
            f'<w:p {W}><w:pPr><w:shd w:fill="000000"/></w:pPr><w:r><w:rPr><w:color w:val="FFFFFF"/></w:rPr>'
            f"<w:t>white on black</w:t></w:r></w:p>",
        ),
    )
    assert document.text.split("\n\n") == [
        "kept inserted",
        "in a control",
        "vanished",
        "white on white",
        "white on black",
    ]
    assert hidden(document) == ["vanished", "white on white"]
    assert place(document, "in a control") == [{"paragraph": 2}]


# e-mail


def letter(subject: str = "Größe der Räder") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ada King <ada@engines.example>", subject
    mail.set_content("Dear Charles,\n\nthe wheels are 12 cm wide.\n")
    return mail


def attach(mail: EmailMessage, name: str, data: bytes, kind: str = "application/octet-stream") -> None:
    mail.add_attachment(data, *kind.split("/"), filename=name)


def test_attachments_are_read_below_the_mail_each_with_its_own_way_back(tmp_path: Path) -> None:
    mail = letter()
    pages = [[Line(60, 700, "first page")], [Line(60, 700, "Cog of brass")]]
    attach(mail, "wheels.pdf", tiny_pdf.write([tiny_pdf.page(page) for page in pages]))
    attach(mail, "prices.XLSX", sheet([["Item", "Price"], ["Bolt", "3.25"]], state="hidden"))
    attach(mail, "list.csv", b"Part,Count\nSpoke,48\n")
    attach(mail, "terms.docx", word(f"<w:p {W}><w:r><w:t>Pay in gold</w:t></w:r></w:p>"))
    attach(mail, "notes.md", b"# Notes\n<!-- a whisper -->\nOil weekly.\n")
    attach(mail, "page", b"<p>Warranty &amp; repair<p style='display:none'>none", "text/html")
    attach(mail, "plain", "Grüße aus Köln".encode(), "text/plain")
    document = load(tmp_path, "a.eml", mail.as_bytes())
    assert document.unread == ()
    assert [line for line in document.text.split("\n") if line.startswith("# Attachment")] == [
        f"# Attachment: {name}"
        for name in ("wheels.pdf", "prices.XLSX", "list.csv", "terms.docx", "notes.md", "page", "plain")
    ]
    assert place(document, "12 cm") == [{"body": 1}]
    ((cog),) = place(document, "Cog of brass")
    assert (cog["attachment"], cog["page"]) == ("wheels.pdf", 2) and cog["box"][0] == pytest.approx(60, abs=1)  # type: ignore[index]
    assert place(document, "3.25") == [{"attachment": "prices.XLSX", "sheet": "Prices", "cell": "B2"}]
    assert place(document, "48") == [{"attachment": "list.csv", "row": 2, "column": 2}]
    assert place(document, "Pay in gold") == [{"attachment": "terms.docx", "paragraph": 1}]
    assert place(document, "Oil weekly") == [{"attachment": "notes.md", "source": {"start": 27, "end": 37}}]
    assert place(document, "Warranty & repair") == [{"attachment": "page", "source": {"start": 3, "end": 24}}]
    assert place(document, "aus Köln") == [{"attachment": "plain", "source": {"start": 6, "end": 14}}]
    assert not place(document, "Attachment: list")
    unseen = "".join(hidden(document))
    assert "a whisper" in unseen and "none" in unseen and unseen.count("Bolt") == 1
    assert [document.text[t.header.start : t.header.end] for t in document.tables if t.header] == [
        *["Item | Price"] * 2,
        "Part | Count",
    ]
    assert {"justhtml", "pypdfium2", "xlsx", "python-docx", "csv"} <= {
        made.split()[0] for made in document.loader.split(", ")
    }


def test_a_page_of_an_attachment_that_is_a_picture_is_named(tmp_path: Path) -> None:
    mail = letter()
    picture = b"q 100 0 0 100 60 600 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI Q"
    attach(mail, "scan.pdf", tiny_pdf.write([tiny_pdf.page([Line(60, 700, "first")]), picture]))
    document = load(tmp_path, "a.eml", mail.as_bytes())
    assert [(u.part, u.reason) for u in document.unread] == [("attachment scan.pdf: page 2", "needs OCR")]


def test_the_name_of_an_attachment_is_one_line_and_no_path(tmp_path: Path) -> None:
    mail = letter()
    attach(mail, "../../etc/x\u202e\t# y" + "z" * 300 + ".txt", b"words")
    document = load(tmp_path, "a.eml", mail.as_bytes())
    heading = document.text.split("\n")[-3]
    assert heading.startswith("# Attachment: ") and len(heading) < 130 and heading.isprintable()
    assert document.text.endswith("\n\nwords") and sorted(p.name for p in tmp_path.iterdir()) == ["a.eml"]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=9))
def test_a_span_over_texts_of_attachments_is_in_all_of_them(spans: list[tuple[int, int]]) -> None:
    mine = AttachmentLocations(10, None)
    for start, name in ((15, "a"), (40, "b")):
        mine.add_attachment(start, start + 20, name, None)
    for start, size in spans:
        found = {p["attachment"]: p["source"] for p in mine.locate(Span(start, start + size))}
        for name, by in (("a", 15), ("b", 40)):
            low, high = max(start, by) - by, min(start + size, by + 20) - by
            assert found.get(name) == ({"start": low, "end": high} if low < high else None)


# JSON lines, stdin, patterns


def test_a_file_of_json_lines_holds_a_document_a_line(tmp_path: Path) -> None:
    rows = [
        '{"id": "ö/1", "text": "Ada"}',
        "",
        '{"id": 7, "content": "Bo"}',
        "nonsense",
        '{"id": "x"}',
        '{"text": "nameless"}',
        '{"id": 7, "text": "again"}',
    ]
    path = tmp_path / "docs.jsonl"
    path.write_bytes("\r\n".join(rows).encode())
    sources = find_sources([path])
    assert [s.name for s in sources] == ["ö_1", "7", "4", "x", "6", "7 (line 7)"]
    read = {}
    for source in sources:
        try:
            read[source.name] = read_source(source).text
        except DocumentError as error:
            read[source.name] = str(error)
    assert read["ö_1"] == "Ada" and read["7"] == "Bo" and read["6"] == "nameless"
    assert read["7 (line 7)"] == "again"
    (note,) = read_source(sources[-1]).notes
    assert "Lines 3 and 7 of docs.jsonl have the same name" in note
    assert "Line 4 of docs.jsonl is not JSON" in read["4"] and "Line 5 of docs.jsonl has no text" in read["x"]


def test_two_lines_with_one_id_are_two_results() -> None:
    names = FilenameRegistry()
    assert len({names.choose_filename(Path("docs.jsonl/7")) for _ in range(3)}) == 3


@given(st.lists(st.dictionaries(st.sampled_from(["id", "text"]), st.text(max_size=9)), max_size=9))
def test_every_line_is_found_where_it_stands(rows: list[dict[str, str]]) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / "extractor-test-lines.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    data = path.read_bytes()
    assert [json.loads(data[at.start : at.start + at.size]) for _, at in JsonLines(path)] == rows


def test_a_line_is_found_from_any_place_as_from_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    ids = [f"{n % 70}" if n % 3 else "" for n in range(150)]
    path.write_text("".join(f'{{"id": "{one}", "text": "a"}}\n' + "\n" * (len(one) % 2) for one in ids))
    sources = find_sources([path])
    assert [sources[n] for n in range(len(sources))] == list(sources)
    assert sources[-1] == list(sources)[-1] and sources[40:43] == list(sources)[40:43]
    assert len({source.path for source in sources}) == len(sources) == len(ids)
    assert {source.vision for source in show_sources(sources, Vision.ALWAYS)} == {Vision.ALWAYS}


def test_lines_that_come_while_a_run_goes_on_are_none_of_its_own_and_those_that_go_fail(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n' * 3)
    sources = find_sources([path])
    before = list(sources)
    path.write_text('{"id": "a", "text": "x"}\n' * 5)
    assert list(sources) == before
    path.write_text('{"id": "a", "text": "x"}\n')
    assert len(list(sources)) == 3
    with pytest.raises(DocumentError, match=r"Line 3 of docs\.jsonl"):
        read_source(sources[2])
    path.unlink()
    assert len(list(sources)) == 3


def test_patterns_are_matched_without_the_help_of_a_shell(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("x.txt", "a/y.txt", "a/b/z.txt", "a/b/z.md"):
        (tmp_path / name).write_text("w", encoding="utf-8")

    def names(pattern: str) -> list[str]:
        return [s.path.name for s in find_sources([tmp_path / pattern])]

    assert names("*.txt") == ["x.txt"]
    assert names("**/*.txt") == ["x.txt", "y.txt", "z.txt"]
    assert names("a/*/z.*") == ["z.md", "z.txt"]
    with pytest.raises(UsageError, match="No file matches"):
        find_sources([tmp_path / "*.nothing"])


# what is no file, and what is a bomb


def test_whatever_is_no_file_is_refused_with_a_word_for_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    (tmp_path / "lost.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good.txt").write_text("w", encoding="utf-8")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.txt"))
        found = {s.path.name: s.refused for s in find_sources([tmp_path])}
    assert found.pop("good.txt") is None
    assert {name: why.split(",")[0].split(";")[0] for name, why in found.items() if why} == {
        "pipe.txt": "a pipe",
        "s.txt": "a socket",
        "zero.txt": "a link",
        "lost.txt": "a link",
        "loop": "a link to a folder",
    }
    for path in (tmp_path / "pipe.txt", Path("/dev/zero"), tmp_path / "zero.txt"):
        with pytest.raises(DocumentError, match="no regular file"):
            load_document(path)


def archive(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: bomb("word/document.xml", 300), "too large"),
        (lambda: archive({f"word/{i}.xml": b"" for i in range(MAX_PARTS + 1)}), "too large"),
        (lambda: archive({"hello.txt": b"no office file"}), "broken"),
        (lambda: b"PK\x03\x04 cut short", "broken"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted"),
    ],
    ids=["zeros", "parts", "empty", "cut", "encrypted"],
)
def test_archives_that_are_bombs_or_broken_are_refused(
    tmp_path: Path, name: str, make: Callable[[], bytes], reason: str
) -> None:
    with pytest.raises(DocumentError, match=name.replace(".", r"\.")) as error:
        load(tmp_path, name, make())
    assert error.value.reason == reason


def test_entities_that_multiply_are_not_expanded(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    evil = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">{laughs}]><w:document {W}><w:body><w:p><w:r><w:t>&l9;'
    evil += "</w:t></w:r></w:p></w:body></w:document>"
    parts = {}
    with zipfile.ZipFile(io.BytesIO(word())) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    (tmp_path / "a.docx").write_bytes(archive({**parts, "word/document.xml": evil.encode()}))
    with pytest.raises(DocumentError) as error:
        load_in_sandbox("docx", tmp_path / "a.docx", "a.docx", False, seconds=20)
    assert error.value.reason in ("empty", "broken", "too costly")


@pytest.mark.parametrize(
    ("suffix", "tag"),
    [
        *((".html", tag) for tag in ("b", "div", "ul><li", "b><p", "sup", "svg")),
        (".eml", "b"),
        (".md", "b"),
        (".txt", "b"),
    ],
)
def test_tags_nested_six_thousand_deep_are_read_or_refused(tag: str, suffix: str, tmp_path: Path) -> None:
    head = "Subject: tags\nContent-Type: text/html\n\n" if suffix == ".eml" else ""
    (tmp_path / f"a{suffix}").write_text(head + f"<{tag}>" * 6_000 + "deep")
    try:
        assert load_document(tmp_path / f"a{suffix}").text
    except DocumentError as error:
        assert error.reason in ("empty", "broken", "too costly")
