"""Faults through the API, as far as they are pure: patience, tolerations, what a node lacks."""

from collections.abc import Iterator

import pytest

from chaoskit.errors import UsageError, WaitTimeout
from chaoskit.faults import FinalizerStuck, QuotaLowered
from chaoskit.faults._notes import Note
from chaoskit.faults._objects import mark_of, mend
from chaoskit.faults.catalogue import fault_of, parameters_of
from chaoskit.faults.node._registration import _what_lacks, kept_of
from chaoskit.faults.node._taints import NodeTaint
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import Call, Conflict, NotFound, Refused, Transient

_CALL = Call("patch", "Node", None, "n1")


def refused(kind: type[Refused], status: int) -> Refused:
    return kind(_CALL, status=status, reason="Because", message="of that")


def steps(*each: str | Refused) -> Iterator[str | Refused]:
    yield from each
    while True:
        yield each[-1]


def test_mending_goes_on_through_what_can_pass() -> None:
    planned = steps(
        refused(Transient, 503), refused(Conflict, 409), refused(NotFound, 404), "not yet", ""
    )
    taken: list[str] = []

    def step() -> str:
        answer = next(planned)
        if isinstance(answer, Refused):
            raise answer
        taken.append(answer)
        return answer

    mend(step, what="it to be mended", timeout_s=10)
    assert taken == ["not yet", ""]


def test_mending_ends_with_what_is_missing() -> None:
    with pytest.raises(WaitTimeout, match=r"waited for it to be mended.*\n.*two of three pods"):
        mend(lambda: "two of three pods", what="it to be mended", timeout_s=0.3)


def test_mending_passes_on_what_is_refused_for_good() -> None:
    def step() -> str:
        raise refused(Refused, 403)

    with pytest.raises(Refused, match="403"):
        mend(step, what="it to be mended", timeout_s=10)


def test_marks_and_notes_have_names_that_kubernetes_takes() -> None:
    long = "a.very.long.example.org/" + "x" * 63
    name = mark_of("node_out_of_service", long, "NoExecute").split("/")[1]
    assert len(name) <= 63
    assert mark_of("node_tainted", "a", "bc") != mark_of("node_tainted", "ab", "c")
    assert Note("shop", "pod_deleted", "Pod shop/a").name != Note("shop", "pod_deleted", "b").name
    assert "_" not in Note("shop", "pod_deleted", "Pod shop/a").name


@pytest.mark.parametrize(
    "toleration, tolerates",
    [
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoSchedule"}, False),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "value": "v", "effect": "NoExecute"}, True),
        ({"key": "k", "operator": "Equal", "value": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "value": "v", "tolerationSeconds": 20}, True),
    ],
)
def test_tolerations_are_read_as_kubernetes_does(toleration: Object, tolerates: bool) -> None:
    taint = NodeTaint("node_tainted", "n1", "k", "v", "NoExecute")
    assert taint._is_tolerated({"spec": {"tolerations": [toleration]}}) is tolerates
    assert not taint._is_tolerated({"spec": {}})


def test_what_a_node_lacks_is_added_and_nothing_else_changed() -> None:
    ours = {"key": "a", "value": "1", "effect": "NoSchedule"}
    by_controller = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
    before: Object = {
        "metadata": {"uid": "u1", "labels": {"rack": "r1", "zone": "z1"}},
        "spec": {"podCIDR": "10.0.1.0/24", "taints": [ours, by_controller], "unschedulable": True},
    }
    kept = kept_of(before)
    assert kept["spec"]["taints"] == [ours]
    changed = {"key": "a", "value": "2", "effect": "NoSchedule"}
    now: Object = {
        "metadata": {"uid": "u2", "labels": {"zone": "z2"}},
        "spec": {"podCIDR": "10.0.1.0/24", "taints": [changed], "unschedulable": True},
    }
    assert _what_lacks(now, kept) == {
        "metadata": {"labels": {"rack": "r1"}, "annotations": {}},
        "spec": {},
    }
    assert _what_lacks({**before, "metadata": {**before["metadata"]}}, kept) is None


def test_parameters_are_checked_and_come_back() -> None:
    with pytest.raises(UsageError, match="no value to lower"):
        QuotaLowered("shop", {})
    with pytest.raises(UsageError, match="in no namespace"):
        FinalizerStuck("shop", "n1", kind="Node")
    with pytest.raises(UsageError, match="do not fit"):
        fault_of("node_tainted", {"node": "n1", "effect": "Never"})
    quota = QuotaLowered("shop", {"pods": "3"}, quota="limits")
    assert fault_of("quota_lowered", parameters_of(quota)) == quota
