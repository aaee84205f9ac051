"""The Python API, through the real client against an endpoint on loopback."""

import asyncio
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

import extractor
from extractor import Document, Engine, Match, Result, Status, aextract, extract, extract_all, load_task
from extractor.errors import DocumentError, ModelFatal, RecordInvalid, TaskError, UsageError
from extractor.testing import FaultEndpoint, ScriptedModel, fit_reply
from extractor.types import Reply, Request, Usage

TEXT = "Order A-7: bolts at $4, nuts at $2."


class Line(BaseModel):
    item: str
    price: float | None = None


class Order(BaseModel):
    number: str | None = None
    lines: list[Line] = []


class Strict(BaseModel):
    number: str
    colour: str


def answer(body: dict[str, Any], n: int) -> str:
    text, _, asked = body["messages"][-1]["content"].partition("</document>")
    names = [name for name in ("bolts", "nuts") if name in text]
    values = {
        "number": "A-7" if "A-7" in text else None,
        "colour": None,
        "lines": [{"item": name, "price": 4 if name == "bolts" else 2} for name in names],
    }
    return json.dumps({name: value for name, value in values.items() if f"- {name}:" in asked})


@pytest.fixture(scope="module")
def server() -> Iterator[FaultEndpoint]:
    with FaultEndpoint(answer) as one:
        yield one


@pytest.fixture
def engine(server: FaultEndpoint) -> Iterator[Engine]:
    with Engine("m", base_url=server.url) as one:
        yield one


def test_five_lines_from_import_to_evidence(server: FaultEndpoint) -> None:
    result = extract(TEXT, Order, model="m", base_url=server.url)
    assert result.record == Order(number="A-7", lines=[Line(item="bolts", price=4), Line(item="nuts", price=2)])
    assert result.evidence.lines[1].item.quote == "nuts"
    assert result.status is Status.COMPLETE


def test_evidence_is_found_by_attribute_by_path_and_by_pointer(engine: Engine) -> None:
    result = engine.extract(TEXT, Order)
    proof = result.evidence.lines[0].price
    assert proof == result.evidence["lines[0].price"] == result.evidence["/lines/0/price"]
    assert proof == result.evidence["lines"][0]["price"] == result.proofs["/lines/0/price"]
    assert proof.match in (Match.EXACT, Match.NORMALISED)
    for path, one in result.proofs.items():
        assert one, path
        for quote in one.spans:
            assert result.text[quote.start : quote.end] == quote.quote
    assert [line.item.quote for line in result.evidence.lines] == ["bolts", "nuts"]
    assert list(result.evidence) == ["number", "lines"]
    assert dir(result.evidence) == ["lines", "number"]
    assert len(result.evidence.lines) == 2


def test_a_value_that_is_not_there_has_a_proof_that_is_false_and_a_wrong_name_is_an_error(engine: Engine) -> None:
    result = engine.extract("Nothing here.", Order)
    assert result.record.number is None
    assert not result.evidence.number and result.evidence.number.quote == ""
    with pytest.raises(AttributeError, match="it has number, lines"):
        _ = result.evidence.nummer
    with pytest.raises(KeyError, match="number"):
        _ = result.evidence["nummer"]
    with pytest.raises(IndexError):
        _ = result.evidence.lines[0]


