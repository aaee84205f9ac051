"""Mails: the form that a reader sees, in the encoding that it is in; and only what was sent as a file is missed."""

import base64
import os
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
import tiny_tnef
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.documents.discovery import load_document
from extractor.documents.formats.attachments import MAX_ATTACHMENTS, MAX_MAIL_DEPTH, MAX_NAMED
from extractor.documents.formats.mail_text import decode_header
from extractor.documents.formats.tnef import read_packed_mail
from extractor.types import Document, Span

CASES = Path(__file__).parent / "data" / "documents"
HEAD = "From: a@example.org\nTo: b@example.com\nSubject: T\nMIME-Version: 1.0\n"


def load(tmp_path: Path, mail: EmailMessage | str | bytes) -> Document:
    data = mail.encode() if isinstance(mail, str) else mail if isinstance(mail, bytes) else mail.as_bytes()
    (tmp_path / "a.eml").write_bytes(data)
    return load_document(tmp_path / "a.eml")


def body(document: Document) -> str:
    """What is below the header lines."""
    return document.text.partition("\n\n")[2]


def place(document: Document, words: str) -> list[dict[str, object]]:
    assert document.locations is not None
    start = document.text.index(words)
    return document.locations.locate(Span(start, start + len(words)))


def letter(subject: str = "Größe der Räder") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Ada King <ada@engines.example>", subject
    mail.set_content("Dear Charles,\n\nthe wheels are 12 cm wide.\n")
    return mail


def attach(mail: EmailMessage, name: str, data: bytes, kind: str = "application/octet-stream", **how: str) -> None:
    mail.add_attachment(data, *kind.split("/"), filename=name, **how)


# the given cases


@pytest.mark.parametrize("case", sorted(p.name for folder in ("eml", "eml2") for p in (CASES / folder).glob("*.eml")))
def test_no_given_mail_misses_anything(case: str) -> None:
    (path,) = CASES.glob(f"eml*/{case}")
    assert load_document(path).unread == ()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("eml/E1_inline_logo.eml", "Order A-1001\n\nTotal: 45.00 EUR"),
        ("eml/E3_stub_plain.eml", "Order | A-1001\nTotal | 45.00 EUR"),
        ("eml/E4_winmail.eml", "Order A-1001\nTotal: 45.00 EUR"),
        ("eml/E5b_noct.eml", "Kunde: Jürgen Größe\nBetrag: 45,00 EUR"),
        ("eml/E7_invite.eml", "Order A-1001 Total: 45.00 EUR"),
        (
            "eml/E9_flowed.eml",
            "Order A-1001 for Northern Instruments and Supplies Limited, see https://example.org/orders/A-1001 for it. "
            "Total: 45.00 EUR",
        ),
        (
            "eml/E10_quoted.eml",
            "On it.\n\n> Order A-1001 for Northern Instruments\nand Supplies Limited\nTotal: 45.00 EUR",
        ),
        ("eml2/F1_mixed_alt_signature.eml", "Order A-1001 Total: 45.00\n\nSignature html"),
        ("eml2/F2_apple_three.eml", "First part\n\nSecond part Total: 45.00\n\n# Attachment: x.csv\n\na | b\n1 | 2"),
        ("nbsp/n.eml", "Montant: 1 234,56 EUR"),
    ],
)
def test_a_mail_reads_as_it_is_shown(case: str, expected: str) -> None:
    assert body(load_document(CASES / case)).replace("\u202f", " ").replace("\u00a0", " ") == expected


def test_a_mail_in_a_mail_in_a_mail_is_read() -> None:
    document = load_document(CASES / "eml" / "E8_nested.eml")
    assert "Subject: Deepest" in document.text and "Total: 45.00 EUR" in document.text
    assert place(document, "45.00") == [{"body": 1, "attachment": "message/rfc822 / message/rfc822"}]


def test_subjects_are_words_in_any_encoding() -> None:
    assert "Subject: 注文 A-1001" in load_document(CASES / "eml" / "E9_flowed.eml").text


