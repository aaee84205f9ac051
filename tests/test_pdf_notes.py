"""What is laid over the pages of a PDF, and what it holds beside them, is read where a reader finds it."""

from pathlib import Path

import pytest
import tiny_pdf
from test_pdf_visibility import spans
from tiny_pdf import Line, Parts, stream

from extractor.documents.discovery import load_document
from extractor.types import Document, Span

LABELS = [Line(72, 700, "Name:"), Line(72, 680, "Country:"), Line(72, 660, "Insured:"), Line(72, 640, "Remarks:")]


def widget(entries: bytes, y: float, *, x: float = 150, width: float = 120, flags: int = 4) -> bytes:
    rect = b"%g %g %g %g" % (x, y - 3, x + width, y + 11)
    return b"<</Type/Annot/Subtype/Widget/Rect[%s]/F %d %s>>" % (rect, flags, entries)


def read(
    tmp_path: Path, objects: list[bytes], lines: list[Line], *, catalog: bytes = b"", **settings: object
) -> Document:
    """A page with these annotations, which are a form's fields too."""
    numbers = b" ".join(b"%d 0 R" % (6 + i) for i in range(len(objects)))
    form = b"/AcroForm<</Fields[%s]/NeedAppearances true>>" % numbers
    parts = Parts(objects, page=b"/Annots[%s]" % numbers, catalog=catalog or form)
    path = tmp_path / "form.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page(lines)], parts=parts, **settings))  # type: ignore[arg-type]
    return load_document(path)


def place(document: Document, words: str) -> list[dict[str, object]]:
    assert document.locations is not None
    start = document.text.index(words)
    return document.locations.locate(Span(start, start + len(words)))


def test_values_of_a_form_stand_behind_their_labels_with_their_place(tmp_path: Path) -> None:
    fields = [
        widget(b"/FT/Tx/T(n)/V(Mary Major)", 700),
        widget(b"/FT/Ch/Ff 131072/T(c)/Opt[[(FR)(France)][(DE)(Germany)]]/V(DE)", 680),
        widget(b"/FT/Btn/T(i)/V/Yes/AS/Yes/AP<</N<</Yes 3 0 R/Off 3 0 R>>>>", 660, width=12),
        widget(b"/FT/Tx/Ff 4096/T(r)/V(No smoking\nTwo cats)", 640),
    ]
    document = read(tmp_path, fields, LABELS)
    assert [" ".join(line.split()) for line in document.text.split("\n") if line] == [
        "Name: Mary Major",
        "Country: Germany",
        "Insured: ☒",
        "Remarks: No smoking",
        "Two cats",
    ]
    ((found),) = place(document, "Mary Major")
    assert found["page"] == 1 and found["box"] == pytest.approx([150, 81, 270, 95], abs=1)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_values_are_where_they_are_on_a_page_that_is_turned(tmp_path: Path, turn: int) -> None:
    document = read(tmp_path, [widget(b"/FT/Tx/T(n)/V(Mary)", 700)], LABELS[:1], rotate=turn)
    assert document.text.split() == ["Name:", "Mary"]
    assert len(place(document, "Mary")) == 1


def test_boxes_that_may_be_ticked_stand_before_their_labels(tmp_path: Path) -> None:
    lines = [Line(72, 700, "Sex:"), Line(166, 700, "female"), Line(266, 700, "male")]
    radio = b"/FT/Btn/Ff 49152/T(s)/V/F/AS/%s/AP<</N<</%s 3 0 R/Off 3 0 R>>>>"
    fields = [
        widget(radio % (b"F", b"F"), 700, width=12),
        widget(radio % (b"Off", b"M"), 700, x=250, width=12),
    ]
    assert " ".join(read(tmp_path, fields, lines).text.split()) == "Sex: ☒ female ☐ male"


def test_hidden_fields_are_hidden_and_passwords_not_read(tmp_path: Path) -> None:
    fields = [
        widget(b"/FT/Tx/T(n)/V(SECRET)", 700, flags=2),
        widget(b"/FT/Tx/Ff 8192/T(p)/V(hunter2)", 680),
        widget(b"/FT/Tx/T(o)/V(OUTSIDE)", 9000),
    ]
    document = read(tmp_path, fields, LABELS)
    assert sorted(spans(document, "hidden").split()) == ["OUTSIDE", "SECRET"]
    assert "hunter2" not in document.text


