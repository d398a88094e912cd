"""The three kinds of workloads that are rolled out, as one."""

from typing import Protocol

from chaoskit.errors import UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.rollout.asked import Change
from chaoskit.workloads import template
from chaoskit.workloads.daemon_set import DaemonSet
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.revisions import Undone
from chaoskit.workloads.rollout_status import RolloutStatus
from chaoskit.workloads.stateful_set import StatefulSet
from chaoskit.workloads.steps import UNRECORDED, StepLog, StepRefused


class Rolled(Protocol):
    """A workload with the verbs of `kubectl rollout`."""

    @property
    def ref(self) -> ObjectRef: ...

    def read(self) -> Object: ...

    def apply(self, manifest: Object) -> None: ...

    def set_image(self, image: str, container: str | None = None) -> bool: ...

    def edit(self, change: Object, *, detail: str = "") -> None: ...

    def restart(self) -> None: ...

    def undo(self, to_revision: int | None = None) -> Undone: ...

    def status(self) -> RolloutStatus: ...

    def wait_ready(self, timeout_s: float) -> None: ...

    def wait_complete(self, timeout_s: float) -> None: ...


_KINDS: dict[str, type[Deployment] | type[StatefulSet] | type[DaemonSet]] = {
    "Deployment": Deployment,
    "StatefulSet": StatefulSet,
    "DaemonSet": DaemonSet,
}


def workload(kube: Kube, ref: ObjectRef, steps: StepLog = UNRECORDED) -> Rolled:
    """The workload of that name, whether it exists yet or not."""
    return _KINDS[ref.kind](kube=kube, ref=ref, steps=steps)


def changed(content: Object, change: Change, ref: ObjectRef, after: Object | None) -> Object:
    """The workload's manifest as it is to be; `after` is the one to apply, if that is the change.

    Raises `UsageError` for a container that is not there.
    """
    if after is not None:
        return after
    pod_template = content["spec"]["template"]
    groups: dict[str, dict[str, str]] = {}
    for container, image in change.images.items():
        try:
            patch = template.image_change(ref, pod_template, image, container or None)
        except StepRefused as error:
            raise UsageError(
                error.problem,
                subject=str(ref),
                seen=", ".join(item["name"] for item in pod_template["spec"]["containers"]),
                next_step="name one of these: --image CONTAINER=IMAGE",
            ) from error
        for group, items in (patch.get("spec", {}).get("template", {}).get("spec", {})).items():
            groups.setdefault(group, {}).update({item["name"]: item["image"] for item in items})
    spec = dict(pod_template["spec"])
    for group, images in groups.items():
        spec[group] = [
            {**item, "image": images.get(item["name"], item.get("image"))} for item in spec[group]
        ]
    made = {**pod_template, "spec": spec}
    return {**content, "spec": {**content["spec"], "template": made}}


def roll_out(rolled: Rolled, change: Change, after: Object) -> None:
    """Do the change; each way of it is one step and at most one new revision."""
    if change.restart:
        rolled.restart()
    elif change.to:
        rolled.apply(after)
    elif len(change.images) == 1:
        ((container, image),) = change.images.items()
        rolled.set_image(image, container or None)
    else:
        spec = after["spec"]["template"]["spec"]
        patch = {
            group: [{"name": item["name"], "image": item["image"]} for item in spec[group]]
            for group in ("containers", "initContainers")
            if spec.get(group)
        }
        rolled.edit({"spec": {"template": {"spec": patch}}}, detail=str(change))


def images_of(content: Object) -> list[str]:
    """All images that a workload's pods name, each once."""
    spec = (content["spec"].get("template") or {}).get("spec") or {}
    groups = ("initContainers", "containers")
    named = [str(item.get("image")) for group in groups for item in spec.get(group) or []]
    return list(dict.fromkeys(named))
