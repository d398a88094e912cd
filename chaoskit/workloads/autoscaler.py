"""A HorizontalPodAutoscaler of a Deployment, by what its pods use of their processor requests."""

import json
from dataclasses import dataclass
from typing import Self

from chaoskit.kube.kinds import Object
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef

KIND = "HorizontalPodAutoscaler"
_METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """One autoscaler, whether it exists yet or not. It needs a source of metrics to act on."""

    ref: ObjectRef
    target: Deployment

    @classmethod
    def of(cls, target: Deployment) -> Self:
        """That of a Deployment, with a name of its own."""
        ref = ObjectRef(KIND, target.ref.namespace, f"{target.ref.name}-autoscaler")
        return cls(ref=ref, target=target)

    def apply(self, *, at_least: int, at_most: int, cpu_percent: int) -> None:
        """Let it keep so many pods, so that they use that much of the processor they request."""
        detail = f"{at_least} to {at_most} pods at {cpu_percent} % of their cpu request"
        utilization = {"type": "Utilization", "averageUtilization": cpu_percent}
        manifest = {
            "apiVersion": "autoscaling/v2",
            "kind": KIND,
            "metadata": {"name": self.ref.name, "namespace": self.ref.namespace},
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "apps/v1",
                    "kind": self.target.ref.kind,
                    "name": self.target.ref.name,
                },
                "minReplicas": at_least,
                "maxReplicas": at_most,
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": utilization}}
                ],
            },
        }
        with self.target.steps.step("apply", self.ref, detail=detail):
            self.target.kube.apply(manifest)

    def wait_metrics(self, pods_count: int, timeout_s: float) -> None:
        """Wait until there are figures of what so many of the target's pods use."""
        path = _METRICS.format(namespace=self.ref.namespace)
        measured: set[str] = set()

        def attempt() -> bool:
            nonlocal measured
            items = json.loads(self.target.kube.raw_get(path))["items"]
            names = {pod.name for pod in self.target.pods()}
            measured = names & {item["metadata"]["name"] for item in items}
            return len(measured) >= pods_count

        wait_seen(
            attempt,
            what=f"what {pods_count} pods of {self.target.ref} use",
            timeout_s=timeout_s,
            seen=lambda: f"figures of {sorted(measured)}",
            next_step="see the log of metrics-server",
        )

    def wait_wanted(self, replicas: int, timeout_s: float) -> None:
        """Wait until it has the target want at least so many pods."""

        def attempt() -> bool:
            return int(self.target.read()["spec"]["replicas"]) >= replicas

        wait_seen(
            attempt,
            what=f"{self.ref} to want {replicas} pods",
            timeout_s=timeout_s,
            seen=self._status,
            next_step="its conditions say what it knows of their use",
        )

    def _status(self) -> Object | None:
        found = self.target.kube.find(KIND, self.ref.name, self.ref.namespace)
        return None if found is None else found.get("status")
