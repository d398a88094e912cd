"""What upstream's runner reported, as a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from junitparser import JUnitXml, TestSuite

Outcome = Literal["passed", "failed"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One test that ran."""

    name: str
    outcome: Outcome
    took_s: float
    message: str


def read(report: Path) -> list[Result]:
    """The tests that ran, by name; those that were not selected are left out."""
    if not report.exists():
        return []
    found = []
    for suite in JUnitXml.fromfile(str(report)):
        assert isinstance(suite, TestSuite)  # the runner writes suites, never bare cases
        for case in suite:
            if case.is_skipped or not case.name.startswith("[It]"):
                continue
            found.append(
                Result(
                    name=case.name.removeprefix("[It] "),
                    outcome="passed" if case.is_passed else "failed",
                    took_s=float(case.time or 0.0),
                    message=" ".join(str(one.message) for one in case.result),
                )
            )
    return sorted(found, key=lambda one: one.name)


def page(found: Sequence[Result], facts: Mapping[str, str], took_s: float) -> str:
    """The table in Markdown, with what it was run on."""
    count = Counter(one.outcome for one in found)
    lines = [
        "# Kubernetes' own end-to-end tests",
        "",
        "`make conformance` builds upstream's end-to-end tests and the images they start from the "
        "same Go module as the node image, and runs them on a cluster of its own. It takes five "
        "tests by default, and every conformance test of sig-apps, sig-node and sig-network with "
        "`ARGS=--all`. Why a test fails stands in [notes](conformance-notes.md).",
        "",
        f"Against {facts['image']} (Kubernetes {facts['kubernetes']}): "
        f"{count['passed']} passed, {count['failed']} failed, in {took_s:.0f} s.",
        "",
        "| test | outcome | seconds |",
        "|---|---|---|",
    ]
    for one in found:
        name = one.name.replace("|", "\\|")
        lines.append(f"| {name} | {one.outcome} | {one.took_s:.1f} |")
    failed = [one for one in found if one.outcome == "failed"]
    if failed:
        lines += ["", "What failed said:", ""]
        lines += [f"- {one.name}: {' '.join(one.message.split())[:400]}" for one in failed]
    return "\n".join(lines) + "\n"
