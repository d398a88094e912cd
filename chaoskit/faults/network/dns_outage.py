"""Names are no longer resolved."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import connects
from chaoskit.faults.network._packets import KUBELET_PORT
from chaoskit.faults.network._places import Place, a_pod_on, check_places, places, reach_of
from chaoskit.faults.network._rates import ends_from

_DNS_PORT = 53
_ASKED_NAME = "kubernetes.default.svc.cluster.local"
_ANSWER_WITHIN_MS = 300.0


@dataclass(frozen=True)
class DnsOutage:
    """Lose all that these nodes and their pods send to any name server.

    Breaks: names, of Services and of the world; addresses and open connections go on. A name
    server that runs on one of the nodes still answers others, but cannot ask further ones.
    Kubernetes answers: nothing; it works with addresses. Pulling an image fails if it must ask.
    Heal: exactly these rules go; by the agents' own timers when nobody asks for it.
    Requires: the node agent, and another node to measure with.
    """

    nodes: tuple[str, ...]

    name: ClassVar[str] = "dns_outage"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        check_places(self.nodes, what="nodes")

    @property
    def target(self) -> str:
        """The nodes."""
        return ", ".join(self.nodes)

    @property
    def reach(self) -> Reach:
        """The nodes."""
        return reach_of(self.nodes)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Have what pods send dropped on arrival at their node, and what the node sends itself."""
        chosen = {}
        for place in places(cluster, self.nodes):
            pods = [each for each in place.ranges(cluster) if each != place.address]
            chosen[place.node] = [
                {"at": "arriving", "from": pods, "ports": [_DNS_PORT]},
                {"at": "sent", "ports": [_DNS_PORT]},
            ]
        parameters = {"label": self._label, "action": "drop", "share": 1.0}
        _path.inject(cluster, "packets", chosen, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """From each node, and a pod on it, no name is resolved, but an address answers."""
        server = cluster.kube.get("Service", "kube-dns", "kube-system")["spec"]["clusterIP"]
        own = places(cluster, self.nodes)
        asking = [*own, *(pod for at in own for pod in a_pod_on(cluster, at.node))]

        def is_deaf(place: Place) -> bool:
            asked = {"server": server, "name": _ASKED_NAME, "timeout_ms": _ANSWER_WITHIN_MS}
            answer = cluster.node(place.node).agent.call("resolve", pod=place.pod_uid, **asked)
            _, other = ends_from(cluster, place.node)
            return not answer["addresses"] and bool(
                connects(cluster, place, other, KUBELET_PORT).answered
            )

        with ThreadPoolExecutor(len(asking)) as pool:  # each takes its time to hear nothing
            return all(pool.map(is_deaf, asking))

    def heal(self, cluster: Cluster) -> None:
        """Take the rules away. Raises `ClusterError` if an agent cannot."""
        names = [place.node for place in places(cluster, self.nodes)]
        _path.heal(cluster, "packets", names, self._label)

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