def test_a_report_that_a_mail_did_not_arrive_is_text() -> None:
    assert "Final-Recipient: rfc822; z@example.org" in load_document(CASES / "eml2" / "F4_dsn.eml").text


# header lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("=?UTF-8?Q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        ("=?utf-8?B?R3LDtsOfZQ==?= und =?iso-8859-1?Q?R=E4der?=", "Größe und Räder"),
        ("=?GB2312?B?tqm1pQ==?=", "订单"),
        ("Größe", "Größe"),
        ("folded\n over two lines", "folded over two lines"),
        ("=?unknown-8bit?Q?Gr=F6=DFe?=", None),
        ("=?broken", "=?broken"),
    ],
)
def test_header_lines_are_decoded(tmp_path: Path, line: str, expected: str | None) -> None:
    document = load(tmp_path, f"From: a@example.org\nSubject: {line}\n\nwords")
    if expected is None:
        assert "Subject: " in document.text and "words" in document.text
    else:
        assert document.text == f"From: a@example.org\nSubject: {expected}\n\nwords"
    assert place(document, "words") == [{"body": 1}]


def test_a_header_line_in_raw_latin_letters_is_read(tmp_path: Path) -> None:
    document = load(tmp_path, "From: Jörg <j@example.org>\nSubject: Größe\n\nwords".encode("latin-1"))
    assert document.text.startswith("From: Jörg <j@example.org>\nSubject: Größe")


def test_all_lines_that_people_read_are_shown_and_no_other(tmp_path: Path) -> None:
    document = load(tmp_path, "Received: x\nDate: 5 May 2024\nCc: c@example.org\nTo: b@example.org\nBcc: x\n\nwords")
    assert document.text == "To: b@example.org\nCc: c@example.org\nDate: 5 May 2024\n\nwords"


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_no_header_line_breaks_the_reader(line: str) -> None:
    assert "\n" not in decode_header(line)


# encodings


@pytest.mark.parametrize(
    ("head", "data", "expected"),
    [
        ("Content-Type: text/plain; charset=us-ascii", "Größe €".encode(), "Größe €"),
        ("Content-Type: text/plain; charset=iso-8859-1", "Größe €".encode(), "Größe €"),
        ("Content-Type: text/plain; charset=iso-8859-1", "Größe “x”".encode("cp1252"), "Größe “x”"),
        ("Content-Type: text/plain; charset=utf-8", "Größe der Räder".encode("cp1252"), "Größe der Räder"),
        ("Content-Type: text/plain; charset=x-unknown", "Größe der Räder".encode("cp1252"), "Größe der Räder"),
        ("Content-Type: text/plain", "Größe".encode(), "Größe"),
        ("Content-Type: text/plain; charset=koi8-r", "Заказ на сумму".encode("koi8-r"), "Заказ на сумму"),
        ("Content-Type: text/plain; charset=iso-2022-jp", "注文書".encode("iso-2022-jp"), "注文書"),
        ("Content-Type: text/plain; charset=gb2312", "订单金额".encode("gbk"), "订单金额"),
        ("Content-Type: text/plain; charset=utf-7", b"Gr+APYA3w-e", "Größe"),
        ("Content-Type: text/plain; charset=utf-16", "Größe".encode("utf-16"), "Größe"),
        ("", "Größe".encode(), "Größe"),
        ("Content-Transfer-Encoding: base64", base64.b64encode("Größe".encode()), "Größe"),
        ("Content-Transfer-Encoding: quoted-printable", b"Gr=C3=B6=C3=9Fe =\nx =E2=82=AC", "Größe x €"),
        ("Content-Transfer-Encoding: 7bit", b"Gr=C3=B6=C3=9Fe of all wh=\neels", "Größe of all wheels"),
        ("Content-Transfer-Encoding: 7bit", b"a=3D1 and no end of a line", "a=3D1 and no end of a line"),
        ("Content-Transfer-Encoding: quoted-printable", b"50=ZZ left=", "50=ZZ left"),
        ("Content-Transfer-Encoding: x-unknown", "Größe".encode(), "Größe"),
        ("Content-Type: text/html; charset=us-ascii", "<p>Größe &euro;".encode(), "Größe €"),
    ],
)
def test_a_body_is_read_in_the_encoding_that_it_is_in(tmp_path: Path, head: str, data: bytes, expected: str) -> None:
    document = load(tmp_path, f"{HEAD}{head}\n".encode() + b"\n" + data)
    assert body(document) == expected


