"""Pages as pictures beside the text, for models that see: which are sent, to whom, what is kept of them, and what a
run does that learns that they are not taken."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_pdf
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel
from tiny_pdf import Parts, image

from extractor import Engine, extract
from extractor.cli.main import main
from extractor.documents.discovery import load_document
from extractor.documents.formats import ocr_rapid
from extractor.documents.formats.page_pictures import FOR_MODELS, picture_pages
from extractor.documents.vision import MAX_PICTURES
from extractor.errors import UsageError
from extractor.extraction.chunking import split_document
from extractor.extraction.planning import MAX_PICTURES_A_REQUEST
from extractor.models.choice import choose_model
from extractor.models.settings import ModelSettings
from extractor.models.tokens import count_picture_tokens
from extractor.testing import FaultEndpoint, ScriptedModel, build_reply
from extractor.testing.fault_endpoint import build_error
from extractor.types import Document, PageImage, Request, Vision

Start = Callable[..., FaultEndpoint]
needs_ocr = pytest.mark.skipif(not ocr_rapid.is_installed(), reason="the extra 'ocr' is not installed")
LINES = ["Invoice number 9001", "Total due: 45.00 EUR"]
VALUE = {"number": "9001", "total": 45.0}
SCHEMA = {"type": "object", "properties": {"number": {"type": "string"}, "total": {"type": "number"}}}
SEEING, BLIND = "gpt-5-mini", "gpt-oss-20b"


class Bill(BaseModel):
    number: str | None = None
    total: float | None = None


def draw(lines: list[str] = LINES, size: tuple[int, int] = (460, 160)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    for i, line in enumerate(lines):
        ImageDraw.Draw(picture).text((30, 30 + 50 * i), line, fill="black", font=ImageFont.load_default(28))
    return picture


def write_scan(path: Path, before: list[str] | None = None) -> Path:
    """A PDF with a page for each line before, in letters, and a last one that is a picture."""
    picture = draw().convert("L")
    parts = Parts([image(*picture.size, picture.tobytes())], b"/XObject<</I 6 0 R>>")
    texts = [tiny_pdf.page([tiny_pdf.Line(72, 700, line)]) for line in before or []]
    path.write_bytes(tiny_pdf.write([*texts, b"q 460 0 0 160 72 600 cm /I Do Q"], parts=parts))
    return path


def write_letter(path: Path, pages: int = 1) -> Path:
    letters = [
        tiny_pdf.page([tiny_pdf.Line(72, 700, one) for one in ("Invoice number 9001. Total due: 45.00 EUR",)])
        for _ in range(pages)
    ]
    path.write_bytes(tiny_pdf.write(letters))
    return path


def answer(body: dict[str, Any], n: int) -> Any:
    return 200, build_reply(body, json.dumps(VALUE))


def list_pictures(body: dict[str, Any]) -> list[bytes]:
    parts = [part for m in body["messages"] if isinstance(m["content"], list) for part in m["content"]]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


class Told:
    """What a run by command line came to."""

    def __init__(self, code: int, result: Any, run: Any) -> None:
        self.code, self.result, self.run = code, result, run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter22-and-more")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bill.json").write_text(json.dumps(SCHEMA), encoding="utf-8")

    def go(path: Path, url: str, *flags: str, model: str = SEEING) -> Told:
        out = tmp_path / "out"
        code = main(
            ["run", str(path), "--schema", "bill.json", "--model", model, "--base-url", url, "-o", str(out), *flags]
        )
        return Told(
            code,
            json.loads((out / f"{path.stem}.json").read_text(encoding="utf-8")),
            json.loads((out / "run.json").read_text(encoding="utf-8")),
        )

    return go


def assert_has_boxes(result: Any) -> None:
    assert result["record"] == VALUE
    for path in ("/number", "/total"):
        (place,) = result["evidence"][path]["spans"][0]["places"]
        assert place["page"] == 1 and len(place["box"]) == 4


@needs_ocr
def test_a_photo_is_shown_to_a_model_that_sees_and_its_values_have_boxes(
    faults: Start, tmp_path: Path, run: Callable[..., Told]
) -> None:
    endpoint = faults(answer)
    draw().save(tmp_path / "photo.png")
    told = run(tmp_path / "photo.png", endpoint.url)
    assert told.code == 0 and told.result["status"] == "complete"
    assert_has_boxes(told.result)
    (picture,) = list_pictures(endpoint.bodies[0])
    assert Image.open(io.BytesIO(picture)).size == (460, 160)
    assert told.result["document"]["notes"] == ["Sent along as pictures, as far as the model takes them: page 1."]


@needs_ocr
def test_a_pdf_of_pictures_alone_is_read_by_ocr_and_shown_without_a_word_of_the_user(
    faults: Start, tmp_path: Path, run: Callable[..., Told]
) -> None:
    endpoint = faults(answer)
    told = run(write_scan(tmp_path / "scan.pdf"), endpoint.url)
    assert told.code == 0
    assert_has_boxes(told.result)
    assert len(list_pictures(endpoint.bodies[0])) == 1


@needs_ocr
def test_only_pages_that_are_no_good_text_are_shown(faults: Start, tmp_path: Path, run: Callable[..., Told]) -> None:
    endpoint = faults(answer)
    run(write_scan(tmp_path / "scan.pdf", ["A covering letter"]), endpoint.url)
    assert "page 2 as a picture" in json.dumps(endpoint.bodies[0]) and len(list_pictures(endpoint.bodies[0])) == 1


def test_all_pages_are_shown_where_that_is_wanted(faults: Start, tmp_path: Path, run: Callable[..., Told]) -> None:
    endpoint = faults(answer)
    letter = write_letter(tmp_path / "letter.pdf", 2)
    run(letter, endpoint.url, "--no-cache")
    assert list_pictures(endpoint.bodies[-1]) == [] and isinstance(endpoint.bodies[-1]["messages"][-1]["content"], str)
    for flags in (["--vision", "always"], ["--set", "vision=always"]):
        run(letter, endpoint.url, "--no-cache", *flags)
        assert "pages 1 and 2 as pictures" in json.dumps(endpoint.bodies[-1])
        assert len(list_pictures(endpoint.bodies[-1])) == 2


@pytest.mark.parametrize(("model", "flags"), [(BLIND, []), ("unheard-of", []), (SEEING, ["--vision", "never"])])
def test_no_picture_goes_to_a_model_that_is_not_known_to_see_or_may_not(
    faults: Start, tmp_path: Path, run: Callable[..., Told], model: str, flags: list[str]
) -> None:
    endpoint = faults(answer)
    told = run(write_scan(tmp_path / "scan.pdf", ["Invoice number 9001"]), endpoint.url, *flags, model=model)
    assert told.code == 1 and [part["part"] for part in told.result["document"]["unread"]] == ["page 2"]
    assert list_pictures(endpoint.bodies[0]) == [] and "notes" not in told.result["document"]


REFUSALS = [
    (400, build_error("Invalid content type. image_url is only supported by certain models.", "invalid_value")),
    (400, build_error("m is not a multimodal model")),
    (400, build_error("At most 0 image(s) may be provided in one prompt.")),
    (422, build_error("Failed to deserialize the body: messages[1]: unknown variant `image_url`, expected `text`")),
    (500, build_error("image input is not supported - hint: you may need to provide the mmproj")),
    (400, build_error("this model is missing data required for image input")),
    (404, build_error("No endpoints found that support image input")),
    (400, build_error("'messages.1' : for 'role:user' the following must be satisfied: content must be a string")),
    (400, build_error("Image input is not enabled for this model")),
    (400, {"detail": [{"type": "string_type", "loc": ["body", "messages", 1, "content"], "msg": "Input should be a "
           "valid string"}]}),
    (400, build_error("Model does not support images. Please use a model that does.")),
    (400, {}),
]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: json.dumps(refusal[1])[10:50])
def test_an_endpoint_that_takes_no_pictures_is_learnt_once_and_the_run_goes_on_with_text(
    faults: Start, tmp_path: Path, run: Callable[..., Told], refusal: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(body: dict[str, Any], n: int) -> Any:
        return refusal if list_pictures(body) else answer(body, n)

    endpoint = faults(refuse)
    (tmp_path / "letters").mkdir()
    for n in range(1, 3):
        write_letter(tmp_path / "letters" / f"{n}.pdf", n)
    flags = ["--vision", "always", "--concurrency", "1"]
    command = ["run", "letters", "--schema", "bill.json", "--model", SEEING, "--base-url", endpoint.url, *flags]
    assert main(command) == 0
    said = "The endpoint takes no pictures; pages are sent as text alone."
    assert capsys.readouterr().err.count(said) == 1
    learnt = json.loads(Path("out/run.json").read_text(encoding="utf-8"))["manifest"]["learnt"]
    assert learnt["pictures"] == 0 and said in learnt["notes"]
    shown = [bool(list_pictures(body)) for body in endpoint.bodies]
    assert shown[-2:] == [False] * 2 and not any(shown[shown.index(False) :])
    assert sum(shown) == 1 or refusal[1] == {}  # who says nothing is asked in other dialects first


def test_an_endpoint_that_takes_some_pictures_is_sent_so_many(
    faults: Start, tmp_path: Path, run: Callable[..., Told]
) -> None:
    def refuse(body: dict[str, Any], n: int) -> Any:
        if len(list_pictures(body)) > 2:
            return 400, build_error("At most 2 image(s) may be provided in one request.")
        return answer(body, n)

    endpoint = faults(refuse)
    told = run(write_letter(tmp_path / "letter.pdf", 4), endpoint.url, "--vision", "always")
    assert [len(list_pictures(body)) for body in endpoint.bodies] == [4, 2] and told.run["manifest"]["learnt"][
        "pictures"
    ] == 2


def test_what_is_kept_of_a_picture_is_its_digest(
    faults: Start, tmp_path: Path, run: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    endpoint = faults(answer)
    path = write_letter(tmp_path / "letter.pdf")
    run(path, endpoint.url, "--mode", "record", "--vision", "always")
    (picture,) = list_pictures(endpoint.bodies[0])
    (tape,) = (tmp_path / "cassettes").rglob("*.json")
    kept = tape.read_text(encoding="utf-8")
    digest = PageImage.from_jpeg(1, (0, 1), (1, 1), picture).digest
    assert f"sha256:{digest}" in kept and base64.b64encode(picture)[:60].decode() not in kept and len(kept) < 20_000
    replayed = run(path, endpoint.url, "--mode", "replay", "--fresh", "--vision", "always")
    assert replayed.code == 0 and len(endpoint.bodies) == 1
    for other in ("never", "always"):
        if other == "always":
            path.write_bytes(path.read_bytes().replace(b"72 700 Td", b"75 690 Td"))  # the same words elsewhere
        told = run(path, endpoint.url, "--mode", "replay", "--fresh", "--vision", other)
        assert told.code == 1, "another picture is another request"
    for file in (tmp_path / "out").rglob("*"):
        assert b"/9j/" not in file.read_bytes()


def test_a_paid_reply_is_that_to_its_pictures(faults: Start, tmp_path: Path, run: Callable[..., Told]) -> None:
    endpoint = faults(answer)
    path = write_letter(tmp_path / "letter.pdf")
    for vision, asked in (("always", 1), ("always", 1), ("never", 2), ("auto", 2)):
        run(path, endpoint.url, "--fresh", "--cache", str(tmp_path / "cache"), "--vision", vision)
        assert len(endpoint.bodies) == asked
    path.write_bytes(path.read_bytes().replace(b"72 700 Td", b"75 690 Td"))
    run(path, endpoint.url, "--fresh", "--cache", str(tmp_path / "cache"), "--vision", "always")
    assert len(endpoint.bodies) == 3


def test_a_dry_run_counts_pictures(
    tmp_path: Path, run: Callable[..., Told], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_letter(tmp_path / "letter.pdf", 3)
    command = ["run", str(path), "--schema", "bill.json", "--model", "gpt-4o", "--dry-run"]
    told = {}
    for vision in ("never", "always"):
        main([*command, "--json", "--vision", vision])
        told[vision] = json.loads(capsys.readouterr().out)
    assert told["never"]["pictures"] == {"count": 0, "tokens": 0}
    assert told["always"]["pictures"] == {"count": 3, "tokens": 3 * 765}
    more = told["always"]["input_tokens"]["expected"] - told["never"]["input_tokens"]["expected"]
    assert more == 3 * 765
    main([*command, "--vision", "always"])
    assert "2,295 are 3 pictures of pages" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("gpt-4o", (1024, 1024), 765),  # OpenAI's own examples
        ("gpt-4o", (2048, 4096), 1105),
        ("gpt-4.1-mini", (1024, 1024), 1659),
        ("claude-sonnet-4", (1000, 1000), 1334),  # Anthropic's
        ("gemini-2.5-pro", (300, 300), 258),  # Google's
        ("gemini-2.5-pro", (960, 540), 516),
        ("anybodys", (1024, 1024), 765),
    ],
)
def test_tokens_of_a_picture_are_those_of_its_makers_formula(model: str, size: tuple[int, int], tokens: int) -> None:
    assert count_picture_tokens(*size, model) == tokens


def test_pictures_are_bounded_in_pixels_bytes_and_pages(tmp_path: Path) -> None:
    document = load_document(write_letter(tmp_path / "letter.pdf", MAX_PICTURES + 5), vision=Vision.ALWAYS)
    assert [page.page for page in document.pictures] == list(range(1, MAX_PICTURES + 1))
    assert all(max(page.width, page.height) <= 1568 and len(page.data) <= 700_000 for page in document.pictures)
    assert document.notes[-1] == "5 more pages could have been; they were sent as text alone."


def test_noise_of_many_pixels_is_made_small(tmp_path: Path) -> None:
    Image.effect_noise((2400, 1800), 120).save(tmp_path / "noise.png")
    (page,) = picture_pages(tmp_path / "noise.png", "noise.png", [1], FOR_MODELS)
    assert len(page.data) <= FOR_MODELS.max_bytes and page.columns == 1568


def test_a_chunk_has_the_pictures_of_its_own_pages_and_no_more_than_a_request_takes() -> None:
    pages = [PageImage(n + 1, 10 * n, 10 * n + 10, 100, 100, f"{n:064}") for n in range(50)]
    document = Document("a.pdf", "0123 5678\n" * 50, pictures=tuple(pages))
    chunks = split_document(document, 100_000, MAX_PICTURES_A_REQUEST)
    assert [len(chunk.pictures) for chunk in chunks] == [20, 20, 10]
    assert "".join(chunk.text for chunk in chunks) == document.text
    small = split_document(document, 30, MAX_PICTURES_A_REQUEST)
    for chunk in small:
        assert [page.page for page in chunk.pictures] == list(
            range(chunk.span.start // 10 + 1, (chunk.span.end - 1) // 10 + 2)
        )


def test_a_page_without_words_is_shown_with_the_text_that_it_stands_in() -> None:
    empty = PageImage(2, 10, 10, 100, 100, "0" * 64)
    last = PageImage(3, 20, 20, 100, 100, "1" * 64)
    document = Document("a.pdf", "0123 5678\n" * 2, pictures=(empty, last))
    first, second = split_document(document, 9)
    assert first.pictures == () and [page.page for page in second.pictures] == [2, 3]


def test_a_large_document_that_workers_plan_keeps_its_pictures(faults: Start, tmp_path: Path) -> None:
    lines = [f"{n} words of a long letter that says nothing new at all" for n in range(45)]
    page = tiny_pdf.page([tiny_pdf.Line(72, 760 - 16 * n, line, 11) for n, line in enumerate(lines)])
    (tmp_path / "long.pdf").write_bytes(tiny_pdf.write([page] * 12))
    endpoint = faults(answer)
    assert len(load_document(tmp_path / "long.pdf").text) > 16_000
    for model, most in ((SEEING, 12), ("m", 6)):  # a server of one's own has a small window
        with Engine(model, base_url=endpoint.url, api_key="k", vision="always") as engine:
            engine.extract(tmp_path / "long.pdf", Bill)
        counts = [len(list_pictures(body)) for body in endpoint.bodies]
        assert max(counts) <= most and sum(counts) >= 12
        endpoint.bodies.clear()


@needs_ocr
def test_a_model_of_ones_own_sees_if_it_says_so(tmp_path: Path) -> None:
    path = write_letter(tmp_path / "letter.pdf")
    seen: list[Request] = []

    def look(request: Request) -> dict[str, Any]:
        seen.append(request)
        return VALUE

    class Seeing(ScriptedModel):
        sees = True

    draw().save(tmp_path / "photo.png")
    assert extract(tmp_path / "photo.png", Bill, model=Seeing(look)).record == Bill(**VALUE)
    extract(path, Bill, model=ScriptedModel(look))
    extract(path, Bill, model=ScriptedModel(look), vision="always")
    extract(path, Bill, model=Seeing(look), vision="never")
    assert [[page.page for page in request.pictures] for request in seen] == [[1], [], [1], []]
    assert "data=" not in repr(seen[0]) and seen[1].key != seen[2].key and seen[1].key == seen[3].key


@needs_ocr
def test_a_picture_without_words_is_shown_and_the_record_is_incomplete(
    faults: Start, tmp_path: Path, run: Callable[..., Told]
) -> None:
    Image.new("RGB", (400, 300), "white").save(tmp_path / "blank.png")
    endpoint = faults(answer)
    told = run(tmp_path / "blank.png", endpoint.url)
    assert told.code == 1 and told.result["status"] == "incomplete" and len(list_pictures(endpoint.bodies[0])) == 1
    (unread,) = told.result["document"]["unread"]
    assert "no words that could be read" in unread["message"]


def test_vision_can_be_said_in_a_config_file_and_wrongly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="auto, always or never"):
        ModelSettings(vision="sometimes")
    with pytest.raises(UsageError, match="embedded and sees no pictures"):
        choose_model("qwen2.5-coder-0.5b", None, {}, settings=ModelSettings(vision="always")).vision  # noqa: B018
    file = tmp_path / "mine.toml"
    file.write_text('[defaults]\nvision = "never"\n', encoding="utf-8")
    from extractor.models.config_file import read_config_file

    files = read_config_file(file, named=False)
    spec = choose_model(SEEING, None, {"OPENAI_API_KEY": "k"}, configuration=files)
    assert spec.vision is Vision.NEVER
    assert choose_model(SEEING, None, {"OPENAI_API_KEY": "k"}).vision is Vision.AUTO
