"""The number of pods changes in the middle of a rollout: by an operator, and by an autoscaler."""

from collections.abc import Callable, Iterator

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    autoscaled_in_mid_rollout,
    ends_complete,
    failures_attributed,
    no_request_lost,
    only_versions,
    rollout_bounds,
    scaled_in_proportion,
)
from chaoskit.run import Run
from chaoskit.run.session import ChaosSession
from chaoskit.workloads.autoscaler import Autoscaler
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image


@pytest.fixture
def metrics(chaos_session: ChaosSession) -> Iterator[None]:
    """A source of metrics in the cluster."""
    chaos_session.start_metrics()
    yield
    chaos_session.stop_metrics()


@pytest.mark.long
@pytest.mark.row("R17")
def test_scaled_by_an_operator_in_mid_rollout(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Ten pods are being updated, and fifteen are wanted.

    Goal: know which version the additional pods get: both, by their shares.
    Method: 10 pods, surge 3, 2 unavailable, a new version that takes 8 s to start; scale to 15 as
    soon as there are 8 old pods and 5 new ones.
    Expectation: 18 pods may be where 13 might, so 8 become 11 and 5 become 7, within one; the
    bounds hold throughout; it ends complete; each failed request has its cause.
    """
    web = start_web(replicas=10, max_surge=3, max_unavailable=2)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_env(SPECIMEN_VERSION="v2", SPECIMEN_STARTUP_S="8")
        web.deployment.wait_updated(5, timeout_s=30)
        web.deployment.scale(15)
        web.deployment.wait_complete(timeout_s=120)
        load.run_for(seconds=2)
    chaos.check(
        scaled_in_proportion(web, within_pods=1),
        rollout_bounds(web, max_surge=3, max_unavailable=2),
        ends_complete(web, within_s=120),
        only_versions(["v1", "v2"]),
        failures_attributed(),
    )


@pytest.mark.long
@pytest.mark.row("R17")
@pytest.mark.usefixtures("metrics")
def test_scaled_by_an_autoscaler_in_mid_rollout(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Three pods are being updated while an autoscaler finds that they have too much to do.

    Goal: an autoscaler and a rollout do not disturb each other.
    Method: a slow rollout (minReadySeconds 15) under load; then an autoscaler for 3 to 6 pods at
    20 % of 10 millicores, which is far less than what they use.
    Expectation: it scales up in the middle of the rollout, to 6 at most; the bounds hold
    throughout; it ends complete and loses no request.
    """
    web = start_web(min_ready_s=15, pod=SpecimenPod(requests={"cpu": "10m"}))
    autoscaler = Autoscaler.of(web.deployment)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        autoscaler.wait_metrics(pods_count=3, timeout_s=90)
        web.deployment.set_image(image("v2"))
        autoscaler.apply(at_least=3, at_most=6, cpu_percent=20)
        autoscaler.wait_wanted(6, timeout_s=90)
        web.deployment.wait_complete(timeout_s=180)
        load.run_for(seconds=2)
    chaos.check(
        autoscaled_in_mid_rollout(web, at_least=3, at_most=6),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        ends_complete(web, within_s=180),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )
