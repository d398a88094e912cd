"""What the files around the code promise each other."""

import configparser
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = [
    "lint", "types", "docs", "unit", "architecture", "plugin", "web", "cluster", "package",
    "lowest",
]  # fmt: skip


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=!~;\[ ]", one)[0].lower() for one in requirements]


def dependencies() -> list[str]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return names(data["project"]["dependencies"]) + names(data["dependency-groups"]["dev"])


@pytest.mark.parametrize("name", dependencies())
def test_each_dependency_is_justified_and_pinned(name: str) -> None:
    reasons = (ROOT / "docs" / "design" / "dependencies.md").read_text()
    assert re.search(rf"^\| {re.escape(name)} \|", reasons, re.MULTILINE)
    pins = (ROOT / "requirements.lock").read_text()
    assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE)


def test_tox_has_an_environment_for_each_kind_of_check() -> None:
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini")
    assert re.split(r",\s*", tox["tox"]["env_list"]) == ENVIRONMENTS
    assert all(f"testenv:{name}" in tox for name in ENVIRONMENTS)


def test_tox_and_make_name_folders_that_are_there() -> None:
    text = (ROOT / "tox.ini").read_text() + (ROOT / "Makefile").read_text()
    folders = set(re.findall(r"\b(?:tests/\w+|scenarios)\b", text))
    assert folders
    assert [one for one in folders if not (ROOT / one).is_dir()] == []


def test_every_ignored_rule_and_warning_has_its_reason() -> None:
    """In pyproject.toml each ignored rule is followed by a comment on its own line."""
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("ignore = [") : text.index("]", text.index("ignore = ["))]
    rules = [row for row in block.splitlines()[1:] if row.strip()]
    assert rules
    assert [row for row in rules if "#" not in row] == []


def test_ci_runs_make_test_and_nothing_else() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    commands = [row for row in script.splitlines() if row.startswith("make ")]
    assert commands == ['make test COMPLAIN=3 2>"$said"']


@pytest.mark.parametrize("script", [".ci/run", ".ci/setup"])
def test_scripts_are_sound_posix_shell(script: str) -> None:
    done = subprocess.run(["sh", "-n", ROOT / script], capture_output=True, check=False, timeout=9)
    assert done.returncode == 0, done.stderr
    assert (ROOT / script).stat().st_mode & 0o111
