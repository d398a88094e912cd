"""What became of faults whose harness was stopped or killed, as a table:
`python -m benchmarks.always_healed [--run | --run-all] [--keep]`.

`--run` runs the tests that `make test` runs, `--run-all` all of them (hours, once every fault has a
sample); either adds to the results of those before. `--keep` moves the results to
`docs/results/always-healed.jsonl`, which is committed, and writes the page beside it anew.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_RESULTS = Path("reports/always-healed.jsonl")
_KEPT = Path("docs/results/always-healed.jsonl")
#: What stands below it on the page was written by hand.
_BY_HAND = "<!-- by hand -->"
_TESTS = "tests/cluster/test_always_healed.py"

Row = dict[str, Any]


def main() -> None:
    """Print the table, and keep it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", action="store_true", help="run the quick tests first")
    parser.add_argument("--run-all", action="store_true", help="run all tests first")
    parser.add_argument("--keep", action="store_true", help="keep the results, write the page")
    arguments = parser.parse_args()
    if arguments.run or arguments.run_all:
        chosen = [] if arguments.run_all else ["-m", "not long and not soak"]
        # A test that failed has left its result, where the table shows it.
        subprocess.run([sys.executable, "-m", "pytest", "-q", *chosen, _TESTS], check=False)
    text = page([*_rows(_KEPT), *_rows(_RESULTS)])
    print(text)
    if arguments.keep:
        _keep(text)


def _rows(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _keep(text: str) -> None:
    if _RESULTS.exists():
        with _KEPT.open("a") as file:
            file.write(_RESULTS.read_text())
        _RESULTS.unlink()
    path = _KEPT.with_suffix(".md")
    _, mark, by_hand = (path.read_text() if path.exists() else "").partition(_BY_HAND)
    path.write_text(f"{text}\n{mark}{by_hand}" if mark else text)


def page(rows: Sequence[Row]) -> str:
    """The table in Markdown: for each fault and signal, how soon it was healed at which point."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["fault"], row["by"]].append(row)
    residue = sum(bool(row["residue"]) for row in rows)
    killed = sorted(row["healed_s"] for row in rows if row["by"] == "SIGKILL")
    lines = [
        "# Always healed",
        "",
        "A harness injects a fault, stops at a point of its life and is ended there by a signal to "
        "its process group; its guardian heals what it left. The time is from the signal until "
        "the effect is measured gone and the ledger is empty. Residue: what a fingerprint of the "
        "cluster shows afterwards that it did not show before. "
        "`python -m benchmarks.always_healed --run` repeats it and adds to the counts.",
        "",
        f"{len(rows)} times ended, {residue} times with residue"
        + (f"; after SIGKILL healed in {_span(killed)}." if killed else "."),
        "",
        "| fault | ended by | points | times | residue | healed after, median (most) |",
        "|---|---|---|---|---|---|",
    ]
    for (fault, by), of_group in sorted(groups.items()):
        points = ", ".join(dict.fromkeys(row["point"] for row in of_group))
        left = sum(bool(row["residue"]) for row in of_group)
        lines.append(
            f"| {fault} | {by} | {points} | {len(of_group)} | {left} | "
            f"{_span(sorted(row['healed_s'] for row in of_group))} |"
        )
    lines += [
        "",
        "Points: `before` the ledger; in the `ledger`, not injected; `injected`, not noted; in "
        "`effect`; `heal` asked for; `healed`, not noted. At the last two SIGTERM and SIGINT wait "
        "until the heal is done, which the test makes last 2 s. `SIGKILL of all` takes the "
        "guardian too: there the node heals by its own timer, set to 31 s.",
    ]
    return "\n".join(lines) + "\n"


def _span(values: Sequence[float]) -> str:
    """The median of sorted values, and the greatest."""
    return f"{values[len(values) // 2]:.2f} s ({values[-1]:.2f} s)"


if __name__ == "__main__":
    main()
