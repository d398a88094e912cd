"""A DaemonSet's pods: one for each node, and never two."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_finished,
    is_leaving,
    is_ready,
    latest,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.pods.on_nodes import desired_pods
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class OnePerNode:
    """A DaemonSet has one pod on each node that may have one, and never two on any.

    Claims: at no moment is more than one of its pods that are not being deleted and have not ended
    bound to a node; and at the end of the record as many nodes have a Ready one as it wants
    (status.desiredNumberScheduled, at least one).
    Violated when: a node has two, or at the end a node has none.
    Unknown when: it is not on record, it wants none, or it or its pods were not watched throughout.
    """

    daemon_set: str

    name: ClassVar[str] = "one_per_node"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"one pod of {self.daemon_set} on each node")
        owned = owned_by(history, "DaemonSet", self.daemon_set)
        require_watched(found, history, owned.uids, ["DaemonSet", "Pod"])
        if not owned.workload:
            found.doubt(f"DaemonSet {self.daemon_set} is not in the record")
            return conclude(self, found)
        there: dict[str, Watched] = {}
        for event in owned.pods:
            there.pop(event.uid, None)
            if event.change != "DELETED" and _counts(event):
                there[event.uid] = event
            self._judge(found, event, there)
        items = [e.object for e in latest(owned.workload).values()]
        wanted = desired_pods(items)
        nodes = {_node(event) for event in there.values() if is_ready(event.object)}
        found.coverage |= {"pods": len({e.uid for e in owned.pods}), "nodes with a pod": len(nodes)}
        found.summary = f"{len(nodes)} of {wanted} nodes have a Ready one at the end"
        if not wanted:
            found.doubt(f"{self.daemon_set} wants no pod on any node")
        elif len(nodes) < wanted:
            text = f"{len(nodes)} nodes have a Ready pod of {self.daemon_set}, not {wanted}"
            found.violate(history.events[-1].time_ns, text, self.daemon_set)
        return conclude(self, found)

    def _judge(self, found: Findings, event: Watched, there: dict[str, Watched]) -> None:
        counts = Counter(_node(each) for each in there.values())
        node = _node(event)
        if event.uid in there and counts[node] > 1:
            names = sorted(each.name for each in there.values() if _node(each) == node)
            text = f"{node} has {counts[node]} pods of {self.daemon_set}: {', '.join(names)}"
            found.violate(event.time_ns, text, node, *names)


def one_per_node(daemon_set: Subject) -> OnePerNode:
    """One pod of a DaemonSet on each node; see `OnePerNode`."""
    return OnePerNode(daemon_set=name_of(daemon_set))


def _counts(event: Watched) -> bool:
    is_there = not is_leaving(event.object) and not is_finished(event.object)
    return is_there and bool(event.object["spec"].get("nodeName"))


def _node(event: Watched) -> str:
    return str(event.object["spec"].get("nodeName"))
