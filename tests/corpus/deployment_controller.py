"""A small simulation of a Deployment's controller.

It does what the rules of Kubernetes 1.36 allow (read in pkg/controller/deployment), one write at
a time; with a `defect` it breaks one rule, and `offence` says when and with which object it first
did.
"""

import math

from chaoskit.guarantees.objects.bounds import resolved
from tests.corpus.deployment_progress import EXCEEDED, Progress
from tests.corpus.objects import Object, deployment
from tests.corpus.simulated_cluster import SimulatedCluster, image_of
from tests.corpus.times import at

#: What a defective controller does that a sound one does not.
DEFECTS = (
    "creates_beside_old_pods",
    "surges_one_too_many",
    "takes_one_too_many",
    "reports_too_early",
    "reports_too_late",
    "reports_never",
    "reports_while_paused",
    "skips_a_number",
    "numbers_a_scale",
    "forgets_the_number_before",
    "makes_a_twin_set",
    "keeps_too_many_sets",
    "drops_sets_too_soon",
    "drops_the_newest_set",
    "leaves_an_old_pod",
    "shares_unevenly",
)

_PREFIX = "deployment.kubernetes.io"
_REVISION, _FORMER = f"{_PREFIX}/revision", f"{_PREFIX}/revision-history"
_DESIRED, _MOST = f"{_PREFIX}/desired-replicas", f"{_PREFIX}/max-replicas"

#: By how much defective reports of a passed deadline are early or late.
EARLY_S, LATE_S = 3.0, 9.0


