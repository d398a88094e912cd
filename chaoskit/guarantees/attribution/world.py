"""What rules look at, and what they say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chaoskit.guarantees.attribution.endpoints import Endpoints
from chaoskit.guarantees.attribution.failures import Sender
from chaoskit.guarantees.attribution.pods import PodLife
from chaoskit.guarantees.fault_windows import FaultWindow, fault_windows
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.watched import changes, is_ready
from chaoskit.guarantees.traffic.starved import Starved
from chaoskit.history.events import FaultMark, LoadMark
from chaoskit.history.reader import History

#: Where a request failed: in the driver, on the way to its entry node, between entry and pod (kube-
#: proxy, endpoints), in the pod or its node, or in what the application answered.
Layer = Literal["driver", "network", "endpoints", "pod", "application", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A time in which something on record explains failures, and which.

    A failure is explained when it touches `span`, its class matches one of `classes`, and it is
    one of the `senders` (numbers; None: any) or may have been sent to one of `pods` (uids).
    """

    span: Span
    layer: Layer
    text: str
    objects: tuple[str, ...] = ()
    classes: tuple[str, ...] = ("*",)
    senders: frozenset[int] | None = frozenset()
    pods: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class World:
    """All that rules look at.

    `pods`: those that a failure may have been sent to, by uid. `nodes`: the spans in which each
    node was not Ready. `faults`: those that were seen in effect. `stopping_ns`: when each load was
    told to stop. `suspect`: the harness-suspect spans of each load, and what was the matter.
    `starved`: when the machine kept pods from running. `answers`: class and pod uid (None: not
    said) of the failures that were answered. `settle_ns` is added to each fault's end;
    `node_grace_ns` is how long a node may be silent before it counts as not Ready.
    """

    senders: Sequence[Sender]
    pods: Mapping[str, PodLife]
    endpoints: Mapping[str, Endpoints]
    nodes: Mapping[str, Sequence[Span]]
    faults: Sequence[FaultWindow]
    stopping_ns: Mapping[str, int]
    suspect: Mapping[str, tuple[str, Sequence[Span]]]
    starved: Sequence[Starved]
    answers: Collection[tuple[str, str | None]]
    settle_ns: int
    node_grace_ns: int

    def senders_where(self, **wanted: str) -> frozenset[int]:
        """The senders with these values in their fields."""
        return frozenset(
            number
            for number, sender in enumerate(self.senders)
            if all(getattr(sender, name) == value for name, value in wanted.items())
        )

    def senders_to(self, service: str) -> frozenset[int]:
        """The senders that may be sent to this Service."""
        return frozenset(
            number for number, sender in enumerate(self.senders) if service in sender.services
        )


def nodes_not_ready(history: History) -> dict[str, list[Span]]:
    """The spans in which each node was there and not Ready, or its object was deleted."""
    spans: dict[str, list[Span]] = {}
    since: dict[str, int] = {}
    for event in changes(history, "Node"):
        of_node = spans.setdefault(event.name, [])
        if is_ready(event.object) and event.change != "DELETED":
            start_ns = since.pop(event.name, None)
            if start_ns is not None:
                of_node.append((start_ns, event.time_ns))
        else:
            since.setdefault(event.name, event.time_ns)
    for name, start_ns in since.items():
        spans[name].append((start_ns, FOREVER_NS))
    return spans


def faults_in_effect(history: History) -> list[FaultWindow]:
    """The faults of which at least one measurement says that they were in effect."""
    effective = {mark.fault_id for mark in history.of(FaultMark) if mark.mark == "effective"}
    return [window for window in fault_windows(history) if window.fault_id in effective]


def stops_of_loads(history: History) -> dict[str, int]:
    """When each load was told to stop, or was seen to have."""
    stops: dict[str, int] = {}
    for mark in history.of(LoadMark):
        if mark.mark in ("stopping", "stopped", "died"):
            stops.setdefault(mark.load_id, mark.time_ns)
    return stops


def later(time_ns: int, by_ns: int) -> int:
    """So much later; never stays never."""
    return min(time_ns, FOREVER_NS - by_ns) + by_ns
