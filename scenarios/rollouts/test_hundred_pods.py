"""A rollout of a hundred pods, on nodes that KWOK plays."""

from collections.abc import Callable, Iterator

import pytest

from chaoskit.cluster.fake_nodes import FakeNodes
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    ends_complete,
    failures_attributed,
    rollout_bounds,
    rollout_reaches,
)
from chaoskit.run import Run
from chaoskit.run.session import ChaosSession
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

NODES = 4
PODS, MOST, FEWEST = 100, 110, 75


@pytest.fixture
def kwok_nodes(chaos_session: ChaosSession, namespace: Namespace) -> Iterator[FakeNodes]:
    """Nodes for 440 pods that run nothing; gone before the scenario's namespace is."""
    made = chaos_session.add_kwok_nodes(NODES)
    yield made
    namespace.delete()  # so that nothing makes their pods anew
    made.remove()


@pytest.mark.long
@pytest.mark.row("R2")
def test_percentages_of_a_hundred_pods(
    cluster: K3sCluster, kwok_nodes: FakeNodes, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A hundred pods are updated, with 10 % more and 25 % fewer allowed.

    Goal: the bounds are numbers of pods, and hold where there are many, too.
    Method: 100 pods on nodes that KWOK plays, whose pods take 0.5 to 2 s to be ready; set the
    image while a real Deployment beside them gets requests.
    Expectation: never more than 110 pods and never fewer than 75 available; both limits are
    reached; it ends complete; what fails of the service beside it has its cause.
    """
    beside = start_web("beside")
    namespace, pod = chaos.setup.namespace, SpecimenPod(pod_spec=kwok_nodes.pod_spec)
    manifest = specimen_manifests.web(
        namespace, "many", replicas=PODS, max_surge="10%", max_unavailable="25%", pod=pod
    )[1]
    many = Deployment.named(cluster.kube, namespace, "many", chaos.steps)
    many.apply(manifest)
    many.wait_complete(timeout_s=90)
    with chaos.load(beside.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        many.set_image(image("v2"))
        many.wait_complete(timeout_s=120)
        load.run_for(seconds=2)
    chaos.check(
        rollout_bounds(many, max_surge=MOST - PODS, max_unavailable=PODS - FEWEST),
        rollout_reaches(many, pods=MOST, available=FEWEST),
        ends_complete(many, within_s=90),
        failures_attributed(),
    )
