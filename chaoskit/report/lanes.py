"""Lanes of what happened: faults, steps, phases, loads, nodes, pods, processes, the record."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from chaoskit.history.events import AnyEvent, Note, WatchGap
from chaoskit.history.reader import Damage
from chaoskit.report.axis import TimeAxis, clock_label
from chaoskit.report.marks import FaultSpan
from chaoskit.report.processes import Identity
from chaoskit.report.shapes import Box, Lane, Mark, Shape, Text, shorten
from chaoskit.report.spans import Span

LABEL_LENGTH = 25
BAR_PX = 13.0
_ROW_PX = 19.0
_TOP_PX = (_ROW_PX - BAR_PX) / 2
_LETTER_PX = 6.1
_SHORTEST_PX = 1.5
_PODS_AT_MOST = 40
_WORKLOADS_AT_MOST = 16
_DOT_PX = 6
_REVISION_COLOURS = 6

_FAULT_MARKS = {
    "requested": "start",
    "injected": "down",
    "effective": "dot",
    "ineffective": "cross",
    "heal_requested": "stop",
    "healed": "up",
    "heal_failed": "cross",
}


def shorten_label(text: str, prefix: str) -> str:
    """A label without what all nodes' names begin with, short enough for its column."""
    return shorten(text.replace(prefix, "") if prefix else text, LABEL_LENGTH)


def common_prefix(nodes: Iterable[str]) -> str:
    """What the names of several nodes all begin with, up to a dash: the cluster's name."""
    parts = [name.split("-") for name in nodes]
    if len(parts) < 2:
        return ""
    shared = takewhile(lambda column: len(set(column)) == 1, zip(*parts, strict=False))
    return "".join(f"{column[0]}-" for column in shared)


def _lane(group: str, label: str, shapes: list[Shape], *, height: float = _ROW_PX) -> Lane:
    return Lane(
        group=group,
        label=label,
        title=label,
        height=height,
        shapes=shapes,
    )


def _box(axis: TimeAxis, span: Span, kind: str, *, text: str = "", row: int = 0) -> Box:
    x, end_x = axis.x(span.start_ns), axis.x(span.end_ns)
    true_width = round(end_x - x, 2)
    width = max(true_width, _SHORTEST_PX)
    fits = len(text) * _LETTER_PX + 8 <= width
    return Box(
        x=x,
        y=_TOP_PX + row * _ROW_PX,
        width=round(width, 2),
        height=BAR_PX,
        kind=kind,
        title=f"{span.title} — {_when(axis, span)}",
        text=text,
        tight=not fits,
        true_width=None if true_width == width else true_width,
    )


def _when(axis: TimeAxis, span: Span) -> str:
    start_s, end_s = axis.second(span.start_ns), axis.second(span.end_ns)
    until = "the record's end" if span.open_end else f"{end_s:.1f} s"
    return f"{start_s:.1f} s to {until} ({end_s - start_s:.1f} s)"


def fault_lanes(axis: TimeAxis, faults: Iterable[FaultSpan]) -> list[Lane]:
    return [_fault_lane(axis, fault) for fault in faults]


def _fault_lane(axis: TimeAxis, fault: FaultSpan) -> Lane:
    shapes: list[Shape] = []
    if fault.window is not None:
        end = "healed" if fault.healed else "not healed in this record"
        span = Span(
            start_ns=fault.window[0],
            end_ns=fault.window[1],
            state="fault",
            title=f"{fault.name} on {fault.target}, {end}",
            open_end=not fault.healed,
        )
        shapes.append(_box(axis, span, "fault"))
    last_dot_x = -10.0
    for mark in fault.marks:
        x = axis.x(mark.time_ns)
        if mark.mark == "effective":
            if x - last_dot_x < _DOT_PX:  # as one: it is measured several times a second
                continue
            last_dot_x = x
        moment = clock_label(round(axis.second(mark.time_ns), 2))
        title = f"{fault.name} {mark.mark.replace('_', ' ')} at {moment}"
        title += f": {mark.detail}" if mark.detail else ""
        shape = _FAULT_MARKS[mark.mark]
        kind = f"mark-{mark.mark}"
        shapes.append(Mark(x=x, y=_ROW_PX / 2, shape=shape, kind=kind, title=title))
    return _lane("Faults", f"{fault.name} {fault.target}", shapes)


