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
from chaoskit.report.chart import Chart, axis_of, chart_of
from chaoskit.report.evidence import Evidence, moment_label, numbered
from chaoskit.report.failures import FailureTable, failure_table
from chaoskit.report.stored import ORDER, StoredRun, StoredScenario
from chaoskit.report.why import Explainer, Why

FILE_NAME = "report.html"
SYMBOLS = {"HELD": "✓", "VIOLATED": "✕", "UNKNOWN": "?", "NOT_RUN": "–"}  # noqa: RUF001
_OPEN_UP_TO = 3  # scenarios that held are folded away in reports longer than this
_NOTES_AT_MOST = 20
_FIGURES = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_UNITS = {"_per_s": "/s", "_ms": " ms", "_s": " s", "_ns": " ns", "_bytes": " B"}
_DOC_HEAD = re.compile(r"^(goal|method|expectation)s?\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One scenario as the template shows it."""

    number: int | str
    scenario: StoredScenario
    lead: tuple[str, ...]
    aims: tuple[tuple[str, str], ...]
    judged: tuple[tuple[Verdict, list[Evidence], Why | None], ...]
    chart: Chart | None
    failures: FailureTable | None
    ending: Why | None
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    command: str
    open: bool

    @property
    def urgency(self) -> int:
        """How soon a reader should see it: what is violated first."""
        return ORDER.index(self.scenario.outcome)


class HtmlReport:
    """Writes `report.html`."""

    name = "html"

    def write(self, run: StoredRun, into: Path) -> list[Path]:
        """One file; its size grows with the scenarios and their length, not with the requests."""
        sections = [
            section_of(number, scenario, len(run.scenarios))
            for number, scenario in enumerate(run.scenarios, 1)
            if scenario.outcome != "NOT_RUN"
        ]
        page = environment().get_template("report.html.j2")
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


def environment() -> jinja2.Environment:
    """The templates, with what all of them use; everything is escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("chaoskit.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.globals["symbols"] = SYMBOLS
    made.globals["style"] = _raw("style.css")
    made.globals["script"] = _raw("report.js")
    made.filters["figure"] = figure
    made.filters["quantity"] = quantity
    made.filters["duration"] = duration
    made.filters["clock"] = clock_label
    made.filters["second"] = lambda time_ns, axis: round(axis.second(time_ns), 3)
    made.filters["words"] = lambda name: str(name).replace("_", " ")
    return made


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


def section_of(number: int | str, scenario: StoredScenario, of: int) -> Section:
    """One scenario of so many, read and drawn; `number` tells it from others on the page."""
    lead, aims = aims_of(scenario.doc)
    drawn = _drawn(f"s{number}", scenario)
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
        judged=tuple(zip(scenario.verdicts, drawn.judged, drawn.why, strict=True)),
        chart=drawn.chart,
        failures=drawn.failures,
        ending=drawn.ending,
        notes=tuple(drawn.notes),
        facts=tuple((name, value) for name, value in facts.items() if value),
        command=_repeated(info.command, info.seed) if info else "",
        open=scenario.outcome != "HELD" or of <= _OPEN_UP_TO,
    )


def _repeated(command: str, seed: int) -> str:
    """The command that repeats a scenario; with its seed, whoever started it."""
    return command if str(seed) in command or not command else f"{command} --chaos-seed {seed}"


@dataclass(kw_only=True)
class _Drawn:
    """What could be made of a scenario's record; `notes` say what could not."""

    judged: list[list[Evidence]]
    why: list[Why | None]
    notes: list[str]
    chart: Chart | None = None
    failures: FailureTable | None = None
    ending: Why | None = None


def _drawn(prefix: str, scenario: StoredScenario) -> _Drawn:
    """Whatever keeps a record from being drawn becomes a note: others must not be lost by it."""
    undrawn = _Drawn(
        judged=numbered(scenario.verdicts, None, prefix),
        why=[None] * len(scenario.verdicts),
        notes=list(scenario.notes),
    )
    if scenario.folder is None:
        return undrawn
    try:
        return _read(History.open(scenario.folder), prefix, scenario)
    except RecordError as error:
        undrawn.notes.append(f"The record could not be read, so nothing is drawn: {error}")
    except Exception as error:  # one strange record must not cost the report of all others
        undrawn.notes.append(f"The record could not be drawn: {type(error).__name__}: {error}")
    return undrawn


#: What is drawn, and what failures are put down to. A record has a piece for each second of each
#: writer, and every look at columns that were not read yet goes through all of them.
_COLUMNS = (
    "load", "stream", "connection", "connection_id", "entry", "operation", "sent_ns", "end_ns",
    "outcome", "status", "error", "error_phase", "pod", "pod_uid", "revision",
)  # fmt: skip


def _read(history: History, prefix: str, scenario: StoredScenario) -> _Drawn:
    history.read(*_COLUMNS)
    axis = axis_of(history)
    judged = numbered(scenario.verdicts, axis.start_ns if axis else None, prefix)
    drawn = _Drawn(judged=judged, why=[None] * len(scenario.verdicts), notes=list(scenario.notes))
    if axis is not None:
        try:
            drawn.failures = failure_table(history, axis)
        except RecordError as error:
            drawn.notes.append(f"The failures could not be put down to causes: {error}")
        drawn.chart = chart_of(history, [item for own in judged for item in own], drawn.failures)
        explainer = Explainer(history, axis, drawn.failures)
        drawn.why = [explainer.verdict(verdict) for verdict in scenario.verdicts]
        if scenario.outcome in ("UNKNOWN", "VIOLATED") and not any(drawn.why):
            drawn.ending = explainer.ending()
    drawn.notes += _notes_of(history, drawn.chart)
    return drawn


def _notes_of(history: History, chart: Chart | None) -> list[str]:
    notes = [
        f"The record is damaged: {part.file} ({part.holds}, {part.kind}): {part.detail}."
        for part in history.damage
    ]
    notes += chart.notes if chart else ["The record is empty: there is nothing to draw."]
    notes += _said(history, chart.axis.start_ns if chart else None)
    return notes


def _said(history: History, start_ns: int | None) -> list[str]:
    """Warnings and errors; those that differ in their figures alone are one, with the first."""
    alike: dict[tuple[str, str, str], list[Note]] = {}
    for note in history.of(Note):
        if note.level != "info":
            key = (note.level, note.source, _FIGURES.sub("#", note.text))
            alike.setdefault(key, []).append(note)
    said = []
    for (level, source, _), notes in list(alike.items())[:_NOTES_AT_MOST]:
        when = f" at {moment_label(notes[0].time_ns, start_ns)}"
        if len(notes) > 1:
            when += f" and {len(notes) - 1} times more until"
            when += f" {moment_label(notes[-1].time_ns, start_ns)}"
        said.append(f"{level} of {source}{when}: {notes[0].text}")
    if len(alike) > _NOTES_AT_MOST:
        said.append(f"{len(alike) - _NOTES_AT_MOST} more warnings stand in the record.")
    return said


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
