"""Containers that end and are restarted: pods of the Deployment web on node n1."""

from dataclasses import dataclass
from typing import Any

from tests.corpus.objects import deployment, node, pod, replica_set
from tests.corpus.story import Story, stamp

Object = dict[str, Any]

KINDS = ("Deployment", "ReplicaSet", "Pod", "Node")


def cluster() -> Story:
    """The Deployment web and its nodes, watched; no pod yet."""
    story = Story().clock()
    story.watched(0, "Deployment", deployment(replicas=1), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    for name in ("n1", "n2"):
        story.watched(0, "Node", node(name), "LISTED")
    return story.watching(*KINDS, second=0.1)


@dataclass(kw_only=True)
class Ending:
    """How a run ended."""

    started_s: float
    finished_s: float
    container_id: str
    code: int = 1
    reason: str = "Error"

    def terminated(self) -> Object:
        """As a status tells it."""
        return {
            "containerID": f"containerd://{self.container_id}",
            "startedAt": stamp(self.started_s),
            "finishedAt": stamp(self.finished_s),
            "exitCode": self.code,
            "reason": self.reason,
        }


class CrashingPod:
    """A pod whose one container ends and is started again, told as a kubelet tells it."""

    def __init__(
        self,
        story: Story,
        name: str = "web-0",
        *,
        spec: Object | None = None,
        pod_spec: Object | None = None,
        restarts: int = 0,
        init: bool = False,
    ) -> None:
        self.story, self.name, self.restarts = story, name, restarts
        self.container: Object = {"name": "app", "image": "app:v1", **(spec or {})}
        self.pod_spec, self.init = pod_spec or {}, init
        self.started_s = 0.0
        self.last: Ending | None = None

    def start(self, second: float, change: str = "MODIFIED") -> "CrashingPod":
        """Its container starts; after an end that is a restart."""
        if self.last is not None:
            self.restarts += 1
        self.started_s = second
        running = {"running": {"startedAt": stamp(second)}}
        return self._tell(second, running, self._id(), self.last, change)

    def end(
        self, second: float, *, code: int = 1, reason: str = "Error", told: bool = True
    ) -> "CrashingPod":
        """Its container ends; not `told` at once, only as the last state of what follows."""
        before = self.last
        self.last = Ending(
            started_s=self.started_s,
            finished_s=second,
            container_id=self._id(),
            code=code,
            reason=reason,
        )
        if not told:
            return self
        return self._tell(second, {"terminated": self.last.terminated()}, self._id(), before)

    def wait(self, second: float, reason: str = "CrashLoopBackOff") -> "CrashingPod":
        """Its status says that it waits."""
        return self._tell(second, {"waiting": {"reason": reason}}, self._id(), self.last)

    def vanish(self, second: float) -> "CrashingPod":
        """The kubelet cannot find its container any more, and makes an end up for it."""
        made_up = {"exitCode": 137, "reason": "ContainerStatusUnknown", "finishedAt": None}
        made_up["containerID"] = f"containerd://{self._id()}"
        return self._tell(second, {"terminated": made_up}, self._id(), self.last)

    def change(self, second: float, image: str) -> "CrashingPod":
        """Its image is changed in place."""
        self.container = {**self.container, "image": image}
        return self.wait(second)

    def shown(self, state: Object, container_id: str, before: Ending | None) -> Object:
        """The pod with its container in this state."""
        obj = pod(self.name, of=("ReplicaSet", "rs-1"))
        status: Object = {
            "name": "app",
            "restartCount": self.restarts,
            "state": state,
            "lastState": {} if before is None else {"terminated": before.terminated()},
            "containerID": f"containerd://{container_id}",
        }
        group, statuses = "containers", "containerStatuses"
        if self.init:
            group, statuses = "initContainers", "initContainerStatuses"
        obj["spec"] |= {group: [self.container], **self.pod_spec}
        obj["status"] = {"phase": "Running", statuses: [status]}
        return obj

    def _tell(
        self,
        second: float,
        state: Object,
        container_id: str,
        before: Ending | None,
        change: str = "MODIFIED",
    ) -> "CrashingPod":
        shown = self.shown(state, container_id, before)
        self.story.watched(second, "Pod", shown, "MODIFIED" if change == "MODIFIED" else "ADDED")
        return self

    def _id(self) -> str:
        return f"{self.name}-run-{self.restarts}"


def crash_loop(
    waits: list[float],
    *,
    run_s: float = 2.0,
    start_s: float = 1.0,
    name: str = "web-0",
    spec: Object | None = None,
    story: Story | None = None,
) -> Story:
    """A container that runs for `run_s`, ends, and is started again after each of `waits`."""
    told = cluster() if story is None else story
    crashing = CrashingPod(told, name, spec=spec).start(start_s, "ADDED")
    second = start_s
    for wait_s in waits:
        second += run_s
        crashing.end(second)
        if wait_s > 1:
            crashing.wait(second + 0.5)
        second += wait_s
        crashing.start(second)
    return told