def packed_lane(axis: TimeAxis, group: str, label: str, spans: Sequence[Span]) -> list[Lane]:
    """Spans in as few rows as keep them and their words (`owner`) apart; no lane without spans."""
    if not spans:
        return []
    shapes: list[Shape] = []
    row_ends: list[float] = []
    for span in spans:
        words = span.owner
        x, end_x = axis.x(span.start_ns), axis.x(span.end_ns)
        outside = bool(words) and len(words) * _LETTER_PX + 8 > end_x - x
        words_px = len(words) * _LETTER_PX + 12 if outside else 0
        left = max(end_x, x + 2) + words_px > axis.right_px
        first, reach = (x - words_px, end_x) if left else (x, max(end_x, x + 2) + words_px)
        row = next((r for r, taken in enumerate(row_ends) if taken <= first), len(row_ends))
        row_ends[row : row + 1] = [reach]
        kind = f"{group.lower()} {span.state}"
        shapes.append(_box(axis, span, kind, text="" if outside else words, row=row))
        if outside:
            shapes.append(
                Text(
                    x=x if left else end_x,
                    dx=-4 if left else max(x + 2 - end_x, 0) + 4,
                    y=row * _ROW_PX + _ROW_PX / 2,
                    text=words,
                    anchor="end" if left else "start",
                )
            )
    return [_lane(group, label, shapes, height=_ROW_PX * len(row_ends))]


def node_lanes(axis: TimeAxis, nodes: dict[str, list[Span]]) -> list[Lane]:
    words = {"not_ready": "NotReady", "unknown": "NotReady", "ready": ""}
    return [
        _lane(
            "Nodes",
            name,
            [_box(axis, s, f"node {s.state}", text=words[s.state]) for s in spans],
        )
        for name, spans in nodes.items()
    ]


def rollout_lanes(axis: TimeAxis, workloads: dict[str, list[Span]]) -> list[Lane]:
    """A lane for each workload whose status changed: how far its rollout had come."""
    return [
        _lane(
            "Rollouts",
            name,
            [_box(axis, s, f"rollout {s.state}", text=s.revision) for s in spans],
        )
        for name, spans in list(workloads.items())[:_WORKLOADS_AT_MOST]
    ]


def endpoint_lanes(axis: TimeAxis, services: dict[str, list[Span]]) -> list[Lane]:
    """A lane for each Service: how many endpoints it had, and when none."""
    return [
        _lane(
            "Endpoints",
            service,
            [
                _box(axis, s, f"endpoints {s.state}", text=s.owner if s.state == "some" else "none")
                for s in spans
            ],
        )
        for service, spans in list(services.items())[:_WORKLOADS_AT_MOST]
    ]


def harness_lanes(axis: TimeAxis, suspect: Sequence[Span]) -> list[Lane]:
    """The seconds that accuse nobody, as the driver or the machine was in trouble; or no lane."""
    if not suspect:
        return []
    boxes: list[Shape] = [_box(axis, span, "suspect") for span in suspect]
    return [_lane("Harness", "suspect seconds", boxes)]


def revision_order(pods: dict[str, list[Span]], answered: Iterable[str]) -> dict[str, int]:
    """A colour for each revision, in the order in which they appeared."""
    spans = sorted((s for own in pods.values() for s in own), key=lambda s: s.start_ns)
    seen = dict.fromkeys([s.revision for s in spans if s.revision])
    seen.update(dict.fromkeys(answered))
    return {revision: n % _REVISION_COLOURS for n, revision in enumerate(seen)}


