"""A ReplicationController: it keeps a number of pods, and rolls nothing."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.kube.kinds import Object
from chaoskit.workloads import pod as pods
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.workload import Workload


@dataclass(frozen=True, kw_only=True)
class ReplicationController(Workload):
    """One ReplicationController; pods that run keep the template they were made of."""

    KIND: ClassVar[str] = "ReplicationController"

    @property
    def replicas(self) -> int:
        """How many pods it is to keep."""
        return int(self.read()["spec"]["replicas"])

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until as many of its pods are Ready as are wanted, and no more are there."""
        last: list[Object] = []

        def attempt() -> bool:
            nonlocal last
            last = [pod for pod in self._pod_items() if not pods.is_terminating(pod)]
            return len(last) == self.replicas and all(pods.is_ready(item) for item in last)

        wait_seen(
            attempt,
            what=f"{self.ref} to have all pods ready",
            timeout_s=timeout_s,
            seen=lambda: "; ".join(pods.describe(item) for item in last) or "no pod",
        )

    def wait_replicas(self, at_least: int, timeout_s: float) -> None:
        """Wait until it is to keep at least so many pods: somebody moves its count."""
        last = 0

        def attempt() -> bool:
            nonlocal last
            last = self.replicas
            return last >= at_least

        wait_seen(
            attempt,
            what=f"{self.ref} to be told to keep {at_least} pods",
            timeout_s=timeout_s,
            seen=lambda: f"{last} pods",
        )

    def wait_gone(self, timeout_s: float) -> None:
        """Wait until the API no longer has it."""
        wait_seen(
            lambda: self.kube.find(self.KIND, self.ref.name, self.ref.namespace) is None,
            what=f"{self.ref} to be gone",
            timeout_s=timeout_s,
            seen=lambda: "still there",
        )

    def _selected(self, kind: str, item: Object) -> list[Object]:
        # Its selector is labels alone, with no `matchLabels` around them.
        return self.kube.list(kind, self.ref.namespace, labels=item["spec"]["selector"])
