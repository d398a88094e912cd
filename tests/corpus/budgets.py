"""Disruption budgets of hand-made and simulated histories, and evictions that ask them.

As Kubernetes 1.36 has it (read in pkg/controller/disruption and in the pod's eviction storage).
"""

import math
from typing import Any

from chaoskit.history.events import StepMark
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.objects import Object
from tests.corpus.story import NAMESPACE, stamp
from tests.corpus.times import at

KINDS = ("PodDisruptionBudget", "Pod", "Deployment", "ReplicaSet", "StatefulSet")

#: What a defective API server does that a sound one does not.
DEFECTS = ("asks_no_budget", "forgets_approvals")


def budget(
    name: str = "web",
    *,
    desired: int = 2,
    disrupted: tuple[str, ...] = (),
    selector: Object | None = None,
    **spec: Any,
) -> Object:
    """A budget of the pods labelled app=web; `spec` is minAvailable=…, maxUnavailable=…."""
    labels = {"matchLabels": {"app": "web"}} if selector is None else selector
    return {
        "metadata": {
            "uid": f"uid-budget-{name}",
            "name": name,
            "namespace": NAMESPACE,
            "generation": 1,
        },
        "spec": {"selector": labels, **spec},
        "status": {
            "observedGeneration": 1,
            "desiredHealthy": desired,
            "disruptedPods": {pod: stamp(0) for pod in disrupted},
        },
    }


def evicted(pod: Object, reason: str = "EvictionByEvictionAPI") -> Object:
    """The same pod, marked as the target of a disruption."""
    mark = {"type": "DisruptionTarget", "status": "True", "reason": reason}
    status = {**pod["status"], "conditions": [*pod["status"]["conditions"], mark]}
    return {**pod, "status": status}


class Evictions:
    """The budget web over a simulated Deployment, and the API server's eviction.

    `lag_s`: how long the disruption controller may take to count.
    """

    def __init__(
        self,
        run: DeploymentRun,
        *,
        lag_s: float = 0.0,
        policy: str | None = None,
        defect: str | None = None,
        **spec: Any,
    ) -> None:
        assert defect is None or defect in DEFECTS
        self.run, self.lag_s, self.defect = run, lag_s, defect
        self.offence: tuple[int, str] | None = None
        self.cluster = run.cluster
        if policy is not None:
            spec["unhealthyPodEvictionPolicy"] = policy
        self.budget = budget(desired=0, **spec)
        self.budget["status"] |= {"disruptionsAllowed": 0, "currentHealthy": 0}
        self._counted_s = -math.inf
        self._steps = 0
        self.cluster.story.watching("PodDisruptionBudget", second=self.cluster.second)
        self.cluster.write("PodDisruptionBudget", self.budget, "ADDED")
        self.cluster.controllers.append(self.count)
        self.cluster.wait(lag_s)

    def count(self) -> bool:
        """The disruption controller writes what it counts, if that is new to it."""
        counted = self._status()
        if counted == self.budget["status"]:
            return False
        if self.cluster.second < self._counted_s + self.lag_s:
            self.cluster.at(self._counted_s + self.lag_s)
            return False
        self._counted_s = self.cluster.second
        self.budget["status"] = counted
        self.cluster.write("PodDisruptionBudget", self.budget)
        return True

    def evict(self, number: int) -> bool:
        """Evict one of the pods, by its number among all; returns whether that was allowed."""
        names = sorted(self.cluster.pods)
        if not names:
            return False
        name = names[number % len(names)]
        self._mark(name, "started")
        self.cluster.second += 0.01
        allowed = self._allows(name)
        if allowed and "deletionTimestamp" not in self.cluster.pods[name]["metadata"]:
            pod = self.cluster.pods[name]
            pod["status"] = evicted(pod)["status"]
            self.cluster.write("Pod", pod)
            self.cluster.delete_pod(name)
        self._mark(name, "done" if allowed else "failed")
        self.cluster.settle()
        return allowed

    def _allows(self, name: str) -> bool:
        pod, status = self.cluster.pods[name], self.budget["status"]
        if "deletionTimestamp" in pod["metadata"]:
            return True
        if self.defect == "asks_no_budget":
            self._note(name)
            return True
        policy = self.budget["spec"].get("unhealthyPodEvictionPolicy")
        is_fine = status["currentHealthy"] >= status["desiredHealthy"] > 0
        if name not in self.cluster.ready_since and (is_fine or policy == "AlwaysAllow"):
            return True
        if status["disruptionsAllowed"] <= 0:
            return False
        if self.defect == "forgets_approvals":
            self._note(name)
            return True
        status["disruptionsAllowed"] -= 1
        status["disruptedPods"][name] = stamp(self.cluster.second)
        self.cluster.write("PodDisruptionBudget", self.budget)
        return True

    def _note(self, name: str) -> None:
        """The first eviction that leaves too few is the offence."""
        ready = self.cluster.ready_since
        if self.offence is None and name in ready and len(ready) <= self._desired():
            self.offence = at(self.cluster.second), name

    def _desired(self) -> int:
        spec, replicas = self.budget["spec"], self.run.controller.replicas
        if "maxUnavailable" in spec:
            return max(0, replicas - _rounded_up(spec["maxUnavailable"], replicas))
        return _rounded_up(spec["minAvailable"], replicas)

    def _status(self) -> Object:
        pods = {
            name: pod
            for name, pod in self.cluster.pods.items()
            if "deletionTimestamp" not in pod["metadata"]
        }
        listed = self.budget["status"]["disruptedPods"]
        disrupted = {name: moment for name, moment in listed.items() if name in pods}
        healthy = sum(name in self.cluster.ready_since for name in pods if name not in disrupted)
        desired = self._desired()
        return {
            "observedGeneration": 1,
            "desiredHealthy": desired,
            "currentHealthy": healthy,
            "disruptionsAllowed": max(0, healthy - desired),
            "disruptedPods": disrupted,
        }

    def _mark(self, name: str, mark: str) -> None:
        assert mark in ("started", "done", "failed")
        self._steps += mark == "started"
        self.cluster.story.events.append(
            StepMark(
                time_ns=at(self.cluster.second),
                step_id=f"evict-{self._steps}",
                name="evict",
                target=f"Pod {name}",
                mark=mark,  # type: ignore[arg-type]
            )
        )


def _rounded_up(bound: int | str, base: int) -> int:
    if isinstance(bound, int):
        return bound
    return math.ceil(int(bound.removesuffix("%")) * base / 100)
