"""`.ci/setup` and `.ci/run` where something is wrong: one screen, or nothing after the summary."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The scripts and what they read, without a .venv."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(script: str, project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / ".ci" / script],
        env={"PATH": "/usr/bin:/bin", "HOME": str(project), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "says, seen",
    [("echo Python 3.9.2", "seen: Python 3.9.2"), ("exit 127", "does not run")],
)
def test_without_a_new_enough_python_setup_says_so(project: Path, says: str, seen: str) -> None:
    python = project / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = --version ] || exit 1\n{says}\n')
    python.chmod(0o755)

    done = run("setup", project, PYTHON=str(python))

    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stdout
    assert seen in done.stdout
    assert "apt-get install python3" in done.stdout
    assert len(done.stdout.splitlines()) < 10
    assert not (project / ".venv").exists()


def test_nothing_follows_pytests_summary_when_a_test_fails(project: Path) -> None:
    (project / "Makefile").write_text(
        "test:\n\t@echo complaint >&$(COMPLAIN)\n\t@echo '= 1 failed in 0.05s ='; exit 1\n"
    )
    done = run("run", project)
    assert done.returncode != 0
    assert done.stdout.splitlines() == ["complaint", "= 1 failed in 0.05s ="]


def test_what_make_itself_has_to_say_is_not_lost(project: Path) -> None:
    (project / "Makefile").write_text("test: absent\n")
    done = run("run", project)
    assert done.returncode != 0
    assert "No rule to make target 'absent'" in done.stdout


def test_make_alone_says_what_there_is_to_make(project: Path) -> None:
    done = subprocess.run(
        ["make"], cwd=project, capture_output=True, text=True, check=True, timeout=20
    )
    targets = {row.split()[0] for row in done.stdout.splitlines()}
    assert {"setup", "demo", "test", "test-all", "soak", "bench", "lint", "types", "unit"} < targets
