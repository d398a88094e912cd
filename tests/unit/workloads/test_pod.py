"""Reading a pod's state."""

from chaoskit.kube.kinds import Object
from chaoskit.workloads import pod


def item(**changes: Object) -> Object:
    whole: Object = {
        "metadata": {"name": "kv-1", "uid": "u1"},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    return {**whole, **changes}


def test_ready() -> None:
    assert pod.is_ready(item())


def test_a_terminating_pod_is_not_ready_though_its_condition_still_says_so() -> None:
    leaving = item(metadata={"name": "kv-1", "deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert not pod.is_ready(leaving)
    assert "terminating" in pod.describe(leaving)


def test_reasons_come_from_containers_and_conditions() -> None:
    status = {
        "phase": "Pending",
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady"},
            {"type": "PodScheduled", "status": "True"},
        ],
        "initContainerStatuses": [{"state": {"terminated": {"reason": "Error"}}}],
        "containerStatuses": [
            {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
            {"state": {"running": {"startedAt": "…"}}},
        ],
    }
    shown = item(status=status)
    assert pod.reasons_of(shown) == {"ContainersNotReady", "Error", "ImagePullBackOff"}
    assert "ImagePullBackOff" in pod.describe(shown)


def test_what_is_not_there_is_described_too() -> None:
    assert pod.describe(None) == "no such pod"
    assert "no node" in pod.describe(item(spec={}))


def test_restarts_are_those_of_the_container_restarted_least_often() -> None:
    shown = item(status={"containerStatuses": [{"restartCount": 2}, {"restartCount": 1}]})
    assert pod.restarts_of(shown) == 1
    assert "restarted 1 times" in pod.describe(shown)
    assert pod.restarts_of(item()) == 0
