"""One CV in every kind of file: the same record, and the way back to each file."""

import asyncio
import html
import json
import re
from pathlib import Path

import authored_cv
import docx
import jsonschema
import pypdfium2
import pytest
from authored_cv import RENDERINGS, SAYS

from extractor.documents.discovery import load_document
from extractor.extraction.pipeline import Reading, extract_record
from extractor.extraction.task import load_task
from extractor.extraction.text.normalize import fold_text
from extractor.models.traits import STRONG
from extractor.results.file import build_result, encode_part
from extractor.results.review.notebook import render_notebook
from extractor.results.review.page import build_review_page
from extractor.testing import ScriptedModel
from extractor.types import Json, Match, Record

SCALE = 4


def record(folder: Path, name: str, tokens: int = 0) -> Record:
    path = folder / name
    path.write_bytes(RENDERINGS[name]())
    task = load_task("researcher")
    prompt = task.choose_prompt(None)
    if tokens:
        import dataclasses

        prompt = dataclasses.replace(prompt, strategy=dataclasses.replace(prompt.strategy, chunk_tokens=tokens))
    return asyncio.run(extract_record(load_document(path), task, prompt, authored_cv.build_perfect_model(), "m"))


def said(value: Json) -> Json:
    """A record without what is empty, as SAYS is written."""
    return {k: v for k, v in value.items() if v not in (None, [], {})}


@pytest.mark.parametrize("name", RENDERINGS)
def test_every_rendering_gives_the_same_record(tmp_path: Path, name: str) -> None:
    assert said(record(tmp_path, name).value) == SAYS


@pytest.mark.parametrize("name", RENDERINGS)
def test_also_in_small_chunks(tmp_path: Path, name: str) -> None:
    found = record(tmp_path, name, tokens=150).value
    assert [row["title"] for row in found["awards"]] == [row["title"] for row in SAYS["awards"]]
    assert [row["title"] for row in found["publications"]] == [row["title"] for row in SAYS["publications"]]


@pytest.mark.parametrize("name", RENDERINGS)
def test_results_of_every_rendering_fit_the_published_schema(tmp_path: Path, repository: Path, name: str) -> None:
    schema = json.loads((repository / "docs" / "result.schema.json").read_text(encoding="utf-8"))
    manifest = {"extractor": "0", "model": {"name": "m", "digest": None}, "prompt": {"name": "p", "fingerprint": "f"}}
    manifest |= {"schema": {"fingerprint": "f"}, "parameters": {}, "versions": {}}
    result = build_result(record(tmp_path, name), "researcher", manifest)
    jsonschema.Draft202012Validator(schema).validate(json.loads(encode_part(result)))


def places(found: Record) -> list[tuple[str, list[dict[str, Json]]]]:
    """Every piece of evidence and where it stands in the file."""
    document = found.document
    assert document.locations is not None
    spans = [span for evidence in found.evidence.values() for span in evidence.spans]
    assert spans
    return [(document.text[s.start : s.end], document.locations.locate(s)) for s in spans]


@pytest.mark.parametrize("name", ["cv.pdf", "attached.eml"])
def test_the_box_of_a_pdf_holds_the_ink_of_the_words_from_edge_to_edge(tmp_path: Path, name: str) -> None:
    found = places(record(tmp_path, name))
    if name == "attached.eml":
        assert {place["attachment"] for _, where in found for place in where} == {"papers.pdf"}
        (tmp_path / "cv.pdf").write_bytes(RENDERINGS["cv.pdf"]())
    assert {place["page"] for _, where in found for place in where} == {1, 2}
    pdf = pypdfium2.PdfDocument(tmp_path / "cv.pdf")
    pages = [sheet.render(scale=SCALE, grayscale=True) for sheet in pdf]
    for words, where in found:
        assert where, words
        for place in where:
            inked = columns(pages[place["page"] - 1], place["box"])
            left, _, right, _ = place["box"]
            assert inked, words
            # the words begin and end in the box, give or take what is white at the side of a letter; a space ends it
            assert inked[0] <= 3 * SCALE and (right - left) * SCALE - inked[-1] <= 4 * SCALE, (words, place)
        heard = " ".join(bounded(pdf, place) for place in where)
        assert fold_text(words) in fold_text(heard)


def columns(picture: pypdfium2.PdfBitmap, box: list[float]) -> list[int]:
    """Columns of pixels in the box, counted from its left edge, that have ink."""
    left, top, right, bottom = (round(edge * SCALE) for edge in box)
    data, stride = bytes(picture.buffer), picture.stride
    rows = [data[y * stride + left : y * stride + right] for y in range(top, bottom)]
    return [x for x in range(right - left) if any(row[x] < 128 for row in rows)]


def bounded(pdf: pypdfium2.PdfDocument, place: dict[str, Json]) -> str:
    """What PDFium itself says stands in the box."""
    sheet = pdf[place["page"] - 1]
    left, top, right, bottom = place["box"]
    height = sheet.get_height()
    return sheet.get_textpage().get_text_bounded(left - 0.5, height - bottom, right + 0.5, height - top)


