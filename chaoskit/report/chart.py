"""One chart per scenario: everything on one time axis, fault windows shaded behind all lanes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from chaoskit.history import events as e
from chaoskit.history.reader import History
from chaoskit.report import lanes, marks, objects, processes
from chaoskit.report.axis import Tick, TimeAxis, axis_over
from chaoskit.report.buckets import COLUMNS, Buckets, count
from chaoskit.report.endpoints import endpoint_spans
from chaoskit.report.evidence import Evidence
from chaoskit.report.failures import FailureTable
from chaoskit.report.harness import suspect_spans
from chaoskit.report.outages import outages
from chaoskit.report.request_lanes import figure_lanes
from chaoskit.report.rollouts import rollout_spans
from chaoskit.report.shapes import Lane, Pin, Shade
from chaoskit.report.spans import Span
from chaoskit.report.tiles import failure_lanes, tile_lanes

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
    """What the template draws: evidence pins from `top` on, the lanes below them."""

    width: float
    height: float
    top: float
    bottom: float
    axis: TimeAxis
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    shades: tuple[Shade, ...]
    pins: tuple[Pin, ...]
    revisions: dict[str, int]
    notes: tuple[str, ...]


def chart_of(
    history: History, evidence: Sequence[Evidence], failures: FailureTable | None
) -> Chart | None:
    """The chart of a record; None when it holds no moment at all.

    Raises `RecordError` for a record that contradicts itself.
    """
    axis = axis_of(history)
    if axis is None:
        return None
    faults = marks.fault_spans(history.of(e.FaultMark), axis.end_ns)
    watched = history.of(e.Watched)
    nodes, pods = (
        spans_of(watched, axis.end_ns) for spans_of in (objects.node_spans, objects.pod_spans)
    )
    buckets = count(history.columns(*COLUMNS), axis)
    colours = lanes.revision_order(pods, buckets.revisions)
    pod_lanes, left_out = lanes.pod_lanes(axis, pods, colours)
    names = processes.identities(history.of(e.ContainerSeen), watched, axis.end_ns)
    stacked = [
        *lanes.fault_lanes(axis, faults),
        *_marked(axis, history),
        *lanes.rollout_lanes(axis, rollout_spans(watched, axis.end_ns)),
        *lanes.node_lanes(axis, nodes),
        *pod_lanes,
        *lanes.process_lanes(axis, names),
        *lanes.endpoint_lanes(axis, endpoint_spans(history, axis.end_ns)),
        *_traffic(axis, history, buckets, failures),
        *figure_lanes(axis, buckets, colours, _revisions_of(pods)),
        *lanes.record_lanes(axis, history.events, history.damage),
    ]
    prefix = lanes.common_prefix(nodes)
    for lane in stacked:
        lane.label = lanes.shorten_label(lane.label, prefix)
    return _laid_out(axis, stacked, faults, evidence, colours, left_out)


def _laid_out(
    axis: TimeAxis,
    stacked: list[Lane],
    faults: Sequence[marks.FaultSpan],
    evidence: Sequence[Evidence],
    colours: dict[str, int],
    left_out: int,
) -> Chart:
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
        axis=axis,
        ticks=tuple(axis.ticks()),
        lanes=tuple(stacked),
        shades=tuple(_shades(axis, faults)),
        pins=tuple(pins),
        revisions=colours,
        notes=tuple(notes),
    )


def _traffic(
    axis: TimeAxis, history: History, buckets: Buckets, failures: FailureTable | None
) -> list[Lane]:
    if not buckets.streams:
        return []
    return [
        *lanes.harness_lanes(axis, suspect_spans(history)),
        *tile_lanes(axis, buckets, outages(history)),
        *(failure_lanes(axis, failures, buckets.bucket_s) if failures else []),
    ]


def _revisions_of(pods: dict[str, list[Span]]) -> dict[str, str]:
    """The latest revision of each pod, by its bare name."""
    return {name.partition("/")[2]: spans[-1].revision for name, spans in pods.items() if spans}


def axis_of(history: History) -> TimeAxis | None:
    """From the first moment of a record to its last; None when it holds none.

    The driver's calibration may be minutes older: it is done once for many runs.
    """
    moments = [event.time_ns for event in history.events if not isinstance(event, e.Calibration)]
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
