"""Scenarios again and again; each round is a session of its own."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.soak.stage import Row
from chaoskit.history.session import read_session
from chaoskit.report.stored import StoredScenario, load_run


@dataclass(frozen=True)
class Repeats:
    """Pieces are rounds. What was not HELD stands in its session, and below the table.

    `scenarios` are files or folders: each has rounds of its own, so that a piece may be short.
    """

    rounds: int = 10
    select: str = "row"
    scenarios: tuple[str, ...] = ("scenarios",)

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
        subprocess.run(command, check=False)  # what was not HELD stands in its session
        new = sorted(set(folder.glob("*/")) - before)
        sessions = [path for path in new if (it := read_session(path)) is not None and it.finished]
        if not sessions:
            raise SystemExit("the round left no finished session: see its output above")
        return {"piece": piece, "done": True, "session": str(sessions[-1])}

    def table(self, rows: Sequence[Row]) -> str:
        """Scenario by scenario: its verdicts, what they say of the next run, and its load."""
        runs: dict[str, list[StoredScenario]] = defaultdict(list)
        missed = []
        for row in rows:
            folder = Path(row["session"])
            if read_session(folder) is None:  # somebody removed it
                continue
            for scenario in load_run(folder).scenarios:
                if scenario.outcome == "NOT_RUN":
                    continue
                runs[scenario.nodeid].append(scenario)
                if scenario.outcome != "HELD":
                    missed.append(f"- {folder.name}, {scenario.nodeid}: {_why(scenario)}")
        lines = [
            "| scenario | runs | HELD | VIOLATED | UNKNOWN | not HELD at 95 % "
            "| requests, mean | not ok, most | mean wall, s |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [_line(nodeid, of_one) for nodeid, of_one in sorted(runs.items())]
        return "\n".join([*lines, *(["", "Not HELD:", "", *missed] if missed else [])])


def _within(path: str) -> str:
    """How a piece names what it is limited to; nothing for all, as before there were limits."""
    return "" if path == "scenarios" else f" in {path}"


def _line(nodeid: str, runs: Sequence[StoredScenario]) -> str:
    counts = Counter(run.outcome for run in runs)
    held, violated, unknown = (counts[it] for it in ("HELD", "VIOLATED", "UNKNOWN"))
    share = _at_most(len(runs) - held, len(runs))
    requests = [_covered(run, "requests") for run in runs]
    not_ok = max(_covered(run, "not ok") for run in runs)
    wall_s = mean(run.wall_s for run in runs)
    cells = (nodeid, len(runs), held, violated, unknown, share, round(mean(requests)), not_ok)
    return f"| {' | '.join(map(str, cells))} | {wall_s:.1f} |"


def _covered(run: StoredScenario, what: str) -> int:
    """The largest count of it that a guarantee saw, on some streams or on all; 0 without any."""
    counts = [
        count
        for verdict in run.verdicts
        for name, count in verdict.coverage.items()
        if name == what or name.startswith(f"{what} ")
    ]
    return max(counts, default=0)


def _why(run: StoredScenario) -> str:
    """Its outcome, and what the guarantees with that outcome say; otherwise the test's reason."""
    said = [f"{v.guarantee}: {v.summary}" for v in run.verdicts if v.outcome == run.outcome]
    why = "; ".join(said) or " ".join(run.reason.split())
    return f"{run.outcome}, {why}"


def _at_most(missed: int, runs: int) -> str:
    """The rule of three where nothing missed; otherwise the share that was seen."""
    if not missed:
        return f"<= {min(1.0, 3 / runs):.0%}"
    return f"{missed / runs:.0%} seen"