def pod_lanes(
    axis: TimeAxis, pods: dict[str, list[Span]], colours: dict[str, int]
) -> tuple[list[Lane], int]:
    """A lane per pod name, and how many pods that changed least were left out."""
    chosen = sorted(pods, key=lambda name: (-len(pods[name]), name))[:_PODS_AT_MOST]
    prefix = _common_namespace(chosen)
    lanes = []
    for name in sorted(chosen, key=lambda n: (pods[n][0].start_ns // 10**9, n)):
        shapes: list[Shape] = []
        owner = ""
        for span in pods[name]:
            colour = f"r{colours[span.revision]}" if span.revision in colours else "r-none"
            fresh = span.owner != owner
            shapes.append(
                _box(
                    axis,
                    span,
                    f"pod {span.state} {colour}",
                    text=span.revision if fresh or span.state == "ready" else "",
                )
            )
            if fresh and owner:
                shapes.append(_incarnation(axis, span))
            owner = span.owner
        lanes.append(_lane("Pods", name.removeprefix(prefix), shapes))
    return lanes, len(pods) - len(chosen)


def _incarnation(axis: TimeAxis, span: Span) -> Box:
    return Box(
        x=axis.x(span.start_ns) - 1,
        y=0,
        width=2,
        height=_ROW_PX,
        kind="incarnation",
        true_width=0.0,
        title=f"a new pod of this name, UID {span.owner[:8]}",
    )


def _common_namespace(names: Sequence[str]) -> str:
    namespaces = {name.partition("/")[0] for name in names}
    return f"{namespaces.pop()}/" if len(namespaces) == 1 else ""


def process_lanes(axis: TimeAxis, identities: Sequence[Identity]) -> list[Lane]:
    """A lane per name; incarnations alive at once stand in rows below each other, bracketed."""
    prefix = _common_namespace([identity.name for identity in identities])
    return [_process_lane(axis, identity, prefix) for identity in identities[:_PODS_AT_MOST]]


def _process_lane(axis: TimeAxis, identity: Identity, prefix: str) -> Lane:
    shapes: list[Shape] = []
    row_ends: list[int] = []
    for span in identity.spans:
        row = next((r for r, end_ns in enumerate(row_ends) if end_ns <= span.start_ns), -1)
        if row < 0:
            row = len(row_ends)
            row_ends.append(0)
        row_ends[row] = span.end_ns
        shapes.append(_box(axis, span, "process alive", text=f"UID {span.owner[:8]}", row=row))
    height = _ROW_PX * max(len(row_ends), 1)
    taken_px = 0.0
    for start_ns, end_ns in identity.overlaps:
        twice = Span(
            start_ns=start_ns,
            end_ns=end_ns,
            state="twice",
            title=f"two processes of {identity.name} alive at once",
        )
        box = _box(axis, twice, "twice")
        shapes.append(
            Box(
                x=box.x,
                y=1,
                width=box.width,
                height=height - 2,
                kind="twice",
                title=box.title,
            )
        )
        words = _twice_words(axis, box, height, f"2 at once, {(end_ns - start_ns) / 1e9:.1f} s")
        length_px = len(words.text) * _LETTER_PX
        first_px = words.x - length_px if words.anchor == "end" else words.x
        if first_px >= taken_px:  # of words that would overlap only the first are written
            shapes.append(words)
            taken_px = first_px + length_px
    return _lane("Processes", identity.name.removeprefix(prefix), shapes, height=height)


def _twice_words(axis: TimeAxis, box: Box, height: float, words: str) -> Text:
    """Behind the bracket, or before it where the axis ends."""
    end_x = box.x + box.width
    fits = end_x + 6 + len(words) * _LETTER_PX <= axis.right_px
    x, dx, anchor = (end_x, 6, "start") if fits else (box.x, -6, "end")
    return Text(x=x, dx=dx, y=height / 2, text=words, kind="flag", anchor=anchor)


def record_lanes(
    axis: TimeAxis, events: Iterable[AnyEvent], damage: Iterable[Damage]
) -> list[Lane]:
    """Damage, gaps of watches, and notes above information; no lane where there are none."""
    shapes: list[Shape] = [
        _box(
            axis,
            Span(
                start_ns=part.since_ns,
                end_ns=axis.end_ns if part.until_ns is None else part.until_ns,
                state="damage",
                title=f"{part.file}: {part.holds} may be missing, {part.detail}",
            ),
            "damage",
        )
        for part in damage
    ]
    for event in events:
        if isinstance(event, WatchGap):
            span = Span(
                start_ns=event.since_ns,
                end_ns=event.time_ns,
                state="gap",
                title=f"watch of {event.kind} interrupted ({event.reason})",
            )
            shapes.append(_box(axis, span, "gap"))
        elif isinstance(event, Note) and event.level != "info":
            title = f"{event.level} of {event.source}: {event.text}"
            x, kind = axis.x(event.time_ns), f"note-{event.level}"
            shapes.append(Mark(x=x, y=_ROW_PX / 2, shape="diamond", kind=kind, title=title))
    return [_lane("Record", "damage, gaps, warnings", shapes)] if shapes else []
