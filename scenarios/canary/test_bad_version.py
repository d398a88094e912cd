"""Canaries whose version answers 500: what they cost, and that it ends when they are taken back."""

from collections.abc import Callable
from math import sqrt

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    error_classes_within,
    failing_at_once,
    no_request_lost,
    only_versions,
    ready_endpoints_stay,
    requests_lost,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.run import Run
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import CONTAINER, SpecimenPod, image

#: Of 200 requests a second half go over new connections.
RATE_PER_S, NEW_PER_S = 200, 100
CANARY_S = 12
BAD = {"SPECIMEN_DEFECTS": "status=500"}
#: Until kube-proxy has forgotten the last bad endpoint on every node.
FORGOTTEN_S = 2


def lost_share(share: float) -> Guarantee:
    """As many new connections meet the bad version as its share of the endpoints lets expect.

    Three standard deviations of a binomial draw, and 2 % for what kube-proxy's draw is off.
    """
    planned = NEW_PER_S * CANARY_S
    slack = 3 * sqrt(planned * share * (1 - share)) + 0.02 * planned
    least, most = round(planned * share - slack), round(planned * share + slack)
    return requests_lost(at_least=least, at_most=most, connection="new", phase="canary")


@pytest.mark.row("C5")
def test_a_bad_version_in_a_paused_rollout(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A rollout of six pods is paused with three of eight answering 500, then undone.

    Goal: a bad canary costs its share of the requests and no more, and only as long as it stands.
    Method: set image and defect in one edit, pause at three new pods for 12 s, resume and undo.
    Expectation: three of eight new connections get a 500, all of them from v2; from 2 s after the
    undo is complete none does.
    """
    web = start_web(replicas=6, max_surge="25%", max_unavailable="25%", min_ready_s=30)
    env = [{"name": name, "value": value} for name, value in BAD.items()]
    container = {"name": CONTAINER, "image": image("v2"), "env": env}
    with chaos.load(web.service, via=cluster.agents, rate_per_s=RATE_PER_S) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit({"spec": {"template": {"spec": {"containers": [container]}}}})
        web.deployment.wait_updated(3, timeout_s=30)
        web.deployment.pause()
        web.service.wait_endpoints(8, timeout_s=30)
        load.run_for(seconds=2)
        with chaos.phase("canary"):
            load.run_for(seconds=CANARY_S)
        web.deployment.resume()
        web.deployment.undo()
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=FORGOTTEN_S)
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        ready_endpoints_stay(web.service, {"v1": 5, "v2": 3}, phase="canary"),
        lost_share(3 / 8),
        failing_at_once(3, phase="canary"),
        only_versions(["v1"]),
        error_classes_within(["status 500"], phase="canary"),
        no_request_lost(connection="new", phase="after"),
    )


@pytest.mark.row("C5")
def test_a_bad_version_in_a_deployment_of_its_own(
    cluster: K3sCluster,
    chaos: Run,
    start_web: Callable[..., Web],
    start_service: Callable[[str, dict[str, str]], Service],
) -> None:
    """One pod of seven answers 500; then its Deployment is deleted.

    Goal: a bad canary costs its share of the requests and no more, and only as long as it stands.
    Method: six pods of v1 and a bad one of v2 behind one Service for 12 s; delete the Deployment
    of v2.
    Expectation: one of seven new connections gets a 500, all of them from v2; from 2 s after its
    endpoint has gone none does.
    """
    both = {"shop": "front"}
    start_web("stable", replicas=6, labels=both)
    pod = SpecimenPod(version="v2", settings=BAD)
    canary = start_web("canary", replicas=1, labels=both, pod=pod)
    front = start_service("front", both)
    with chaos.load(front, via=cluster.agents, rate_per_s=RATE_PER_S) as load:
        load.run_for(seconds=3)
        with chaos.phase("canary"):
            load.run_for(seconds=CANARY_S)
        canary.deployment.delete()
        front.wait_endpoints(6, timeout_s=15)
        load.run_for(seconds=FORGOTTEN_S)
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        ready_endpoints_stay(front, {"v1": 6, "v2": 1}, phase="canary"),
        lost_share(1 / 7),
        failing_at_once(1, phase="canary"),
        only_versions(["v1"]),
        error_classes_within(["status 500"], phase="canary"),
        no_request_lost(connection="new", phase="after"),
    )
