"""The report for a pull request: a short table in Markdown."""

import re
from pathlib import Path

from chaoskit.guarantees.verdict import Verdict
from chaoskit.report.comparison import CHANGES, ComparedGuarantee, Comparison
from chaoskit.report.stored import StoredRun, StoredScenario

FILE_NAME = "summary.md"
_ARROWS = {"worse": "⬇️ worse", "better": "⬆️ better", "same": "same", "new": "new", "gone": "gone"}
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
    """Counts, a row per scenario, of each what did not hold and since when, how to repeat it."""
    counts = ", ".join(
        f"{count} {outcome.lower().replace('_', ' ')}" for outcome, count in run.counts.items()
    )
    lines = [f"### chaoskit {_escaped(run.run_id)}: {run.outcome.replace('_', ' ')}", "", counts]
    lines += ["", *(f"> {_escaped(note)}" for note in run.notes)]
    lines += ["", "| outcome | scenario | rows | what did not hold |", "|---|---|---|---|"]
    lines += [_row(scenario) for scenario in run.scenarios]
    if run.session is not None:
        lines += ["", f"Seed {run.session.seed}. Repeat with:", "", f"    {run.session.command}"]
    lines += _repeats(run)
    return "\n".join(lines) + "\n"


def _repeats(run: StoredRun) -> list[str]:
    """The command of each scenario that did not hold, folded away."""
    commands = [
        scenario.info.command
        for scenario in run.scenarios
        if scenario.outcome in ("VIOLATED", "UNKNOWN") and scenario.info and scenario.info.command
    ]
    if not commands:
        return []
    folded = ["", "<details><summary>Repeat one of those that did not hold</summary>", ""]
    return [
        *folded,
        *(f"    {' '.join(command.split())}" for command in commands),
        "",
        "</details>",
    ]


def _row(scenario: StoredScenario) -> str:
    bad = [
        f"**{_escaped(verdict.title)}** {verdict.outcome.value}: {_escaped(verdict.summary)}"
        + _since(verdict, scenario)
        for verdict in scenario.verdicts
        if verdict.outcome.value != "HELD"
    ]
    why = "<br>".join([*([_escaped(scenario.reason)] if scenario.reason else []), *bad])
    rows = _escaped(" ".join(scenario.rows))
    return f"| {_SYMBOLS[scenario.outcome]} | {_escaped(scenario.title)} | {rows} | {why} |"


def _since(verdict: Verdict, scenario: StoredScenario) -> str:
    """When it first went wrong, and how often in all."""
    first = verdict.evidence.first
    if first is None:
        return ""
    since = ""
    if scenario.info is not None:
        since = f" after {(first.time_ns - scenario.info.started_ns) / 1e9:.1f} s"
    times = f", {verdict.evidence.count} in all" if verdict.evidence.count > 1 else ""
    return f"<br>first{since}: {_escaped(first.text)}{times}"


def _escaped(text: str) -> str:
    """On one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def comparison_summary(compared: Comparison) -> str:
    """Two runs side by side: a row per scenario, and one for each guarantee that changed."""
    before, after = compared.before, compared.after
    counts = ", ".join(f"{compared.counts[change]} {change}" for change in CHANGES)
    lines = [
        f"### chaoskit {_escaped(before.run_id)} → {_escaped(after.run_id)}:"
        f" {'worse' if compared.is_worse else 'not worse'}",
        "",
        f"Scenarios: {counts}",
        "",
        "| change | scenario, guarantee | before | after | figures |",
        "|---|---|---|---|---|",
    ]
    for scenario in compared.scenarios:
        states = [one.outcome if one else None for one in (scenario.before, scenario.after)]
        shown = " | ".join(_SYMBOLS[state] if state else "–" for state in states)  # noqa: RUF001
        title = f"**{_escaped(scenario.title)}**"
        lines.append(f"| {_ARROWS[scenario.change]} | {title} | {shown} | |")
        if scenario.before is None or scenario.after is None:
            continue
        for guarantee in scenario.guarantees:
            if guarantee.change != "same" or guarantee.moved:
                lines.append(_compared(guarantee))
    return "\n".join(lines) + "\n"


def _compared(guarantee: ComparedGuarantee) -> str:
    states = [
        _SYMBOLS[one.outcome.value] if one else "–"  # noqa: RUF001
        for one in (guarantee.before, guarantee.after)
    ]
    figures = "<br>".join(
        f"{_escaped(moved.name)}: {moved.before:.4g} → {moved.after:.4g}"
        for moved in guarantee.moved
    )
    return (
        f"| {_ARROWS[guarantee.change]} | {_escaped(guarantee.name)} | {states[0]} | {states[1]} |"
        f" {figures} |"
    )
