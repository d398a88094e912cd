"""The specimen's own switches for its probes, turned by way of the API server.

Its pod proxy asks the pod's address, whether the pod is Ready or not, and its image stays as it is.
"""

import json
from dataclasses import dataclass

from chaoskit.faults._objects import annotation, break_object, edit, listed, mark_of
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object

_CONTROL = "/control"


@dataclass(frozen=True)
class Switch:
    """One field of `/control` of the specimen in a pod's container.

    The pod's annotation keeps which container was told, and what the field was before. What
    `/control` changed is gone when the process ends: another container was never told.
    """

    fault: str
    namespace: str
    pod: str
    container: str
    port: int
    field: str
    value: int

    def turn(self, kube: Kube, item: Object, container_id: str) -> None:
        """Note what will be undone on the pod `item`, then turn it."""
        before = self._read(kube)
        if before == self.value and self.told(item) == container_id:
            return  # it was turned already, and by us
        told = {"container_id": container_id, "before": before}
        patch = {"metadata": {"annotations": {mark_of(self.fault): json.dumps(told)}}}
        break_object(kube, "Pod", self.pod, self.namespace, lambda now: patch)
        self._write(kube, self.value)

    def turn_back(self, kube: Kube, item: Object) -> str:
        """Undo it where the container that was told still runs and nobody changed it since."""
        mark = annotation(item, mark_of(self.fault))
        if mark is None or running_id(item, self.container) != self.told(item):
            return ""
        before = json.loads(mark)["before"]
        if before != self.value == self._read(kube):
            self._write(kube, before)
            return f"{self.field} was still {self.value}"
        return ""

    def told(self, item: Object) -> str | None:
        """The container that was told, by the pod's annotation; None: none was."""
        mark = annotation(item, mark_of(self.fault))
        return None if mark is None else str(json.loads(mark)["container_id"])

    def forget(self, kube: Kube) -> None:
        """Take our annotation away."""

        def change(now: Object) -> Object | None:
            if annotation(now, mark_of(self.fault)) is None:
                return None
            return {"metadata": {"annotations": {mark_of(self.fault): None}}}

        edit(kube, "Pod", self.pod, self.namespace, change)

    def listed(self, kube: Kube) -> Object | None:
        """The pod as a list has it."""
        return listed(kube, "Pod", self.pod, self.namespace)

    def _read(self, kube: Kube) -> int:
        return int(kube.ask_pod(self.pod, self.namespace, self.port, _CONTROL)[self.field])

    def _write(self, kube: Kube, value: int) -> None:
        kube.ask_pod(self.pod, self.namespace, self.port, _CONTROL, {self.field: value})


def running_id(pod: Object, container: str) -> str | None:
    """The id of the pod's container of that name, if it runs."""
    for each in pod.get("status", {}).get("containerStatuses", ()):
        if each["name"] == container and "running" in each.get("state", {}):
            return str(each["containerID"])
    return None


def probe_of(pod: Object, container: str, probe: str) -> Object | None:
    """The probe ("readinessProbe") of the pod's container of that name."""
    for each in pod["spec"]["containers"]:
        if each["name"] == container:
            found: Object | None = each.get(probe)
            return found
    return None
