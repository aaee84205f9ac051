"""The examples for schedulers are commands that the command line takes, and their parts are those of one run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from extractor.cli.main import build_parser

STUB = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit(int(os.environ.get("CODE", "0")))
"""
"""In the place of `extractor`: it notes how it was called."""


@pytest.fixture
def stub(tmp_path: Path) -> dict[str, str]:
    """The environment in which `extractor` is the stub."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "extractor").write_text(STUB)
    (folder / "extractor").chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "HOME": "/home/me",
    }


def read_calls(environ: dict[str, str]) -> list[Any]:
    return [build_parser().parse_args(json.loads(line)) for line in Path(environ["CALLS"]).read_text().splitlines()]


def assert_one_run(calls: list[Any], count: int) -> None:
    assert sorted(str(call.shard) for call in calls) == sorted(f"{i}/{count}" for i in range(count))
    assert len({call.out for call in calls}) == count, "each part has a folder of its own"
    same = [{k: v for k, v in vars(call).items() if k not in ("shard", "out")} for call in calls]
    assert all(one == same[0] for one in same)


def test_the_kubernetes_job_is_one_run_in_parts(repository: Path, stub: dict[str, str]) -> None:
    job = yaml.safe_load((repository / "docs/examples/kubernetes-job.yaml").read_text())
    spec = job["spec"]
    assert (job["kind"], spec["completionMode"]) == ("Job", "Indexed")
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    for index in range(spec["completions"]):
        environ = {**stub, "JOB_COMPLETION_INDEX": str(index)}
        for code, ends in ((0, 0), (1, 0), (3, 1)):
            done = subprocess.run([*container["command"], *container["args"]], env={**environ, "CODE": str(code)})
            assert done.returncode == ends
    calls = read_calls(stub)
    assert_one_run(calls[::3], spec["completions"])


def test_the_slurm_array_is_one_run_in_parts(repository: Path, stub: dict[str, str]) -> None:
    script = repository / "docs/examples/slurm-array.sh"
    told = re.search(r"^#SBATCH --array=0-(\d+)$", script.read_text(), re.MULTILINE)
    assert told is not None
    count = int(told.group(1)) + 1
    for index in range(count):
        environ = {**stub, "SLURM_ARRAY_TASK_ID": str(index), "SLURM_ARRAY_TASK_COUNT": str(count)}
        assert subprocess.run(["bash", script], env=environ).returncode == 0
        assert subprocess.run(["bash", script], env={**environ, "CODE": "1"}).returncode == 0
        assert subprocess.run(["bash", script], env={**environ, "CODE": "3"}).returncode == 1
    assert_one_run(read_calls(stub)[::3], count)
