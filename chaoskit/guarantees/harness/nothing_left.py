"""Whether faults left anything behind."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import RecordError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import lost_events
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import TracesCompared
from chaoskit.history.reader import History

#: What a fingerprint says of a part that it could not see.
_UNREAD = "cannot be read"


@dataclass(frozen=True, kw_only=True)
class NothingLeft:
    """Faults, healed in whatever order, leave nothing behind.

    Claims: each time that the cluster was compared with what it was before (containers, links,
    addresses, routes, queues, packet filters, components, taints, our marks in the API), nothing
    had come and nothing had gone, and at least `faults` faults were injected and healed in between.
    Violated when: something had.
    Unknown when: no comparison is on record, fewer faults were injected and healed in one, one of
    them was not proved in effect, or a part could not be read.
    """

    faults: int

    name: ClassVar[str] = "nothing_left"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"nothing is left of {self.faults} faults")
        found.doubt(*lost_events(history, None, None))
        compared = history.of(TracesCompared)
        if not compared:
            found.doubt("the cluster was not compared with what it was")
        windows = fault_windows(history)
        for event in compared:
            if event.since_ns > event.time_ns:
                raise RecordError("ends before it began", subject="a comparison of traces")
            inside = [
                window
                for window in windows
                if event.since_ns <= window.requested_ns and window.end_ns <= event.time_ns
            ]
            found.doubt(*fault_doubts(inside, "to heal"))
            found.coverage["faults healed"] = found.coverage.get("faults healed", 0) + len(inside)
            if len(inside) < self.faults:
                found.doubt(f"{len(inside)} faults were healed ({self.faults} needed)")
            for line in event.lines:
                if _UNREAD in line:
                    found.doubt(f"a part of the cluster {_UNREAD}: {line}")
                else:
                    found.violate(event.time_ns, line)
        found.coverage["comparisons"] = len(compared)
        found.summary = f"{found.coverage.get('faults healed', 0)} faults healed, nothing is left"
        if any(event.lines for event in compared):
            found.summary = ""
        return conclude(self, found)


def nothing_left(*, faults: int = 1) -> NothingLeft:
    """So many faults were healed and left nothing behind; see `NothingLeft`."""
    return NothingLeft(faults=faults)
