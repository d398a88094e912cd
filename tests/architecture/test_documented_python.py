"""The documentation's Python: it names what is there, and what needs no cluster runs.

Whole scenarios run on a real cluster: tests/cluster/test_documented_scenarios.py.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chaoskit.faults import catalogue
from chaoskit.guarantees import judge
from chaoskit.report import report
from docs.examples import ROOT, Block, blocks, files_of, pages, write_files
from tests.architecture.typed_examples import Module, module_of

PYTHON = [block for page in pages() for block in blocks(page) if block.language == "python"]
_ERROR = re.compile(r"^(?P<path>\S+\.py):(?P<line>\d+): (?P<said>error: .*)", re.MULTILINE)
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
    assert done.returncode in (0, 1), f"{done.stdout}{done.stderr}"
    found = []
    for match in _ERROR.finditer(done.stdout):
        path = Path(match["path"])
        if path.parent.name == folder.name:  # others are the code's own: not asked for here
            module = modules[path.stem]
            line = module.page_line(int(match["line"]))
            found.append(f"{module.block.page.relative_to(ROOT)}:{line}: {match['said']}")
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


@pytest.mark.parametrize(
    "page",
    [page for page in pages() if "pyproject.toml" in files_of(page)],
    ids=lambda page: page.stem,
)
def test_entry_points_name_what_the_page_shows(page: Path) -> None:
    """In a group that chaoskit asks for, and by the name that the class gives itself."""
    shown = files_of(page)
    project = tomllib.loads(shown["pyproject.toml"].text)["project"]
    groups = {judge.ENTRY_POINTS, catalogue.ENTRY_POINTS, report.ENTRY_POINTS}
    assert project["entry-points"].keys() <= groups
    for points in project["entry-points"].values():
        for name, target in points.items():
            module, _, kind = target.partition(":")
            assert f"class {kind}:" in shown[f"{module}.py"].text
            assert f'name: ClassVar[str] = "{name}"' in shown[f"{module}.py"].text


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
