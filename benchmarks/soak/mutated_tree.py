"""The copy of the tree in which mutmut works on a group of modules, and what came of its mutants.

A mutant's name is its module's, its function's, and a number.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_CODE = Path("chaoskit/guarantees")
_TESTS = "tests/unit/guarantees"
#: What mutmut's copy needs: the package, and what its tests are made of.
_COPIED = ("chaoskit", "tests/__init__.py", "tests/corpus", "tests/unit", "conftest.py")
_CONFIGURED = Path("pyproject.toml")
_CONFTEST = Path("conftest.py")
#: A mutant runs in a fork of a process that has the tests' modules already. They are imported
#: again, or what they make of the code when they are imported would come from no mutant.
_IMPORTED_AGAIN = """

def pytest_configure() -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("tests.")]:
        del sys.modules[name]
"""
#: The core are the modules beside the families, which every guarantee needs.
_CORE = "core"
#: Groups in their order, with the tests that are meant for each. A mutant is run against all of
#: these that reach it, and against none of others: that would take a hundred times as long, and
#: what only tests of something else notice lacks a test.
GROUPS = {
    _CORE: (".", "--ignore-glob=*/guarantees/*/*"),
    "requests": ("requests", "traffic"),
    "rollouts": ("rollouts",),
    "stateful_sets": ("stateful_sets",),
    "traffic": ("traffic", "requests", "harness"),
    "pods": ("pods",),
    "objects": ("objects", "pods", "rollouts", "stateful_sets"),
    "attribution": ("attribution",),
    "harness": ("harness",),
    "network": ("network",),
}
#: mutmut's fates by the exit code of pytest, as `mutmut results` names them; None: not examined.
_FATES = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests"}
_TIMEOUTS = (36, -24, 24, 152, 255)
#: `mutmut show` of many at once: starting it takes longer than the rest.
_SHOW = """
import sys
from mutmut.__main__ import show
for mutant in sys.argv[1:]:
    show.callback(mutant)
"""
#: What no test noticed.
UNNOTICED = ("survived", "no tests")


def _sources(group: str) -> list[Path]:
    folder = _CODE if group == _CORE else _CODE / group
    return sorted(path for path in folder.glob("*.py") if path.stem != "__init__")


def first_pattern(group: str) -> str:
    """What mutmut calls the first mutants of a module's functions."""
    return ".".join((*_sources(group)[0].with_suffix("").parts, "x*__mutmut_1"))


def fingerprint(group: str) -> str:
    """Its source and its tests as they are now, as a short name."""
    folders = (Path(name) for name in _tests(group) if not name.startswith("-"))
    tests = sorted(path for folder in folders for path in _files_of(folder))
    content = b"".join(path.read_bytes() for path in (*_sources(group), *tests))
    return hashlib.sha256(content).hexdigest()[:8]


def module_of(mutant: str) -> str:
    """A mutant's name is its module's and its function's."""
    return mutant.rpartition(".x")[0].removeprefix(".".join((*_CODE.parts, "")))


def _tests(group: str) -> list[str]:
    """pytest's arguments. They must not change with each new test: mutmut would begin again."""
    return [name if name.startswith("-") else str(Path(_TESTS) / name) for name in GROUPS[group]]


def copy_tree(tree: Path, group: str) -> None:
    """The files as they are now, in their own time; what has gone goes there too."""
    content = {path: path.read_bytes() for name in _COPIED for path in _files_of(Path(name))}
    content[_CONFIGURED] = _configured(group).encode()
    content[_CONFTEST] += _IMPORTED_AGAIN.encode()
    for path, data in content.items():
        copy = tree / path
        if not copy.exists() or copy.read_bytes() != data:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)  # its time is now: newer than the mutants made of it
    for top in _COPIED:
        for copy in _files_of(tree / top):
            if copy.relative_to(tree) not in content:
                copy.unlink()


def _configured(group: str) -> str:
    """The project's settings, those of mutmut narrowed to a group."""
    text = _CONFIGURED.read_text()
    for name, meant in (
        ('only_mutate = ["chaoskit/guarantees/*"]', [str(path) for path in _sources(group)]),
        (f'pytest_add_cli_args_test_selection = ["{_TESTS}"]', _tests(group)),
    ):
        if name not in text:
            raise SystemExit(f"{_CONFIGURED} has no line {name}, which is to be narrowed")
        text = text.replace(name, f"{name.partition(' ')[0]} = {json.dumps(meant)}")
    return text


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in path.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def has_mutants(tree: Path, group: str) -> bool:
    """Whether there are mutants of the sources as they are, going by the time as mutmut does."""
    for source in _sources(group):
        mutated = tree / "mutants" / source
        if not mutated.exists() or mutated.stat().st_mtime <= (tree / source).stat().st_mtime:
            return False
    return True


def environment() -> dict[str, str]:
    """What mutmut runs in."""
    # The same examples each time: a mutant must not live or die by chance.
    return {**os.environ, "CI": "1"}


def fates_of(tree: Path, group: str) -> dict[str, str]:
    """Each mutant of a group by its name, with what became of it; "None": not examined."""
    fates: dict[str, str] = {}
    for source in _sources(group):
        meta = tree / "mutants" / f"{source}.meta"
        if meta.exists():
            codes = json.loads(meta.read_text())["exit_code_by_key"]
            fates |= {mutant: _fate(code) for mutant, code in codes.items()}
    return fates


def _fate(code: int | None) -> str:
    if code is None or code == 2:  # not examined, or interrupted
        return "None"
    return "timed out" if code in _TIMEOUTS else _FATES.get(code, "killed")


def having(those: Sequence[str], fates: dict[str, str], mutants: Iterable[str]) -> list[str]:
    """Of the mutants, those of which one of `those` fates came."""
    return [mutant for mutant in mutants if fates[mutant] in those]


def write_survivors(tree: Path, folder: Path, group: str, fates: dict[str, str]) -> None:
    """The diffs of those that no test noticed, one file for each group."""
    command = [sys.executable, "-c", _SHOW, *having(UNNOTICED, fates, fates)]
    shown = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{group}.diff").write_text(shown.stdout)