def test_typed_words_and_notes_are_in_the_text(tmp_path: Path) -> None:
    notes = [
        b"<</Type/Annot/Subtype/FreeText/Rect[150 697 300 711]/F 4/Contents(Ada King)/DA(/F1 10 Tf 0 g)>>",
        b"<</Type/Annot/Subtype/Text/Rect[150 677 164 691]/F 4/Contents(to be checked)>>",
        b"<</Type/Annot/Subtype/Popup/Rect[400 600 500 700]/Contents(to be checked)>>",
    ]
    document = read(tmp_path, notes, LABELS, catalog=b" ")
    assert " ".join(document.text.split()) == "Name: Ada King Country: Note: to be checked Insured: Remarks:"


def link(address: bytes, left: float, right: float, y: float = 700) -> bytes:
    return b"<</Type/Annot/Subtype/Link/Rect[%g %g %g %g]/A<</S/URI/URI(%s)>>>>" % (left, y - 3, right, y + 9, address)


def test_the_address_behind_words_follows_them(tmp_path: Path) -> None:
    lines = [Line(72, 700, "See profile or mail", 10, "F3"), Line(72, 680, "www.example.org", 10, "F3")]
    notes = [
        link(b"https://profiles.example.org/mary", 96, 138),
        link(b"mailto:mary@example.org", 156, 186),
        link(b"http://www.example.org/", 72, 162, 680),
        link(b"javascript:alert(1)", 72, 90),
    ]
    document = read(tmp_path, notes, lines, catalog=b" ")
    assert document.text == (
        "See profile (https://profiles.example.org/mary) or mail (mary@example.org)\nwww.example.org"
    )
    assert place(document, "https")[0]["page"] == 1


def attached(count: int, name: str, data: bytes) -> Parts:
    files = [stream(b"/Type/EmbeddedFile", data), b"<</Type/Filespec/F(%s)/EF<</F 6 0 R>>>>" % name.encode()]
    names = b"".join(b"(%05d)7 0 R" % i for i in range(count))
    return Parts(files, catalog=b"/Names<</EmbeddedFiles<</Names[%s]>>>>" % names)


def test_a_file_that_is_enclosed_is_a_part_of_the_document(tmp_path: Path) -> None:
    path = tmp_path / "invoice.pdf"
    page = tiny_pdf.page([Line(72, 700, "Invoice 12")])
    path.write_bytes(tiny_pdf.write([page], parts=attached(1, "lines.csv", b"Item,Price\nBolt,4.50\n")))
    document = load_document(path)
    assert document.text == "Invoice 12\n\n# Attachment: lines.csv\n\nItem | Price\nBolt | 4.50"
    assert place(document, "4.50")[0]["attachment"] == "lines.csv"
    assert place(document, "12")[0]["page"] == 1


def test_files_of_a_kind_that_is_not_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    page = tiny_pdf.page([Line(72, 700, "Plan")])
    path.write_bytes(tiny_pdf.write([page], parts=attached(1, "model.step", b"ISO-10303-21;")))
    ((part),) = load_document(path).unread
    assert part.part == "attachment model.step"


def test_ten_thousand_files_in_one_cost_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    page = tiny_pdf.page([Line(72, 700, "Plan")])
    path.write_bytes(tiny_pdf.write([page], parts=attached(10_000, "a.txt", b"words")))
    document = load_document(path)
    assert [part.message for part in document.unread] == [
        "9900 of 10000 attachments are not read; save them and give them by themselves."
    ]
    assert document.text.count("# Attachment: a.txt") == 100


DATA = (
    b'<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form1><Name>Mary Major</Name>'
    b"<Amount>1250.00</Amount><Empty/></form1></xfa:data></xfa:datasets>"
)


