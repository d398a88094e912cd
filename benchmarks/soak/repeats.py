"""Scenarios again and again; each round is a session of its own."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scenario_runs
from benchmarks.soak.stage import Row
from chaoskit.history.session import read_session


@dataclass(frozen=True)
class Repeats:
    """Pieces are rounds. Their runs are added to those that were kept before.

    `scenarios` are files or folders: each has rounds of its own, so that a piece may be short.
    So many `workers` share the cluster of a round.
    """

    rounds: int = 10
    select: str = "row"
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
        before = set(folder.glob("*/"))
        path = next(it for it in self.scenarios if piece.endswith(f"'{_within(it)}"))
        command = [sys.executable, "-m", "pytest", path, "-q", "--tb=line"]
        command += ["-m", self.select, f"--chaos-report-dir={folder}"]
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


def _within(path: str) -> str:
    """How a piece names what it is limited to; nothing for all, as before there were limits."""
    return "" if path == "scenarios" else f" in {path}"
