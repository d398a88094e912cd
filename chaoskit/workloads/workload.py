"""What workloads have in common: a template that pods are made of, and kubectl's verbs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Self

from chaoskit.errors import UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.request import Propagation
from chaoskit.workloads import pod as pods
from chaoskit.workloads import revisions, template
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import UNRECORDED, StepLog


@dataclass(frozen=True, kw_only=True)
class Workload:
    """An object with a template for pods. Each verb is a step and is marked as one."""

    KIND: ClassVar[str]

    kube: Kube = field(repr=False)
    ref: ObjectRef
    steps: StepLog = field(default=UNRECORDED, repr=False)

    @classmethod
    def named(cls, kube: Kube, namespace: str, name: str, steps: StepLog = UNRECORDED) -> Self:
        """The object of that name, whether it exists yet or not."""
        return cls(kube=kube, ref=ObjectRef(cls.KIND, namespace, name), steps=steps)

    def read(self) -> Object:
        """The object now. Raises `NotFound` when there is none."""
        return self.kube.get(self.KIND, self.ref.name, self.ref.namespace)

    def apply(self, manifest: Object) -> None:
        """Create or change it to what `manifest` says."""
        if ObjectRef.of(manifest) != self.ref:
            raise UsageError("this manifest names another object", subject=str(self.ref))
        with self.steps.step("apply", self.ref):
            self.kube.apply(manifest)

    def delete(self, *, orphan: bool = False) -> None:
        """Delete it; what it owns goes in the background, or stays as nobody's (`orphan`)."""
        propagation: Propagation = "Orphan" if orphan else "Background"
        with self.steps.step("delete", self.ref, detail=propagation):
            self.kube.delete(self.KIND, self.ref.name, self.ref.namespace, propagation=propagation)

    def set_image(self, image: str, container: str | None = None) -> bool:
        """Change the image of a container (None: the only one; "*": all).

        Returns False when it had that image already: then nothing is sent, and no new revision.
        """
        with self.steps.step("set_image", self.ref, detail=image):
            current = self.read()["spec"]["template"]
            change = template.image_change(self.ref, current, image, container)
            if change:
                self._patch(change)
            return bool(change)

    def edit(self, change: Object, *, detail: str = "") -> None:
        """Change anything, by strategic merge patch."""
        with self.steps.step("edit", self.ref, detail=detail):
            self._patch(change)

    def pods(self, *, terminating: bool = False) -> list[Pod]:
        """Its pods without a deletion timestamp, or all of them, by name."""
        found = [pod for pod in self._pod_items() if terminating or not pods.is_terminating(pod)]
        found.sort(key=lambda pod: str(pod["metadata"]["name"]))
        return [Pod.of(self.kube, pod, self.steps) for pod in found]

    # within

    def _patch(self, change: Object) -> None:
        self.kube.patch(self.KIND, self.ref.name, self.ref.namespace, change, style="strategic")

    def _set_replicas(self, replicas: int) -> None:
        with self.steps.step("scale", self.ref, detail=str(replicas)):
            change = {"spec": {"replicas": replicas}}
            self.kube.patch(
                self.KIND, self.ref.name, self.ref.namespace, change, subresource="scale"
            )

    def _selected(self, kind: str, item: Object) -> list[Object]:
        """What its selector chooses of a kind, whoever owns it."""
        labels = item["spec"]["selector"].get("matchLabels", {})
        return self.kube.list(kind, self.ref.namespace, labels=labels)

    def _owned(self, kind: str, item: Object) -> list[Object]:
        """What it controls of a kind."""
        return revisions.owned_by(item["metadata"]["uid"], self._selected(kind, item))

    def _pod_items(self) -> list[Object]:
        return self._owned("Pod", self.read())

    def _describe(self, item: Object) -> str:
        """Its pods in a line, for messages; `item` is what was read of it last."""
        if not item:
            return "never read"
        return "; ".join(pods.describe(pod) for pod in self._selected("Pod", item))

    def _wait(
        self,
        test: Callable[[Object], bool],
        what: str,
        timeout_s: float,
        *,
        hopeless: Callable[[Object], str | None] | None = None,
        next_step: str | None = None,
    ) -> None:
        last: Object = {}

        def attempt() -> bool:
            nonlocal last
            last = self.read()
            return test(last)

        wait_seen(
            attempt,
            what=what,
            timeout_s=timeout_s,
            seen=lambda: self._describe(last),
            hopeless=None if hopeless is None else (lambda: hopeless(last)),
            next_step=next_step,
        )
