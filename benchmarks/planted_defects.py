"""What the judge made of planted defects and of their sound twins, as a table:
`python -m benchmarks.planted_defects [--run] [--page FILE]`.

`--run` runs the tests first, which add their results to those of before.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

_RESULTS = Path("reports/planted-defects.jsonl")
_TESTS = (
    "planted",
    "test_planted_defects.py",
    "test_planted_services.py",
    "test_planted_stores.py",
)
_EVIDENCE_LENGTH = 110

Row = dict[str, str | bool]


def main() -> None:
    """Print the table, and write it to a file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", action="store_true", help="run the tests first")
    parser.add_argument("--page", type=Path, help="write the table to this file, too")
    arguments = parser.parse_args()
    if arguments.run:
        # A test that failed has left its outcome in the results, where the table shows it.
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *(f"tests/cluster/{it}" for it in _TESTS)],
            check=False,
        )
    if not _RESULTS.exists():
        raise SystemExit(f"{_RESULTS} is not there: run this with --run")
    text = page([json.loads(line) for line in _RESULTS.read_text().splitlines()])
    print(text)
    if arguments.page:
        arguments.page.write_text(text)


def page(rows: Sequence[Row]) -> str:
    """The table in Markdown: for each defect and guarantee, found and false alarms."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[str(row["defect"]), str(row["guarantee"])].append(row)
    planted = [row for row in rows if row["planted"]]
    sound = [row for row in rows if not row["planted"]]
    found = sum(row["outcome"] == "VIOLATED" for row in planted)
    alarms = sum(row["outcome"] == "VIOLATED" for row in sound)
    missed = sum(row["outcome"] == "HELD" for row in planted)
    unknown = sum(row["outcome"] == "UNKNOWN" for row in rows)
    rows_of = {str(row["defect"]): str(row.get("rows", "")) for row in rows}
    lines = [
        "# Planted defects",
        "",
        "Each defect is planted on a real cluster, and left out in its sound twin; that of a "
        "defect of a row of the catalogue is the row's scenario. `python -m "
        "benchmarks.planted_defects --run` repeats it and adds to the counts.",
        "",
        f"{len({row['defect'] for row in rows})} defects: {found} of {len(planted)} verdicts on "
        f"planted ones VIOLATED, {missed} HELD, {alarms} false alarms in {len(sound)} verdicts on "
        f"sound ones, {unknown} UNKNOWN.",
        "",
        "| row | defect | guarantee | found | false alarms | unknown | what it says first |",
        "|---|---|---|---|---|---|---|",
    ]
    for (defect, guarantee), of_group in sorted(
        groups.items(), key=lambda item: (_place(rows_of[item[0][0]]), *item[0])
    ):
        with_it = [row for row in of_group if row["planted"]]
        without = [row for row in of_group if not row["planted"]]
        texts = [str(row["evidence"]) for row in with_it if row["outcome"] == "VIOLATED"]
        said = texts[-1][:_EVIDENCE_LENGTH].replace("|", "\\|") if texts else "-"
        lines.append(
            f"| {rows_of[defect]} | {defect} | {guarantee} | {_count(with_it, 'VIOLATED')} | "
            f"{_count(without, 'VIOLATED')} | {_count(of_group, 'UNKNOWN')} | {said} |"
        )
    return "\n".join(lines) + "\n"


def _place(rows: str) -> tuple[str, int]:
    """Rows by family and number; what belongs to none comes last."""
    first = re.match(r"([A-Z])(\d+)", rows)
    return (first[1], int(first[2])) if first else ("~", 0)


def _count(rows: Sequence[Row], outcome: str) -> str:
    return f"{sum(row['outcome'] == outcome for row in rows)} of {len(rows)}"


if __name__ == "__main__":
    main()
