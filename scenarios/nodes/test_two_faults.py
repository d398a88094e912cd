"""A second fault while the first one is in effect."""

from contextlib import ExitStack

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import FaultError
from chaoskit.faults import CpuStressed, Latency, Loss
from chaoskit.faults.measuring import Datagrams
from chaoskit.guarantees import (
    nodes_stay_ready,
    nothing_left,
    other_paths_unchanged,
    path_delayed,
    path_loses,
    paths_as_before,
)
from chaoskit.run import Run

pytestmark = pytest.mark.long

COUNTED = Datagrams(count=10_000, spacing_ms=0.2, within_s=1.0)
TIMED = Datagrams(count=300, spacing_ms=2.0, within_s=1.0)


@pytest.mark.row("N15")
@pytest.mark.alone
@pytest.mark.parametrize("first_healed", ["first injected", "last injected"])
@pytest.mark.parametrize("target", ["the same path", "another path"])
def test_two_faults_heal_in_any_order(
    cluster: K3sCluster, chaos: Run, target: str, first_healed: str
) -> None:
    """A path is slow; then packets are lost, there or elsewhere, and one of both faults is healed.

    Goal: each fault does its own and is healed on its own, whatever else is in effect.
    Method: delay what one agent sends the other by 100 ms, then lose 30 % of it, or of what the
    server sends it; heal them in either order, measuring all ways at each stage.
    Expectation: each does on its path what was asked for, as long as it lasts; the same fault on
    the same target is refused meanwhile; afterwards all ways are as before, and nothing is left.
    """
    one, other = cluster.agents
    lossy = one if target == "the same path" else cluster.servers[0]
    slow = Latency((one.name,), (other.name,), delay_ms=100)
    lossily = Loss((lossy.name,), (other.name,), share=0.3)
    chaos.measure_paths(TIMED)
    with chaos.compare_traces(), ExitStack() as first, ExitStack() as second:
        first.enter_context(chaos.inject(slow))
        chaos.measure_paths(TIMED, (one, other))
        second.enter_context(chaos.inject(lossily))
        with pytest.raises(FaultError, match="open already"), chaos.inject(slow):
            pass
        chaos.measure_paths(COUNTED, (lossy, other))
        (first if first_healed == "first injected" else second).close()
        chaos.measure_paths(TIMED)
    chaos.measure_paths(TIMED)
    chaos.check(
        path_delayed(one, other, at_least_ms=80, at_most_ms=120, during="latency"),
        path_loses(lossy, other, at_least=0.27, at_most=0.33, during="loss"),
        paths_as_before(),
        nothing_left(faults=2),
        nodes_stay_ready(),
    )


@pytest.mark.row("N15")
@pytest.mark.alone
def test_two_kinds_of_faults_on_one_node(cluster: K3sCluster, chaos: Run) -> None:
    """A node's processors are busy, and what it sends is delayed; the first is healed first.

    Goal: faults of different kinds on one node do not know of each other.
    Method: keep the node's processors busy, delay what it sends, end the first, measure, end both.
    Expectation: the delay is what was asked for with either, other ways are as before, and nothing
    is left.
    """
    node, _ = cluster.agents
    ways = [(node, other) for other in cluster.nodes if other is not node]
    chaos.measure_paths(TIMED)
    with chaos.compare_traces(), ExitStack() as busy, ExitStack() as slow:
        busy.enter_context(chaos.inject(CpuStressed(node.name, workers=1, share=0.5)))
        slow.enter_context(chaos.inject(Latency((node.name,), delay_ms=100)))
        chaos.measure_paths(TIMED, *ways)
        busy.close()
        chaos.measure_paths(TIMED)
    chaos.measure_paths(TIMED)
    chaos.check(
        *(path_delayed(*way, at_least_ms=80, at_most_ms=120, during="latency") for way in ways),
        other_paths_unchanged(*ways, during="latency"),
        paths_as_before(),
        nothing_left(faults=2),
        nodes_stay_ready(through="cpu_stressed"),
    )
