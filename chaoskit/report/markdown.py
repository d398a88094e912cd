"""The report for a pull request: a short table in Markdown."""

import re
from pathlib import Path

from chaoskit.report.stored import StoredRun, StoredScenario

FILE_NAME = "summary.md"
_SYMBOLS = {
    "HELD": "✅ held",
    "VIOLATED": "❌ violated",
    "UNKNOWN": "❔ unknown",
    "NOT_RUN": "⚪ not run",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~@!])")


class MarkdownReport:
    """Writes `summary.md`."""

    name = "markdown"

    def write(self, run: StoredRun, into: Path) -> list[Path]:
        path = into / FILE_NAME
        path.write_text(summary(run), encoding="utf-8")
        return [path]


def summary(run: StoredRun) -> str:
    """Counts, a row per scenario, and of each what did not hold."""
    counts = ", ".join(
        f"{count} {outcome.lower().replace('_', ' ')}" for outcome, count in run.counts.items()
    )
    lines = [f"### chaoskit {_escaped(run.run_id)}: {run.outcome.replace('_', ' ')}", "", counts]
    lines += ["", *(f"> {_escaped(note)}" for note in run.notes)]
    lines += ["", "| outcome | scenario | rows | what did not hold |", "|---|---|---|---|"]
    lines += [_row(scenario) for scenario in run.scenarios]
    if run.session is not None:
        lines += ["", f"Seed {run.session.seed}. Repeat with:", "", f"    {run.session.command}"]
    return "\n".join(lines) + "\n"


def _row(scenario: StoredScenario) -> str:
    bad = [
        f"**{_escaped(verdict.title)}** {verdict.outcome.value}: {_escaped(verdict.summary)}"
        for verdict in scenario.verdicts
        if verdict.outcome.value != "HELD"
    ]
    why = "<br>".join([*([_escaped(scenario.reason)] if scenario.reason else []), *bad])
    rows = _escaped(" ".join(scenario.rows))
    return f"| {_SYMBOLS[scenario.outcome]} | {_escaped(scenario.title)} | {rows} | {why} |"


def _escaped(text: str) -> str:
    """On one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")
