"""What the locks pin: a bill of materials (CycloneDX), and which published advisories are about it.

    python bench/audit.py sbom OUT.json      the bill, with our answers to advisories (docs/advisories.json) in it
    python bench/audit.py check              asks for advisories with pip-audit; says so where there is no network
    python bench/audit.py check all.zip      looks them up in OSV's export for PyPI instead, without a network

Exit code 1: an advisory is about a pinned version, and is not answered.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-run.lock")
ANSWERS = ROOT / "docs" / "advisories.json"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.M)


def read_pins() -> dict[str, str]:
    """Project (as PyPI normalises names) to version, over all locks."""
    pins: dict[str, str] = {}
    for lock in LOCKS:
        for name, version in _PIN.findall((ROOT / lock).read_text(encoding="utf-8")):
            pins[_normalise(name)] = version
    return pins


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_answers() -> dict[str, str]:
    """The advisories that are answered, by each of their names, and how."""
    told = json.loads(ANSWERS.read_text(encoding="utf-8"))["vulnerabilities"]
    return {name: one["analysis"]["detail"] for one, names in zip(told, list_answered(), strict=True) for name in names}


def list_answered() -> list[list[str]]:
    """The names of each advisory that is answered, which is about what is pinned."""
    told = json.loads(ANSWERS.read_text(encoding="utf-8"))["vulnerabilities"]
    return [[one["id"], *(ref["id"] for ref in one.get("references", ()))] for one in told]


def write_bill(target: Path) -> None:
    """The bill of requirements.lock, with the answers in it."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(ROOT / LOCKS[0])]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(target)]
    subprocess.run(command, check=True)
    bill = json.loads(target.read_text(encoding="utf-8"))
    refs = {_normalise(one["name"]): one["bom-ref"] for one in bill["components"]}
    answered = json.loads(ANSWERS.read_text(encoding="utf-8"))["vulnerabilities"]
    for one in answered:
        for affected in one["affects"]:
            affected["ref"] = refs.get(affected["ref"].removeprefix("pkg:pypi/"), affected["ref"])
    target.write_text(json.dumps({**bill, "vulnerabilities": answered}, indent=1) + "\n", encoding="utf-8")
    print(f"{target}: {len(bill['components'])} components, {len(answered)} answered advisories")


def find_in_export(export: Path, pins: dict[str, str]) -> Iterator[tuple[str, str, list[str]]]:
    """Project, version and names of each advisory of OSV's export that is about a pin."""
    with zipfile.ZipFile(export) as records:
        for name in records.namelist():
            record = json.loads(records.read(name))
            for affected in record.get("affected", ()):
                package = affected.get("package", {})
                project = _normalise(package.get("name", ""))
                if package.get("ecosystem") == "PyPI" and project in pins and _is_affected(affected, pins[project]):
                    yield project, pins[project], [record["id"], *record.get("aliases", ())]
                    break


def _is_affected(affected: dict[str, Any], version: str) -> bool:
    """By the versions that a record lists, or by its ranges (OSV schema, 1.6)."""
    if version in affected.get("versions", ()):
        return True
    for span in affected.get("ranges", ()):
        if span.get("type") != "ECOSYSTEM":
            continue
        within = False
        for event in span.get("events", ()):
            if "introduced" in event and not _is_before(version, event["introduced"]):
                within = True
            if "fixed" in event and not _is_before(version, event["fixed"]):
                within = False
            if "last_affected" in event and _is_before(event["last_affected"], version):
                within = False
        if within:
            return True
    return False


def _is_before(one: str, other: str) -> bool:
    try:
        return Version(one) < Version(other)
    except InvalidVersion:
        return False


def ask_with_pip_audit() -> list[tuple[str, str, list[str]]] | None:
    """The same from PyPI's advisories; None where they could not be asked for."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / LOCKS[0]), "--disable-pip"]
    command += ["--require-hashes", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"The advisories could NOT be asked for ({last[:200]}).")
        print("Without a network: python bench/audit.py check all.zip, with OSV's export for PyPI.")
        return None
    return [
        (one["name"], one["version"], [bug["id"], *bug["aliases"]]) for one in found for bug in one.get("vulns", ())
    ]


def check_advisories(export: Path | None) -> int:
    pins, answers = read_pins(), read_answers()
    found = list(find_in_export(export, pins)) if export else ask_with_pip_audit()
    if found is None:
        return 0
    told = {name for _, _, names in found for name in names}
    for answered in list_answered():
        if told.isdisjoint(answered):  # a mirror of PyPI may have packages, and no advisories
            print(f"The advisories could NOT be asked for: what was asked does not know of {answered[0]}.")
            print("Elsewhere: python bench/audit.py check all.zip, with OSV's export for PyPI.")
            return 0
    open_ones = 0
    for project, version, names in sorted(found):
        answer = next((answers[name] for name in names if name in answers), "")
        open_ones += not answer
        print(f"{project} {version}: {', '.join(names)}: {answer or 'NOT ANSWERED'}")
    print(f"{len(pins)} projects, {len(found)} advisories, {open_ones} not answered")
    return 1 if open_ones else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sbom", target]:
            write_bill(Path(target))
        case ["check", *export] if len(export) < 2:
            sys.exit(check_advisories(Path(export[0]) if export else None))
        case _:
            sys.exit(__doc__)
