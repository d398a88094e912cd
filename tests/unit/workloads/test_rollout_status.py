"""How far a rollout is, on given objects."""

import copy

import pytest

from chaoskit.kube.kinds import Object
from chaoskit.workloads import rollout_status

COMPLETE: Object = {
    "metadata": {"generation": 2},
    "spec": {"replicas": 3},
    "status": {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 3,
        "availableReplicas": 3,
        "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSet"}],
    },
}

COMPLETE_SET: Object = {
    "metadata": {"generation": 2},
    "spec": {
        "replicas": 3,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    },
    "status": {
        "observedGeneration": 2,
        "readyReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "kv-2",
        "updateRevision": "kv-2",
    },
}


def with_status(item: Object, **status: object) -> Object:
    changed = copy.deepcopy(item)
    changed["status"].update(status)
    return changed


def test_a_complete_deployment() -> None:
    assert rollout_status.of_deployment(COMPLETE).complete


@pytest.mark.parametrize(
    "status, text",
    [
        ({"observedGeneration": 1}, "to be observed"),
        ({"updatedReplicas": 1}, "1 out of 3 new replicas"),
        ({"replicas": 4}, "1 old replicas are pending termination"),
        ({"availableReplicas": 2}, "2 of 3 updated replicas are available"),
    ],
)
def test_an_incomplete_deployment(status: Object, text: str) -> None:
    found = rollout_status.of_deployment(with_status(COMPLETE, **status))
    assert not found.complete
    assert text in found.text
    assert found.failed is None


def test_an_exceeded_progress_deadline_is_a_failure_once_it_is_this_generations() -> None:
    exceeded = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    stuck = with_status(COMPLETE, updatedReplicas=1, conditions=[exceeded])
    assert "progress deadline" in (rollout_status.of_deployment(stuck).failed or "")
    stuck["metadata"]["generation"] = 3
    assert rollout_status.of_deployment(stuck).failed is None


def test_a_deployment_without_status_is_not_complete() -> None:
    fresh = {"metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": {}}
    assert not rollout_status.of_deployment(fresh).complete


def test_a_complete_stateful_set() -> None:
    assert rollout_status.of_stateful_set(COMPLETE_SET).complete


@pytest.mark.parametrize(
    "status, text",
    [
        ({"observedGeneration": 1}, "to be observed"),
        ({"readyReplicas": 2}, "1 pods to be ready"),
        ({"currentRevision": "kv-1", "updatedReplicas": 2}, "2 pods at revision kv-2"),
    ],
)
def test_an_incomplete_stateful_set(status: Object, text: str) -> None:
    found = rollout_status.of_stateful_set(with_status(COMPLETE_SET, **status))
    assert not found.complete
    assert text in found.text


def test_a_partition_is_complete_when_those_above_it_are_updated() -> None:
    canary = with_status(COMPLETE_SET, currentRevision="kv-1", updatedReplicas=1)
    canary["spec"]["updateStrategy"]["rollingUpdate"] = {"partition": 2}
    assert rollout_status.of_stateful_set(canary).complete
    canary["spec"]["updateStrategy"]["rollingUpdate"] = {"partition": 1}
    assert not rollout_status.of_stateful_set(canary).complete


def test_on_delete_has_no_rollout_to_wait_for() -> None:
    by_hand = copy.deepcopy(COMPLETE_SET)
    by_hand["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert rollout_status.of_stateful_set(by_hand).failed
