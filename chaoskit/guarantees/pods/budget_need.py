"""How many healthy pods a disruption budget asks for, as the disruption controller computes it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chaoskit.guarantees.objects.bounds import Bound, resolved
from chaoskit.guarantees.objects.watched import Object, owner
from chaoskit.history.events import Watched


@dataclass
class BudgetNeed:
    """The controllers' replicas, change by change.

    The replicas of all controllers of the budget's pods together are the base of percentages and
    of maxUnavailable; Kubernetes 1.36: getExpectedPodCount in the disruption controller.
    """

    replicas: dict[str, int] = field(default_factory=dict)  # of each controller, by uid
    deployments: dict[str, str] = field(default_factory=dict)  # of ReplicaSets that have one
    kinds: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # the uids that a result rests on
    changed_ns: int = 0  # when the base last changed

    def apply(self, event: Watched) -> None:
        """Take in the next change of a Deployment, ReplicaSet or StatefulSet."""
        if event.change == "DELETED":
            return  # its pods follow; until then it counts as it did
        self.kinds[event.uid] = event.kind
        if event.kind == "ReplicaSet":
            of_deployment = owner(event.object, "Deployment")
            if of_deployment is not None:
                self.deployments[event.uid] = str(of_deployment.get("uid"))
        replicas = int(event.object["spec"].get("replicas", 1))
        if self.replicas.get(event.uid) != replicas:
            self.replicas[event.uid] = replicas
            self.changed_ns = event.time_ns

    def of(self, budget: Object, pods: Iterable[Watched], *, since_ns: int) -> int | None:
        """desiredHealthy for these pods; None when a controller is not on record.

        Where the replicas changed after `since_ns`, the budget's own status may still be that of
        before: the smaller number counts. Raises `RecordError` for a malformed bound.
        """
        spec = budget["spec"]
        at_least, at_most_gone = spec.get("minAvailable"), spec.get("maxUnavailable")
        stated = (budget.get("status") or {}).get("desiredHealthy")
        if at_most_gone is None and at_least is None:
            return 0
        if at_most_gone is None and isinstance(at_least, int):
            return at_least
        expected = self._expected(pods)
        if expected is None:
            return None if stated is None else int(stated)
        if at_most_gone is not None:
            needed = max(0, expected - _rounded_up(at_most_gone, expected))
        else:
            needed = _rounded_up(at_least, expected)
        if self.changed_ns > since_ns and stated is not None:
            return min(needed, int(stated))
        return needed

    def _expected(self, pods: Iterable[Watched]) -> int | None:
        controllers = set()
        for pod in pods:
            for reference in pod.object["metadata"].get("ownerReferences") or []:
                if reference.get("controller"):
                    uid = str(reference.get("uid"))
                    self.used.add(uid)
                    controllers.add(self.deployments.get(uid, uid))
        if not controllers <= self.replicas.keys():
            return None
        self.used |= controllers
        return sum(self.replicas[uid] for uid in controllers)


def _rounded_up(bound: Bound, base: int) -> int:
    return resolved(bound, 1, base)[0]
