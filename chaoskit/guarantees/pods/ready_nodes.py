"""Nodes that must never be given up."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    condition,
    is_ready,
    name_of,
    require_watched,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NodesStayReady:
    """Nodes are Ready throughout, also in the eyes of the control plane.

    Claims: from the first sight of each of these nodes (none named: of all) to the end of the
    record its condition Ready is True, and its object stays; with `through` the fault of that name
    was in effect meanwhile, so that there was something to withstand.
    Violated when: one is not Ready, or its object goes.
    Unknown when: one of them, or any node at all, is not on record; the fault was never injected
    or not proved in effect; or nodes were not watched throughout.
    """

    nodes: tuple[str, ...] = ()
    through: str | None = None

    name: ClassVar[str] = "nodes_stay_ready"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        who = ", ".join(self.nodes) or "all nodes"
        through = f" through {self.through}" if self.through else ""
        found = Findings(title=f"{who} stay Ready{through}")
        events = [e for e in changes(history, "Node") if not self.nodes or e.name in self.nodes]
        require_watched(found, history, {event.uid for event in events}, ["Node"])
        seen = {event.name for event in events}
        found.doubt(
            *(f"node {name} is not in the record" for name in self.nodes if name not in seen)
        )
        if not seen:
            found.doubt("no node is in the record")
        if self.through is not None:
            windows = fault_windows(history, self.through)
            found.doubt(*fault_doubts(windows, self.through))
            found.coverage["injections"] = len(windows)
        for event in events:
            if event.change == "DELETED":
                found.violate(event.time_ns, f"node {event.name} was deleted", event.name)
            elif not is_ready(event.object):
                ready = condition(event.object, "Ready")
                state = f"Ready={ready.get('status', 'absent')} {ready.get('reason', '')}".strip()
                found.violate(event.time_ns, f"node {event.name} was {state}", event.name)
        found.coverage["nodes"] = len(seen)
        found.summary = f"{len(seen)} nodes, {len(events)} changes of them"
        return conclude(self, found)


def nodes_stay_ready(*nodes: Subject, through: str | None = None) -> NodesStayReady:
    """Nodes (none: all) are Ready throughout the record; see `NodesStayReady`."""
    return NodesStayReady(nodes=tuple(name_of(node) for node in nodes), through=through)
