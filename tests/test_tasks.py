from pathlib import Path

import pytest

from extractor.errors import TaskError
from extractor.extraction.task import (
    SHIPPED_TASKS,
    choose_task,
    list_shipped_tasks,
    load_task,
    prompts,
    task_from_schema,
)
from extractor.schema import Kind
from extractor.schema.reader import ObjectList, Scalar

PROMPT = "# system\nCopy.\n\n# user\n{document}\n{question}\n"
SCHEMA = '{"type": "object", "properties": {"title": {"type": "string"}}}'


def folder(where: Path, **files: str) -> str:
    for name, text in files.items():
        (where / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return str(where)


def test_every_shipped_task_loads_and_has_prompts_that_differ() -> None:
    for name in list_shipped_tasks():
        versions = load_task(name).prompts
        assert len({p.fingerprint for p in versions.values()}) == len(versions) >= 1


def test_a_folder_with_a_json_schema_is_a_task(tmp_path: Path) -> None:
    task = load_task(folder(tmp_path, schema_json=SCHEMA, plain_md=PROMPT))
    assert [f.name for f in task.schema.root.fields] == ["title"]
    assert task.choose_prompt(None).name == "plain"


def test_an_unknown_prompt_is_answered_with_those_there_are(tmp_path: Path) -> None:
    task = load_task(folder(tmp_path, schema_json=SCHEMA, plain_md=PROMPT))
    with pytest.raises(TaskError, match="plain"):
        task.choose_prompt("fancy")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "neither schema.py nor schema.json"),
        ({"schema_json": SCHEMA}, "holds no prompt"),
        ({"schema_json": "{\n nope", "plain_md": PROMPT}, "line 2"),
        ({"schema_py": "x = 1\nraise ValueError('oh')", "plain_md": PROMPT}, "schema.py, line 2: ValueError: oh"),
        ({"schema_py": "def :", "plain_md": PROMPT}, "schema.py, line 1"),
        ({"schema_py": "Record = 3", "plain_md": PROMPT}, "no Pydantic class named Record"),
        ({"schema_json": SCHEMA, "plain_md": PROMPT + "# note other\nx"}, "'other'"),
    ],
)
def test_a_folder_that_is_no_task_is_refused_with_the_place(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(TaskError, match=says):
        load_task(folder(tmp_path, **files))


def test_a_name_that_is_no_task_is_answered_with_those_that_ship() -> None:
    for name in ("nothing", "../researcher", "researcher/", "./researcher", ""):
        with pytest.raises(TaskError, match="contract, invoice, receipt, researcher"):
            load_task(name)


def test_a_folder_beside_is_not_run_unless_it_is_written_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("invoice", "mine"):
        (tmp_path / name).mkdir()
        folder(tmp_path / name, schema_py="raise SystemExit('it was run')", plain_md=PROMPT)
    monkeypatch.chdir(tmp_path)
    assert load_task("invoice").schema.root.description != "", "the one that ships"
    with pytest.raises(TaskError, match=r"No task 'mine' ships; .*; \./mine is the folder"):
        load_task("mine")
    for where in ("./mine", "mine/", str(tmp_path / "mine"), Path("mine"), "./invoice"):
        with pytest.raises(SystemExit, match="it was run"):
            load_task(where)


MINE = """from decimal import Decimal
from datetime import date
from pydantic import BaseModel, HttpUrl
from beside import Currency

class Item(BaseModel):
    name: str
    price: Decimal | None = None

class Invoice(BaseModel):
    issued: date
    link: HttpUrl | None = None
    currency: Currency
    items: list[Item] = []
"""
BESIDE = "from typing import Literal\nCurrency = Literal['EUR', 'USD']\n"


def test_a_schema_alone_is_a_task_with_a_prompt_that_knows_none(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text(BESIDE)
    (tmp_path / "mine.py").write_text(MINE)
    for where in (f"{tmp_path}/mine.py:Invoice", f"{tmp_path}/mine.py"):
        task = task_from_schema(where)
        assert task.name == "invoice" and task.model_class is not None
        tree = task.schema.root
        assert [(f.name, getattr(f.node, "kind", None)) for f in tree.fields] == [
            ("issued", Kind.DATE),
            ("link", Kind.URL),
            ("currency", Kind.ENUM),
            ("items", None),
        ]
        items = tree["items"].node
        assert isinstance(items, ObjectList) and items.key == ("name",)
        assert items.row["price"].node == Scalar(Kind.NUMBER, "number")
    assert task_from_schema(f"{tmp_path}/mine.py:Item").name == "item"
    assert list(task.prompts) == ["default"]


def test_a_schema_file_is_named_by_its_title_or_else_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a b.schema.json").write_text(SCHEMA)
    assert task_from_schema(str(tmp_path / "a b.schema.json")).name == "a-b"
    (tmp_path / "c.json").write_text(SCHEMA.replace("{", '{"title": "Purchase Order", ', 1))
    assert task_from_schema(str(tmp_path / "c.json")).name == "purchase-order"


def test_a_schema_alone_can_be_asked_for_with_a_prompt_of_ones_own(tmp_path: Path) -> None:
    folder(tmp_path, my_json=SCHEMA, loud_md=PROMPT)
    task, prompt = choose_task(None, str(tmp_path / "my.json"), str(tmp_path / "loud.md"))
    assert (task.name, prompt.name, prompt.system) == ("my", "loud", "Copy.")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "s.json",
            '{"type": "object", "properties": {"a": {"type": "strnig"}}}',
            "no JSON Schema at /properties/a/type",
        ),
        ("s.json", "[1]", "holds no JSON object"),
        (
            "s.json",
            '{"type": "object", "properties": {"a": {"type": "object", "additionalProperties": false}}}',
            "s.json: /a",
        ),
        (
            "s.py",
            MINE.replace("from beside import Currency", "Currency = str") + "\nclass Other(BaseModel):\n    x: int\n",
            "several",
        ),
        ("s.py", "x = 1", "no Pydantic class"),
        ("s.py:Nope", "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int", "named Nope; choose from A"),
        ("s.yaml", "a: 1", "neither Python"),
        ("missing.json", None, "no schema file"),
    ],
)
def test_a_schema_alone_that_cannot_be_used_is_refused_with_the_place(
    tmp_path: Path, name: str, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / name.partition(":")[0]).write_text(text)
    with pytest.raises(TaskError, match=says):
        task_from_schema(str(tmp_path / name))


def test_the_prompt_that_ships_for_any_schema_holds_no_words_of_a_task() -> None:
    prompt = prompts.read_prompt(SHIPPED_TASKS / "default.md")
    assert not prompt.notes
    assert not {"person", "researcher", "invoice", "contract", "paper"} & set(
        f"{prompt.system} {prompt.user}".lower().split()
    )
