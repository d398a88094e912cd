"""Every property test with 10,000 examples, some thousand at a time."""

import os
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.stage import Row

_TESTS = "tests"
#: Hypothesis' statistics name each phase of a test with the examples that it passed.
_PASSING = re.compile(r"(\d+) passing")
_EXHAUSTED = "nothing left to do"


@dataclass(frozen=True)
class Properties:
    """Pieces are parts of a test's examples: first a part of each test, then the next part.

    Each part has a seed of its own, written down with it. A test whose examples are few ends
    when it has seen them all.
    """

    examples: int = 10_000
    at_once: int = 2_000

    name = "properties"
    title = "every property test with 10,000 examples"
    needs_engine = False

    def pieces(self) -> Sequence[str]:
        """Part by part, and in each of them test by test."""
        parts = -(-self.examples // self.at_once)
        tests = _property_tests()
        return [f"{test} part {part}" for part in range(1, parts + 1) for test in tests]

    def run(self, piece: str, folder: Path) -> Row:
        """Run one test with one part of its examples."""
        test = piece.rpartition(" part ")[0]
        seed = random.randrange(2**32)
        begun = time.monotonic()
        ran = subprocess.run(
            [
                *("nice", "-n", "19", sys.executable, "-m", "pytest", test, "-q"),
                *(
                    "--hypothesis-show-statistics",
                    f"--hypothesis-seed={seed}",
                    "-p",
                    "no:cacheprovider",
                ),
            ],
            env={**os.environ, "CHAOSKIT_EXAMPLES": str(self.at_once)},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            kept = folder / "failed" / f"{seed}.txt"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(ran.stdout + ran.stderr)
            print(f"failed, see {kept}", flush=True)
        return {
            "piece": piece,
            "done": not ran.returncode,
            "test": test,
            "seed": seed,
            "examples": sum(map(int, _PASSING.findall(ran.stdout))),
            "exhausted": _EXHAUSTED in ran.stdout,
            "seconds": round(time.monotonic() - begun, 1),
        }

    def table(self, rows: Sequence[Row]) -> str:
        """Test by test: its examples, how long they took, and how often it failed."""
        of_test: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            of_test[row["test"]].append(row)
        lines = [
            "| test | examples | seconds | outcome |",
            "|---|---|---|---|",
        ]
        for test, parts in sorted(of_test.items()):
            failed = sum(not part["done"] for part in parts)
            last = "passed" if parts[-1]["done"] else "fails"
            outcome = f"{last}, {failed} part(s) failed before" if failed else last
            all_seen = " (all there are)" if any(part["exhausted"] for part in parts) else ""
            examples = sum(part["examples"] for part in parts)
            seconds = sum(part["seconds"] for part in parts)
            short = test.removeprefix("tests/unit/")
            lines.append(f"| `{short}` | {examples}{all_seen} | {seconds:.0f} | {outcome} |")
        total = sum(row["examples"] for row in rows)
        return "\n".join([*lines, "", f"{len(of_test)} tests, {total} examples in all."])


def _property_tests() -> list[str]:
    """Their node ids: Hypothesis marks what it drives."""
    command = [sys.executable, "-m", "pytest", _TESTS, "-m", "hypothesis", "--collect-only", "-q"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    tests = [line for line in listed.stdout.splitlines() if "::" in line]
    if listed.returncode or not tests:
        raise SystemExit(f"pytest found no property tests:\n{listed.stdout}{listed.stderr}")
    return tests
