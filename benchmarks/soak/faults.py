"""Faults again and again: how fast they come and go, and that they heal whoever is killed."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.stage import Row
from tests.cluster.faults import SAMPLES
from tests.cluster.test_always_healed import MECHANISMS

_ROUNDS_OF_ALL = 5
_ROUNDS_OF_MECHANISMS = 20


@dataclass(frozen=True)
class FaultTimes:
    """Pieces are rounds: five of all faults, and more of one of each mechanism."""

    name = "fault-times"
    title = "how fast faults come and go: docs/results/fault-times.md"
    needs_engine = True

    def pieces(self) -> Sequence[str]:
        """Round by round."""
        rounds = range(1, _ROUNDS_OF_MECHANISMS + 1)
        return [f"round {n} of {'all' if n <= _ROUNDS_OF_ALL else 'mechanisms'}" for n in rounds]

    def run(self, piece: str, folder: Path) -> Row:
        """One run of each fault, on a cluster of its own."""
        names = [] if piece.endswith("all") else list(MECHANISMS)
        command = [sys.executable, "-m", "benchmarks.fault_times", "--runs", "1", *names]
        done = subprocess.run(command, check=False)
        return {"piece": piece, "done": done.returncode == 0}

    def table(self, rows: Sequence[Row]) -> str:
        """The rounds that ended well; the page has the times."""
        return f"{sum(row['done'] for row in rows)} of {len(rows)} rounds ended well"


@dataclass(frozen=True)
class Kills:
    """Pieces are faults: the harness is ended at each point that is tried for that fault."""

    name = "kills"
    title = "faults whose harness was killed: docs/results/always-healed.md"
    needs_engine = True

    def pieces(self) -> Sequence[str]:
        """Fault by fault."""
        return sorted(SAMPLES)

    def run(self, piece: str, folder: Path) -> Row:
        """All kill points of one fault, on one cluster."""
        tests = "tests/cluster/test_always_healed.py"
        command = [sys.executable, "-m", "pytest", tests, "-q", "--tb=line", "-k", f"[{piece}-"]
        done = subprocess.run(command, check=False)
        page = [sys.executable, "-m", "benchmarks.always_healed"]
        subprocess.run([*page, "--keep"], check=False)
        return {"piece": piece, "done": done.returncode == 0}

    def table(self, rows: Sequence[Row]) -> str:
        """The faults whose every kill point left nothing; the page has the times."""
        return f"{sum(row['done'] for row in rows)} of {len(rows)} faults left nothing behind"
