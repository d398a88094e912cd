"""One chart per scenario: everything on one time axis, fault windows shaded behind all lanes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from chaoskit.guarantees.verdict import Verdict, Witness
from chaoskit.history import events as e
from chaoskit.history.reader import History
from chaoskit.report import lanes, marks, objects, processes
from chaoskit.report.axis import Tick, TimeAxis, axis_over, clock_label
from chaoskit.report.buckets import COLUMNS, count
from chaoskit.report.request_lanes import request_lanes
from chaoskit.report.shapes import Lane, Pin, Shade

LEFT_PX = 230.0
PLOT_PX = 960.0
WIDTH_PX = 1220.0
_PIN_PX = 17.0
_PIN_WIDTH_PX = 20.0
_HEAD_PX = 26.0
_FOOT_PX = 30.0
_GROUP_GAP_PX = 12.0
_NAME_LETTER_PX = 7.0


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the template draws. `pins_px` is the height of the evidence pins above the lanes."""

    width: float
    height: float
    top: float
    bottom: float
    pins_px: float
    axis: TimeAxis
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    shades: tuple[Shade, ...]
    pins: tuple[Pin, ...]
    revisions: dict[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A witness of a verdict, numbered over the scenario; `anchor` is its pin's id."""

    anchor: str
    number: int
    role: str  # "first", "worst", "last", "only", "first and worst" …
    witness: Witness
    moment: str
    outcome: str


def chart_of(history: History, evidence: Sequence[Evidence]) -> Chart | None:
    """The chart of a record; None when it holds no moment at all."""
    axis = axis_of(history)
    if axis is None:
        return None
    faults = marks.fault_spans(history.of(e.FaultMark), axis.end_ns)
    watched = history.of(e.Watched)
    pods = objects.pod_spans(watched, axis.end_ns)
    buckets = count(history.columns(*COLUMNS), axis)
    colours = lanes.revision_order(pods, buckets.revisions)
    pod_lanes, left_out = lanes.pod_lanes(axis, pods, colours)
    names = processes.identities(history.of(e.ContainerSeen), watched, axis.end_ns)
    stacked = [
        *lanes.fault_lanes(axis, faults),
        *_marked(axis, history),
        *lanes.node_lanes(axis, objects.node_spans(watched, axis.end_ns)),
        *pod_lanes,
        *lanes.process_lanes(axis, names),
        *request_lanes(axis, buckets, colours),
        *lanes.record_lanes(axis, history.events, history.damage),
    ]
    pins, levels = _pins(axis, evidence)
    pins_px = levels * _PIN_PX + (_GROUP_GAP_PX if levels else 0)
    bottom = _stack(stacked, top=_HEAD_PX + pins_px)
    notes = [f"{left_out} more pods changed less and are not drawn."] if left_out else []
    notes += [lane.note + "." for lane in stacked if lane.note]
    return Chart(
        width=WIDTH_PX,
        height=bottom + _FOOT_PX,
        top=_HEAD_PX,
        bottom=bottom,
        pins_px=pins_px,
        axis=axis,
        ticks=tuple(axis.ticks()),
        lanes=tuple(stacked),
        shades=tuple(_shades(axis, faults)),
        pins=tuple(pins),
        revisions=colours,
        notes=tuple(notes),
    )


def axis_of(history: History) -> TimeAxis | None:
    """From the first moment of a record to its last; None when it holds none."""
    moments = [event.time_ns for event in history.events]
    for column in ("planned_ns", "end_ns"):
        moments_ns = history.columns(column)[column]
        if pc.count(moments_ns).as_py():
            ends = pc.min_max(moments_ns)
            moments += [int(ends["min"].as_py()), int(ends["max"].as_py())]
    return axis_over(moments, left_px=LEFT_PX, width_px=PLOT_PX) if moments else None


def _marked(axis: TimeAxis, history: History) -> list[Lane]:
    steps = marks.step_spans(history.of(e.StepMark), axis.end_ns)
    phases = marks.phase_spans(history.of(e.PhaseMark), axis.end_ns)
    loads = marks.load_spans(history.of(e.LoadMark), axis.end_ns)
    return [
        *lanes.packed_lane(axis, "Steps", "what the operator did", steps),
        *lanes.packed_lane(axis, "Phases", "phases of the run", phases),
        *lanes.packed_lane(axis, "Load", "load", loads),
    ]


def _stack(stacked: Sequence[Lane], *, top: float) -> float:
    y, group = top, ""
    for lane in stacked:
        if group and lane.group != group:
            y += _GROUP_GAP_PX
        group = lane.group
        lane.y = y
        y += lane.height
    return y


def _shades(axis: TimeAxis, faults: Sequence[marks.FaultSpan]) -> list[Shade]:
    """Windows; of names that would overlap only the first is written (each has its lane)."""
    shades = []
    taken_px = 0.0
    for fault in faults:
        if fault.window is None:
            continue
        x, end_x = axis.x(fault.window[0]), axis.x(fault.window[1])
        text = fault.name if x >= taken_px else ""
        if text:
            taken_px = x + len(text) * _NAME_LETTER_PX
        shades.append(
            Shade(
                x=x,
                width=round(max(end_x - x, 1.0), 2),
                text=text,
                title=f"{fault.name} on {fault.target}",
                end_open=not fault.healed,
            )
        )
    return shades


def numbered(
    verdicts: Sequence[Verdict], start_ns: int | None, prefix: str
) -> list[list[Evidence]]:
    """For each verdict its witnesses, each once, numbered through the scenario."""
    found = []
    number = 0
    for verdict in verdicts:
        roles: dict[tuple[int, str], list[str]] = {}
        witnesses: dict[tuple[int, str], Witness] = {}
        for role in ("first", "worst", "last"):
            witness: Witness | None = getattr(verdict.evidence, role)
            if witness is not None:
                key = (witness.time_ns, witness.text)
                roles.setdefault(key, []).append(role)
                witnesses[key] = witness
        own = []
        for key, witness in witnesses.items():
            number += 1
            own.append(
                Evidence(
                    anchor=f"{prefix}-e{number}",
                    number=number,
                    role=" and ".join(roles[key]) if verdict.evidence.count != 1 else "only",
                    witness=witness,
                    moment=_moment(witness, start_ns),
                    outcome=verdict.outcome.value.lower(),
                )
            )
        found.append(own)
    return found


def _moment(witness: Witness, start_ns: int | None) -> str:
    if start_ns is None:
        return "time unknown"
    seconds = (witness.time_ns - start_ns) / 1e9
    return f"{seconds:.2f} s" if seconds < 60 else clock_label(seconds)


def _pins(axis: TimeAxis, evidence: Sequence[Evidence]) -> tuple[list[Pin], int]:
    """Pins in as few levels as keep them apart."""
    pins: list[Pin] = []
    ends: list[float] = []
    for item in sorted(evidence, key=lambda i: i.witness.time_ns):
        x = axis.x(item.witness.time_ns)
        level = next((n for n, taken in enumerate(ends) if taken <= x), len(ends))
        ends[level : level + 1] = [x + _PIN_WIDTH_PX]
        pins.append(
            Pin(
                anchor=item.anchor,
                number=item.number,
                x=x,
                level=level,
                kind=item.outcome,
                title=f"{item.moment}: {item.witness.text}",
            )
        )
    return pins, len(ends)
