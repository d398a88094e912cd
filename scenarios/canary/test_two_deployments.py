"""Two Deployments behind one Service: the new version is one of them."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    no_request_lost,
    only_versions,
    pods_stay,
    ready_endpoints_stay,
    traffic_split,
)
from chaoskit.run import Run
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

StartWeb = Callable[..., Web]
StartService = Callable[[str, dict[str, str]], Service]

#: The label that pods of both have.
BOTH = {"shop": "front"}


@pytest.mark.row("C3")
def test_requests_split_by_the_pods_of_two_deployments(
    cluster: K3sCluster, chaos: Run, start_web: StartWeb, start_service: StartService
) -> None:
    """Six pods of v1 and one of v2 under one label.

    Goal: a canary of its own Deployment gets the share of its pods.
    Method: two Deployments, one Service that selects the label of both; ask it for 15 s.
    Expectation: seven ready endpoints; new connections go 6:1; no request is lost.
    """
    start_web("stable", replicas=6, labels=BOTH)
    start_web("canary", replicas=1, labels=BOTH, pod=SpecimenPod(version="v2"))
    front = start_service("front", BOTH)
    with chaos.load(front, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("canary"):
            load.run_for(seconds=15)
    chaos.check(
        ready_endpoints_stay(front, {"v1": 6, "v2": 1}, phase="canary"),
        traffic_split({"v1": 6 / 7, "v2": 1 / 7}, phase="canary"),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


@pytest.mark.row("C4")
def test_all_traffic_goes_to_a_canary_that_grows(
    cluster: K3sCluster, chaos: Run, start_web: StartWeb, start_service: StartService
) -> None:
    """The Service moves to the one pod of v2, which becomes six; then v1 is deleted.

    Goal: a canary can take over without a rollout.
    Method: select v2 alone in place of both, scale it to six, delete the Deployment of v1.
    Expectation: one ready endpoint, then six; 2 s after the switch only v2 answers new connections;
    no request is lost, and nothing of v1 is left.
    """
    stable = start_web("stable", replicas=6, labels=BOTH)
    canary = start_web("canary", replicas=1, labels=BOTH, pod=SpecimenPod(version="v2"))
    front = start_service("front", BOTH)
    with chaos.load(front, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        front.set_selector({"app": "canary"})
        load.run_for(seconds=2)
        with chaos.phase("one"):
            load.run_for(seconds=4)
        canary.deployment.scale(6)
        canary.deployment.wait_ready(timeout_s=60)
        stable.deployment.delete()
        front.wait_endpoints(6, timeout_s=15)
        with chaos.phase("six"):
            load.run_for(seconds=6)
    chaos.check(
        ready_endpoints_stay(front, {"v2": 1}, phase="one"),
        only_versions(["v2"], connection="new", phase="one"),
        ready_endpoints_stay(front, {"v2": 6}, phase="six"),
        only_versions(["v2"], connection="new", phase="six"),
        pods_stay(stable, {}, phase="six"),
        no_request_lost(),
    )
