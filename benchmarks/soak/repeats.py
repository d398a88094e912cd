"""Scenarios again and again; each round is a session of its own."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.stage import Row
from chaoskit.history.session import read_session


@dataclass(frozen=True)
class Repeats:
    """Pieces are rounds. What was not HELD stands in its session, and in the table."""

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
        return {"piece": piece, "done": True, "session": str(sessions[-1])}

    def table(self, rows: Sequence[Row]) -> str:
        """Scenario by scenario: its verdicts, and what they say of the next run."""
        outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        wall_s: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            session = read_session(Path(row["session"]))
            if session is None:  # somebody removed it
                continue
            for scenario in session.scenarios:
                outcomes[scenario.nodeid][scenario.outcome] += 1
                wall_s[scenario.nodeid].append(scenario.wall_s)
        lines = [
            "| scenario | runs | HELD | VIOLATED | UNKNOWN | not HELD at 95 % | mean wall, s |",
            "|---|---|---|---|---|---|---|",
        ]
        for nodeid, counts in sorted(outcomes.items()):
            runs = counts.total()
            held, violated, unknown = (counts[it] for it in ("HELD", "VIOLATED", "UNKNOWN"))
            missed = _at_most(runs - held, runs)
            mean_s = sum(wall_s[nodeid]) / runs
            lines.append(
                f"| {nodeid} | {runs} | {held} | {violated} | {unknown} | {missed} | {mean_s:.1f} |"
            )
        return "\n".join(lines)


def _at_most(missed: int, runs: int) -> str:
    """The rule of three where nothing missed; otherwise the share that was seen."""
    if not missed:
        return f"<= {min(1.0, 3 / runs):.0%}"
    return f"{missed / runs:.0%} seen"
