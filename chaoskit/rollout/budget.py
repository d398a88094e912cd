"""What a disruption budget asks for, in pods. Pure."""

from chaoskit.errors import UsageError
from chaoskit.guarantees.objects.bounds import Bound
from chaoskit.kube.kinds import Object
from chaoskit.rollout.facts import WorkloadFacts


def desired_healthy(budget: Object, replicas: int) -> int:
    """How many of `replicas` a budget wants healthy; percentages are rounded up.

    Source: pkg/controller/disruption of Kubernetes 1.36. Raises `UsageError` for no bound.
    """
    spec = budget.get("spec") or {}
    if spec.get("minAvailable") is not None:
        return _pods(budget, spec["minAvailable"], replicas)
    unavailable = spec.get("maxUnavailable")
    return max(0, replicas - _pods(budget, 1 if unavailable is None else unavailable, replicas))


def floor_of(facts: WorkloadFacts) -> int | None:
    """How many available pods an update leaves; None where nothing is updated by itself."""
    return None if facts.strategy == "OnDelete" else facts.always_available


def _pods(budget: Object, bound: Bound, replicas: int) -> int:
    if isinstance(bound, int):
        return bound
    percent = bound.removesuffix("%")
    if not percent.isdigit():
        raise UsageError(
            "is neither a number nor a percentage",
            subject=f"PodDisruptionBudget {budget['metadata']['name']}",
            seen=bound,
        )
    return -(-int(percent) * replicas // 100)
