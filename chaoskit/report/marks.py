"""Spans of what the run did: faults, steps, phases and loads, from their marks."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from chaoskit.history.events import FaultMark, LoadMark, PhaseMark, StepMark
from chaoskit.report.spans import Span


@dataclass(frozen=True, kw_only=True)
class FaultSpan:
    """One fault: its window (None if it was never injected) and its marks."""

    fault_id: str
    name: str
    target: str
    window: tuple[int, int] | None
    healed: bool
    marks: tuple[FaultMark, ...]


def fault_spans(marks: Iterable[FaultMark], end_ns: int) -> list[FaultSpan]:
    by_id: dict[str, list[FaultMark]] = defaultdict(list)
    for mark in marks:
        by_id[mark.fault_id].append(mark)
    spans = []
    for fault_id, own in by_id.items():
        injected = [m.time_ns for m in own if m.mark == "injected"]
        healed = [m.time_ns for m in own if m.mark == "healed"]
        window = (injected[0], healed[-1] if healed else end_ns) if injected else None
        spans.append(
            FaultSpan(
                fault_id=fault_id,
                name=own[0].name,
                target=own[0].target,
                window=window,
                healed=bool(healed),
                marks=tuple(own),
            )
        )
    return sorted(spans, key=lambda span: span.marks[0].time_ns)


def step_spans(marks: Iterable[StepMark], end_ns: int) -> list[Span]:
    started: dict[str, StepMark] = {}
    spans = []
    for mark in marks:
        if mark.mark == "started":
            started[mark.step_id] = mark
            continue
        begin = started.pop(mark.step_id, mark)
        spans.append(_step(begin, mark.time_ns, mark.mark, mark.detail, open_end=False))
    spans += [_step(m, end_ns, "running", m.detail, open_end=True) for m in started.values()]
    return sorted(spans, key=lambda span: span.start_ns)


def _step(begin: StepMark, end_ns: int, state: str, detail: str, *, open_end: bool) -> Span:
    forced = " (forced)" if begin.force else ""
    title = f"{begin.name}{forced} {begin.target}"
    return Span(
        start_ns=begin.time_ns,
        end_ns=end_ns,
        state=state,
        title=f"{title}: {detail}" if detail else title,
        owner=f"{begin.name}{forced}",
        open_end=open_end,
    )


def phase_spans(marks: Iterable[PhaseMark], end_ns: int) -> list[Span]:
    begun: dict[str, int] = {}
    spans = []
    for mark in marks:
        if mark.mark == "begin":
            begun[mark.phase] = mark.time_ns
        else:
            start_ns = begun.pop(mark.phase, mark.time_ns)
            spans.append(_phase(mark.phase, start_ns, mark.time_ns))
    spans += [_phase(p, start_ns, end_ns, open_end=True) for p, start_ns in begun.items()]
    return sorted(spans, key=lambda span: span.start_ns)


def _phase(name: str, start_ns: int, end_ns: int, *, open_end: bool = False) -> Span:
    return Span(
        start_ns=start_ns,
        end_ns=end_ns,
        state="phase",
        title=f"phase {name}",
        owner=name,
        open_end=open_end,
    )


def load_spans(marks: Iterable[LoadMark], end_ns: int) -> list[Span]:
    """Per load: `starting` until it is steady, `steady` until it stops, `died` as a moment."""
    current: dict[str, tuple[LoadMark, str]] = {}
    spans = []
    states = {"started": "starting", "steady": "steady", "stopping": "stopping"}
    for mark in marks:
        if mark.load_id in current:
            spans.append(_load(*current.pop(mark.load_id), mark.time_ns))
        if mark.mark in states:
            current[mark.load_id] = (mark, states[mark.mark])
        elif mark.mark == "died":
            spans.append(_load(mark, "died", mark.time_ns))
    spans += [_load(mark, state, end_ns, open_end=True) for mark, state in current.values()]
    return sorted(spans, key=lambda span: span.start_ns)


def _load(mark: LoadMark, state: str, end_ns: int, *, open_end: bool = False) -> Span:
    pace = "closed loop" if mark.loop == "closed" else f"{mark.rate_per_s:g} requests/s"
    words = {"steady": pace, "died": "died"}
    detail = f": {mark.detail}" if mark.detail else ""
    return Span(
        start_ns=mark.time_ns,
        end_ns=end_ns,
        state=state,
        title=f"load {mark.load_id}, {pace}, {state}{detail}",
        owner=words.get(state, ""),
        open_end=open_end,
    )
