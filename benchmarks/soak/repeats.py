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
    """Pieces are rounds. Their runs are added to those that were kept before."""

    rounds: int = 10
    select: str = "row"

    name = "repeats"
    title = "the scenarios again and again"
    needs_engine = True

    def pieces(self) -> Sequence[str]:
        """Round by round."""
        return [f"round {number} of -m '{self.select}'" for number in range(1, self.rounds + 1)]

    def run(self, piece: str, folder: Path) -> Row:
        """One session of pytest; its record stays below the folder."""
        before = set(folder.glob("*/"))
        command = [sys.executable, "-m", "pytest", "scenarios", "-q", "--tb=line"]
        command += ["-m", self.select, f"--chaos-report-dir={folder}"]
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
