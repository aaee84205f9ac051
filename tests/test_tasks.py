from pathlib import Path

import pytest

from extractor import tasks
from extractor.errors import TaskError

PROMPT = "# system\nCopy.\n\n# user\n{document}\n{question}\n"
SCHEMA = '{"type": "object", "properties": {"title": {"type": "string"}}}'


def folder(where: Path, **files: str) -> str:
    for name, text in files.items():
        (where / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return str(where)


def test_every_shipped_task_loads_and_has_prompts_that_differ() -> None:
    for name in tasks.shipped():
        versions = tasks.load(name).prompts
        assert len({p.fingerprint for p in versions.values()}) == len(versions) >= 2


def test_a_folder_with_a_json_schema_is_a_task(tmp_path: Path) -> None:
    task = tasks.load(folder(tmp_path, schema_json=SCHEMA, plain_md=PROMPT))
    assert [f.name for f in task.schema.root.fields] == ["title"]
    assert task.prompt(None).name == "plain"


def test_an_unknown_prompt_is_answered_with_those_there_are(tmp_path: Path) -> None:
    task = tasks.load(folder(tmp_path, schema_json=SCHEMA, plain_md=PROMPT))
    with pytest.raises(TaskError, match="plain"):
        task.prompt("fancy")


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
        tasks.load(folder(tmp_path, **files))


def test_a_name_that_is_no_task_is_answered_with_those_that_ship() -> None:
    for name in ("nothing", "../researcher"):
        with pytest.raises(TaskError, match="researcher"):
            tasks.load(name)
