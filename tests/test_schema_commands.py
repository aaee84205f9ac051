"""The commands that begin with a schema, run as a user runs them, against a scripted endpoint on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from extractor.cli.main import main
from extractor.extraction.task import task_from_schema
from extractor.testing import FaultEndpoint

SLIP = {
    "number": "RR-2041",
    "date": "3 May 2024",
    "borrower": "Ana Sousa",
    "items": [
        {"title": "Atlas of the old harbour", "fee": "12.50"},
        {"title": "Letters of a lighthouse keeper", "fee": "4.00"},
    ],
}


def answer(body: dict[str, Any], n: int) -> str:
    """What the slip says of the fields that the body asks for."""
    asked = body["response_format"]["json_schema"]["schema"]["properties"]
    return json.dumps({name: SLIP[name] for name in asked})


def flags(url: str) -> list[str]:
    return ["--model", "m", "--base-url", url]


def test_a_new_task_runs_and_is_scored_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = tmp_path / "letters"
    assert main(["task", "new", str(task)]) == 0
    out, report = tmp_path / "out", tmp_path / "report"
    with FaultEndpoint(answer) as server:
        assert (
            main(["run", str(task / "samples"), "--task", str(task), "-o", str(out), "--quiet", *flags(server.url)])
            == 0
        )
        asked = len(server.bodies)
        assert (
            main(["eval", "--suite", str(task), "-o", str(report), "--base-url", server.url, "--fail-under", "1"]) == 0
        )
        assert len(server.bodies) > asked
    result = json.loads((out / "example.json").read_text())
    assert result["record"] == json.loads((task / "gold" / "example.json").read_text())["record"]
    assert result["problems"] == [] and result["rejected"] == []
    assert main(["eval", "--suite", str(task), "--runs", str(out), "-o", str(report), "--fail-under", "1"]) == 0
    assert (report / "report.html").is_file()


def test_a_new_task_can_be_recorded_and_replayed(tmp_path: Path) -> None:
    task, tapes = tmp_path / "letters", tmp_path / "tapes"
    assert main(["task", "new", str(task)]) == 0
    common = ["eval", "--suite", str(task), "--cassettes", str(tapes), "--fail-under", "1"]
    with pytest.MonkeyPatch.context() as patch, FaultEndpoint(answer) as server:
        patch.delenv("CI", raising=False)
        assert main([*common, "-o", str(tmp_path / "a"), "--mode", "record", "--base-url", server.url]) == 0
        address = server.url
    assert main([*common, "-o", str(tmp_path / "b"), "--mode", "replay", "--base-url", address]) == 0
    for name in ("a", "b"):
        assert len(list((tmp_path / name).glob("runs/*/default/example.json"))) == 1


def test_a_new_task_is_not_written_over_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letters").mkdir()
    assert main(["task", "new", str(tmp_path / "letters")]) == 0
    assert main(["task", "new", str(tmp_path / "letters")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["task", "new", str(tmp_path / "no name")]) == 2


def test_a_schema_file_alone_is_enough_to_run(tmp_path: Path) -> None:
    schema = {
        "title": "Loan slip",
        "type": "object",
        "properties": {
            "kind": {"const": "loan"},
            "number": {"type": "string", "pattern": "^RR-"},
            "date": {"type": "string", "format": "date"},
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"title": {"type": "string"}, "fee": {"type": "number", "maximum": 10}},
                },
            },
        },
        "required": ["kind", "number"],
    }
    (tmp_path / "slip.schema.json").write_text(json.dumps(schema))
    (tmp_path / "slip.txt").write_text(
        "Slip RR-2041 of 3 May 2024\n\nAtlas of the old harbour 12.50\nLetters of a lighthouse keeper 4.00\n"
    )
    plain = {**SLIP, "items": [{"title": i["title"], "fee": float(i["fee"])} for i in SLIP["items"]]}  # type: ignore[index,call-overload]

    def number(body: dict[str, Any], n: int) -> str:
        return json.dumps({n: plain[n] for n in body["response_format"]["json_schema"]["schema"]["properties"]})

    out = tmp_path / "out"
    with FaultEndpoint(number) as server:
        code = main(
            [
                "run",
                str(tmp_path / "slip.txt"),
                "--schema",
                str(tmp_path / "slip.schema.json"),
                "-o",
                str(out),
                "--quiet",
                *flags(server.url),
            ]
        )
        assert "Extract from the document above" in server.bodies[0]["messages"][1]["content"]
    result = json.loads((out / "slip.json").read_text())
    assert result["task"] == "loan-slip"
    assert result["record"] == {
        "kind": "loan",
        "number": "RR-2041",
        "date": "2024-05-03",
        "items": [
            {"title": "Atlas of the old harbour", "fee": 12.5},
            {"title": "Letters of a lighthouse keeper", "fee": 4},
        ],
    }
    assert [(p["code"], p["path"]) for p in result["problems"]] == [("schema", "/items/0/fee")]
    assert code == 1


def test_check_explains_what_will_be_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = {
        "type": "object",
        "properties": {
            "kind": {"const": "loan"},
            "paid": {"type": "boolean", "description": "whether it was paid"},
            "items": {"type": "array", "items": {"type": "object", "properties": {"title": {"type": "string"}}}},
        },
        "required": ["kind"],
    }
    (tmp_path / "s.json").write_text(json.dumps(schema))
    assert main(["schema", "check", str(tmp_path / "s.json")]) == 0
    said = capsys.readouterr().out
    for words in (
        "/items[]/title",
        "key: title",
        "always 'loan'",
        "no key is declared",
        "no description: /items[]",
        "believed only where",
    ):
        assert words in said
    assert main(["schema", "check", str(tmp_path / "s.json"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [q["group"] for q in told["questions"]] == ["values", "items"]
    assert [f["place"] for f in told["fields"]] == ["/paid", "/items[]", "/items[]/title"]
    assert main(["schema", "check", "researcher"]) == 0
    assert "publications" in capsys.readouterr().out


def test_check_refuses_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.json").write_text('{"type": "object", "properties": {"next": {"$ref": "#"}}}')
    assert main(["schema", "check", str(tmp_path / "s.json")]) == 2
    assert "leaves nothing to ask for" in capsys.readouterr().err


def test_init_drafts_what_the_examples_need_and_check_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = [
        {
            "id": f"A-{i}",
            "state": ("open", "closed")[i % 2],
            "when": f"2024-05-0{i + 1}",
            "lines": [{"name": "x", "price": i + 0.5}],
        }
        for i in range(6)
    ]
    wanted[3]["note"] = None
    (tmp_path / "wanted.jsonl").write_text("\n".join(map(json.dumps, wanted)))
    draft = tmp_path / "orders.schema.json"
    assert main(["schema", "init", str(tmp_path / "wanted.jsonl"), "-o", str(draft)]) == 0
    schema = json.loads(draft.read_text())
    assert schema["title"] == "orders"
    assert schema["properties"]["state"] == {"type": "string", "enum": ["open", "closed"]}
    assert schema["properties"]["when"] == {"type": "string", "format": "date"}
    assert schema["required"] == ["id", "state", "when", "lines"]
    jsonschema.Draft202012Validator(schema).validate(wanted[3])
    assert main(["schema", "init", str(tmp_path / "wanted.jsonl"), "-o", str(draft)]) == 2
    python = tmp_path / "orders.py"
    assert main(["schema", "init", str(tmp_path / "wanted.jsonl"), "-o", str(python), "--python"]) == 0
    task = task_from_schema(str(python))
    assert task.name == "orders" and task.model_class is not None
    for one in wanted:
        task.model_class.model_validate(one)
    capsys.readouterr()
    assert main(["schema", "check", str(python)]) == 0
    assert "one of open, closed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"), [("{", "is not JSON"), ("[1]", "something else than objects"), ("[]", "no example")]
)
def test_init_says_what_is_wrong_with_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (tmp_path / "e.json").write_text(text)
    assert main(["schema", "init", str(tmp_path / "e.json")]) == 2
    assert says in capsys.readouterr().err
