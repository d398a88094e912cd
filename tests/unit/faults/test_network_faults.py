"""Faults of the network as data: what is refused, and what agents are told."""

from collections.abc import Callable
from typing import Any

import pytest

from chaoskit.errors import UsageError
from chaoskit.faults import (
    ApiLatency,
    Bandwidth,
    Duplicate,
    Latency,
    Loss,
    Partition,
    Reorder,
    WatchCut,
)
from chaoskit.faults.catalogue import fault_of, parameters_of
from chaoskit.faults.fault import Fault, Reach
from chaoskit.faults.network import _path
from chaoskit.faults.network._flows import Flow
from chaoskit.faults.pod._probes import probed_ports

ONE, OTHER = ("one",), ("other",)

REFUSED: dict[str, tuple[Callable[[], Fault], str]] = {
    "no source": (lambda: Partition((), OTHER), "sources are not usable"),
    "no destination": (lambda: Partition(ONE, ()), "destinations are not usable"),
    "twice the same": (lambda: Loss(("one", "one"), OTHER, share=0.5), "sources are not usable"),
    "to itself": (lambda: Partition(ONE, ("other", "one")), "source and destination at once"),
    "no port": (lambda: Partition(ONE, OTHER, port=65536), "port 65536: is no port"),
    "from addresses only": (lambda: Partition(("10.0.0.1",), ONE), "could measure"),
    "to addresses without a port": (lambda: Partition(ONE, ("10.0.0.0/8",)), "give the port"),
    "refused by an address": (
        lambda: Partition(ONE, ("10.0.0.1",), port=80, refuse=True),
        "cannot refuse",
    ),
    "nothing lost": (lambda: Loss(ONE, OTHER, share=0.0), "0: is no share"),
    "too little lost": (lambda: Loss(ONE, OTHER, share=0.1, port=80), "give 0.2 to 1"),
    "more than all lost": (lambda: Loss(ONE, OTHER, share=1.1), "give 0.02 to 1"),
    "all held": (lambda: Reorder(ONE, share=1.0), "give 0.01 to 0.9"),
    "no delay": (lambda: Latency(ONE, delay_ms=0.0), "is no delay"),
    "more jitter than delay": (lambda: Latency(ONE, delay_ms=10, jitter_ms=11), "is no delay"),
    "negative jitter": (lambda: ApiLatency(delay_ms=10, jitter_ms=-1), "is no delay"),
    "endless": (lambda: ApiLatency(delay_ms=1e5), "give 5 to 10000 ms"),
    "no rate": (lambda: Bandwidth("one", rate_mbit=0.0), "0 Mbit/s: is no rate"),
    "too wide": (lambda: Bandwidth("one", rate_mbit=1e3), "give 0.5 to 100"),
    "none doubled": (lambda: Duplicate("one", share=0.0), "is no share"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name: str) -> None:
    make, text = REFUSED[name]
    with pytest.raises(UsageError, match=text):
        make()


@pytest.mark.parametrize(
    "fault",
    [
        Partition(("one", "two"), ("control plane",), port=6443, one_way=True),
        Partition(ONE, ("10.0.0.1",), port=80),
        Loss(ONE, ("space/pod",), share=0.3),
        Latency(ONE, delay_ms=200.0, jitter_ms=200.0),
        Reorder(ONE),
        WatchCut(),
    ],
)
def test_they_come_back_from_a_file(fault: Fault) -> None:
    assert fault_of(fault.name, parameters_of(fault)) == fault


def test_a_direction_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        fault_of("bandwidth", {"node": "one", "rate_mbit": 1.0, "direction": "sideways"})


def test_the_reach_names_nodes_and_namespaces() -> None:
    fault = Partition(("one", "space/pod"), ("control plane", "10.0.0.0/8"))
    assert fault.reach == Reach(
        nodes=frozenset({"one"}), namespaces=frozenset({"space"}), control_plane=True
    )


def test_the_label_is_the_faults_own() -> None:
    labels = {
        _path.label_of("partition", parameters_of(fault))
        for fault in (Partition(ONE, OTHER), Partition(ONE, OTHER), Partition(OTHER, ONE))
    }
    assert len(labels) == 2
    assert all(len(label) <= 48 for label in labels)


def test_sources_of_one_destination_are_one_selection() -> None:
    """Else a packet that two of them mean would be lost by chance twice."""
    chosen: _path.Selections = {}
    for selection in (
        {"at": "arriving", "from": ["1"]},
        {"at": "arriving", "from": ["2"]},
        {"at": "arriving", "from": ["1", "2"]},
        {"at": "arriving", "from": ["9"], "pod": "uid"},
        {"at": "leaving", "to": ["1"]},
        {"at": "arriving", "from": ["5"], "to": ["6"]},
        {"at": "arriving", "from": ["5"], "to": ["7"]},
    ):
        _path._add(chosen, "a", selection)
    assert chosen == {
        "a": [
            {"at": "arriving", "from": ["1", "2"]},
            {"at": "arriving", "from": ["9"], "pod": "uid"},
            {"at": "leaving", "to": ["1"]},
            {"at": "arriving", "from": ["5"], "to": ["6", "7"]},
        ]
    }
    _path._add(chosen, "a", {"at": "arriving", "from": ["8"], "to": ["9"]})
    _path._add(chosen, "a", {"at": "arriving", "to": ["6", "7"]})
    assert len(chosen["a"]) == 6, "not every combination of addresses was meant"


def _flow(*numbers: int, sent: int = 10, spacing_ns: int = 1_000_000) -> Flow:
    return Flow(
        sent=sent,
        numbers=numbers,
        delays_ms=[2.0] * len(numbers),
        heard_ns=[number * spacing_ns for number, _ in enumerate(numbers)],
        size_bytes=958,
    )


def test_what_became_of_datagrams_is_counted() -> None:
    flow = _flow(0, 2, 1, 5, 4, 3, 3)
    assert (flow.late, flow.duplicates) == (4, 1)
    assert flow.lost_share == pytest.approx(0.4)
    assert flow.mean_ms == pytest.approx(2.0)
    assert flow.rate_mbit(skipping=2) == pytest.approx(8.0)  # 1,000 bytes on the wire each ms


def test_nothing_that_came_has_no_rate_and_no_delay() -> None:
    flow = _flow()
    assert (flow.lost_share, flow.late, flow.mean_ms) == (1.0, 0, 0.0)
    assert flow.rate_mbit(skipping=0) == 0.0
    assert _flow(0, 1).rate_mbit(skipping=1) == 0.0


def _container(**probes: Any) -> dict[str, Any]:
    return {"ports": [{"name": "web", "containerPort": 8080}, {"containerPort": 9}], **probes}


def test_the_ports_of_probes_are_found_by_number_and_name() -> None:
    spec = {
        "containers": [
            _container(
                livenessProbe={"httpGet": {"port": "web", "path": "/"}},
                readinessProbe={"tcpSocket": {"port": 9000}},
            ),
            _container(startupProbe={"grpc": {"port": 7}}, livenessProbe={"exec": {}}),
            {"livenessProbe": {"exec": {"command": ["true"]}}},
        ]
    }
    assert probed_ports({"spec": spec}) == [7, 8080, 9000]
    assert probed_ports({"spec": {"containers": [{}]}}) == []
