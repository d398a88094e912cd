"""When a fault was there, and whether it was seen in effect throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaoskit.errors import RecordError
from chaoskit.guarantees.damage import has_all_events
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.history.events import FaultMark
from chaoskit.history.reader import History

#: A fault is measured at 1 Hz or more; half a second more is what a busy machine may add.
LONGEST_UNMEASURED_NS = 1_500_000_000

#: Faults that are over in a moment (a delete, a kill) say so in the detail of their `injected`
#: mark: they were in effect once one measurement says so.
ONE_SHOT = "one-shot"


@dataclass(frozen=True, kw_only=True)
class FaultWindow:
    """One injected fault, from the request to inject it until it was verified healed.

    `healed_ns` None: never seen healed. `doubts` say why it is not proved to have been in effect
    from `injected_ns` until `heal_requested_ns`.
    """

    fault_id: str
    name: str
    target: str
    requested_ns: int
    injected_ns: int | None
    heal_requested_ns: int | None
    healed_ns: int | None
    doubts: tuple[str, ...]

    @property
    def end_ns(self) -> int:
        """When it was healed; later than everything when it never was."""
        return FOREVER_NS if self.healed_ns is None else self.healed_ns

    @property
    def span(self) -> Span:
        """All moments at which it may have had an effect."""
        return self.requested_ns, self.end_ns

    def contains(self, time_ns: int) -> bool:
        """Whether it may have had an effect at that moment."""
        return self.requested_ns <= time_ns <= self.end_ns


def fault_windows(history: History, name: str | None = None) -> list[FaultWindow]:
    """The windows of the faults of that name (None: of all), by time.

    Raises `RecordError` for marks that contradict each other.
    """
    marks: dict[str, list[FaultMark]] = {}
    for mark in history.of(FaultMark):
        if name is None or mark.name == name:
            marks.setdefault(mark.fault_id, []).append(mark)
    whole = has_all_events(history)
    windows = [_window(fault_id, of_one, whole) for fault_id, of_one in marks.items()]
    return sorted(windows, key=lambda window: window.requested_ns)


def fault_doubts(windows: Sequence[FaultWindow], name: str) -> list[str]:
    """Why nothing can be concluded about the windows of the fault `name`."""
    if not windows:
        return [f"the fault {name} was never injected"]
    return [doubt for window in windows for doubt in window.doubts]


def _window(fault_id: str, marks: Sequence[FaultMark], whole: bool) -> FaultWindow:
    first = marks[0]
    if len({(mark.name, mark.target) for mark in marks}) > 1:
        raise RecordError("has marks of several faults", subject=f"fault {fault_id}")
    at: dict[str, int] = {}
    for mark in marks:
        at.setdefault(mark.mark, mark.time_ns)
    injected, healing, healed = at.get("injected"), at.get("heal_requested"), at.get("healed")
    if whole and injected is None and "effective" in at:
        raise RecordError("is in effect but was never injected", subject=f"fault {fault_id}")
    if injected is not None and healed is not None and healed < injected:
        raise RecordError("was healed before it was injected", subject=f"fault {fault_id}")
    return FaultWindow(
        fault_id=fault_id,
        name=first.name,
        target=first.target,
        requested_ns=at.get("requested", first.time_ns),
        injected_ns=injected,
        heal_requested_ns=healing,
        healed_ns=healed,
        doubts=tuple(_doubts(first, marks, injected, healing or healed)),
    )


def _doubts(
    first: FaultMark, marks: Sequence[FaultMark], injected: int | None, until: int | None
) -> list[str]:
    what = f"{first.name} on {first.target}"
    if injected is None:
        return [f"{what} was requested but not injected"]
    inside = [m for m in marks if injected <= m.time_ns and (until is None or m.time_ns <= until)]
    effective = [m.time_ns for m in inside if m.mark == "effective"]
    if not effective:
        return [f"{what} was never seen in effect"]
    if any(m.mark == "injected" and m.detail.startswith(ONE_SHOT) for m in marks):
        return []
    doubts = []
    # Before it was first seen in effect it was building up, which the gap below bounds.
    ineffective = [m for m in inside if m.mark == "ineffective" and m.time_ns > effective[0]]
    if ineffective:
        doubts.append(f"{what} was seen not in effect {len(ineffective)} times in its window")
    moments = [injected, *effective, *([] if until is None else [until])]
    gap_ns = max(b - a for a, b in pairwise(moments))
    if gap_ns > LONGEST_UNMEASURED_NS:
        doubts.append(f"{what} was not measured for {gap_ns / 1e9:.1f} s in its window")
    if until is None:
        doubts.append(f"the record has no heal of {what}")
    return doubts
