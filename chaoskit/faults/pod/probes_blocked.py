"""The kubelet's probes do not reach a pod, though its clients do."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.errors import UsageError
from chaoskit.faults.fault import Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import connects
from chaoskit.faults.network._places import Place, pod_place
from chaoskit.faults.network._rates import ends_from
from chaoskit.faults.pod._probes import probed_ports


@dataclass(frozen=True)
class ProbesBlocked:
    """Lose what the kubelet sends to the ports of a pod that its probes ask (HTTP, TCP, gRPC).

    Breaks: the probes, and whatever else processes of the node itself send there; clients on other
    nodes and in pods are served on. Probes that run a command in the container are not touched.
    Kubernetes answers: after failureThreshold periods a pod that serves well is taken out of the
    endpoints (readiness) or restarted again and again (liveness).
    Heal: exactly these rules go; by the agent's own timer when nobody asks for it.
    Requires: the node agent, and another node to measure with.
    """

    namespace: str
    pod: str

    name: ClassVar[str] = "probes_blocked"
    requires: ClassVar[frozenset[str]] = frozenset({"node_agent"})
    one_shot: ClassVar[bool] = False

    @property
    def target(self) -> str:
        """The pod."""
        return f"Pod {self.namespace}/{self.pod}"

    @property
    def reach(self) -> Reach:
        """Its namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Drop what the node itself sends there. Raises `UsageError` without such probes."""
        place, ports = self._probed(cluster)
        selection = {"at": "sent", "to": [place.address], "protocol": "tcp", "ports": ports}
        parameters = {"label": self._label, "action": "drop", "share": 1.0}
        chosen = {place.node: [selection]}
        _path.inject(cluster, "packets", chosen, parameters, heal_after_s=heal_after_s)

    def is_effective(self, cluster: Cluster) -> bool:
        """Its own node gets no answer from the pod, and another one does."""
        place, ports = self._probed(cluster)
        own, other = ends_from(cluster, place.node)
        return all(
            connects(cluster, other, place, port).answered
            and not connects(cluster, own, place, port).answered
            for port in ports
        )

    def heal(self, cluster: Cluster) -> None:
        """Take the rules away, wherever the pod ran. Raises `ClusterError` if an agent cannot."""
        _path.heal(cluster, "packets", [node.name for node in cluster.nodes], self._label)

    def _probed(self, cluster: Cluster) -> tuple[Place, list[int]]:
        ports = probed_ports(cluster.kube.get("Pod", self.pod, self.namespace))
        if not ports:
            raise UsageError(
                "has no probe over the network",
                subject=self.target,
                next_step="name a pod with an httpGet, tcpSocket or grpc probe",
            )
        return pod_place(cluster, self.namespace, self.pod), ports

    @property
    def _label(self) -> str:
        return _path.label_of(self.name, asdict(self))
