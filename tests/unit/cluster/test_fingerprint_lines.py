"""What counts as a trace of a fault, and what comes and goes with pods."""

from typing import Any

import pytest

from chaoskit.cluster.fingerprint import _marks, difference

_LINKS = "node one: links"


def test_the_pods_bridge_comes_and_goes_with_pods_and_is_a_trace_when_it_is_down() -> None:
    up, down = {_LINKS: ("cni0 up mtu 1500",)}, {_LINKS: ("cni0 down mtu 1500",)}
    assert difference(up, {_LINKS: ()}) == []
    assert difference({_LINKS: ()}, up) == []
    assert difference(up, down) == [f"{_LINKS}: + cni0 down mtu 1500"]


@pytest.mark.parametrize(
    "line",
    [
        "veth9ae9236e of a pod is down",
        "one Ready=Unknown",
        "one DiskPressure=True",
        "one taint node.kubernetes.io/unreachable=:NoExecute",
    ],
)
def test_what_was_amiss_for_a_moment_before_is_a_trace_only_when_it_comes(line: str) -> None:
    assert difference({"node one: links": (line,)}, {}) == []
    assert difference({}, {"node one: links": (line,)}) == [f"node one: links: + {line}"]


def test_anything_else_that_comes_or_goes_is_a_trace() -> None:
    assert difference({_LINKS: ("eth0 up",)}, {}) == [f"{_LINKS}: - eth0 up"]
    assert difference({"nodes": ("one taint own=:NoSchedule",)}, {}) == [
        "nodes: - one taint own=:NoSchedule"
    ]
    assert difference({}, {"objects": ("Pod a finalizer chaoskit.dev/stuck",)}) == [
        "objects: + Pod a finalizer chaoskit.dev/stuck"
    ]


def test_labels_of_a_template_are_nobodys_trace_but_finalizers_and_annotations_are() -> None:
    meta: dict[str, Any] = {
        "name": "web-1",
        "labels": {"app.kubernetes.io/managed-by": "chaoskit"},
        "annotations": {"chaoskit.dev/was": "x"},
        "finalizers": ["chaoskit.dev/stuck"],
    }
    own = list(_marks({"metadata": meta}))
    made = list(_marks({"metadata": {**meta, "ownerReferences": [{"uid": "1"}]}}))
    assert own == ["label app.kubernetes.io/managed-by", *made]
    assert made == ["annotation chaoskit.dev/was", "finalizer chaoskit.dev/stuck"]
