"""A pod's readiness probe fails."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import mend, refuse
from chaoskit.faults.fault import Reach
from chaoskit.faults.pod._recovery import is_ready
from chaoskit.faults.pod._removal import serves
from chaoskit.faults.pod._switch import Switch, probe_of, running_id


@dataclass(frozen=True)
class ReadinessFailing:
    """Let the specimen in a pod answer its readiness probe with 503, by its own switch.

    Breaks: the pod's readiness, not its process: what is connected is served on.
    Kubernetes answers: NotReady after its failureThreshold; the endpoint gets no new connections;
    a rollout that makes the pod waits, and reports its deadline.
    Heal: the switch is as it was, unless somebody else turned it since. A container that was
    restarted has lost it: from then on the fault is not in effect, though the pod may be unready.
    Requires: the specimen, with a readiness probe, and an API server that reaches pods.
    """

    namespace: str
    pod: str
    container: str = "specimen"
    port: int = 8080

    name: ClassVar[str] = "readiness_failing"
    requires: ClassVar[frozenset[str]] = frozenset()
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
        """Turn the switch. Raises `FaultError` on a pod that is not ready, or has no such probe."""
        item = cluster.kube.get("Pod", self.pod, self.namespace)
        running = running_id(item, self.container)
        probed = probe_of(item, self.container, "readinessProbe")
        if running is None or not probed or not (is_ready(item) or self._switch.told(item)):
            raise refuse(
                self.target,
                f"its container {self.container} has no readiness that could fail",
                seen=f"running: {running}, probe: {probed}, pod ready: {is_ready(item)}",
                next_step="name a ready pod whose specimen container has a readinessProbe",
            )
        self._switch.turn(cluster.kube, item, running)

    def is_effective(self, cluster: Cluster) -> bool:
        """The container that was told runs on, yet neither the kubelet nor EndpointSlices call the
        pod ready.
        """
        item = self._switch.listed(cluster.kube)
        if item is None or (told := self._switch.told(item)) is None or is_ready(item):
            return False
        running = running_id(item, self.container) == told
        return running and not serves(cluster.kube, self.namespace, item["metadata"]["uid"])

    def heal(self, cluster: Cluster) -> None:
        """Turn the switch back, and read that it is. Raises `WaitTimeout`."""

        def step() -> str:
            item = self._switch.listed(cluster.kube)
            lack = "" if item is None else self._switch.turn_back(cluster.kube, item)
            if item is not None and not lack:
                self._switch.forget(cluster.kube)
            return lack

        mend(step, what=f"the readiness switch of {self.target} to be as before")

    @property
    def _switch(self) -> Switch:
        at = (self.namespace, self.pod, self.container, self.port)
        return Switch(self.name, *at, field="ready_status", value=503)
