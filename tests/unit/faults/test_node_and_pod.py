"""Faults of nodes and pods as data: what they refuse, and what names a container."""

from typing import Any

import pytest

from chaoskit.errors import UsageError
from chaoskit.faults import (
    ComponentKilled,
    ComponentStopped,
    ContainerFrozen,
    ContainerSignalled,
    CpuStressed,
    DiskFilled,
    MemoryStressed,
)
from chaoskit.faults.catalogue import fault_of, parameters_of
from chaoskit.faults.fault import Reach

_ID = "b" * 64


class _Pod:
    """A pod's object, as the API gives it."""

    def __init__(self, *containers: str, state: str = "running") -> None:
        self._containers = containers
        self._state = state

    def read(self) -> dict[str, Any]:
        statuses = [
            {"name": name, "containerID": f"containerd://{_ID}", "state": {self._state: {}}}
            for name in self._containers
        ]
        return {
            "metadata": {"name": "kv-1", "namespace": "shop", "uid": "u-1"},
            "spec": {"nodeName": "agent-0"},
            "status": {"containerStatuses": statuses},
        }


@pytest.mark.parametrize(
    "kind, arguments, said",
    [
        (ComponentStopped, ("n", "kubelot"), "kubelot: no such component\n.*kubelet"),
        (ComponentKilled, ("n", "kubelet", 0.01), "every_s is from 0.1 to 60"),
        (ComponentKilled, ("n", "kubelet", float("nan")), "every_s is from 0.1 to 60"),
        (CpuStressed, ("n", 0), "workers from 1"),
        (CpuStressed, ("n", 1, 1.5), "share above 0 and at most 1"),
        (MemoryStressed, ("n", 0), "megabytes from 1"),
        (DiskFilled, ("n", "data"), "the path is absolute"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(
    kind: type[Any], arguments: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        kind(*arguments)


def test_a_container_is_named_by_all_that_tells_it_from_its_successor() -> None:
    fault = ContainerSignalled.of(_Pod("app"), signal="SIGTERM")
    assert parameters_of(fault) == {
        "node": "agent-0",
        "namespace": "shop",
        "pod": "kv-1",
        "pod_uid": "u-1",
        "container": "app",
        "container_id": _ID,
        "signal": "SIGTERM",
    }
    assert fault_of("container_signalled", parameters_of(fault)) == fault
    assert fault.target == "app of shop/kv-1"
    assert fault.reach == Reach(namespaces=frozenset({"shop"}))


@pytest.mark.parametrize(
    "pod, container",
    [
        (_Pod("app", "side"), None),
        (_Pod("app"), "side"),
        (_Pod(), None),
        (_Pod("app", state="waiting"), "app"),
    ],
)
def test_what_is_no_running_container_is_refused(pod: _Pod, container: str | None) -> None:
    with pytest.raises(UsageError, match="is no running container of this pod"):
        ContainerFrozen.of(pod, container)


def test_signals_that_do_not_end_a_process_are_refused() -> None:
    with pytest.raises(UsageError, match="container_frozen stops one"):
        ContainerSignalled.of(_Pod("app"), signal="SIGSTOP")


def test_only_etcd_and_its_server_take_the_api_away() -> None:
    taken = {
        name: ComponentStopped("n", name).reach.control_plane
        for name in ("etcd", "kube-apiserver", "kube-scheduler", "kubelet")
    }
    assert taken == {
        "etcd": True,
        "kube-apiserver": True,
        "kube-scheduler": False,
        "kubelet": False,
    }


def test_an_empty_dir_is_found_by_its_pod() -> None:
    fault = DiskFilled.of(_Pod("app"), "scratch")
    assert fault.node == "agent-0"
    assert fault.path == "/var/lib/kubelet/pods/u-1/volumes/kubernetes.io~empty-dir/scratch"
