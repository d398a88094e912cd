"""A pod: deleting it in kubectl's ways, and waiting for what becomes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from chaoskit.errors import KubernetesError, UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.executed import Executed
from chaoskit.kube.kinds import Object
from chaoskit.workloads import rollout_status
from chaoskit.workloads.polling import wait_seen
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import UNRECORDED, StepLog


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod by name; with `uid` this very pod and no later namesake."""

    kube: Kube = field(repr=False)
    ref: ObjectRef
    uid: str | None = None
    steps: StepLog = field(default=UNRECORDED, repr=False)

    @classmethod
    def of(cls, kube: Kube, item: Object, steps: StepLog = UNRECORDED) -> Self:
        """The pod that this object is."""
        return cls(kube=kube, ref=ObjectRef.of(item), uid=item["metadata"]["uid"], steps=steps)

    @property
    def name(self) -> str:
        """Its name."""
        return self.ref.name

    def read(self) -> Object:
        """The object now. Raises `NotFound` when there is none."""
        return self.kube.get("Pod", self.ref.name, self.ref.namespace)

    @property
    def node_name(self) -> str:
        """The node it is bound to. Raises `KubernetesError` while it is not."""
        node = self.read()["spec"].get("nodeName")
        if not node:
            raise KubernetesError(
                "is not bound to a node yet",
                subject=str(self.ref),
                next_step="wait until it is ready, or see why it cannot be scheduled",
            )
        return str(node)

    def delete(self, *, force: bool = False, grace_period_s: int | None = None) -> str:
        """Delete as `kubectl delete pod` does; returns the uid of the pod that it hit.

        `force` is `--force --grace-period=0`: the name is free at once, though the process may
        still run. Without it a grace period of 0 is sent as 1, as kubectl does.
        """
        if force and grace_period_s:
            raise UsageError(
                "force and a grace period above 0 exclude each other",
                subject=f"delete {self.ref}",
                seen=f"grace_period_s={grace_period_s}",
                next_step="leave one of them out",
            )
        if force:
            grace_period_s = 0
        elif grace_period_s == 0:
            grace_period_s = 1
        uid = self.uid or str(self.read()["metadata"]["uid"])
        detail = f"uid {uid}, grace {'its own' if grace_period_s is None else grace_period_s}"
        with self.steps.step("delete", self.ref, force=force, detail=detail):
            self.kube.delete(
                "Pod", self.ref.name, self.ref.namespace, grace_period_s=grace_period_s, uid=uid
            )
        return uid

    def evict(self, *, grace_period_s: int | None = None) -> None:
        """Evict it; raises `Transient` (429) while a disruption budget forbids that."""
        with self.steps.step("evict", self.ref):
            self.kube.evict(self.ref.name, str(self.ref.namespace), grace_period_s=grace_period_s)

    def execute(self, argv: Sequence[str], *, timeout_s: float) -> Executed:
        """Run a command in its only container, as `kubectl exec` does: a step.

        Raises `KubernetesError` when it cannot be started or does not end in time.
        """
        with self.steps.step("exec", self.ref, detail=" ".join(argv)):
            return self.kube.exec(self.ref.name, str(self.ref.namespace), argv, timeout_s=timeout_s)

    def set_label(self, name: str, value: str | None) -> None:
        """Set a label, or take it away (None), as `kubectl label pod` does."""
        change = {"metadata": {"labels": {name: value}}}
        with self.steps.step("set_label", self.ref, detail=f"{name}={value or ''}"):
            self.kube.patch("Pod", self.ref.name, self.ref.namespace, change)

    def wait_ready(self, timeout_s: float) -> Object:
        """Wait until a pod of this name is Ready and not being deleted; returns it."""
        return self._wait(f"{self.ref} to be ready", is_ready, timeout_s)

    def wait_restarted(self, timeout_s: float, *, times: int = 1) -> Object:
        """Wait until each of its containers was restarted so often and it is Ready; returns it.

        What the API shows of a pod whose node was away is from before, until the node speaks
        again: being Ready alone does not tell that the pod is back.
        """

        def is_back(item: Object) -> bool:
            return is_ready(item) and restarts_of(item) >= times

        return self._wait(f"{self.ref} to be restarted {times} times and ready", is_back, timeout_s)

    def wait_not_ready(self, timeout_s: float) -> Object:
        """Wait until it is there and not Ready; returns it."""
        return self._wait(f"{self.ref} not to be ready", lambda item: not is_ready(item), timeout_s)

    def wait_terminating(self, timeout_s: float) -> Object:
        """Wait until it carries a deletion timestamp; returns it."""
        return self._wait(f"{self.ref} to be terminating", is_terminating, timeout_s)

    def wait_reason(self, *reasons: str, timeout_s: float) -> Object:
        """Wait until a container shows one of these reasons ("ImagePullBackOff", …)."""
        what = f"{self.ref} to show {' or '.join(reasons)}"
        return self._wait(what, lambda item: bool(reasons_of(item) & set(reasons)), timeout_s)

    def wait_gone(self, timeout_s: float, *, uid: str | None = None) -> None:
        """Wait until the API no longer has it.

        With a uid (given here or the handle's own) a namesake that came after it counts as gone.
        """
        uid = uid or self.uid
        last: Object | None = None

        def is_gone() -> bool:
            nonlocal last
            last = self.kube.find("Pod", self.ref.name, self.ref.namespace)
            return last is None or (uid is not None and last["metadata"]["uid"] != uid)

        wait_seen(
            is_gone,
            what=f"{self.ref} to be gone",
            timeout_s=timeout_s,
            seen=lambda: describe(last),
            next_step="a pod on a node that is away stays until it is deleted by force",
        )

    def _wait(self, what: str, test: Callable[[Object], bool], timeout_s: float) -> Object:
        last: Object | None = None

        def attempt() -> Object | None:
            nonlocal last
            last = self.kube.find("Pod", self.ref.name, self.ref.namespace)
            return last if last is not None and self._is_meant(last) and test(last) else None

        return wait_seen(attempt, what=what, timeout_s=timeout_s, seen=lambda: describe(last))

    def _is_meant(self, item: Object) -> bool:
        return self.uid is None or item["metadata"]["uid"] == self.uid