# forms of one text


def test_the_page_is_what_a_reader_sees(tmp_path: Path) -> None:
    mail = letter()
    mail.add_alternative("<p>the wheels are <b>99</b> cm wide</p>", subtype="html")
    document = load(tmp_path, mail)
    assert document.text == (
        "From: Ada King <ada@engines.example>\nSubject: Größe der Räder\n\nthe wheels are 99 cm wide"
    )
    assert place(document, "Räder") == [{"header": "Subject"}]
    assert document.unread == ()


@pytest.mark.parametrize("page", ["<html><body></body></html>", "<img src='cid:a'>", "<p>See above</p>"])
def test_a_page_that_says_nothing_does_not_hide_the_text(tmp_path: Path, page: str) -> None:
    mail = EmailMessage()
    mail["From"] = "a@example.org"
    mail.set_content("The wheels are 12 cm wide and cost 45.00 a piece, all in all 180.00.\nPay until Monday.\n")
    mail.add_alternative(page, subtype="html")
    assert "12 cm wide" in load(tmp_path, mail).text


def test_a_page_in_a_mail_hides_what_it_hides_and_keeps_its_tables(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"] = "a@example.org"
    mail.set_content(
        "<style>.p{display:none}</style><p class=p>preheader</p>"
        "<table><tr><th>Item<th>Price<tr><td>Bolt<td>1.50</table><img alt='Logo'>",
        subtype="html",
    )
    document = load(tmp_path, mail)
    assert [document.text[h.start : h.end] for h in document.hidden] == ["preheader"]
    assert [document.text[d.start : d.end] for d in document.doubtful] == ["Logo"]
    (table,) = document.tables
    assert [document.text[c.span.start : c.span.end] for c in table.cells()] == ["Item", "Price", "Bolt", "1.50"]


@pytest.mark.parametrize(
    ("written", "head", "expected"),
    [
        ("> a\n> b\n>> c\n>> d\n\n> e", "", "> a\nb\n>> c\nd\n\n> e"),
        ("> > a\n> > b", "", "> > a\nb"),
        ("a \nb\nc", "; format=flowed", "a b\nc"),
        ("> a \n> b\n> c", "; format=flowed", "> a b\nc"),
        ("a \n> b", "; format=flowed", "a \n> b"),
        (" > no quote", "; format=flowed", "> no quote"),
        ("words\n-- \nname", "; format=flowed", "words\n-- \nname"),
        ("https://e.example/long/ \nrest", "; format=flowed; delsp=yes", "https://e.example/long/rest"),
        ("注文 \n書", "; format=flowed; delsp=yes", "注文書"),
    ],
)
def test_lines_that_were_broken_to_be_sent_are_whole(tmp_path: Path, written: str, head: str, expected: str) -> None:
    document = load(tmp_path, f"{HEAD}Content-Type: text/plain; charset=utf-8{head}\n\n{written}")
    assert body(document) == expected


# files, and what is none


def test_what_comes_along_by_itself_is_no_loss(tmp_path: Path) -> None:
    mail = letter()
    mail.add_alternative("<p>the wheels are 12 cm wide</p><img src='cid:logo'>", subtype="html")
    page = mail.get_payload()[1]  # type: ignore[index]
    page.add_related(b"\x89PNG", "image", "png", cid="<logo>", filename="image001.png")  # type: ignore[union-attr]
    attach(mail, "smime.p7s", b"\x30\x82", "application/pkcs7-signature")
    attach(mail, "signature.asc", b"-----BEGIN PGP SIGNATURE-----", "application/pgp-signature")
    attach(mail, "card.vcf", b"BEGIN:VCARD\nFN:Ada\nEND:VCARD\n", "text/vcard")
    attach(mail, "empty.txt", b" \n", "text/plain")
    document = load(tmp_path, mail)
    assert document.unread == ()
    assert "12 cm wide" in document.text


def test_a_picture_that_no_page_shows_was_sent_as_a_file(tmp_path: Path) -> None:
    mail = letter()
    mail.add_alternative("<p>the wheels are 12 cm wide</p><img src='cid:logo'>", subtype="html")
    attach(mail, "logo.png", b"\x89PNG", "image/png", cid="<logo>")
    attach(mail, "receipt.png", b"\x89PNG", "image/png", cid="<other>")
    assert [part.part for part in load(tmp_path, mail).unread] == ["attachment receipt.png"]


def test_a_signed_mail_is_read_and_an_encrypted_one_says_so(tmp_path: Path) -> None:
    parts = (
        "--b\nContent-Type: text/plain\n\nTotal: 45.00\n--b\nContent-Type: application/pkcs7-signature\n\nx\n--b--\n"
    )
    signed = load(tmp_path, f"{HEAD}Content-Type: multipart/signed; boundary=b\n\n{parts}")
    assert body(signed) == "Total: 45.00" and signed.unread == ()
    sealed = "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\n\nx\n--b--\n"
    encrypted = load(tmp_path, f"{HEAD}Content-Type: multipart/encrypted; boundary=b\n\n{sealed}")
    assert [(part.part, part.reason) for part in encrypted.unread] == [("body", "encrypted")]


def test_a_mail_in_a_mail_that_was_packed_is_read(tmp_path: Path) -> None:
    inner = base64.encodebytes(f"{HEAD}\nTotal: 45.00\n".encode()).decode()
    part = f"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}\n--b--\n"
    document = load(tmp_path, f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{part}")
    assert "Total: 45.00" in document.text and document.unread == ()


@pytest.mark.parametrize("start", ["\ufeff", "\r\n\n", "From a@example.org Tue Mar  5 10:00:00 2024\n"])
def test_what_stands_before_the_header_lines_is_passed_over(tmp_path: Path, start: str) -> None:
    assert load(tmp_path, f"{start}{HEAD}\nwords").text.startswith("From: a@example.org\nTo: b@example.com")


def test_attachments_that_are_not_read_are_named_and_cost_themselves_alone(tmp_path: Path) -> None:
    mail = letter()
    attach(mail, "broken.pdf", b"%PDF-1.4 and no more")
    attach(mail, "tool.exe", b"MZ")
    attach(mail, "latin.txt", "Größe der Räder".encode("latin-1"))
    attach(mail, "good.txt", b"still here")
    document = load(tmp_path, mail)
    assert document.text.endswith("# Attachment: good.txt\n\nstill here") and "Größe der Räder" in document.text
    assert [(u.part, u.reason) for u in document.unread] == [
        ("attachment broken.pdf", "broken"),
        ("attachment tool.exe", "not read"),
    ]


def test_a_mail_in_a_mail_is_read_with_its_files_and_not_without_end(tmp_path: Path) -> None:
    mail = letter("the innermost")
    attach(mail, "inner.csv", b"Part,Count\nSpoke,48\n")
    for number in range(MAX_MAIL_DEPTH + 1):
        outer = letter(f"mail {number}")
        outer.add_attachment(mail)
        mail = outer
    document = load(tmp_path, mail)
    assert "mail 1\n" in document.text and "innermost" not in document.text
    (lost,) = document.unread
    assert lost.reason == "not read" and lost.part.count("message/rfc822") == MAX_MAIL_DEPTH + 1
    inner = letter("the inner")
    attach(inner, "inner.csv", b"Part,Count\nSpoke,48\n")
    outer = letter("the outer")
    outer.add_attachment(inner)
    document = load(tmp_path, outer)
    assert place(document, "48") == [{"row": 2, "column": 2, "attachment": "message/rfc822 / inner.csv"}]


def test_ten_thousand_attachments_are_bounded_and_counted(tmp_path: Path) -> None:
    part = "--b\nContent-Type: text/plain; name={0}.txt\nContent-Disposition: attachment\n\nnumber {0}\n"
    many = "".join(map(part.format, range(10_000)))
    document = load(tmp_path, f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{many}--b--\n")
    assert document.text.count("# Attachment: ") == MAX_ATTACHMENTS
    rest = 10_000 - MAX_ATTACHMENTS - MAX_NAMED
    assert [u.part for u in document.unread][-2:] == [
        f"attachment {MAX_ATTACHMENTS + MAX_NAMED - 1}.txt",
        f"{rest} more attachments",
    ]
    assert {u.reason for u in document.unread} == {"too costly"}


# winmail.dat


def test_files_that_outlook_packed_are_read(tmp_path: Path) -> None:
    packed = tiny_tnef.pack(
        tiny_tnef.packed_file("LIST~1.CSV", "list of parts.csv", b"Part,Count\nSpoke,48\n"),
        tiny_tnef.packed_file("A.TXT", "", b"plain words"),
    )
    mail = letter()
    attach(mail, "winmail.dat", packed, "application/ms-tnef")
    document = load(tmp_path, mail)
    assert place(document, "48") == [{"row": 2, "column": 2, "attachment": "list of parts.csv"}]
    assert document.text.endswith("# Attachment: A.TXT\n\nplain words") and document.unread == ()


def test_a_body_that_is_only_in_the_packed_mail_is_read(tmp_path: Path) -> None:
    page = tiny_tnef.binary_property(0x1013, b"<p>Total: 45.00</p>")
    mail = EmailMessage()
    mail["From"] = "a@example.org"
    attach(mail, "winmail.dat", tiny_tnef.pack(tiny_tnef.attribute(1, tiny_tnef.MESSAGE, tiny_tnef.properties(page))))
    assert body(load(tmp_path, mail)) == "Total: 45.00"


@pytest.mark.parametrize("cut", [3, 10, 60])
def test_a_packed_mail_that_is_cut_short_is_named(tmp_path: Path, cut: int) -> None:
    mail = letter()
    attach(mail, "winmail.dat", tiny_tnef.pack(tiny_tnef.packed_file("A.TXT", "", b"x" * 50))[:cut])
    document = load(tmp_path, mail)
    assert "12 cm wide" in document.text
    assert [(u.part, u.reason) for u in document.unread] in ([("winmail.dat", "broken")], [])


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_packed_mail_breaks_the_reader(data: bytes) -> None:
    for start in (b"", tiny_tnef.pack(), tiny_tnef.pack() + tiny_tnef.attribute(2, tiny_tnef.RENDERING, b"")):
        try:
            read_packed_mail(start + data)
        except ValueError:
            continue


# time

HOSTILE = {
    "parts": "--b\nContent-Type: text/plain; name=a.bin\n\nx\n",
    "forms": "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n--c--\n",
    "quotes": "> > > > > > > > a\n",
    "header lines": "",
    "soft ends": "a=\n",
}


@pytest.mark.skipif("EXTRACTOR_TIMED" not in os.environ, reason="a clock is read; make soak does")
@pytest.mark.parametrize("name", HOSTILE)
def test_mails_take_time_in_proportion_to_their_length(tmp_path: Path, name: str) -> None:
    from extractor.documents.formats import mail

    def seconds(size: int) -> float:
        many = HOSTILE[name] * (size // max(1, len(HOSTILE[name])))
        lines = "".join(f"Received: {n}\nTo: {n}@example.org\n" for n in range(size // 40)) if not many else ""
        (tmp_path / "a.eml").write_text(f"{lines}{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{many}")
        began = time.process_time()
        mail.load(tmp_path / "a.eml", "a.eml", False)
        return time.process_time() - began

    seconds(10_000)
    assert seconds(400_000) < 3 * seconds(200_000) + 0.2
