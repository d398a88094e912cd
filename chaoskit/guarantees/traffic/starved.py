"""Seconds in which the machine kept a pod from running: what failed then accuses nobody.

A test machine carries all nodes at once. When it has too little for them, a pod that is sound
does not answer, and from outside it looks like one that is not. The kernel tells the two apart: it
accounts for each thread how long it was ready to run and waited (docs/design/judging.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chaoskit.errors import RecordError
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.intervals import Span, Times, shared, united
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.driver_health import suspect_seconds_of
from chaoskit.guarantees.traffic.suspect import SECOND_NS, SuspectSeconds, Trouble, seconds_of
from chaoskit.history.events import ContainerScan, ProcessorWait, Watched
from chaoskit.history.reader import History

#: A pod that waited for half of the time or more was kept from running. Two workers on two cores
#: show that in 0.1 % of a pod's seconds; probes and clients wait for a second and more.
STARVED_SHARE = 0.5

#: One that ran for that part of the time waits for what it uses itself.
OWN_SHARE = 0.5

#: Faults that take the processors on purpose: what a pod waits for then is theirs to answer for.
_TAKING = "cpu_stressed"


@dataclass(frozen=True, kw_only=True)
class Starved:
    """The time in which a pod was kept from running, and for how long it waited in all."""

    span: Span
    pod_uid: str
    waited_ns: int


def starved_pods(history: History) -> list[Starved]:
    """When the pods on record were kept from running, by time. Raises `RecordError`."""
    return history.once(_starved_pods)


def _starved_pods(history: History) -> list[Starved]:
    pods = {event.uid for event in history.of(Watched) if event.kind == "Pod"}
    taken = united(window.span for window in fault_windows(history, _TAKING))
    found = []
    for scan in history.of(ContainerScan):
        if scan.since_ns > scan.time_ns:
            raise RecordError("ends before it begins", subject=f"scan of node {scan.node}")
        for wait in scan.waits or ():
            if wait.pod_uid not in pods or not _is_starved(wait, scan.time_ns - scan.since_ns):
                continue
            waited_ns = wait.waited_ns - wait.throttled_ns
            # A wait is told when it is over; it may have begun before this scan's time.
            span = min(scan.since_ns, scan.time_ns - waited_ns), scan.time_ns
            if not shared([span], taken):
                found.append(Starved(span=span, pod_uid=wait.pod_uid, waited_ns=waited_ns))
    return sorted(found, key=lambda each: each.span)


def _is_starved(wait: ProcessorWait, time_ns: int) -> bool:
    if min(wait.waited_ns, wait.ran_ns, wait.throttled_ns) < 0:
        raise RecordError(
            "waited or ran for less than nothing", subject=f"container {wait.container_id}"
        )
    of_machine_ns = wait.waited_ns - wait.throttled_ns
    return of_machine_ns >= STARVED_SHARE * time_ns and wait.ran_ns <= OWN_SHARE * time_ns


def doubtful_seconds_of(history: History) -> SuspectSeconds:
    """The seconds whose failures accuse nobody: those in which the driver was in trouble
    (`suspect_seconds_of`), and for all loads those in which a pod was kept from running. Raises
    `RecordError` for measurements that cannot be.
    """
    return history.once(_doubtful_seconds)


def _doubtful_seconds(history: History) -> SuspectSeconds:
    starved = _keys(starved_pods(history), len(text_column(history, "load").values))
    return suspect_seconds_of(history).also(starved, Trouble.STARVED)


def _keys(starved: Sequence[Starved], loads: int) -> Times:
    keys = [np.zeros(0, dtype=np.int64)]
    for start_ns, end_ns in united(each.span for each in starved):
        seconds = np.arange(start_ns // SECOND_NS, (end_ns - 1) // SECOND_NS + 1, dtype=np.int64)
        for load in range(loads):
            codes = np.full(len(seconds), load, dtype=np.int32)
            keys.append(seconds_of(codes, seconds * SECOND_NS))
    return np.unique(np.concatenate(keys))
