"""How far a rollout is, judged as `kubectl rollout status` does (kubectl 0.36)."""

from dataclasses import dataclass

from chaoskit.kube.kinds import Object

PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


@dataclass(frozen=True, kw_only=True)
class RolloutStatus:
    """`failed` is a reason why it does not go on by itself; None while it may."""

    complete: bool
    text: str
    failed: str | None = None


def condition(item: Object, kind: str) -> Object | None:
    """The condition of that type in an object's status."""
    for found in item.get("status", {}).get("conditions", []):
        if found["type"] == kind:
            result: Object = found
            return result
    return None


def is_observed(item: Object) -> bool:
    """Whether the controller has seen the present spec; before that its status says nothing."""
    observed: int = item.get("status", {}).get("observedGeneration", 0)
    generation: int = item["metadata"]["generation"]
    return observed >= generation


def of_deployment(item: Object) -> RolloutStatus:
    """Complete: all replicas updated, none old, all available."""
    if not is_observed(item):
        return RolloutStatus(complete=False, text="waiting for the spec update to be observed")
    status = item["status"]
    progressing = condition(item, "Progressing")
    if progressing is not None and progressing.get("reason") == PROGRESS_DEADLINE_EXCEEDED:
        reason = f"exceeded its progress deadline: {progressing.get('message', '')}"
        return RolloutStatus(complete=False, text=reason, failed=reason)
    wanted, updated = item["spec"]["replicas"], status.get("updatedReplicas", 0)
    if updated < wanted:
        text = f"{updated} out of {wanted} new replicas have been updated"
        return RolloutStatus(complete=False, text=text)
    if (old := status.get("replicas", 0) - updated) > 0:
        return RolloutStatus(complete=False, text=f"{old} old replicas are pending termination")
    available = status.get("availableReplicas", 0)
    if available < updated:
        text = f"{available} of {updated} updated replicas are available"
        return RolloutStatus(complete=False, text=text)
    return RolloutStatus(complete=True, text="successfully rolled out")


def of_stateful_set(item: Object) -> RolloutStatus:
    """Complete: all ready, and all at or above the partition at the update revision.

    Without a partition the controller must have closed the update too (current = update
    revision), which kubectl does not wait for where the API filled in partition 0.
    """
    strategy = item["spec"].get("updateStrategy", {})
    if strategy.get("type") != "RollingUpdate":
        reason = "rollout status is only available for RollingUpdate strategy type"
        return RolloutStatus(complete=False, text=reason, failed=reason)
    if not is_observed(item):
        return RolloutStatus(complete=False, text="waiting for the spec update to be observed")
    status, wanted = item["status"], item["spec"]["replicas"]
    if (missing := wanted - status.get("readyReplicas", 0)) > 0:
        return RolloutStatus(complete=False, text=f"waiting for {missing} pods to be ready")
    updated = status.get("updatedReplicas", 0)
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    if partition:
        due = wanted - partition
        text = f"{updated} out of {due} new pods have been updated"
        return RolloutStatus(complete=updated >= due, text=text)
    if status.get("updateRevision") != status.get("currentRevision"):
        text = f"{updated} pods at revision {status.get('updateRevision')}"
        return RolloutStatus(complete=False, text=text)
    text = f"complete: {wanted} pods at revision {status.get('currentRevision')}"
    return RolloutStatus(complete=True, text=text)


def of_daemon_set(item: Object) -> RolloutStatus:
    """Complete: every node that is to have a pod has an updated one, and it is available."""
    strategy = item["spec"].get("updateStrategy", {})
    if strategy.get("type") != "RollingUpdate":
        reason = "rollout status is only available for RollingUpdate strategy type"
        return RolloutStatus(complete=False, text=reason, failed=reason)
    if not is_observed(item):
        return RolloutStatus(complete=False, text="waiting for the spec update to be observed")
    status = item["status"]
    wanted = status.get("desiredNumberScheduled", 0)
    updated = status.get("updatedNumberScheduled", 0)
    if updated < wanted:
        text = f"{updated} out of {wanted} new pods have been updated"
        return RolloutStatus(complete=False, text=text)
    available = status.get("numberAvailable", 0)
    if available < wanted:
        text = f"{available} of {wanted} updated pods are available"
        return RolloutStatus(complete=False, text=text)
    return RolloutStatus(complete=True, text="successfully rolled out")
