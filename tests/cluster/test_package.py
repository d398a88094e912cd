"""chaoskit as others get it: from a wheel, in an environment of its own, away from here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs.examples import ROOT, write_files

pytestmark = pytest.mark.long

_UV = Path(sys.executable).parent / "uv"


def run(*argv: str | Path, cwd: Path, timeout_s: float = 300) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False,
        timeout=timeout_s,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel made from the sdist, and no more."""
    folder = tmp_path_factory.mktemp("package")
    # Without --wheel and --sdist, uv makes the wheel from the sdist: both are tried.
    run(_UV, "build", "--quiet", "--out-dir", folder / "dist", ROOT, cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    assert list((folder / "dist").glob("*.tar.gz"))
    run(_UV, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    pins = ROOT / "requirements.lock"
    run(
        _UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--constraint",
        pins,
        wheel,
        cwd=folder,
    )
    return folder / "venv" / "bin"


def test_the_command_works_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    assert "nic_down" in run(installed / "chaoskit", "faults", cwd=tmp_path)
    # The images are of the same sources, so they are found and not built again.
    assert "usable" in run(installed / "chaoskit", "doctor", "--for", "test", cwd=tmp_path)


def test_the_tutorials_scenario_holds_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    """The files of the first steps, word for word."""
    write_files(ROOT / "docs" / "tutorial" / "first-steps.md", tmp_path)
    said = run(installed / "python", "-m", "pytest", "test_first.py", cwd=tmp_path)
    assert "HELD     no request lost" in said
    assert list(tmp_path.glob("reports/*/report.html"))
