"""The report for people: one HTML file without a server, a network or a need for JavaScript."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import jinja2

from chaoskit import __version__
from chaoskit.errors import RecordError
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Note
from chaoskit.history.reader import History
from chaoskit.report.axis import clock_label
from chaoskit.report.chart import Chart, Evidence, axis_of, chart_of, numbered
from chaoskit.report.stored import StoredRun, StoredScenario

FILE_NAME = "report.html"
SYMBOLS = {"HELD": "✓", "VIOLATED": "✕", "UNKNOWN": "?", "NOT_RUN": "–"}  # noqa: RUF001
_OPEN_UP_TO = 3  # scenarios that held are folded away in reports longer than this
_NOTES_AT_MOST = 20
_UNITS = {"_per_s": "/s", "_ms": " ms", "_s": " s", "_ns": " ns", "_bytes": " B"}
_DOC_HEAD = re.compile(r"^(goal|method|expectation)s?\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One scenario as the template shows it."""

    number: int
    scenario: StoredScenario
    lead: tuple[str, ...]
    aims: tuple[tuple[str, str], ...]
    judged: tuple[tuple[Verdict, list[Evidence]], ...]
    chart: Chart | None
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    command: str
    open: bool


class HtmlReport:
    """Writes `report.html`."""

    name = "html"

    def write(self, run: StoredRun, into: Path) -> list[Path]:
        """One file; its size grows with the scenarios and their length, not with the requests."""
        sections = [
            _section(number, scenario, len(run.scenarios))
            for number, scenario in enumerate(run.scenarios, 1)
            if scenario.outcome != "NOT_RUN"
        ]
        page = _environment().get_template("report.html.j2")
        text = page.render(
            run=run,
            sections=sections,
            not_run=[s for s in run.scenarios if s.outcome == "NOT_RUN"],
            started=_started(run),
            facts=_session_facts(run),
            version=__version__,
        )
        path = into / FILE_NAME
        path.write_text(text, encoding="utf-8")
        return [path]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("chaoskit.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["symbols"] = SYMBOLS
    environment.globals["style"] = _raw("style.css")
    environment.globals["script"] = _raw("report.js")
    environment.filters["figure"] = figure
    environment.filters["quantity"] = quantity
    environment.filters["duration"] = duration
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment


def _raw(name: str) -> str:
    return resources.files("chaoskit.report").joinpath("templates", name).read_text("utf-8")


def figure(value: float) -> str:
    """A number short enough to read: whole ones in full, others with four digits."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.4g}"


def quantity(item: tuple[str, float]) -> tuple[str, str]:
    """A figure's name in words and its value with the unit that the name ends with."""
    name, value = item
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return name.removesuffix(ending).replace("_", " "), figure(value) + unit
    return name.replace("_", " "), figure(value)


def duration(seconds: float) -> str:
    """`12.3 s` below a minute, `3:05` above."""
    return f"{seconds:.1f} s" if seconds < 60 else clock_label(seconds)


def _started(run: StoredRun) -> str:
    wall_ns = run.session.started_wall_ns if run.session else 0
    if not wall_ns:
        starts = [s.info.started_wall_ns for s in run.scenarios if s.info]
        wall_ns = min(starts, default=0)
    if not wall_ns:
        return "at an unknown time"
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _session_facts(run: StoredRun) -> list[tuple[str, str]]:
    if run.session is None:
        return []
    facts = {"seed": str(run.session.seed), **run.session.facts}
    facts |= {f"option {name}": value for name, value in run.session.options.items()}
    return list(facts.items())


def _section(number: int, scenario: StoredScenario, of: int) -> Section:
    lead, aims = aims_of(scenario.doc)
    notes = list(scenario.notes)
    judged, chart = _drawn(f"s{number}", scenario, notes)
    info = scenario.info
    facts: dict[str, str] = {}
    if info is not None:
        facts = {**info.cluster, "profile": info.profile, "seed": str(info.seed)}
        facts |= {"namespace": info.namespace, "chaoskit": info.chaoskit_version}
    facts["record"] = scenario.slug
    return Section(
        number=number,
        scenario=scenario,
        lead=lead,
        aims=aims,
        judged=tuple(zip(scenario.verdicts, judged, strict=True)),
        chart=chart,
        notes=tuple(notes),
        facts=tuple((name, value) for name, value in facts.items() if value),
        command=info.command if info else "",
        open=scenario.outcome != "HELD" or of <= _OPEN_UP_TO,
    )


def _drawn(
    prefix: str, scenario: StoredScenario, notes: list[str]
) -> tuple[list[list[Evidence]], Chart | None]:
    """The evidence and the chart. Whatever keeps a record from being drawn becomes a note."""
    undrawn = numbered(scenario.verdicts, None, prefix)
    if scenario.folder is None:
        return undrawn, None
    try:
        history = History.open(scenario.folder)
        axis = axis_of(history)
        judged = numbered(scenario.verdicts, axis.start_ns if axis else None, prefix)
        chart = chart_of(history, [item for own in judged for item in own])
        notes += _notes_of(history, chart)
    except RecordError as error:
        notes.append(f"The record could not be read, so nothing is drawn: {error}")
        return undrawn, None
    except Exception as error:  # one strange record must not cost the report of all others
        notes.append(f"The record could not be drawn: {type(error).__name__}: {error}")
        return undrawn, None
    return judged, chart


def _notes_of(history: History, chart: Chart | None) -> list[str]:
    notes = [
        f"The record is damaged: {part.file} ({part.holds}, {part.kind}): {part.detail}."
        for part in history.damage
    ]
    notes += chart.notes if chart else ["The record is empty: there is nothing to draw."]
    said = [note for note in history.of(Note) if note.level != "info"]
    for note in said[:_NOTES_AT_MOST]:
        at = f" at {(note.time_ns - chart.axis.start_ns) / 1e9:.1f} s" if chart else ""
        notes.append(f"{note.level} of {note.source}{at}: {note.text}")
    if len(said) > _NOTES_AT_MOST:
        notes.append(f"{len(said) - _NOTES_AT_MOST} more warnings stand in the record.")
    return notes


def aims_of(doc: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """A docstring's free paragraphs, and its goal, method and expectation."""
    lead: list[str] = []
    aims: list[tuple[str, str]] = []
    for line in _sentences(doc):
        head = _DOC_HEAD.match(line)
        if head:
            aims.append((head[1].capitalize(), line[head.end() :]))
        else:
            lead.append(line)
    return tuple(lead), tuple(aims)


def _sentences(doc: str) -> Sequence[str]:
    """Paragraphs, joined to one line each; a line that names an aim begins a new one."""
    parts: list[str] = []
    fresh = True
    for raw in doc.splitlines():
        line = raw.strip()
        if not line:
            fresh = True
        elif fresh or _DOC_HEAD.match(line):
            parts.append(line)
            fresh = False
        else:
            parts[-1] += " " + line
    return parts
