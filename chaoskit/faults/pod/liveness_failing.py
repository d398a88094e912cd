"""A pod's liveness probe fails until its container is restarted."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import is_ending, mend, refuse
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod._recovery import is_ready
from chaoskit.faults.pod._switch import Switch, probe_of, running_id


@dataclass(frozen=True)
class LivenessFailing:
    """Let the specimen in a pod answer its liveness probe with 503, by its own switch.

    Breaks: the container, once: its process is ended though it serves.
    Kubernetes answers: after its failureThreshold the kubelet sends TERM, and KILL after the grace
    period; then it starts the container again, in the same pod. That one is alive: it was not told.
    Heal: the switch is as it was where no restart came; waits until the pod is ready again.
    Requires: the specimen, with a liveness probe, and an API server that reaches pods.
    """

    namespace: str
    pod: str
    container: str = "specimen"
    port: int = 8080
    recovered_within_s: float = 120.0

    name: ClassVar[str] = "liveness_failing"
    requires: ClassVar[frozenset[str]] = frozenset()
    one_shot: ClassVar[bool] = True

    @property
    def target(self) -> str:
        """The pod."""
        return f"Pod {self.namespace}/{self.pod}"

    @property
    def reach(self) -> Reach:
        """Its namespace."""
        return Reach(namespaces=frozenset({self.namespace}))

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Turn the switch. Raises `FaultError` on a pod that is not ready, or has no such probe."""
        item = cluster.kube.get("Pod", self.pod, self.namespace)
        running = running_id(item, self.container)
        probed = probe_of(item, self.container, "livenessProbe")
        if running is None or not probed or not is_ready(item):
            raise refuse(
                self.target,
                f"its container {self.container} has no liveness that could fail",
                seen=f"running: {running}, probe: {probed}, pod ready: {is_ready(item)}",
                next_step="name a ready pod whose specimen container has a livenessProbe",
            )
        self._switch.turn(cluster.kube, item, running)

    def is_effective(self, cluster: Cluster) -> bool:
        """The container that was told does not run any more, says the kubelet."""
        item = self._switch.listed(cluster.kube)
        told = item and self._switch.told(item)
        return bool(item and told) and running_id(item or {}, self.container) != told

    def heal(self, cluster: Cluster) -> None:
        """Wait for the recovery. Raises `WaitTimeout` with what is missing."""

        def step() -> str:
            item = self._switch.listed(cluster.kube)
            if item is None or is_ending(item) or self._switch.told(item) is None:
                return ""
            lack = self._switch.turn_back(cluster.kube, item)
            if not lack and not is_ready(item):
                lack = f"the pod is not ready: {item['status'].get('containerStatuses')}"
            if not lack:
                self._switch.forget(cluster.kube)
            return lack

        mend(step, what=f"recovery of {self.target}", timeout_s=self.recovered_within_s)

    @property
    def _switch(self) -> Switch:
        at = (self.namespace, self.pod, self.container, self.port)
        return Switch(self.name, *at, field="live_status", value=503)