def form_of(data: bytes, words: str) -> bytes:
    parts = Parts([stream(b"", data)], catalog=b"/AcroForm<</Fields[]/XFA[(datasets)6 0 R]>>")
    return tiny_pdf.write([tiny_pdf.page([Line(72, 700, words)])], parts=parts)


def test_values_of_an_xml_form_that_no_page_shows_stand_below_the_pages(tmp_path: Path) -> None:
    path = tmp_path / "xfa.pdf"
    path.write_bytes(form_of(DATA, "Please wait. Name: Mary Major"))
    assert load_document(path).text == "Please wait. Name: Mary Major\n\n# Form data\n\nAmount: 1250.00"


@pytest.mark.parametrize("data", [b"<!DOCTYPE a [<!ENTITY b 'c'>]><data><x>&b;</x></data>", b"<data><x>", b"\xff\xfe"])
def test_form_data_that_is_no_plain_xml_is_left_out(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "xfa.pdf"
    path.write_bytes(form_of(data, "words"))
    assert load_document(path).text == "words"


def test_raised_figures_are_apart_from_the_number_before_them(tmp_path: Path) -> None:
    drawn = (
        b"BT /F1 12 Tf 72 700 Td (Total 120) Tj 4 Ts /F1 7 Tf (3) Tj 0 Ts /F1 12 Tf ( EUR by Dr. Klein) Tj "
        b"4 Ts /F1 7 Tf (1) Tj ET BT /F1 12 Tf 72 650 Td (H) Tj /F1 7 Tf -3 Ts (2) Tj /F1 12 Tf 0 Ts (O, the 30) Tj "
        b"/F1 7 Tf 4 Ts (th) Tj ET"
    )
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([drawn]))
    assert " ".join(load_document(path).text.split()) == "Total 120³ EUR by Dr. Klein¹ H2O, the 30th"


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (["registered under the number 12-", "3456 since long"], "registered under the number 12-3456 since long"),
        (
            ["the page https://example.org/very/", "long/path it is"],
            "the page https://example.org/very/long/path it is",
        ),
        (["the whole fee is EUR 1 234", "567.00 in all of it"], "the whole fee is EUR 1 234 567.00 in all of it"),
        (["the pages 12", "34 and some more"], "the pages 12\n34 and some more"),
    ],
)
def test_numbers_and_addresses_that_a_line_breaks_are_whole(tmp_path: Path, lines: list[str], read: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([tiny_pdf.page([Line(72, 700 - 12 * i, t) for i, t in enumerate(lines)])]))
    assert load_document(path).text == read


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        (b"(I N V O I C E)", "INVOICE"),
        (b"6 Tc (INVOICE)", "INVOICE"),
        (b"(Plan A B or C)", "Plan A B or C"),
        (b"(It is a b c test)", "It is a b c test"),
    ],
)
def test_spaced_letters_are_a_word(tmp_path: Path, drawn: bytes, read: str) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([b"BT /F1 12 Tf 72 700 Td %s Tj ET" % drawn]))
    assert load_document(path).text == read


@pytest.mark.parametrize("matrix", ["0 1 -1 0 300", "0 -1 1 0 300", "-1 0 0 -1 500"])
def test_turned_words_are_read_along_their_lines(tmp_path: Path, matrix: str) -> None:
    step = {"0 1 -1 0 300": (20, 0), "0 -1 1 0 300": (-20, 0), "-1 0 0 -1 500": (0, 20)}[matrix]
    *turn, x = matrix.split()
    drawn = b" ".join(
        b"BT /F1 12 Tf %s %g %g Tm (%s) Tj ET"
        % (" ".join(turn).encode(), float(x) + i * step[0], 400 + i * step[1], words)
        for i, words in enumerate((b"Invoice number 9001", b"Total 45.00 EUR", b"Due on 3 May"))
    )
    path = tmp_path / "a.pdf"
    path.write_bytes(tiny_pdf.write([drawn]))
    document = load_document(path)
    assert document.text.split("\n") == ["Invoice number 9001", "Total 45.00 EUR", "Due on 3 May"]
    left, top, right, bottom = place(document, "45.00")[0]["box"]  # type: ignore[misc]
    assert max(right - left, bottom - top) < 45