def is_terminating(item: Object) -> bool:
    """Whether a pod carries a deletion timestamp."""
    return "deletionTimestamp" in item["metadata"]


def is_ready(item: Object) -> bool:
    """Whether a pod is Ready and not being deleted."""
    ready = rollout_status.condition(item, "Ready")
    return ready is not None and ready["status"] == "True" and not is_terminating(item)


def restarts_of(item: Object) -> int:
    """How often that container of a pod was restarted which was so least often."""
    shown = item.get("status", {}).get("containerStatuses", [])
    return min((int(container.get("restartCount", 0)) for container in shown), default=0)


def reasons_of(item: Object) -> set[str]:
    """Why its containers wait or have ended, and why it is not scheduled or ready."""
    status = item.get("status", {})
    found = {status.get("reason")}
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group, []):
            for state in container.get("state", {}).values():
                found.add(state.get("reason"))
    for shown in status.get("conditions", []):
        if shown["status"] != "True":
            found.add(shown.get("reason"))
    return {reason for reason in found if reason}


def told_of(kube: Kube, item: Object) -> set[tuple[str, str]]:
    """Reasons and their messages: in its state, in its containers', before too, and in events."""
    status = item.get("status", {})
    said = [shown for shown in status.get("conditions", []) if shown["status"] != "True"]
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group, []):
            for field_name in ("state", "lastState"):
                said += container.get(field_name, {}).values()
    metadata = item["metadata"]
    of_it = f"involvedObject.uid={metadata['uid']}"
    said += kube.list("Event", metadata["namespace"], fields=of_it)
    return {(each.get("reason") or "", each.get("message") or "") for each in said}


def describe(item: Object | None) -> str:
    """A pod's state in a line, for messages."""
    if item is None:
        return "no such pod"
    metadata, status = item["metadata"], item.get("status", {})
    words = [
        metadata["name"],
        status.get("phase", "no phase"),
        "ready" if is_ready(item) else "not ready",
        f"on {item['spec'].get('nodeName', 'no node')}",
    ]
    if restarts := restarts_of(item):
        words.append(f"restarted {restarts} times")
    if is_terminating(item):
        words.append(f"terminating since {metadata['deletionTimestamp']}")
    if reasons := reasons_of(item):
        words.append("reasons " + ", ".join(sorted(reasons)))
    return ", ".join(words)
