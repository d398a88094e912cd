"""Runs the scenario of this folder again and again: `python -m benchmarks.trend`.

Each run is a session of pytest by itself, with a folder, a driver and a place in the store of its
own; they share this process, whose imports take longer than the scenario, and a kept cluster.
"""

import argparse
import os
from pathlib import Path

import pytest

from benchmarks.trend.test_over_time import PLANTED
from chaoskit import clock

_OPTIONS = [
    *("-q", "-p", "no:cacheprovider", "--noconftest"),
    *("-W", "default::pytest.PytestAssertRewriteWarning"),
]


def main() -> None:
    """So many sound runs, then so many with the defect; a count beside the reports goes on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sound", type=int, default=14)
    parser.add_argument("--planted", type=int, default=8)
    parser.add_argument("--select", default="ordinary", help="as pytest's -k")
    parser.add_argument("--folder", type=Path, default=Path("reports/trend-runs"))
    parser.add_argument("--for-s", type=float, default=3600.0, help="begin no run after that")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    begun_ns = clock.now_ns()
    while (clock.now_ns() - begun_ns) / 1e9 < asked.for_s:
        done = len(list(asked.folder.glob("*/session.json")))
        if done >= asked.sound + asked.planted:
            break
        os.environ[PLANTED] = "yes" if done >= asked.sound else ""
        run(asked.folder, asked.select)


def run(folder: Path, select: str) -> None:
    """One session; what it finds is for the trend to tell."""
    pytest.main(
        [
            str(Path(__file__).parent),
            *("-k", select, "--chaos-keep-cluster", f"--chaos-report-dir={folder}"),
            f"--chaos-store={folder / 'runs.sqlite'}",
            *_OPTIONS,
        ]
    )


if __name__ == "__main__":
    main()
