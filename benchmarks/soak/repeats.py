"""Scenarios again and again, until each has so many runs; a round is a session of its own."""

import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import scenario_runs
from benchmarks.soak.stage import Row
from chaoskit.cluster.profiles import FAST
from chaoskit.history.session import read_session

# Runs that each scenario is to have. Those that `make test` runs are to have one a round.
_OF_EACH = 3


@dataclass(frozen=True)
class Repeats:
    """Pieces are rounds. Their runs are added to those that were kept before.

    A round runs what has fewer runs than its number, so what came of other sessions counts too.
    `scenarios` are files or folders: each has rounds of its own, so that a piece may be short.
    So many `workers` share the cluster of a round.
    """

    rounds: int = 10
    select: str = "row and not soak"
    scenarios: tuple[str, ...] = ("scenarios",)
    workers: int = 2

    name = "repeats"
    title = "the scenarios again and again"
    needs_engine = True

    def pieces(self) -> Sequence[str]:
        """Round by round."""
        return [
            f"round {number} of -m '{self.select}'{_within(path)}"
            for number in range(1, self.rounds + 1)
            for path in self.scenarios
        ]

    def run(self, piece: str, folder: Path) -> Row:
        """One session of pytest; its record stays below the folder."""
        path = next(it for it in self.scenarios if piece.endswith(f"'{_within(it)}"))
        number = int(piece.split()[1])
        every_round = _collected(path, f"({self.select}) and everyday")
        kept = [it.nodeid for it in scenario_runs.kept() if it.profile == FAST.name]
        short = too_few(_collected(path, self.select), every_round, kept, number)
        if not short:
            return {"piece": piece, "done": True, "session": ""}
        print(f"{len(short)} scenarios have fewer than {number} runs", flush=True)
        before = set(folder.glob("*/"))
        command = [sys.executable, "-m", "pytest", *short, "-q", "--tb=line"]
        command += [f"--chaos-report-dir={folder}"]
        command += ["-n", str(self.workers), "--dist", "worksteal"]
        subprocess.run(command, check=False)  # what was not HELD stands in its session
        new = sorted(set(folder.glob("*/")) - before)
        sessions = [path for path in new if (it := read_session(path)) is not None and it.finished]
        if not sessions:
            raise SystemExit("the round left no finished session: see its output above")
        scenario_runs.add(sessions)
        scenario_runs.write_page()
        return {"piece": piece, "done": True, "session": str(sessions[-1])}

    def table(self, rows: Sequence[Row]) -> str:
        """Scenario by scenario, with the runs that were kept before these rounds."""
        return scenario_runs.page(scenario_runs.kept())


def too_few(
    scenarios: Sequence[str], every_round: Collection[str], kept: Sequence[str], number: int
) -> list[str]:
    """The scenarios that the round of this number has to run, given what each kept run was of."""
    runs = Counter(kept)
    return [
        it
        for it in scenarios
        if runs[it] < (number if it in every_round else min(number, _OF_EACH))
    ]


def _collected(path: str, select: str) -> list[str]:
    """The ids of the scenarios below a path, as pytest finds them; ends where it cannot look."""
    command = [sys.executable, "-m", "pytest", path, "--collect-only", "-q", "-m", select]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        # An empty list would count as a round in which nothing was left to do.
        raise SystemExit(f"the scenarios in {path} cannot be collected: {listed.stdout}")
    return [line for line in listed.stdout.splitlines() if "::" in line]


def _within(path: str) -> str:
    """How a piece names what it is limited to; nothing for all, as before there were limits."""
    return "" if path == "scenarios" else f" in {path}"
