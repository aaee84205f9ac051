"""One CV, written for these tests, in every kind of file; and a model that finds all it says."""

from __future__ import annotations

import html
import io
import textwrap
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import docx
import tiny_pdf
from tiny_pdf import Line

from extractor.extraction.text.normalize import fold_text
from extractor.testing import ScriptedModel, fit_reply
from extractor.types import Request

CV: list[tuple[str, Any]] = [
    ("title", "Mirela Østergård-Novak"),
    ("text", "PhD student, Institute of Tidal Computing, Skagen. mirela@tides.example"),
    ("text", "Home page: https://tides.example/~mirela"),
    ("heading", "Research interests"),
    ("text", "My research interests are sediment models and low-power sensor networks."),
    ("heading", "Education"),
    ("sides", ("Institute of Tidal Computing, PhD in Oceanic Informatics", "Sep 2021 – present")),
    ("text", "I am advised by Prof. Hallvard Quist, and work on what moves sand & silt."),
    ("sides", ("University of Ribe, BSc in Applied Geometry (GPA 3.81/4.0)", "Sep 2017 – Jun 2021")),
    ("heading", "Publications"),
    (
        "text",
        "Dunes that Remember: Forecasting Bedforms on Small Chips with Less than a Milliwatt of Power. "
        "Mirela Østergård-Novak, Hallvard Quist. In Proceedings of COAST'23, 2023.",
    ),
    (
        "text",
        "A Grammar of Ripples <in print>. Mirela Østergård-Novak, Tomé Arvelo, Hallvard Quist. "
        "Journal of Shallow Water Systems, 2022.",
    ),
    ("heading", "Awards"),
    (
        "table",
        [("Award", "Year"), ("Limfjord Medal for Young Engineers", "2022"), ("Café Littoral Essay Prize", "2020")],
    ),
    ("heading", "Skills"),
    ("list", ["Rust", "Verilog", "Bathymetry"]),
]

SAYS: dict[str, Any] = {
    "name": "Mirela Østergård-Novak",
    "position": "PhD student",
    "affiliation": "Institute of Tidal Computing",
    "emails": ["mirela@tides.example"],
    "homepage": "https://tides.example/~mirela",
    "research_interests": ["sediment models", "low-power sensor networks"],
    "advisors": ["Hallvard Quist"],
    "education": [
        {
            "institution": "Institute of Tidal Computing",
            "degree": "PhD in Oceanic Informatics",
            "start": "2021-09",
            "end": "present",
            "gpa": None,
        },
        {
            "institution": "University of Ribe",
            "degree": "BSc in Applied Geometry",
            "start": "2017-09",
            "end": "2021-06",
            "gpa": "3.81/4.0",
        },
    ],
    "publications": [
        {
            "title": "Dunes that Remember: Forecasting Bedforms on Small Chips with Less than a Milliwatt of Power",
            "authors": ["Mirela Østergård-Novak", "Hallvard Quist"],
            "date": "2023",
            "venue": "COAST'23",
            "url": None,
        },
        {
            "title": "A Grammar of Ripples",
            "authors": ["Mirela Østergård-Novak", "Tomé Arvelo", "Hallvard Quist"],
            "date": "2022",
            "venue": "Journal of Shallow Water Systems",
            "url": None,
        },
    ],
    "awards": [
        {"title": "Limfjord Medal for Young Engineers", "date": "2022"},
        {"title": "Café Littoral Essay Prize", "date": "2020"},
    ],
    "skills": ["Rust", "Verilog", "Bathymetry"],
}


def build_perfect_model() -> ScriptedModel:
    """A model that reads the request and copies from it: what the CV says, as far as the words stand in the request."""

    def answer(request: Request) -> dict[str, Any]:
        text = fold_text(request.user)
        standing = {name: _standing(value, text) for name, value in SAYS.items()}
        return dict(fit_reply(standing, request.schema))

    return ScriptedModel(answer)


def _standing(value: Any, said: str) -> Any:
    """The part of a value whose words are there; rows by their first field."""
    if isinstance(value, list):
        return [v for v in value if _standing(next(iter(v.values())) if isinstance(v, dict) else v, said)]
    return value if value is not None and fold_text(str(value)) in said else None


