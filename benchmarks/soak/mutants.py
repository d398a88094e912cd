"""Mutation testing of `chaoskit/guarantees`: each small change of the code must fail a test.

mutmut does it, in a copy of the tree below the stage's folder, so that nobody's edits disturb it
and its mutants stay out of the way. It remembers each mutant's fate by the function's source: what
was done stays done when another function changes. Survivors are written out as diffs.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.stage import Row

_CODE = Path("chaoskit/guarantees")
_TESTS = "tests/unit/guarantees"
#: What mutmut's copy needs: the package, and what its tests are made of.
_COPIED = ("chaoskit", "tests/__init__.py", "tests/corpus", "tests/unit", "conftest.py")
_CONFIGURED = Path("pyproject.toml")
#: The core are the modules beside the families, which every guarantee needs.
_CORE = "core"
#: Groups in their order, with the tests that are meant for each. A mutant is run against all of
#: these that reach it, and against none of others: that would take a hundred times as long, and
#: what only tests of something else notice lacks a test.
_GROUPS = {
    _CORE: (".", "--ignore-glob=*/guarantees/*/*"),
    "requests": ("requests", "traffic"),
    "rollouts": ("rollouts",),
    "stateful_sets": ("stateful_sets",),
    "traffic": ("traffic", "requests", "harness"),
    "pods": ("pods",),
    "objects": ("pods", "rollouts", "stateful_sets"),
    "attribution": ("attribution",),
    "harness": ("harness",),
    "network": ("network",),
}
#: mutmut's fates by the exit code of pytest, as `mutmut results` names them; None: not examined.
_FATES = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests"}
_TIMEOUTS = (36, -24, 24, 152, 255)


@dataclass(frozen=True)
class Mutants:
    """Pieces are the core and the families, each as its source and the tests are now.

    What was killed stays so; what survived is examined again when tests have changed.
    """

    workers: int = 1

    name = "mutants"
    title = "mutation testing of chaoskit/guarantees"
    needs_engine = False

    def pieces(self) -> Sequence[str]:
        """What all need, and then family by family."""
        return [f"{group} as of {_fingerprint(group)}" for group in _GROUPS]

    def run(self, piece: str, folder: Path) -> Row:
        """Examine what is not examined of a piece, and what survived other tests."""
        group = piece.partition(" ")[0]
        tree = folder / "trees" / group
        _copy_tree(tree, group)
        fates = _fates(tree, group)
        # mutmut makes mutants of what changed only as it runs some: any will do.
        names = [*_left(fates), *_survivors(fates)] or list(fates)[:1] or _patterns(group)
        while names:
            command = ["nice", "-n", "19", sys.executable, "-m", "mutmut", "run"]
            command += ["--max-children", str(self.workers), *names]
            with (folder / f"{group}.log").open("w") as log:  # mutmut paints its progress
                ran = subprocess.run(
                    command, cwd=tree, check=False, env=_environment(), stdout=log, stderr=log
                )
            left = _left(_fates(tree, group))
            if ran.returncode or set(left) == set(names):  # it gets no further
                break
            names = left
        fates = _fates(tree, group)
        _write_survivors(tree, folder / "survivors", group, fates)
        return {
            "piece": piece,
            "done": bool(fates) and not _left(fates),
            "group": group,
            "modules": _by_module(fates),
        }

    def table(self, rows: Sequence[Row]) -> str:
        """Module by module: how many mutants, and what became of them."""
        lines = [
            "| module | mutants | killed | timed out | survived | no test | left |",
            "|---|---|---|---|---|---|---|",
        ]
        latest = {row["group"]: row["modules"] for row in rows}
        for group in (group for group in _GROUPS if group in latest):
            for module, counts in sorted(latest[group].items()):
                fates = Counter(counts)
                known = ("killed", "timed out", "survived", "no tests", "None")
                told = " | ".join(str(fates[fate]) for fate in known)
                lines.append(f"| `{module}` | {fates.total()} | {told} |")
        never = [group for group in _GROUPS if group not in latest]
        return "\n".join([*lines, "", f"Not begun: {', '.join(never) or 'none'}."])


def _sources(group: str) -> list[Path]:
    folder = _CODE if group == _CORE else _CODE / group
    return sorted(path for path in folder.glob("*.py") if path.stem != "__init__")


def _patterns(group: str) -> list[str]:
    """What mutmut calls all mutants of these modules."""
    return [".".join((*source.with_suffix("").parts, "*")) for source in _sources(group)]


def _fingerprint(group: str) -> str:
    folders = (Path(name) for name in _tests(group) if not name.startswith("-"))
    tests = sorted(path for folder in folders for path in _files_of(folder))
    content = b"".join(path.read_bytes() for path in (*_sources(group), *tests))
    return hashlib.sha256(content).hexdigest()[:8]


def _by_module(fates: dict[str, str | None]) -> dict[str, Counter[str]]:
    """The fates counted; a mutant's name is its module's and its function's."""
    counted: dict[str, Counter[str]] = {}
    for mutant, fate in fates.items():
        module = mutant.rpartition(".x")[0].removeprefix(".".join((*_CODE.parts, "")))
        counted.setdefault(module, Counter())[str(fate)] += 1
    return counted


def _tests(group: str) -> list[str]:
    """pytest's arguments. They must not change with each new test: mutmut would begin again."""
    return [name if name.startswith("-") else str(Path(_TESTS) / name) for name in _GROUPS[group]]


def _copy_tree(tree: Path, group: str) -> None:
    """The files as they are now, in their own time; what has gone goes there too."""
    content = {path: path.read_bytes() for name in _COPIED for path in _files_of(Path(name))}
    content[_CONFIGURED] = _configured(group).encode()
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


def _environment() -> dict[str, str]:
    # The same examples each time: a mutant must not live or die by chance.
    return {**os.environ, "CI": "1"}


def _fates(tree: Path, group: str) -> dict[str, str | None]:
    """Each mutant of a group by its name, with what became of it."""
    fates: dict[str, str | None] = {}
    for source in _sources(group):
        meta = tree / "mutants" / f"{source}.meta"
        if meta.exists():
            codes = json.loads(meta.read_text())["exit_code_by_key"]
            fates |= {mutant: _fate(code) for mutant, code in codes.items()}
    return fates


def _fate(code: int | None) -> str | None:
    if code is None or code == 2:  # not examined, or interrupted
        return None
    return "timed out" if code in _TIMEOUTS else _FATES.get(code, "killed")


def _left(fates: dict[str, str | None]) -> list[str]:
    return [mutant for mutant, fate in fates.items() if fate is None]


def _survivors(fates: dict[str, str | None]) -> list[str]:
    return [mutant for mutant, fate in fates.items() if fate in ("survived", "no tests")]


def _write_survivors(tree: Path, folder: Path, group: str, fates: dict[str, str | None]) -> None:
    """The diffs of those that no test noticed, one file for each group."""
    diffs = []
    for mutant in _survivors(fates):
        command = [sys.executable, "-m", "mutmut", "show", mutant]
        shown = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        diffs.append(shown.stdout)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{group}.diff").write_text("\n".join(diffs))