def test_the_source_of_a_web_page_has_the_words_at_the_offset(tmp_path: Path) -> None:
    found = places(record(tmp_path, "cv.html"))
    source = (tmp_path / "cv.html").read_bytes().decode()
    for words, where in found:
        (place,) = where
        there = source[place["source"]["start"] : place["source"]["end"]]
        assert fold_text(html.unescape(re.sub(r"<[^>]*>", "", there))) == fold_text(words)
    assert any("&eacute;" in source[p["source"]["start"] : p["source"]["end"]] for _, (p,) in found)


def test_a_word_file_has_the_words_in_the_paragraph_or_the_cell(tmp_path: Path) -> None:
    found = places(record(tmp_path, "cv.docx"))
    file = docx.Document(str(tmp_path / "cv.docx"))
    cells = 0
    for words, where in found:
        for place in where:
            if "table" in place:
                cells += 1
                there = file.tables[place["table"] - 1].rows[place["row"] - 1].cells[place["column"] - 1].text
            else:
                there = file.paragraphs[place["paragraph"] - 1].text
            assert fold_text(words) in fold_text(there)
    assert cells == 4


@pytest.mark.parametrize("name", ["cv.txt", "cv.md"])
def test_spans_of_plain_files_are_offsets_in_the_file(tmp_path: Path, name: str) -> None:
    found = record(tmp_path, name)
    source = (tmp_path / name).read_bytes().decode()
    spans = [span for evidence in found.evidence.values() for span in evidence.spans]
    leaves = {str(row["title"]) for row in SAYS["publications"]} | {SAYS["name"], *SAYS["skills"]}
    assert leaves <= {source[span.start : span.end] for span in spans}
    assert found.document.text == source


def test_evidence_of_a_mail_is_in_its_body(tmp_path: Path) -> None:
    assert {json.dumps(where) for _, where in places(record(tmp_path, "cv.eml"))} == {'[{"body": 1}]'}


def test_all_evidence_of_all_renderings_is_what_the_words_say(tmp_path: Path) -> None:
    """Words, not only values: the evidence of each leaf reads the same in every file, but for white space."""
    quoted = {}
    for name in RENDERINGS:
        found = record(tmp_path, name)
        quoted[name] = {
            path: [fold_text(found.document.text[s.start : s.end]) for s in evidence.spans]
            for path, evidence in found.evidence.items()
        }
    first = quoted.pop("cv.txt")
    assert len(first) > 30
    assert all(other == first for other in quoted.values()), {n for n, other in quoted.items() if other != first}


def test_what_markdown_hides_is_no_evidence_either(tmp_path: Path) -> None:
    found = record(tmp_path, "cv.md")
    (hidden,) = found.document.hidden
    assert found.document.text[hidden.start : hidden.end] == "<!-- Mirela Nobody, nobody@tides.example -->"
    assert said(found.value) == SAYS


def test_front_matter_of_markdown_is_text_that_is_shown_and_is_evidence(tmp_path: Path) -> None:
    path = tmp_path / "cv.md"
    path.write_bytes(RENDERINGS["cv.md"]())
    model = ScriptedModel({"h_index": 99, "emails": ["nobody@tides.example"]})
    task = load_task("researcher")
    document = load_document(path)
    found = asyncio.run(extract_record(document, task, task.choose_prompt(None), model, "m", reading=Reading(STRONG)))
    assert found.value["h_index"] == 99
    assert found.evidence[("emails", 0)].match is Match.NONE  # a strong model may know it; the comment is no evidence
    (span,) = found.evidence[("h_index",)].spans
    assert document.text[: span.end].endswith("author: Mirela Nobody, h-index 99")
    assert all("nobody@tides" not in request.user for request in model.requests)


def test_what_a_page_hides_is_no_evidence_and_is_shown_to_no_model(tmp_path: Path) -> None:
    found = record(tmp_path, "cv.html")
    document = found.document
    assert [document.text[h.start : h.end] for h in document.hidden] == ["Mirela Nobody, h-index 99"]
    assert "var name" not in document.text
    assert found.value["h_index"] is None


def test_the_page_says_where_in_the_file_the_words_stand(tmp_path: Path) -> None:
    manifest = {"extractor": "0", "model": {"name": "m", "digest": None}, "prompt": {"name": "p", "fingerprint": "f"}}
    expected = {
        "cv.pdf": "page 2, 60 pt from the left",
        "attached.eml": "attachment papers.pdf, page 2, 60 pt from the left",
        "cv.docx": "table 1, row 2, column 1",
        "cv.html": "characters ",
        "cv.eml": "body of the mail",
    }
    for name, words in expected.items():
        found = build_result(record(tmp_path, name), "researcher", manifest)
        at = re.findall(r'class="at" hidden>.*?</span>', build_review_page([found]))
        shown = html.unescape(re.sub(r"<[^>]*>", "", " ".join(at)))
        assert words in shown
        assert words in html.unescape(render_notebook(found))
