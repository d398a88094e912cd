"""The checks of other tools, so that one pytest run says everything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chaoskit.cluster import go_toolchain

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def check(
    argv: list[str | Path],
    cwd: Path = ROOT,
    timeout_s: float = 300,
    env: dict[str, str] | None = None,
) -> None:
    done = subprocess.run(
        argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=timeout_s
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_ruff_finds_nothing() -> None:
    check([BIN / "ruff", "check", "."])


def test_ruff_would_format_nothing() -> None:
    check([BIN / "ruff", "format", "--check", "."])


def test_mypy_finds_nothing() -> None:
    check([BIN / "mypy"])


@pytest.mark.parametrize("verb", ["vet", "test"])
@pytest.mark.parametrize(
    "module, packages", [("apps", "./..."), ("registry", "./..."), ("go", "./registries")]
)
def test_go_modules(module: str, packages: str, verb: str) -> None:
    """What compiles in seconds once cached; the rest of the node image is checked by its build."""
    path = f"{os.environ['PATH']}:/usr/local/go/bin"
    go = shutil.which("go", path=path)
    if go is None:
        pytest.skip("no Go on this machine")
    # The agent's tests wait for the network most of the time.
    options = ["-parallel", "8"] if verb == "test" else []
    check(
        [go, verb, *options, packages],
        cwd=ROOT / "chaoskit" / "images" / module,
        timeout_s=600,
        env=go_toolchain.go_environment(
            {}
        ),  # so that what the images' build compiled is used again
    )
