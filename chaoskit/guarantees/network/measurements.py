"""Measurements of paths between nodes: those before a fault, and those while it lasted."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaoskit.errors import RecordError
from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.damage import lost_events
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.proportions import interval
from chaoskit.history.events import PathMeasured
from chaoskit.history.reader import History

#: One way between two nodes, by their names.
Way = tuple[str, str]

#: With fewer arrivals no time on the way is told.
LEAST_ARRIVALS = 20

#: Of its rate before, what a path that no fault touches keeps on a busy machine.
_RATE_KEPT = 0.5


@dataclass(frozen=True)
class Measured:
    """The measurements of one path in one span of time."""

    events: Sequence[PathMeasured]

    @property
    def sent(self) -> int:
        """Datagrams sent, in all of them."""
        return sum(event.sent for event in self.events)

    @property
    def came(self) -> int:
        """Datagrams that arrived."""
        return sum(event.came for event in self.events)

    @property
    def lost_share(self) -> float:
        """Of those that were sent, the share that never came."""
        return 1 - self.came / self.sent

    @property
    def median_ms(self) -> float | None:
        """The median of the measured times one way; None where too few came."""
        times = [event.median_ms for event in self.events if event.came >= LEAST_ARRIVALS]
        return statistics.median(times) if times else None

    @property
    def rate_mbit(self) -> float:
        """The highest rate at which they arrived."""
        return max((event.rate_mbit for event in self.events), default=0.0)

    @property
    def moment_ns(self) -> int:
        """When the last of them was over."""
        return self.events[-1].time_ns


@dataclass(frozen=True)
class Compared:
    """All paths that were measured: `before` the fault, and while it `lasted`, by way."""

    before: dict[Way, Measured]
    lasted: dict[Way, Measured]


def compared(found: Findings, history: History, fault: str) -> Compared:
    """What was measured before the first injection of `fault`, and surely while it was in effect.

    Raises `RecordError` for a measurement in which more came than were sent.
    """
    windows = fault_windows(history, fault)
    unproved = fault_doubts(windows, fault)
    found.doubt(*unproved, *lost_events(history, None, None))
    if unproved:
        found.go_blind(0)  # a fault that may not have acted accuses no path of anything
    events = history.of(PathMeasured)
    for event in events:
        if not 0 <= event.came <= event.sent or event.sent < 1:
            raise RecordError(
                "is no measurement that can be",
                subject=f"path {event.source} to {event.destination}",
                seen=f"{event.came} of {event.sent} datagrams came",
            )
    first_ns = min((window.requested_ns for window in windows), default=0)
    spans = [
        (window.injected_ns, window.heal_requested_ns)
        for window in windows
        if window.injected_ns is not None and window.heal_requested_ns is not None
    ]

    def lasted(event: PathMeasured) -> bool:
        return any(start <= event.began_ns and event.time_ns <= end for start, end in spans)

    return Compared(
        before=_by_way(events, lambda event: event.time_ns < first_ns),
        lasted=_by_way(events, lasted),
    )


def around_all_faults(
    found: Findings, history: History
) -> tuple[dict[Way, Measured], dict[Way, Measured]]:
    """What was measured before the first fault of any name, and after the last of all heals."""
    windows = fault_windows(history)
    found.doubt(*lost_events(history, None, None))
    if not windows:
        found.doubt("no fault was injected")
    found.doubt(*(f"{w.name} on {w.target} was never healed" for w in windows if not w.healed_ns))
    first_ns = min((window.requested_ns for window in windows), default=0)
    last_ns = max((window.end_ns for window in windows), default=0)
    events = history.of(PathMeasured)
    return (
        _by_way(events, lambda event: event.time_ns < first_ns),
        _by_way(events, lambda event: event.began_ns > last_ns),
    )


def judge_unchanged(
    found: Findings,
    way: Way,
    before: Measured,
    later: Measured,
    *,
    lost_at_most: float,
    added_at_most_ms: float,
) -> None:
    """Violate where a way loses more, or takes longer, or lets through less than half."""
    if before.lost_share > lost_at_most:
        found.doubt(f"{told(way)} lost {before.lost_share:.2%} before")
        return
    figures = found.figures
    figures["lost_share"] = max(later.lost_share, figures.get("lost_share", 0.0))
    low, _ = interval(later.sent - later.came, later.sent)
    if low > lost_at_most:
        text = f"{told(way)} lost {later.lost_share:.2%} of {later.sent}"
        found.violate(later.moment_ns, text, *way, weight=later.lost_share)
        return
    took, takes = before.median_ms, later.median_ms
    if took is None or takes is None:
        found.doubt(f"too few datagrams came from {way[0]} to {way[1]}")
        return
    figures["added_ms"] = max(takes - took, figures.get("added_ms", takes - took))
    if takes - took > added_at_most_ms:
        text = f"{told(way)} took {takes - took:.1f} ms longer than before"
        found.violate(later.moment_ns, text, *way, weight=takes - took)
    elif later.rate_mbit < _RATE_KEPT * before.rate_mbit:
        rates = f"{later.rate_mbit:.2f} Mbit/s through, {before.rate_mbit:.2f} before"
        found.violate(later.moment_ns, f"{told(way)} let {rates}", *way)


def told(way: Way) -> str:
    """A way in words."""
    return f"the path {way[0]} to {way[1]}"


def require_measured(found: Findings, measured: dict[Way, Measured], way: Way, when: str) -> bool:
    """Whether that path was measured then; doubt where not."""
    if way in measured:
        return True
    found.doubt(f"{told(way)} was not measured {when}")
    return False


def _by_way(
    events: Sequence[PathMeasured], chosen: Callable[[PathMeasured], bool]
) -> dict[Way, Measured]:
    ways: dict[Way, list[PathMeasured]] = {}
    for event in events:
        if chosen(event):
            ways.setdefault((event.source, event.destination), []).append(event)
    return {way: Measured(of_way) for way, of_way in ways.items()}
