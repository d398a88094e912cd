"""A small simulation of what is around a Deployment: time, its pods, and who keeps their number.

ReplicaSets keep their numbers as Kubernetes' controller does; pods become Ready, or never, and
take their time to go. Every write is a watch event of the story.
"""

import copy
import heapq
import math
import random
from collections.abc import Callable

from tests.corpus.objects import Object, pod, replica_set, template
from tests.corpus.story import Story

KINDS = ("Deployment", "ReplicaSet", "Pod")

#: More writes than controllers need for anything here.
_ENDLESS = 500

#: What one write to the API server takes.
WRITE_S = 0.003


class SimulatedCluster:
    """Objects, and the time that goes on with each write and with `wait`.

    `broken`: images whose pods never become Ready.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        min_ready_s: int = 0,
        ready_after_s: tuple[float, float] = (0.5, 2.0),
        gone_after_s: tuple[float, float] = (0.3, 1.5),
        broken: tuple[str, ...] = (),
    ) -> None:
        self.random = random.Random(seed)
        self.story = Story().clock().watching(*KINDS)
        self.second = 1.0
        self.min_ready_s = min_ready_s
        self.broken = broken
        self.sets: dict[str, Object] = {}
        self.pods: dict[str, Object] = {}
        self.ready_since: dict[str, float] = {}
        self.overlooked: set[str] = set()  # pods that nobody counts or deletes
        self.controllers: list[Callable[[], bool]] = [self.keep_numbers]
        self._ready_after_s, self._gone_after_s = ready_after_s, gone_after_s
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    # time

    def wait(self, seconds: float) -> None:
        """Let that much time pass."""
        until = self.second + seconds
        self.settle()
        while self._timers and self._timers[0][0] <= until:
            moment, _, act = heapq.heappop(self._timers)
            self.second = max(self.second, moment)
            act()
            self.settle()
        self.second = max(self.second, until)

    def settle(self) -> None:
        """Let the controllers act, in any order, until none has anything to do."""
        busy, writes = True, 0
        while busy:
            order = self.random.sample(self.controllers, len(self.controllers))
            busy = any(controller() for controller in order)
            writes += 1
            assert writes < _ENDLESS, "the simulated controllers work against each other"

    def at(self, second: float, act: Callable[[], None] = lambda: None) -> None:
        """Do that then; the controllers look after it anyway."""
        self._count += 1
        heapq.heappush(self._timers, (second, self._count, act))

    def write(self, kind: str, obj: Object, change: str = "MODIFIED") -> None:
        """Show an object to the watches as it is now."""
        assert change in ("ADDED", "MODIFIED", "DELETED")
        self.story.watched(self.second, kind, copy.deepcopy(obj), change)  # type: ignore[arg-type]
        self.second += WRITE_S

    # pods

    def pods_of(self, name: str) -> list[Object]:
        """The pods of a ReplicaSet that are not being deleted."""
        return [
            each
            for each in self.pods.values()
            if each["metadata"]["ownerReferences"][0]["name"] == name
            and not leaves(each)
            and each["metadata"]["name"] not in self.overlooked
        ]

    def is_available(self, name: str) -> bool:
        """Whether a pod counts as available: Ready for minReadySeconds, in whole seconds."""
        since = self.ready_since.get(name)
        return since is not None and self.second >= math.floor(since) + self.min_ready_s

    def create_pod(self, owner: Object) -> Object:
        """A new pod of a ReplicaSet; it becomes Ready in its time, if its image can."""
        self._count += 1
        name = f"{owner['metadata']['name']}-{self._count}"
        made = pod(name, of=("ReplicaSet", owner["metadata"]["name"]))
        labels = copy.deepcopy(owner["spec"]["template"]["metadata"]["labels"])
        made["metadata"]["labels"] = labels
        self.pods[name] = made
        self.write("Pod", made, "ADDED")
        image = owner["spec"]["template"]["spec"]["containers"][0]["image"]
        if image not in self.broken:
            after_s = self.random.uniform(*self._ready_after_s)
            self.at(self.second + after_s, lambda: self.make_ready(name))
        return made

    def make_ready(self, name: str, *, ready: bool = True) -> None:
        """Change a pod's condition Ready, unless it is being deleted."""
        if name not in self.pods or leaves(self.pods[name]):
            return
        self.ready_since.pop(name, None)
        if ready:
            self.ready_since[name] = self.second
            self.at(math.floor(self.second) + self.min_ready_s + 0.01)
        shown = pod(name, ready_since=self.second if ready else None)
        self.pods[name]["status"] = shown["status"]
        self.write("Pod", self.pods[name])

    def delete_pod(self, name: str) -> None:
        """Begin to delete a pod; it is gone later."""
        self.pods[name]["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z"
        self.ready_since.pop(name, None)
        self.write("Pod", self.pods[name])
        after_s = self.random.uniform(*self._gone_after_s)
        self.at(self.second + after_s, lambda: self.write("Pod", self.pods.pop(name), "DELETED"))

    # ReplicaSets

    def create_set(self, image: str, replicas: int, annotations: dict[str, str]) -> Object:
        """A new ReplicaSet of the Deployment web, named after its image as if by a hash."""
        self._count += 1
        made = replica_set(f"web-{image.rpartition(':')[2]}-{self._count}", image=image)
        made["metadata"] |= {"generation": 1, "annotations": annotations}
        made["spec"]["replicas"] = replicas
        made["status"] = {"replicas": 0}
        self.sets[made["metadata"]["name"]] = made
        self.write("ReplicaSet", made, "ADDED")
        return made

    def delete_set(self, name: str) -> None:
        """Delete an empty ReplicaSet."""
        self.write("ReplicaSet", self.sets.pop(name), "DELETED")

    def keep_numbers(self) -> bool:
        """One write towards each ReplicaSet having its number of pods; False: nothing to do.

        Sets that are too large act first, as if their worker were never late: Kubernetes bounds
        what the sets ask for together, and a late one would leave more pods for a moment.
        """
        names = self.random.sample(list(self.sets), len(self.sets))
        missing = {
            name: self.sets[name]["spec"]["replicas"] - len(self.pods_of(name)) for name in names
        }
        for name in sorted(names, key=lambda each: missing[each] >= 0):
            if missing[name] < 0:
                self.delete_pod(min(self.pods_of(name), key=self._rank)["metadata"]["name"])
                return True
            if missing[name] > 0:
                self.create_pod(self.sets[name])
                return True
            if self._show_numbers(self.sets[name]):
                return True
        return False

    def _rank(self, each: Object) -> tuple[bool, bool]:
        """Unready pods are deleted before Ready ones."""
        name = each["metadata"]["name"]
        return name in self.ready_since, self.is_available(name)

    def _show_numbers(self, one: Object) -> bool:
        mine = self.pods_of(one["metadata"]["name"])
        names = [each["metadata"]["name"] for each in mine]
        status = {
            "replicas": len(names),
            "readyReplicas": sum(name in self.ready_since for name in names),
            "availableReplicas": sum(self.is_available(name) for name in names),
            "observedGeneration": one["metadata"]["generation"],
        }
        if one["status"] == status:
            return False
        one["status"] = status
        self.write("ReplicaSet", one)
        return True


def leaves(each: Object) -> bool:
    """Whether a pod is being deleted."""
    return "deletionTimestamp" in each["metadata"]


def image_of(obj: Object) -> str:
    """The image in the template of a Deployment or ReplicaSet: here it tells templates apart."""
    image: str = obj["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def set_image(obj: Object, image: str) -> None:
    """Give a Deployment the template of an image."""
    obj["spec"]["template"] = template(image)
