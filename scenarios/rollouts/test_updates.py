"""Rolling updates that go well: their order, their bounds, their answers."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    failures_attributed,
    min_ready_respected,
    no_request_lost,
    only_new_pods_after_completion,
    only_versions,
    revision_numbers,
    rollout_bounds,
    rollout_completes_within,
    rollout_reaches,
    step_skipped,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import image


@pytest.mark.row("R1")
def test_pods_are_replaced_one_by_one_and_nobody_notices(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A rolling update of three pods, one by one, at 200 requests a second.

    Goal: clients notice nothing of an ordinary update.
    Method: set the image from v1 to v2 with surge 1, none unavailable and minReadySeconds 10.
    Expectation: no request is lost; at most 4 pods, never fewer than 3 available; one new
    ReplicaSet; a new pod serves as soon as it is Ready and counts as available 10 s later; 2 s
    after completion only v2 answers new connections.
    """
    web = start_web(replicas=3, max_surge=1, max_unavailable=0, min_ready_s=10)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=120)
        load.run_for(seconds=4)
    chaos.check(
        no_request_lost(),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        rollout_reaches(web, pods=4, available=3),
        min_ready_respected(web, served_within_s=3),
        revision_numbers(web, [1], [1, 2]),
        only_versions(["v1", "v2"]),
        only_new_pods_after_completion(web),
    )


@pytest.mark.row("R12")
def test_a_second_rollout_overtakes_the_first(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A second rollout begins when the first one has replaced its first pod.

    Goal: a rollout can be overtaken at any time.
    Method: set the image to v2; as soon as its second pod is made, set it to v3.
    Expectation: bounds hold throughout; the pods of v2 go and only v3 is left; no request is lost.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_updated(2, timeout_s=30)
        web.deployment.set_image(image("v3"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        revision_numbers(web, [1], [1, 2], [1, 2, 3]),
        rollout_completes_within(60, web),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2", "v3"]),
        no_request_lost(),
    )


@pytest.mark.row("R20")
def test_a_restart_is_one_revision(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """The same image is set again, which does nothing; then all pods are restarted.

    Goal: what looks like an update is one only when it is asked for.
    Method: set the image that the pods have already, then restart the rollout.
    Expectation: the first makes no revision and touches no pod, the second makes exactly one; no
    request is lost.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v1"))
        load.run_for(seconds=2)
        web.deployment.restart()
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=3)
    chaos.check(
        step_skipped(web, "set_image"),
        revision_numbers(web, [1], [1, 2]),
        rollout_completes_within(60, web, step="restart"),
        only_new_pods_after_completion(web),
        only_versions(["v1"]),
        no_request_lost(),
        failures_attributed(),
    )
