"""Mutation testing of `chaoskit/guarantees`: each small change of the code must fail a test.

mutmut does it, in a copy of the tree below the stage's folder, so that nobody's edits disturb it
and its mutants stay out of the way. It remembers each mutant's fate by the function's source: what
was done stays done when another function changes. Survivors are written out as diffs.

All mutants take days. So a sample of each group comes first: the same mutants while the code is
the same, some of every module, from which the share that survives is bounded for the whole group.
"""

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.mutated_tree import (
    GROUPS,
    UNNOTICED,
    copy_tree,
    environment,
    fates_of,
    fingerprint,
    first_pattern,
    has_mutants,
    having,
    module_of,
    write_survivors,
)
from benchmarks.soak.stage import Row
from chaoskit.guarantees.proportions import upper_bound

_KNOWN = ("killed", "timed out", "survived", "no tests", "None")
#: What the choice of the sample comes from.
_SEED = 1


@dataclass(frozen=True)
class Mutants:
    """Pieces are samples of the core and of the families, and then these as a whole.

    Each is named by its source and its tests as they are now: what was killed stays so; what
    survived is examined again when tests have changed. `sample` is about how many of a group.
    """

    workers: int = 1
    sample: int = 200

    name = "mutants"
    title = "mutation testing of chaoskit/guarantees"
    needs_engine = False

    def pieces(self) -> Sequence[str]:
        """A sample of what all need, and of family by family; then all, in the same order."""
        states = {group: fingerprint(group) for group in GROUPS}
        return [
            *(f"{group}: {self.sample} of it, as of {state}" for group, state in states.items()),
            *(f"{group} as of {state}" for group, state in states.items()),
        ]

    def run(self, piece: str, folder: Path) -> Row:
        """Examine what is not examined of a piece, and what survived other tests."""
        group = piece.partition(" ")[0].rstrip(":")
        whole = not piece.startswith(f"{group}:")
        tree = folder / "trees" / group
        copy_tree(tree, group)
        log = folder / f"{group}.log"
        if not has_mutants(tree, group):  # mutmut makes them only as it runs some: any will do
            self._examine([first_pattern(group)], tree, log)
        fates = fates_of(tree, group)
        sample = chosen(fates, self.sample)
        wanted = list(fates) if whole else sample
        names = having(("None", *UNNOTICED), fates, wanted)
        self._examine(names, tree, log)
        # One that timed out may have waited for the processor only: once more, by itself.
        late = having(("timed out",), fates_of(tree, group), names)
        self._examine(late, tree, log, workers=1)
        fates = fates_of(tree, group)
        write_survivors(tree, folder / "survivors", group, fates)
        return {
            "piece": piece,
            "done": bool(fates) and not having(("None",), fates, wanted),
            "group": group,
            "modules": _by_module(fates),
            "sample": Counter(fates[mutant] for mutant in sample),
        }

    def table(self, rows: Sequence[Row]) -> str:
        """What the samples say of their groups; then module by module what became of mutants."""
        lines = [
            "| group | mutants | sample | killed | timed out | survived | no test | left "
            "| unnoticed | at most |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        latest = {row["group"]: row for row in rows}
        begun = [group for group in GROUPS if group in latest]
        lines += [_bounded(group, latest[group]) for group in begun]
        lines += [
            "",
            "| module | mutants | killed | timed out | survived | no test | left |",
            "|---|---|---|---|---|---|---|",
        ]
        for group in begun:
            for module, counts in sorted(latest[group]["modules"].items()):
                lines.append(f"| `{module}` | {sum(counts.values())} | {_told(counts)} |")
        never = [group for group in GROUPS if group not in latest]
        return "\n".join([*lines, "", f"Not begun: {', '.join(never) or 'none'}."])

    def _examine(
        self, names: Sequence[str], tree: Path, log: Path, *, workers: int | None = None
    ) -> None:
        if not names:
            return
        command = ["nice", "-n", "19", sys.executable, "-m", "mutmut", "run"]
        command += ["--max-children", str(workers or self.workers), *names]
        with log.open("w") as file:  # mutmut paints its progress
            subprocess.run(
                command, cwd=tree, check=False, env=environment(), stdout=file, stderr=file
            )


def chosen(mutants: Iterable[str], size: int) -> list[str]:
    """About `size` of the mutants: of each module the same share, and one at least.

    Which of a module's is decided by their names and the seed only. So the choice stays when
    other functions change, and a larger sample contains the smaller ones.
    """
    of_module: dict[str, list[str]] = {}
    for mutant in mutants:
        of_module.setdefault(module_of(mutant), []).append(mutant)
    total = sum(len(names) for names in of_module.values())
    return [
        mutant
        for _, names in sorted(of_module.items())
        for mutant in sorted(names, key=_drawn)[: -(-len(names) * size // total)]
    ]


def _drawn(mutant: str) -> bytes:
    return hashlib.sha256(f"{_SEED} {mutant}".encode()).digest()


def _bounded(group: str, row: Row) -> str:
    """A group's line: its sample, the share of it that no test notices, and what bounds that."""
    counts: Counter[str] = Counter(row["sample"])
    total = sum(sum(module.values()) for module in row["modules"].values())
    examined = counts.total() - counts["None"]
    unnoticed = sum(counts[fate] for fate in UNNOTICED)
    share = "- | -"
    if examined:
        share = f"{unnoticed / examined:.1%} | {upper_bound(unnoticed, examined):.1%}"
    return f"| {group} | {total} | {counts.total()} | {_told(counts)} | {share} |"


def _told(counts: dict[str, int]) -> str:
    return " | ".join(str(counts.get(fate, 0)) for fate in _KNOWN)


def _by_module(fates: dict[str, str]) -> dict[str, Counter[str]]:
    counted: dict[str, Counter[str]] = {}
    for mutant, fate in fates.items():
        counted.setdefault(module_of(mutant), Counter())[fate] += 1
    return counted