def text() -> bytes:
    blocks = []
    for kind, said in CV:
        match kind:
            case "title":
                blocks.append(f"# {said}")
            case "heading":
                blocks.append(f"## {said}")
            case "sides":
                blocks.append("\t".join(said))
            case "list":
                blocks.append("\n".join(f"- {item}" for item in said))
            case "table":
                blocks.append("\n".join(" | ".join(row) for row in said))
            case _:
                blocks.append(said)
    return "\n\n".join(blocks).encode()


def web() -> bytes:
    escape: Callable[[str], str] = lambda said: html.escape(said).replace("é", "&eacute;").replace("–", "&ndash;")  # noqa: E731
    out = [
        "<!doctype html><html><head><meta charset=utf-8><title>CV</title><style>h1 { color: red }</style></head><body>"
    ]
    for kind, said in CV:
        match kind:
            case "title":
                out.append(f"<h1>{escape(said)}</h1>")
            case "heading":
                out.append(f"<h2>{escape(said)}</h2>")
            case "sides":
                out.append(f"<p><b>{escape(said[0])}</b> <span>{escape(said[1])}</span></p>")
            case "list":
                out.append("<ul>" + "".join(f"<li>{escape(item)}" for item in said) + "</ul>")
            case "table":
                rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in said]
                out.append("<table>" + "".join(f"<tr>{row}</tr>\r\n" for row in rows) + "</table>")
            case _:
                out.append("<p>" + textwrap.fill(escape(said), 60, break_on_hyphens=False) + "</p>")
    out.append(
        "<p style='display:none'>Mirela Nobody, h-index 99</p><script>var name = 'Nobody'</script></body></html>"
    )
    return "\r\n".join(out).encode()


def word() -> bytes:
    file = docx.Document()
    for kind, said in CV:
        match kind:
            case "title":
                file.add_heading(said, 0)
            case "heading":
                file.add_heading(said, 1)
            case "sides":
                file.add_paragraph(said[0]).add_run(f"\t{said[1]}").bold = True
            case "list":
                for item in said:
                    file.add_paragraph(item, "List Bullet")
            case "table":
                table = file.add_table(len(said), len(said[0]))
                for row, cells in zip(table.rows, said, strict=True):
                    for cell, words in zip(row.cells, cells, strict=True):
                        cell.text = words
            case _:
                file.add_paragraph(said)
    buffer = io.BytesIO()
    file.save(buffer)
    return buffer.getvalue()


def pdf() -> bytes:
    """Two pages; headings are larger or bold, and dates stand at the right edge."""
    pages: list[list[Line]] = [[]]
    y = 740.0
    for kind, said in CV:
        if said == "Publications":
            pages.append([])
            y = 740.0
        lines: list[Line] = []
        match kind:
            case "title":
                lines = [Line(60, y, said, 20)]
            case "heading":
                y -= 8
                lines = [Line(60, y, said, 13, "F2")]
            case "sides":
                lines = [Line(60, y, said[0]), Line(460, y, said[1])]
            case "list":
                lines = [Line(60, y - 13 * i, f"• {item}") for i, item in enumerate(said)]
            case "table":
                lines = [Line(x, y - 13 * i, row[j]) for i, row in enumerate(said) for j, x in enumerate((60, 320))]
            case _:
                lines = [Line(60, y - 13 * i, part) for i, part in enumerate(textwrap.wrap(said, 80))]
        pages[-1] += lines
        y = min(line.y for line in lines) - 24
    return tiny_pdf.write([tiny_pdf.page(lines) for lines in pages])


def markdown() -> bytes:
    """With front matter and a comment that name somebody else."""
    return (
        b"---\nauthor: Mirela Nobody, h-index 99\n---\n"
        + text()
        + b"\n\n<!-- Mirela Nobody, nobody@tides.example -->\n"
    )


def _mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "post@office.example", "Application"
    return mail


def mail() -> bytes:
    """The text as the body of a mail."""
    message = _mail()
    message.set_content(text().decode(), cte="quoted-printable")
    return message.as_bytes()


def attached() -> bytes:
    """The PDF with a mail of a line."""
    message = _mail()
    message.set_content("My papers are below.\n")
    message.add_attachment(pdf(), "application", "pdf", filename="papers.pdf")
    return message.as_bytes()


RENDERINGS: dict[str, Callable[[], bytes]] = {
    "cv.txt": text,
    "cv.md": markdown,
    "cv.html": web,
    "cv.docx": word,
    "cv.pdf": pdf,
    "cv.eml": mail,
    "attached.eml": attached,
}
