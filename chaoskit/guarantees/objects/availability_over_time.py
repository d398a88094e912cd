"""When a pod counts as available: as Kubernetes' controllers compute it.

A pod is available when it has been Ready for minReadySeconds, counted from the time in its Ready
condition (wall time, whole seconds).
"""

from dataclasses import dataclass, field
from datetime import datetime

from chaoskit.guarantees.objects.watched import Object, condition, is_finished, is_leaving, is_ready
from chaoskit.history.events import ClockPair, Watched
from chaoskit.history.reader import History

#: Kubernetes' timestamps have a resolution of one second, and a controller acts on what it saw a
#: moment ago: nothing is charged that may come from either.
SLACK_NS = 1_000_000_000
#: From a controller's decision to the end of a pod: both are requests to the API server.
DECIDED_NS = 250_000_000


@dataclass
class PodState:
    """A pod that exists, and since when it has or has not been Ready."""

    last: Watched
    ready_ns: int | None = None
    unready_ns: int | None = None

    def is_counted(self) -> bool:
        """Whether controllers count it: not being deleted, not finished."""
        return not is_leaving(self.last.object) and not is_finished(self.last.object)

    def is_serving(self) -> bool:
        """Whether it is counted and Ready."""
        return self.is_counted() and self.ready_ns is not None and self.unready_ns is None

    def is_available(self, at_ns: int, min_ready_s: float) -> bool:
        """Whether a controller may have thought it available, with one second of slack."""
        if not self.is_counted() or self.ready_ns is None:
            return False
        since_ns = self.ready_ns + int(min_ready_s * 1e9) - SLACK_NS
        if self.unready_ns is not None:
            return since_ns <= self.unready_ns and at_ns <= self.unready_ns + SLACK_NS
        return at_ns >= since_ns

    def is_surely_available(self, at_ns: int, min_ready_s: float) -> bool:
        """Whether a controller that decided a moment ago must have thought it available."""
        if not self.is_counted() or self.ready_ns is None or self.unready_ns is not None:
            return False
        return at_ns >= self.ready_ns + int(min_ready_s * 1e9) + DECIDED_NS


@dataclass
class Pods:
    """The pods of a workload as of the last change applied."""

    offset_ns: int | None
    by_uid: dict[str, PodState] = field(default_factory=dict)

    def apply(self, event: Watched) -> None:
        """Take in the next change of a pod, in resourceVersion order."""
        if event.change == "DELETED":
            self.by_uid.pop(event.uid, None)
            return
        state = self.by_uid.setdefault(event.uid, PodState(event))
        state.last = event
        if is_ready(event.object):
            state.ready_ns = self._ready_since(event)
            state.unready_ns = None
        elif state.ready_ns is not None and state.unready_ns is None:
            state.unready_ns = event.time_ns

    def counted(self) -> int:
        """How many there are, without those being deleted or finished."""
        return sum(state.is_counted() for state in self.by_uid.values())

    def available(self, at_ns: int, min_ready_s: float) -> int:
        """How many may have counted as available."""
        return sum(state.is_available(at_ns, min_ready_s) for state in self.by_uid.values())

    def _ready_since(self, event: Watched) -> int:
        stamp = condition(event.object, "Ready").get("lastTransitionTime")
        if self.offset_ns is None or not isinstance(stamp, str):
            return event.time_ns
        return min(event.time_ns, _wall_ns(stamp) - self.offset_ns)


def wall_offset_ns(history: History) -> int | None:
    """Wall minus monotonic time, from the first pair on record; None without one."""
    pair = next(iter(history.of(ClockPair)), None)
    return None if pair is None else pair.wall_ns - pair.time_ns


def has_left(before: PodState | None, after: Object | None) -> bool:
    """Whether a change made a counted pod one that is being deleted, or gone."""
    return before is not None and before.is_counted() and (after is None or is_leaving(after))


def _wall_ns(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp()) * 1_000_000_000
