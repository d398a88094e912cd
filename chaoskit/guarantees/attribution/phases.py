"""The named parts of a run: its phases, the windows of its faults, its steps."""

from collections.abc import Iterator
from typing import NamedTuple

from chaoskit.errors import RecordError
from chaoskit.guarantees.damage import has_all_events
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.history.events import PhaseMark, StepMark
from chaoskit.history.reader import History


class Part(NamedTuple):
    """A named span, say "phase baseline", "fault nic_down on n2", "step delete of Pod kv-1"."""

    name: str
    span: Span


def parts_of(history: History) -> list[Part]:
    """All parts of the run, by when they began; one without an end lasts for ever.

    Raises `RecordError` for one that ended without having begun, where no event is missing.
    """
    faults = (Part(f"fault {w.name} on {w.target}", w.span) for w in fault_windows(history))
    found = [*_phases(history), *faults, *_steps(history)]
    return sorted(found, key=lambda part: part.span)


def _phases(history: History) -> Iterator[Part]:
    begun: dict[str, list[int]] = {}
    for mark in history.of(PhaseMark):
        starts = begun.setdefault(mark.phase, [])
        if mark.mark == "begin":
            starts.append(mark.time_ns)
        elif starts:
            yield Part(f"phase {mark.phase}", (starts.pop(), mark.time_ns))
        elif has_all_events(history):
            raise RecordError("ended but never began", subject=f"phase {mark.phase}")
    for name, starts in begun.items():
        for start_ns in starts:
            yield Part(f"phase {name}", (start_ns, FOREVER_NS))


def _steps(history: History) -> Iterator[Part]:
    begun: dict[str, StepMark] = {}
    for mark in history.of(StepMark):
        if mark.mark == "started":
            begun[mark.step_id] = mark
            continue
        start = begun.pop(mark.step_id, None)
        if start is not None:
            yield Part(_step_name(mark), (start.time_ns, mark.time_ns))
        elif has_all_events(history):
            subject = f"step {mark.step_id} ({mark.name})"
            raise RecordError("ended but never started", subject=subject)
    for mark in begun.values():
        yield Part(_step_name(mark), (mark.time_ns, FOREVER_NS))


def _step_name(mark: StepMark) -> str:
    return f"step {mark.name} of {mark.target}"
