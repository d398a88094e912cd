"""How a simulated Deployment controller reports progress, and the lack of it.

As the rules of Kubernetes 1.36 have it (read in pkg/controller/deployment/progress.go).
"""

import math

from tests.corpus.objects import Object
from tests.corpus.simulated_cluster import SimulatedCluster
from tests.corpus.story import stamp

EXCEEDED = "ProgressDeadlineExceeded"
COMPLETE = "NewReplicaSetAvailable"


class Progress:
    """The condition Progressing of a Deployment. `early_s` and `late_s`: by which its reports are.

    `is_silent`: it never reports a passed deadline.
    """

    def __init__(
        self,
        cluster: SimulatedCluster,
        web: Object,
        *,
        early_s: float = 0.0,
        late_s: float = 0.0,
        is_silent: bool = False,
    ) -> None:
        self.cluster, self.web = cluster, web
        self.early_s, self.late_s, self.is_silent = early_s, late_s, is_silent
        self.updated_s = 0
        web["status"] = {"conditions": []}

    @property
    def reason(self) -> str | None:
        """The reason in the condition; None without one."""
        conditions = self.web["status"]["conditions"]
        return str(conditions[0]["reason"]) if conditions else None

    @property
    def waited_s(self) -> float:
        """Since when the condition is as it is, in the whole seconds of its time."""
        return self.cluster.second - self.updated_s

    def say(self, status: str, reason: str, *, anew: bool = False) -> None:
        """Set the condition, unless it says so already; `anew`: set its time all the same."""
        if self.reason == reason and not anew:
            return
        self.updated_s = math.floor(self.cluster.second)
        moment = stamp(self.cluster.second)
        self.web["status"]["conditions"] = [
            {"type": "Progressing", "status": status, "reason": reason, "lastUpdateTime": moment}
        ]
        deadline_s = self.web["spec"]["progressDeadlineSeconds"] - self.early_s + self.late_s
        self.cluster.at(self.updated_s + deadline_s + self.cluster.random.uniform(1.0, 2.0))

    def show(self, counts: Object, *, judged: bool) -> bool:
        """Write the status with these numbers; `judged`: see whether there is progress."""
        before = self.web["status"]
        conditions = list(before["conditions"])
        self.web["status"] = {**counts, "conditions": conditions}
        if judged:
            self._judge(before)
        if self.web["status"] == before:
            return False
        self.cluster.write("Deployment", self.web)
        return True

    def _judge(self, before: Object) -> None:
        now = self.web["status"]
        desired = self.web["spec"]["replicas"]
        if self.reason == COMPLETE and now["replicas"] == now["updatedReplicas"]:
            return
        if now["replicas"] == now["updatedReplicas"] == now["availableReplicas"] == desired:
            self.say("True", COMPLETE)
        elif _has_progressed(before, now):
            self.say("True", "ReplicaSetUpdated", anew=True)
        elif self.reason not in (None, COMPLETE, EXCEEDED) and not self.is_silent:
            deadline_s = self.web["spec"]["progressDeadlineSeconds"]
            if self.updated_s + deadline_s - self.early_s + self.late_s < self.cluster.second:
                self.say("False", EXCEEDED)


def _has_progressed(before: Object, now: Object) -> bool:
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    return bool(
        now["updatedReplicas"] > before.get("updatedReplicas", 0)
        or now["replicas"] - now["updatedReplicas"] < old_before
        or now["readyReplicas"] > before.get("readyReplicas", 0)
        or now["availableReplicas"] > before.get("availableReplicas", 0)
    )
