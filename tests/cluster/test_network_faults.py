"""What faults of the network do on a real cluster, beyond the contract: who is hit, who is not."""

import itertools

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import Loss, Partition, ProbesBlocked
from chaoskit.faults.network._flows import Flow, connects, flows
from chaoskit.faults.network._places import Place, places, pod_place
from chaoskit.run import Run
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.pod import is_ready
from chaoskit.workloads.specimen import Web
from tests.cluster.planting import Planting

pytestmark = [pytest.mark.long, pytest.mark.alone]  # several workloads and many packets each

_PORT = specimen_manifests.PORT
_HEAL_AFTER_S = 120.0


@pytest.fixture
def run(planting: Planting) -> Run:
    return planting.run


@pytest.fixture
def web(cluster: K3sCluster, namespace: Namespace) -> Web:
    """Enough pods that two of them share a node."""
    made = specimen.start_web(
        cluster.kube, specimen_manifests.web(namespace.name, "web", replicas=4)
    )
    made.deployment.wait_complete(90.0)
    return made


def _flow(cluster: K3sCluster, source: str, destination: str) -> Flow:
    ends = (places(cluster, [source])[0], places(cluster, [destination])[0])
    (flow,) = flows(cluster, [ends], count=200, spacing_ms=0.2)
    return flow


def test_a_partition_of_one_way_is_one_of_one_way(cluster: K3sCluster, run: Run) -> None:
    one, other, third = cluster.agents[0].name, cluster.agents[1].name, cluster.servers[0].name
    with run.inject(Partition((one,), (other,), one_way=True)):
        assert not _flow(cluster, one, other).numbers
        assert _flow(cluster, other, one).lost_share == 0, "the other way is cut as well"
        for pair in ((one, third), (third, one), (other, third), (third, other)):
            assert _flow(cluster, *pair).lost_share == 0, f"{pair} are cut as well"
    assert _flow(cluster, one, other).lost_share == 0


def test_pods_of_one_node_are_cut_off_from_one_another(
    cluster: K3sCluster, namespace: Namespace, web: Web, run: Run
) -> None:
    """No packet between them leaves the node."""
    pods = [pod_place(cluster, namespace.name, pod.name) for pod in web.deployment.pods()]
    one, other = next(
        pair for pair in itertools.combinations(pods, 2) if pair[0].node == pair[1].node
    )
    apart = next(pod for pod in pods if pod.node != one.node)
    fault = Partition((one.name,), (other.name,))
    assert _answers(cluster, one, other)
    with run.inject(fault):
        assert not _answers(cluster, one, other)
        assert not _answers(cluster, other, one)
        for pair in ((one, apart), (apart, other), (other, apart)):
            assert _answers(cluster, *pair), f"{pair} are cut as well"
    assert _answers(cluster, one, other)


def test_a_pod_is_cut_off_from_a_node(
    cluster: K3sCluster, namespace: Namespace, web: Web, run: Run
) -> None:
    """What pods send to nodes bears their own node's address on the way."""
    pod = pod_place(cluster, namespace.name, web.deployment.pods()[0].name)
    for node in cluster.nodes:
        with run.inject(Partition((node.name,), (pod.name,))):
            (elsewhere,) = places(cluster, [cluster.any_node_except(node).name])
            assert _answers(cluster, elsewhere, pod), f"{elsewhere.name} is cut off as well"


def test_a_node_cut_off_from_the_control_plane_turns_not_ready(
    cluster: K3sCluster, run: Run
) -> None:
    one, other = cluster.agents
    with run.inject(Partition((one.name,), ("control plane",))):
        assert _flow(cluster, one.name, other.name).lost_share == 0
        one.wait_not_ready(timeout_s=60)
        assert _flow(cluster, other.name, one.name).lost_share == 0
    one.wait_ready(timeout_s=90)


def test_blocked_probes_take_out_a_pod_that_serves(
    cluster: K3sCluster, namespace: Namespace, web: Web, run: Run
) -> None:
    pod = web.deployment.pods()[0]
    elsewhere = places(cluster, [cluster.any_node_except(cluster.node_of(pod)).name])[0]
    place = pod_place(cluster, namespace.name, pod.name)
    with run.inject(ProbesBlocked(namespace.name, pod.name)):
        wait_until(lambda: not is_ready(pod.read()), what=f"{pod.name} to be unready", timeout_s=30)
        assert _answers(cluster, elsewhere, place), "it does not serve"
    pod.wait_ready(timeout_s=30)


def test_a_fault_of_another_process_is_healed_by_its_name_and_fields(cluster: K3sCluster) -> None:
    """As after the harness was killed: nothing but the fault's fields is known."""
    one, other = cluster.agents[0].name, cluster.agents[1].name
    injected, healing = (Loss((one,), (other,), share=0.5) for _ in range(2))
    apart = Loss((one,), (other,), share=0.4)
    injected.inject(cluster, heal_after_s=_HEAL_AFTER_S)
    apart.heal(cluster)
    assert injected.is_effective(cluster), "another fault's heal healed this one"
    healing.heal(cluster)
    assert _flow(cluster, one, other).lost_share == 0


def _answers(cluster: K3sCluster, source: Place, destination: Place) -> bool:
    return connects(cluster, source, destination, _PORT).accepted > 0