def test_text_path_and_document_are_the_same_document(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    results = [engine.extract(source, Order) for source in (TEXT, tmp_path / "text", Document("text", TEXT))]
    assert results[0].content == results[1].content == results[2].content


def test_a_text_that_is_a_files_name_is_asked_about(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(TEXT, encoding="utf-8")
    with pytest.raises(UsageError, match="give Path"):
        engine.extract(str(file), Order)
    with pytest.raises(DocumentError, match="empty"):
        engine.extract("  \n", Order)


def test_many_documents_come_in_order_and_those_that_cannot_be_read_fail_alone(engine: Engine, tmp_path: Path) -> None:
    for name, data in {"a.txt": b"Order A-7", "b.txt": b"\0", "c.txt": b"bolts"}.items():
        (tmp_path / name).write_bytes(data)
    results = list(engine.extract_all([tmp_path, TEXT, ""], Order))
    assert [r.name for r in results] == ["a.txt", "b.txt", "c.txt", "text", "text"]
    assert [r.status for r in results] == [Status.COMPLETE, Status.FAILED, *[Status.COMPLETE] * 2, Status.FAILED]
    with pytest.raises(DocumentError, match="binary"):
        _ = results[1].record
    assert results[1].value is None and not list(results[1].evidence)


def test_no_more_documents_are_begun_than_may_be_under_way(server: FaultEndpoint) -> None:
    begun = []

    def sources() -> Iterator[str]:
        for i in range(20):
            begun.append(i)
            yield f"Order {i}"

    with Engine("m", base_url=server.url, concurrency=2) as engine:
        results = engine.extract_all(sources(), Order)
        next(results)
        assert len(begun) <= 4
        results.close()  # type: ignore[attr-defined]
        assert engine.extract(TEXT, Order).record.number == "A-7"


def test_sync_and_async_give_the_same_on_a_loop_that_runs(server: FaultEndpoint) -> None:
    async def notebook() -> list[dict[str, Any]]:
        one = extract(TEXT, Order, model="m", base_url=server.url)
        async with Engine("m", base_url=server.url) as engine:
            two, three = await asyncio.gather(engine.aextract(TEXT, Order), aextract(TEXT, Order, engine=engine))
        four = await aextract(TEXT, Order, model="m", base_url=server.url)
        return [dict(r.content) for r in (one, two, three, four)]

    results = asyncio.run(notebook())
    assert all(r == results[0] for r in results)
    assert not [t for t in threading.enumerate() if t.name == "extractor"]


def test_a_record_that_the_class_does_not_take_says_so_and_stays_as_json(engine: Engine) -> None:
    result = engine.extract(TEXT, Strict)
    with pytest.raises(RecordInvalid, match="colour"):
        _ = result.record
    assert result.value == {"number": "A-7", "colour": None}
    assert result.status is Status.SUSPECT and result.problems


def test_what_is_wrong_with_class_prompt_engine_or_endpoint_is_said(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no Pydantic class"):
        engine.extract(TEXT, dict)  # type: ignore[type-var]
    with pytest.raises(TaskError, match="no prompt 'other'"):
        engine.extract(TEXT, Order, prompt="other")
    with pytest.raises(UsageError, match="has its model already"):
        extract(TEXT, Order, engine=engine, model="m")
    with pytest.raises(UsageError, match="no embedded model"):
        Engine("none-of-that-name")
    refused = {"error": {"message": "no", "code": None, "type": None, "param": None}}
    with FaultEndpoint(lambda body, n: (401, refused)) as closed, pytest.raises(ModelFatal, match="key"):
        extract(TEXT, Order, model="m", base_url=closed.url, api_key="k-secret")


def test_the_key_is_sent_and_shows_nowhere_else(server: FaultEndpoint) -> None:
    with Engine("m", base_url=server.url, api_key="k-secret") as engine:
        result = engine.extract(TEXT, Order)
    assert "Bearer k-secret" in server.headers[-1].values()
    assert "k-secret" not in repr(engine) + json.dumps(dict(result.content)) + result._repr_html_()


def test_a_prompt_of_ones_own_is_given_by_its_path(engine: Engine, server: FaultEndpoint, tmp_path: Path) -> None:
    mine = tmp_path / "mine.md"
    mine.write_text("# system\nMine.\n\n# user\n{document}\n\n{question}\n")
    engine.extract(TEXT, Order, prompt=mine)
    assert server.bodies[-1]["messages"][0]["content"] == "Mine."


def test_a_shipped_task_replays_its_recording_with_no_model(repository: Path) -> None:
    task = load_task("researcher")
    with Engine(mode="replay", cassettes=repository / "cassettes") as engine:
        results = list(extract_all([repository / "eval" / "samples"], task, engine=engine))
    assert len(results) == 5
    assert all(r.record.name and r.evidence.name for r in results)


def test_a_saved_result_is_read_back(engine: Engine, tmp_path: Path) -> None:
    result = engine.extract(TEXT, Order)
    result.save(tmp_path / "r.json")
    again = Result.read(tmp_path / "r.json", Order)
    assert again.record == result.record and again.content == result.content
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="is not a result"):
        Result.read(tmp_path / "x.json", Order)


@dataclass
class Parcel:
    number: str | None = None


class Slip(TypedDict):
    number: str | None


def test_a_schema_is_a_class_a_dataclass_a_typed_dict_a_json_schema_or_a_list_of_these(engine: Engine) -> None:
    assert engine.extract(TEXT, Parcel).record == Parcel("A-7")
    assert engine.extract(TEXT, Slip).record == {"number": "A-7"}
    schema = {"title": "Loan Slip", "type": "object", "properties": {"number": {"type": ["string", "null"]}}}
    before = json.dumps(schema)
    result = engine.extract(TEXT, schema)
    assert (result.record, result.content["task"]) == ({"number": "A-7"}, "loan-slip")
    assert json.dumps(schema) == before
    bolts = ScriptedModel(gold={"items": [{"item": "bolts", "price": 4}, {"item": "nuts", "price": 2}]})
    lines = extract(TEXT, list[Line], model=bolts)
    assert lines.record == [Line(item="bolts", price=4), Line(item="nuts", price=2)]
    assert lines.evidence["items[1].item"].quote == "nuts"
    assert extract(TEXT, list[str], model=ScriptedModel(gold={"items": ["bolts", "nuts"]})).record == ["bolts", "nuts"]


def test_a_schema_that_is_none_says_what_one_is(engine: Engine) -> None:
    for wrong in (dict, int, "Order", 7):
        with pytest.raises(TaskError, match="give one, a JSON Schema as a dict"):
            engine.extract(TEXT, wrong)  # type: ignore[call-overload]
    with pytest.raises(TaskError, match="no JSON Schema at /type"):
        engine.extract(TEXT, {"type": "objekt"})


def test_bytes_and_open_files_are_read_by_their_name_or_by_their_beginning(engine: Engine, tmp_path: Path) -> None:
    page = f"<html><body><p>{TEXT}</p><script>no()</script></body></html>".encode()
    for result in (engine.extract(page, Order, name="order.html"), engine.extract(io.BytesIO(page), Order)):
        assert result.record.number == "A-7" and "script" not in result.text
    assert engine.extract(page, Order, name="a/order.txt").text == page.decode()
    (tmp_path / "slip.txt").write_text(TEXT, encoding="utf-8")
    with (tmp_path / "slip.txt").open("rb") as file:
        assert engine.extract(file, Order).name == "slip.txt"
    with (tmp_path / "slip.txt").open(encoding="utf-8") as file:
        assert engine.extract(file, Order).record.number == "A-7"
    assert engine.extract(TEXT, Order, name="order").name == "order"
    assert engine.extract(tmp_path / "slip.txt", Order, name="order").name == "order"
    with pytest.raises(DocumentError, match=r"a\.pdf"):
        engine.extract(b"%PDF-1.7 no more", Order, name="a.pdf")
    with pytest.raises(DocumentError, match="a document a line"):
        engine.extract(b"{}", Order, name="a.jsonl")
    with pytest.raises(UsageError, match="an open file or a Document, and not of type int"):
        engine.extract(7, Order)  # type: ignore[call-overload]
    names = [r.name for r in engine.extract_all([TEXT.encode(), io.BytesIO(b"\0")], Order)]
    assert names == ["document", "document"]


def test_any_object_that_completes_requests_is_a_model() -> None:
    class Mine:
        async def complete(self, request: Request) -> Reply:
            assert request.model == "Mine"
            return Reply(fit_reply({"number": "A-7"}, request.schema), Usage(1))

    with Engine(Mine()) as engine:
        result = engine.extract(TEXT, Parcel)
        assert [r.record for r in engine.extract_all([TEXT] * 20, Parcel)] == [Parcel("A-7")] * 20
    assert result.record == Parcel("A-7")
    made_by = result.content["manifest"]["model"]
    assert (
        made_by["name"] == "Mine"
        and made_by["endpoint"].startswith("python:")
        and made_by["endpoint"].endswith(".Mine")
    )
    assert repr(engine) == "Engine('Mine')"
    with pytest.raises(UsageError, match="of your own has no endpoint"):
        Engine(Mine(), base_url="http://127.0.0.1:9/v1")
    with pytest.raises(UsageError, match="not of type int"):
        Engine(7)  # type: ignore[arg-type]


def test_a_document_ends_at_its_timeout_with_what_was_answered(tmp_path: Path) -> None:
    async def answer(request: Request) -> dict[str, Any]:
        await asyncio.sleep(60 if "the end" in request.user else 0)
        return {"one": "bolts"}

    one = {"type": "object", "properties": {"one": {"type": "string"}}}
    short = tmp_path / "short.md"
    short.write_text("+++\nchunk_tokens = 200\n+++\n# system\ns\n\n# user\n{document}\n{question}\n")
    text = "bolts\n\n" + "nuts and nails\n\n" * 80 + "the end"
    with Engine(ScriptedModel(answer)) as engine:  # more than one request holds, of which the last brings nothing
        result = engine.extract(text, one, prompt=short, timeout=3.0)
    assert [f.reason for f in result.failures] == ["deadline"] and result.status is Status.INCOMPLETE
    assert result.failures[0].chunk.end == len(text)
    assert result.record == {"one": "bolts"} and result.evidence.one.quote == "bolts"


UNCLOSED = """
import gc, sys, threading
from extractor import Engine
from extractor.testing import FaultEndpoint

with FaultEndpoint(lambda body, n: '{"number": "A-7"}') as endpoint:
    schema = {"type": "object", "properties": {"number": {"type": "string"}}}
    engine = Engine("m", base_url=endpoint.url)
    print(engine.extract("Order A-7", schema).record["number"])
    if sys.argv[1] == "half way":
        some = engine.extract_all(["Order A-7"] * 40, schema)
        next(some)
    if sys.argv[1] == "dropped":
        del engine
        gc.collect()
        assert "extractor" not in [t.name for t in threading.enumerate()]
"""


@pytest.mark.parametrize("how", ["kept", "half way", "dropped"])
def test_an_engine_that_nobody_closes_ends_without_a_word(how: str, repository: Path) -> None:
    # Half way, connections are open when the interpreter ends, which it says where it is asked to warn of all.
    strictly = [] if how == "half way" else ["-W", "error"]
    ended = subprocess.run(
        [sys.executable, *strictly, "-c", UNCLOSED, how],
        env={"PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "A-7\n", "")


SNIPPET = """
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from typing_extensions import TypedDict, assert_type

from extractor import Engine, Reply, Request, Result, Task, aextract, extract, extract_all, load_task
from extractor.testing import ScriptedModel


class Order(BaseModel):
    number: str | None = None


@dataclass
class Parcel:
    number: str


class Slip(TypedDict):
    number: str


class Mine:
    async def complete(self, request: Request) -> Reply:
        raise NotImplementedError


assert_type(extract("text", Order).record, Order)
assert_type(extract(Path("a.txt"), Order, model="m").record.number, str | None)
assert_type(extract(b"text", Parcel, name="a.txt").record, Parcel)
assert_type(extract(io.BytesIO(), Slip, model=Mine()).record, Slip)
assert_type(extract("text", list[Order], model=ScriptedModel({})).record, list[Order])
assert_type(extract("text", load_task("invoice")), Result[Any])
assert_type(extract("text", {"type": "object"}, prompt=Path("p.md"), timeout=3.5), Result[Any])


async def notebook() -> Result[Order]:
    assert_type(await Engine(Mine()).aextract("text", list[Order]), Result[list[Order]])
    return await aextract("text", Order)


for result in extract_all([Path("docs"), "text", b"text"], Order):
    assert_type(result, Result[Order])
with Engine("m", base_url="http://localhost/v1") as engine:
    assert_type(engine.extract("text", Order).record, Order)
    assert_type(next(engine.extract_all(["text"], Slip)).record, Slip)
extract("text", Order, modle="m")  # wrong
extract(7, Order)  # wrong
Engine(7)  # wrong
"""


def test_mypy_knows_the_records_type(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET)
    told = subprocess.run(
        # where `make check` has been, the package is read already: its cache is used, which wants the same settings
        [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "snippet.py")],
        cwd=repository,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    wrong = {i for i, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# wrong")}
    errors = [line for line in told.splitlines() if "snippet.py:" in line and ": error:" in line]
    assert {int(line.split("snippet.py:")[1].split(":")[0]) for line in errors} == wrong, told


def test_importing_the_package_imports_nothing_slow() -> None:
    code = "import sys, extractor; print(sorted({m.split('.')[0] for m in sys.modules}))"
    env = {"PYTHONPATH": str(Path(extractor.__file__).parent.parent)}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert not {"pydantic", "openai", "instructor", "asyncio", "jinja2"} & set(json.loads(told.replace("'", '"')))
    assert set(extractor.__all__) <= set(dir(extractor))
    for name in extractor.__all__:
        assert getattr(extractor, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = extractor.nothing  # type: ignore[attr-defined]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.marked = ""
        self.ids: list[str] = []
        self.links: list[str] = []
        self._in_mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self._in_mark = tag == "mark"
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = False

    def handle_data(self, data: str) -> None:
        self.marked += data if self._in_mark else ""


def seen(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


def test_a_notebook_shows_the_record_and_the_marked_text(engine: Engine) -> None:
    tags = seen(engine.extract(TEXT, Order)._repr_html_())
    assert tags.marked == "A-7bolts4nuts2"
    assert [link.removeprefix("#") for link in tags.links] == tags.ids
    assert len(set(tags.ids)) == 5


def test_a_hostile_document_stays_text_in_a_notebook(engine: Engine) -> None:
    evil = TEXT + '</div></script><script>alert(1)</script><img src=x onerror="alert(1)">\u202e'
    html = engine.extract(Document('<b onclick="x">"\u202e', evil), Order)._repr_html_()
    assert seen(html).names <= {"div", "style", "p", "b", "bdi", "table", "tr", "td", "a", "mark", "i", "span"}
    assert seen(html).attributes <= {"class", "id", "href", "title"}
    assert "\u202e" not in html


def test_a_notebook_leaves_out_what_is_far_from_any_value_and_says_how_much(engine: Engine) -> None:
    html = engine.extract("x\n" * 20_000 + TEXT + "\nx" * 20_000, Order)._repr_html_()
    assert len(html) < 20_000
    assert html.count("characters …") == 2
    assert seen(html).marked.startswith("A-7")


def test_a_failed_document_shows_its_reason_in_a_notebook(engine: Engine) -> None:
    (result,) = engine.extract_all([""], Order)
    assert "The text is empty" in result._repr_html_()
