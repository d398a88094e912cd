"""The trend as files: HTML for people, Markdown for a pull request, JSON for machines."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from chaoskit.errors import StoreError
from chaoskit.trend.html import page
from chaoskit.trend.report import ScenarioTrend, TrendReport

HTML_NAME, MARKDOWN_NAME, JSON_NAME = "trend.html", "trend.md", "trend.json"

_LETTERS = {"HELD": "H", "VIOLATED": "V", "UNKNOWN": "?"}
_SHOWN_AT_MOST = 40
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~@!])")


def write_trend(trend: TrendReport, into: Path) -> list[Path]:
    """Write all three into a folder, made where it is missing. Raises `StoreError`."""
    texts = {
        HTML_NAME: page(trend),
        MARKDOWN_NAME: markdown(trend),
        JSON_NAME: as_json(trend),
    }
    try:
        into.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            # Beside and moved: who fetches a published page never gets half of it.
            fresh = into / f".{name}.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(into / name)
    except OSError as error:
        raise StoreError(
            "the trend cannot be written",
            subject=str(into),
            seen=error,
            next_step="free space, or name another folder with --into",
        ) from error
    return [into / name for name in texts]


def as_json(trend: TrendReport) -> str:
    """As `trend.json` holds it."""
    return msgspec.json.format(msgspec.json.encode(trend), indent=1).decode() + "\n"


def markdown(trend: TrendReport) -> str:
    """What got worse first, then a table a scenario, the oldest outcome on the left."""
    lines = [f"### chaoskit trend: {trend.state}", "", heading(trend), ""]
    lines += [f"> {_escaped(note)}" for note in trend.notes]
    lines += [f"- **{_escaped(finding)}**" for finding in trend.findings] or [
        "Nothing got worse or better that chance does not explain."
    ]
    for scenario in trend.scenarios:
        lines += ["", *_scenario(scenario)]
    lines += ["", "H held, V violated, ? unknown; the oldest run on the left."]
    return "\n".join(lines) + "\n"


def heading(trend: TrendReport) -> str:
    """How many runs, from when to when, and what is compared with what."""
    if trend.first_wall_ns is None or trend.last_wall_ns is None:
        return f"No run is kept from the last {trend.since}."
    return (
        f"{trend.runs} runs, {day(trend.first_wall_ns)} to {day(trend.last_wall_ns)} UTC;"
        f" the last {trend.recent_runs} of each scenario against those before."
    )


def day(wall_ns: int) -> str:
    """A moment to the minute, in UTC."""
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")


def strip(outcomes: list[str]) -> str:
    """Outcomes as letters, the oldest first; the older ones of a long history are left out."""
    letters = "".join(_LETTERS.get(outcome, ".") for outcome in outcomes)
    return letters if len(letters) <= _SHOWN_AT_MOST else "…" + letters[-_SHOWN_AT_MOST:]


def _scenario(scenario: ScenarioTrend) -> list[str]:
    where = ", ".join(
        part
        for part in (scenario.kubernetes, scenario.nodes, scenario.profile, scenario.machine)
        if part
    )
    lines = [
        f"#### {_escaped(scenario.title)}: {scenario.state}",
        "",
        _escaped(f"{scenario.nodeid} on {where}"),
        "",
        "| what | trend | history | said |",
        "|---|---|---|---|",
    ]
    for guarantee in scenario.guarantees:
        history = strip([point.outcome for point in guarantee.points])
        said = _escaped(guarantee.said)
        lines.append(f"| {_escaped(guarantee.title)} | {guarantee.state} | `{history}` | {said} |")
    for measure in scenario.measures:
        history = f"{len(measure.points)} values"
        said = _escaped(measure.said)
        lines.append(f"| {_escaped(measure.title)} | {measure.state} | {history} | {said} |")
    return lines


def _escaped(text: str) -> str:
    """On one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")