class DeploymentController:
    """The controller of the Deployment web, which begins with the image app:v1."""

    def __init__(
        self,
        cluster: SimulatedCluster,
        *,
        replicas: int = 3,
        surge: int | str = 1,
        unavailable: int | str = 0,
        strategy: str = "RollingUpdate",
        deadline_s: int = 600,
        history_limit: int = 10,
        defect: str | None = None,
    ) -> None:
        assert defect is None or defect in DEFECTS
        self.cluster, self.defect = cluster, defect
        self.offence: tuple[int, str] | None = None
        self.web = deployment(
            replicas=replicas,
            surge=surge,
            unavailable=unavailable,
            strategy=strategy,
            min_ready_s=cluster.min_ready_s,
        )
        self.web["metadata"] |= {"generation": 1, "annotations": {}}
        self.web["spec"]["progressDeadlineSeconds"] = deadline_s
        self.web["spec"]["revisionHistoryLimit"] = history_limit
        self.progress = Progress(
            cluster,
            self.web,
            early_s=EARLY_S if defect == "reports_too_early" else 0.0,
            late_s=LATE_S if defect == "reports_too_late" else 0.0,
            is_silent=defect == "reports_never",
        )
        self.passed_over: set[str] = set()  # sets that it takes for old whatever their template
        cluster.write("Deployment", self.web, "ADDED")
        cluster.controllers.append(self.sync)

    # what it sees

    @property
    def replicas(self) -> int:
        """How many pods are desired."""
        return int(self.web["spec"]["replicas"])

    @property
    def bounds(self) -> tuple[int, int]:
        """How many pods may be above, and unavailable below, the desired number."""
        rolling = self.web["spec"]["strategy"].get("rollingUpdate")
        if rolling is None or not self.replicas:
            return 0, 0
        surge, unavailable = resolved(rolling["maxSurge"], rolling["maxUnavailable"], self.replicas)
        return surge, min(unavailable, self.replicas)

    def new_set(self) -> Object | None:
        """The oldest ReplicaSet of its template."""
        for name, one in self.cluster.sets.items():
            if image_of(one) == image_of(self.web) and name not in self.passed_over:
                return one
        return None

    def old_sets(self) -> list[Object]:
        """All other ReplicaSets, the oldest first."""
        return [one for one in self.cluster.sets.values() if one is not self.new_set()]

    def is_complete(self) -> bool:
        """Whether its status says so."""
        status = self.web["status"]
        counts = [status.get(f"{name}eplicas", 0) for name in ("r", "updatedR", "availableR")]
        observed = status.get("observedGeneration", 0) >= self.web["metadata"]["generation"]
        return observed and counts == [self.replicas] * 3

    # what it does

    def pass_over(self, target: Object) -> None:
        """An undo goes to that set; with the defect it gets a twin instead."""
        if self.defect == "makes_a_twin_set":
            self.passed_over.add(target["metadata"]["name"])

    def number_a_scale(self) -> None:
        """The number of pods was changed; with the defect that gives a revision."""
        new = self.new_set()
        if new is not None and self._offend("numbers_a_scale", new["metadata"]["name"]):
            new["metadata"]["annotations"][_REVISION] = str(number_of(new) + 1)
            self.cluster.write("ReplicaSet", new)
            self.cluster.settle()

    def sync(self) -> bool:
        """One write towards what is desired; False: there is nothing to do."""
        if self._show_pause() or self._number_new_set():
            return True
        paused = self.web["spec"].get("paused", False)
        if paused or self._is_scaled():
            if self._scale() or (paused and self._clean_up()):
                return True
            return self.progress.show(self._counts(), judged=False)
        recreates = self.web["spec"]["strategy"]["type"] == "Recreate"
        if recreates and any(self._resize(one, 0) for one in self.old_sets()):
            return True
        if not (recreates and self._old_pods_are_there()):
            if self._recreate() if recreates else self._roll():
                return True
            if self.is_complete() and self._clean_up():
                return True
        return self.progress.show(self._counts(), judged=True)

    def _offend(self, defect: str, name: str = "web") -> bool:
        """Whether it has that defect; the first offence is noted."""
        if self.defect != defect:
            return False
        if self.offence is None:
            self.offence = at(self.cluster.second), name
        return True

    def _show_pause(self) -> bool:
        progress, paused = self.progress, self.web["spec"].get("paused", False)
        if progress.reason == EXCEEDED:
            return False
        if paused != (progress.reason == "DeploymentPaused"):
            progress.say("Unknown", "DeploymentPaused" if paused else "DeploymentResumed")
        elif paused and self.defect == "reports_while_paused" and progress.waited_s > EARLY_S:
            self._offend("reports_while_paused")
            progress.say("False", EXCEEDED)
        else:
            return False
        self.cluster.write("Deployment", self.web)
        return True

    def _number_new_set(self) -> bool:
        new = self.new_set()
        if new is None:
            return False
        notes, name = new["metadata"]["annotations"], new["metadata"]["name"]
        highest = max((number_of(one) for one in self.old_sets()), default=0)
        if number_of(new) <= highest:
            if not self._offend("forgets_the_number_before", name):
                former = [notes[_FORMER]] if _FORMER in notes else []
                notes[_FORMER] = ",".join([*former, notes[_REVISION]])
            notes[_REVISION] = str(highest + 1)
            self.cluster.write("ReplicaSet", new)
            return True
        if self.web["metadata"]["annotations"].get(_REVISION) != notes[_REVISION]:
            self.web["metadata"]["annotations"][_REVISION] = notes[_REVISION]
            self.cluster.write("Deployment", self.web)
            return True
        return False

    def _is_scaled(self) -> bool:
        active = [one for one in self.cluster.sets.values() if one["spec"]["replicas"]]
        return any(one["metadata"]["annotations"][_DESIRED] != str(self.replicas) for one in active)

    def _scale(self) -> bool:
        """Share a changed number out; one set gets all, several get their parts."""
        new = self.new_set()
        active = [one for one in self.cluster.sets.values() if one["spec"]["replicas"]]
        if len(active) <= 1:
            newest = [*self.old_sets()[-1:], *([] if new is None else [new])]
            targets = active or newest[-1:]
            return any(self._resize(target, self.replicas) for target in targets)
        if new is not None and self._is_saturated(new):
            return any(self._resize(one, 0) for one in active if one is not new)
        if self.web["spec"]["strategy"]["type"] == "Recreate":
            return False
        allowed = self.replicas + self.bounds[0] if self.replicas else 0
        to_add = allowed - sum(one["spec"]["replicas"] for one in active)
        active.sort(key=lambda one: -one["spec"]["replicas"])
        sizes, added = [], 0
        for one in active:
            part = self._part(one, to_add, to_add - added)
            added += part
            sizes.append(one["spec"]["replicas"] + part)
        sizes[0] = max(0, sizes[0] + to_add - added)
        if sizes[0] > 2 and self._offend("shares_unevenly", active[0]["metadata"]["name"]):
            sizes[0] -= 2
            sizes[1] += 2
        is_changed = False
        for one, size in zip(active, sizes, strict=True):
            is_changed |= self._resize(one, size, always=True)
        return is_changed

    def _part(self, one: Object, to_add: int, left: int) -> int:
        if not to_add or not left:
            return 0
        size: int = one["spec"]["replicas"]
        if not self.replicas:
            return -size
        most = int(one["metadata"]["annotations"][_MOST])
        share = math.floor(size * (self.replicas + self.bounds[0]) / most + 0.5) - size
        return min(share, left) if to_add > 0 else max(share, left)

    def _is_saturated(self, new: Object) -> bool:
        desired = new["metadata"]["annotations"][_DESIRED]
        counts = new["spec"]["replicas"], int(desired), new["status"].get("availableReplicas", 0)
        return counts == (self.replicas,) * 3

    def _resize(self, one: Object, size: int, *, always: bool = False) -> bool:
        notes = {_DESIRED: str(self.replicas), _MOST: str(self.replicas + self.bounds[0])}
        grows = one["spec"]["replicas"] != size
        if not grows and not (always and notes.items() - one["metadata"]["annotations"].items()):
            return False
        one["metadata"]["annotations"] |= notes
        if grows:
            one["spec"]["replicas"] = size
            one["metadata"]["generation"] += 1
        self.cluster.write("ReplicaSet", one)
        return True

    def _roll(self) -> bool:
        new = self.new_set()
        total = sum(one["spec"]["replicas"] for one in self.cluster.sets.values())
        most = self.replicas + self.bounds[0]
        if new is None:
            begin = min(max(0, most - total), self.replicas)
            if begin < self.replicas and total and self._offend("surges_one_too_many"):
                begin += 1
            return self._create_set(begin)
        size: int = new["spec"]["replicas"]
        if size > self.replicas:
            return self._resize(new, self.replicas)
        room = min(most - total, self.replicas - size)
        if room > 0:
            return self._resize(new, size + room)
        return self._shrink_old(new, total)

    def _shrink_old(self, new: Object, total: int) -> bool:
        old = [one for one in self.old_sets() if one["spec"]["replicas"]]
        needed = self.replicas - self.bounds[1]
        unavailable = new["spec"]["replicas"] - new["status"].get("availableReplicas", 0)
        room = total - needed - unavailable
        if not old or room <= 0:
            return False
        shrunk = False
        for one in old:  # first those that are no use
            idle = one["spec"]["replicas"] - one["status"].get("availableReplicas", 0)
            taken = min(room, max(0, idle))
            room -= taken
            shrunk |= bool(taken) and self._resize(one, one["spec"]["replicas"] - taken)
        available = sum(
            one["status"].get("availableReplicas", 0) for one in self.cluster.sets.values()
        )
        spare = available - needed
        if spare > 0 and self.defect == "takes_one_too_many" and needed:
            self._offend("takes_one_too_many")
            spare += 1
        for one in old:
            taken = min(spare, one["spec"]["replicas"])
            if taken > 0:
                spare -= taken
                shrunk |= self._resize(one, one["spec"]["replicas"] - taken)
        self._leave_one(old)
        return shrunk

    def _leave_one(self, old: list[Object]) -> None:
        """Make the ReplicaSet controller overlook a pod of a set that has to be empty."""
        for one in old:
            mine = self.cluster.pods_of(one["metadata"]["name"])
            if not one["spec"]["replicas"] and mine and self.offence is None:
                name = mine[0]["metadata"]["name"]
                if self._offend("leaves_an_old_pod", name):
                    self.cluster.overlooked.add(name)

    def _old_pods_are_there(self) -> bool:
        names = {one["metadata"]["name"] for one in self.old_sets()}
        pods = [
            each
            for each in self.cluster.pods.values()
            if each["metadata"]["ownerReferences"][0]["name"] in names
        ]
        counted = any(one["status"].get("replicas", 0) for one in self.old_sets())
        return (bool(pods) or counted) and not self._offend("creates_beside_old_pods")

    def _recreate(self) -> bool:
        new = self.new_set()
        if new is None:
            return self._create_set(self.replicas)
        return self._resize(new, self.replicas)

    def _create_set(self, size: int) -> bool:
        highest = max((number_of(one) for one in self.old_sets()), default=0)
        skips = self.defect == "skips_a_number" and highest > 0
        number = str(highest + 1 + skips)
        most = str(self.replicas + self.bounds[0])
        notes = {_REVISION: number, _DESIRED: str(self.replicas), _MOST: most}
        moment = self.cluster.second
        made = self.cluster.create_set(image_of(self.web), size, notes)["metadata"]["name"]
        is_twin = self.defect == "makes_a_twin_set" and bool(self.passed_over)
        if (skips or is_twin) and self.offence is None:
            self.offence = at(moment), made
        self.web["metadata"]["annotations"][_REVISION] = number
        self.progress.say("True", "NewReplicaSetCreated")
        self.cluster.write("Deployment", self.web)
        return True

    def _clean_up(self) -> bool:
        """Delete old sets above the limit, those with the lowest numbers first."""
        old = sorted(self.old_sets(), key=number_of)
        surplus = len(old) - int(self.web["spec"]["revisionHistoryLimit"])
        names = [one["metadata"]["name"] for one in old]
        if surplus == 0 and old and self._offend("drops_sets_too_soon", names[0]):
            surplus = 1
        if surplus <= 0:
            return False
        if self.defect == "drops_the_newest_set" and self._offend(self.defect, names[-1]):
            old.reverse()
        if self._offend("keeps_too_many_sets", names[0]):
            return False
        for one in old[:surplus]:
            counts = one["spec"]["replicas"], one["status"].get("replicas", 0)
            seen = one["status"].get("observedGeneration", 0) == one["metadata"]["generation"]
            if counts == (0, 0) and seen:
                self.cluster.delete_set(one["metadata"]["name"])
                return True
        return False

    def _counts(self) -> Object:
        new, sets = self.new_set(), self.cluster.sets.values()
        updated = 0 if new is None else new["status"].get("replicas", 0)
        return {
            "observedGeneration": self.web["metadata"]["generation"],
            "replicas": sum(one["status"].get("replicas", 0) for one in sets),
            "updatedReplicas": updated,
            "readyReplicas": sum(one["status"].get("readyReplicas", 0) for one in sets),
            "availableReplicas": sum(one["status"].get("availableReplicas", 0) for one in sets),
        }


def number_of(one: Object) -> int:
    """The revision number of a ReplicaSet."""
    return int(one["metadata"]["annotations"][_REVISION])
