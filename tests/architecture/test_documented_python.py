"""The documentation's Python: it names what is there, and what needs no cluster runs.

Whole scenarios run on a real cluster: tests/cluster/test_documented_scenarios.py.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.examples import ROOT, Block, blocks, files_of, pages, write_files
from tests.architecture.typed_examples import Module, module_of

PYTHON = [block for page in pages() for block in blocks(page) if block.language == "python"]
_ERROR = re.compile(r"(?P<file>\w+)\.py:(?P<line>\d+): (?P<said>error: .*)")
#: Fixtures that bring a cluster.
_ON_A_CLUSTER = re.compile(r"def test_\w+\([^)]*\b(?:chaos|cluster)\b")


def mypy_errors(given: list[Block], folder: Path) -> list[str]:
    """What mypy says of these, at the pages' lines."""
    modules: dict[str, Module] = {}
    for module in map(module_of, given):
        assert module.name not in modules, f"{module.block}: a file of this name is shown twice"
        modules[module.name] = module
        (folder / f"{module.name}.py").write_text(module.text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *(f"{folder / name}.py" for name in modules)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = []
    for match in _ERROR.finditer(done.stdout):
        module = modules[match["file"]]
        line = module.page_line(int(match["line"]))
        found.append(f"{module.block.page.relative_to(ROOT)}:{line}: {match['said']}")
    assert bool(found) == bool(done.returncode), f"{done.stdout}{done.stderr}"
    return found


def test_the_examples_name_what_is_there(tmp_path: Path) -> None:
    """Every name, argument and type of every example is what the code has."""
    assert len(PYTHON) > 5
    assert mypy_errors(PYTHON, tmp_path) == []


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    """Each at its line."""
    wrong = {
        "chaos.injekt(NicDown(one.name))": '"Run" has no attribute "injekt"',
        "chaos.flap(NicDown(one.name), down_s=5, up_s=1)": 'Missing named argument "times"',
        "chaos.inject(NickDown(one.name))": 'Name "NickDown" is not defined',
        "def test_it(cluster): cluster.agents[0].wait_redy(5)": '"wait_redy"',
        "from chaoskit.run import Plan": 'has no attribute "Plan"',
        "chaos.check(outage(at_most=3))": 'Unexpected keyword argument "at_most"',
    }
    page = ROOT / "README.md"
    given = [
        Block(page=page, line=number, language="python", text=f"x = 1\n{text}\n")
        for number, text in enumerate(wrong, 1)
    ]
    found = mypy_errors(given, tmp_path)
    for number, said in enumerate(wrong.values(), 1):
        assert any(e.startswith(f"README.md:{number + 1}: ") and said in e for e in found), said


def runnable(page: Path) -> list[str]:
    """The test files that it shows whole and that need no cluster."""
    return [
        name
        for name, block in files_of(page).items()
        if name.startswith("test_") and not _ON_A_CLUSTER.search(block.text)
    ]


@pytest.mark.parametrize(
    "page", [page for page in pages() if runnable(page)], ids=lambda page: page.stem
)
def test_what_needs_no_cluster_runs(page: Path, tmp_path: Path) -> None:
    """Its tests pass in a folder of their own, beside the page's other files."""
    write_files(page, tmp_path)
    run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *runnable(page), at=tmp_path
    )


@pytest.mark.parametrize(
    "page", [page for page in pages() if files_of(page)], ids=lambda page: page.stem
)
def test_files_are_written_as_ours_are(page: Path, tmp_path: Path) -> None:
    write_files(page, tmp_path)
    config = ("--config", str(ROOT / "pyproject.toml"))
    run(sys.executable, "-m", "ruff", "check", *config, ".", at=tmp_path)
    run(sys.executable, "-m", "ruff", "format", "--check", *config, ".", at=tmp_path)


def run(*argv: str, at: Path) -> None:
    done = subprocess.run(
        argv,
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
