"""The control plane goes away, and the data plane goes on."""

from collections.abc import Callable

import pytest

from chaoskit.cluster import profiles
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults import ComponentPaused, ComponentStopped
from chaoskit.guarantees import (
    no_container_restarted,
    no_request_lost,
    nodes_stay_ready,
    only_versions,
    outage,
    rollout_bounds,
    rollout_completes_within,
    rollout_frozen,
    sampler_agrees,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import image

pytestmark = pytest.mark.long

#: What can go without that those who watch the API have to begin anew.
ABSENCES = [
    (ComponentPaused, "kube-apiserver"),
    *(
        (way, component)
        for component in ("etcd", "kube-scheduler", "kube-controller-manager")
        for way in (ComponentStopped, ComponentPaused)
    ),
]
#: A new pod counts as available only then, so that nothing ends while the component goes away: a
#: pod that is told to end just before is still sent requests until the control plane is back.
MIN_READY_S = 5


@pytest.mark.row("N8")
@pytest.mark.alone
@pytest.mark.parametrize(
    "way, component", ABSENCES, ids=[f"{component}-{way.name}" for way, component in ABSENCES]
)
def test_data_plane_goes_on_without(
    cluster: K3sCluster,
    chaos: Run,
    start_web: Callable[..., Web],
    way: type[ComponentStopped | ComponentPaused],
    component: str,
) -> None:
    """A part of the control plane is away, once in quiet times and once in a rollout.

    Goal: whoever is served stays served; only changes wait.
    Method: take the component away for a while; then set another image, and take it away again
    as soon as the first new pod is made.
    Expectation: no request is lost; no node is given up and no container restarted; the rollout
    stands still while the component is away, and completes when it is back.
    """
    web = start_web(min_ready_s=MIN_READY_S)
    away = way(cluster.servers[0].name, component)
    away_s = profiles.short_absence_s(cluster.profile, cluster.version)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        with chaos.inject(away):
            load.run_for(seconds=away_s)
        load.run_for(seconds=3)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_updated(1, timeout_s=30)
        with chaos.inject(away):
            load.run_for(seconds=away_s)
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=3)
    chaos.check(
        no_request_lost(),
        rollout_frozen(web, fault=away.name),
        rollout_completes_within(60 + away_s, web),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        only_versions(["v1", "v2"]),
        no_container_restarted(web),
        nodes_stay_ready(through=away.name),
    )


@pytest.mark.row("N8")
@pytest.mark.alone
@pytest.mark.parametrize("graces", [0.5, 1.5], ids=["half_the_grace", "longer_than_the_grace"])
def test_controllers_come_back_late(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web], graces: float
) -> None:
    """The API server is started anew after a while, in a rollout.

    Goal: the outage of an API server is none; its end may be one. Whoever watches it tries again
    with growing waits, and who hears nothing of any node meanwhile takes them all for lost.
    Method: set another image, stop the API server as soon as the first new pod is made, heal.
    Expectation: no request is lost while it is away; the rollout stands still, and completes when
    the last watch is back; until then the Service may be out, which is measured; no pod is given
    up for it and no container restarted.
    """
    web = start_web(min_ready_s=MIN_READY_S, progress_deadline_s=600)
    away = ComponentStopped(cluster.servers[0].name, "kube-apiserver")
    away_s = graces * profiles.grace_s(cluster.profile, cluster.version)
    back_s = profiles.watches_back_within_s(away_s) + profiles.ready_again_within_s(cluster.profile)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_updated(1, timeout_s=30)
        with chaos.inject(away):
            load.run_for(seconds=away_s)
        web.deployment.wait_complete(timeout_s=back_s + 60)
        for node in cluster.nodes:
            node.wait_ready(timeout_s=back_s)
        web.service.wait_answering(timeout_s=back_s)
        load.run_for(seconds=5)
    chaos.check(
        no_request_lost(during="component_stopped"),
        outage(back_s, after="component_stopped"),
        rollout_frozen(web, fault="component_stopped"),
        rollout_completes_within(away_s + back_s + 60, web),
        only_versions(["v1", "v2"]),
        no_container_restarted(web),
        sampler_agrees(),
    )
