"""An update by two whole sets of pods, of which the Service selects one."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import no_request_lost, only_versions, pods_stay, ready_endpoints_stay
from chaoskit.run import Run
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

#: Until kube-proxy has a new selector's endpoints on every node.
SWITCH_S = 2


@pytest.mark.row("R15")
def test_blue_and_green_are_switched_by_the_service(
    cluster: K3sCluster,
    chaos: Run,
    start_web: Callable[..., Web],
    start_service: Callable[[str, dict[str, str]], Service],
) -> None:
    """The Service moves to new pods beside the old, back again, and there for good.

    Goal: all requests change sides at once, and as easily back.
    Method: three pods of v1 (blue) and of v2 (green); select green, blue, green; delete blue.
    Expectation: 2 s after each switch the other colour has no endpoint and answers no new
    connection; no request is lost, not even when blue is deleted.
    """
    blue = start_web("blue")
    start_web("green", pod=SpecimenPod(version="v2"))
    front = start_service("front", {"app": "blue"})
    with chaos.load(front, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        for phase, colour in (("there", "green"), ("back", "blue"), ("for good", "green")):
            front.set_selector({"app": colour})
            load.run_for(seconds=SWITCH_S)
            with chaos.phase(phase):
                load.run_for(seconds=4)
        blue.deployment.delete()
        with chaos.phase("blue deleted"):
            load.run_for(seconds=6)
    chaos.check(
        ready_endpoints_stay(front, {"v2": 3}, phase="there"),
        only_versions(["v2"], connection="new", phase="there"),
        ready_endpoints_stay(front, {"v1": 3}, phase="back"),
        only_versions(["v1"], connection="new", phase="back"),
        ready_endpoints_stay(front, {"v2": 3}, phase="for good"),
        only_versions(["v2"], connection="new", phase="for good"),
        only_versions(["v2"], connection="new", phase="blue deleted"),
        pods_stay(blue, {}, phase="blue deleted"),
        no_request_lost(),
    )
