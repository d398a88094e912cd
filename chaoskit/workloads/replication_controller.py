"""A ReplicationController: it keeps a number of pods, and rolls nothing."""

from dataclasses import dataclass, field

from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.request import Propagation
from chaoskit.workloads import pod as pods
from chaoskit.workloads import template
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.revisions import owned_by
from chaoskit.workloads.steps import UNRECORDED, StepLog

KIND = "ReplicationController"


@dataclass(frozen=True, kw_only=True)
class ReplicationController:
    """One ReplicationController. Each verb is a step and is marked as one."""

    kube: Kube = field(repr=False)
    ref: ObjectRef
    steps: StepLog = field(default=UNRECORDED, repr=False)

    def read(self) -> Object:
        """The object now. Raises `NotFound` when there is none."""
        return self.kube.get(KIND, self.ref.name, self.ref.namespace)

    def apply(self, manifest: Object) -> None:
        """Create or change it to what `manifest` says."""
        with self.steps.step("apply", self.ref):
            self.kube.apply(manifest)

    def delete(self, *, orphan: bool = False) -> None:
        """Delete it; its pods go in the background, or stay as nobody's (`orphan`)."""
        propagation: Propagation = "Orphan" if orphan else "Background"
        with self.steps.step("delete", self.ref, detail=propagation):
            self.kube.delete(KIND, self.ref.name, self.ref.namespace, propagation=propagation)

    def set_image(self, image: str) -> None:
        """Change the image in its template; pods that run keep theirs."""
        with self.steps.step("set_image", self.ref, detail=image):
            change = template.image_change(self.ref, self.read()["spec"]["template"], image, None)
            if change:
                self.kube.patch(KIND, self.ref.name, self.ref.namespace, change, style="strategic")

    @property
    def replicas(self) -> int:
        """How many pods it is to keep."""
        return int(self.read()["spec"]["replicas"])

    def pods(self) -> list[Pod]:
        """The pods it controls that are not being deleted, by name."""
        return [Pod.of(self.kube, item, self.steps) for item in self._pod_items()]

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until as many of its pods are Ready as are wanted, and no more are there."""
        last: list[Object] = []

        def attempt() -> bool:
            nonlocal last
            last = self._pod_items()
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
            lambda: self.kube.find(KIND, self.ref.name, self.ref.namespace) is None,
            what=f"{self.ref} to be gone",
            timeout_s=timeout_s,
            seen=lambda: "still there",
        )

    def _pod_items(self) -> list[Object]:
        found = owned_by(self.read()["metadata"]["uid"], self.kube.list("Pod", self.ref.namespace))
        alive = [item for item in found if not pods.is_terminating(item)]
        return sorted(alive, key=lambda item: str(item["metadata"]["name"]))
