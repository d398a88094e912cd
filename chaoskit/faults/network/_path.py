"""One way through the network: from some places to others, and what the node agents do on it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ClusterError, UsageError
from chaoskit.faults.network._places import (
    Place,
    check_places,
    is_address,
    nodes_named,
    places,
)

INTERFACE = "eth0"
_HEALED_WITHIN_S = 15.0
_PORTS = range(1, 1 << 16)

#: What an agent is told to select, by the node that it runs on.
Selections = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Path:
    """From every source to every destination; to everywhere if there is none.

    `port` restricts it to TCP connections to that port. The reverse is another path.
    """

    sources: Sequence[str]
    destinations: Sequence[str]
    port: int | None = None

    def check(self, *, to_everywhere: bool = False) -> None:
        """Raise `UsageError` unless it can be one whose effect can be measured."""
        check_places(self.sources, what="sources")
        check_places(self.destinations, what="destinations", at_least=0 if to_everywhere else 1)
        if both := set(self.sources) & set(self.destinations):
            raise UsageError("is source and destination at once", subject=", ".join(sorted(both)))
        if self.port is not None and self.port not in _PORTS:
            raise UsageError("is no port", subject=f"port {self.port}", next_step="give 1 to 65535")
        if all(map(is_address, self.sources)):
            raise UsageError(
                "nobody of the cluster's own could measure it",
                subject=f"packets from {', '.join(self.sources)}",
                next_step="name a node or a pod among the sources",
            )
        if self.port is None and self.destinations and all(map(is_address, self.destinations)):
            raise UsageError(
                "nobody of the cluster's own could tell what arrives",
                subject=f"packets to {', '.join(self.destinations)}",
                next_step="give the port of a server there",
            )

    def reversed(self) -> "Path":
        """The other way; raises nothing, but is no path if this one leads everywhere."""
        return Path(self.destinations, self.sources, self.port)

    def measurable_ends(self, cluster: Cluster) -> list[tuple[Place, Place]]:
        """Those ends between which packets can be sent, and seen to arrive."""
        return [
            (source, destination)
            for source, destination in self.ends(cluster)
            if source.node and (destination.node or self.port is not None)
        ]

    def ends(self, cluster: Cluster) -> list[tuple[Place, Place]]:
        """Each source with each destination; other nodes stand for everywhere."""
        sources = places(cluster, self.sources)
        names = self.destinations or [
            node.name
            for node in cluster.nodes
            if node.name not in {place.node for place in sources}
        ]
        return [
            (source, destination)
            for source in sources
            for destination in places(cluster, names)
            if (source.node, source.pod_uid) != (destination.node, destination.pod_uid)
            or not source.node
        ]

    def nodes(self, cluster: Cluster) -> list[str]:
        """The nodes whose agents may hold a part of it."""
        return nodes_named(cluster, [*self.sources, *self.destinations])

    def selections(self, cluster: Cluster) -> Selections:
        """What each node's agent selects.

        A packet is met where it arrives, as on a wire: its sender notices nothing. What a pod sends
        to others than pods arrives at its own node first, and only there bears the pod's address.
        Where the receiver is none of the cluster's own, or everywhere, what a node sends is met
        where it leaves.
        """
        chosen: Selections = {}
        limits: dict[str, Any] = {}
        if self.port is not None:
            limits = {"protocol": "tcp", "ports": [self.port]}
        if not self.destinations:
            for source in places(cluster, self.sources):
                where = {"pod": source.pod_uid} if source.pod_uid else {"interface": INTERFACE}
                _add(chosen, source.node, {"at": "leaving", **where, **limits})
        for source, destination in self.ends(cluster) if self.destinations else ():
            node, selection = _met(cluster, source, destination)
            _add(chosen, node, selection | limits)
        return chosen


def _met(cluster: Cluster, source: Place, destination: Place) -> tuple[str, dict[str, Any]]:
    """On which node packets of that pair are met, and how they are selected there."""
    if destination.pod_uid:
        arriving = {"at": "arriving", "from": source.ranges(cluster)}
        return destination.node, {**arriving, "pod": destination.pod_uid}
    if source.pod_uid:
        ranges = {"from": source.ranges(cluster), "to": destination.ranges(cluster)}
        return source.node, {"at": "arriving", **ranges}
    if destination.node:
        arriving = {"at": "arriving", "from": source.ranges(cluster)}
        return destination.node, {**arriving, "interface": INTERFACE}
    if source.node:
        leaving = {"at": "leaving", "to": destination.ranges(cluster)}
        return source.node, {**leaving, "interface": INTERFACE}
    raise UsageError(
        "is a path between two addresses that are none of the cluster's own",
        subject=f"{source.name} to {destination.name}",
        next_step="name a node or a pod at one end",
    )


def _add(chosen: Selections, node: str, selection: dict[str, Any]) -> None:
    """Add it, or its addresses to one that is otherwise the same: a packet is acted on once."""
    of_node = chosen.setdefault(node, [])
    for other in of_node:
        differing = [
            key for key in other.keys() | selection.keys() if other.get(key) != selection.get(key)
        ]
        shared = other.keys() & selection.keys() & {"from", "to"}
        if len(differing) <= 1 and shared.issuperset(differing):
            for key in differing:
                other[key] = sorted({*other[key], *selection[key]})
            return
    of_node.append(selection)


def label_of(name: str, fields: object) -> str:
    """A name for what the agents hold of a fault: the same for the same fault, in any process."""
    text = json.dumps(fields, sort_keys=True, default=str)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def inject(
    cluster: Cluster,
    kind: str,
    selections: Selections,
    parameters: Mapping[str, Any],
    *,
    heal_after_s: float,
) -> None:
    """Have each agent do its part; its heal timer is armed first."""
    for node, selected in selections.items():
        cluster.node(node).agent.call(
            "inject",
            kind=kind,
            parameters={**parameters, "selections": selected},
            heal_after_s=heal_after_s,
        )


def heal(cluster: Cluster, kind: str, nodes: Sequence[str], label: str) -> None:
    """Have every agent undo its part. Raises the first `ClusterError`, after all were tried."""
    first: ClusterError | None = None
    for node in nodes:
        try:
            cluster.node(node).agent.call(
                "heal", kind=kind, parameters={"label": label}, timeout_s=_HEALED_WITHIN_S
            )
        except ClusterError as error:
            first = first or error
    if first is not None:
        raise first
