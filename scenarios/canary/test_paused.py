"""A rollout that is paused when a few pods are new, and what may come next."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    no_request_lost,
    only_new_pods_after_completion,
    only_versions,
    pods_stay,
    ready_endpoints_stay,
    revision_numbers,
    rollout_bounds,
    rollout_reaches,
    template_restored,
    traffic_split,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import CONTAINER, image

#: 6 replicas at 25 %: surge rounds up to 2, unavailable down to 1.
SIX = {"replicas": 6, "max_surge": "25%", "max_unavailable": "25%"}
MOST_PODS, FEWEST_AVAILABLE = 6 + 2, 6 - 1
#: What a rollout of these has made when no new pod is available yet.
CANARY = {"v1": FEWEST_AVAILABLE, "v2": MOST_PODS - FEWEST_AVAILABLE}


def pause_as_canary(web: Web) -> None:
    """Begin a rollout to v2, and pause it when as many new pods exist as may."""
    web.deployment.set_image(image("v2"))
    web.deployment.wait_updated(CANARY["v2"], timeout_s=30)
    web.deployment.pause()
    web.service.wait_endpoints(MOST_PODS, timeout_s=30)


@pytest.mark.row("C1")
def test_a_paused_rollout_gives_the_new_version_its_share(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A rollout of six pods at 25 % is paused when three new ones exist.

    Goal: try a version on a known share of the requests for as long as one likes.
    Method: minReadySeconds 30 holds the new pods; set the image, pause at three new pods, leave it
    for 12 s.
    Expectation: exactly five old and three new pods, all of them ready endpoints, and none comes
    or goes while paused; at least five were available throughout; before it only v1 answers, then
    new connections go 5:3; no request is lost.
    """
    web = start_web(**SIX, min_ready_s=30)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        with chaos.phase("before"):
            load.run_for(seconds=3)
        pause_as_canary(web)
        load.run_for(seconds=2)  # until kube-proxy has the last endpoint on every node
        with chaos.phase("paused"):
            load.run_for(seconds=12)
    chaos.check(
        pods_stay(web, CANARY, phase="paused"),
        rollout_bounds(web, max_surge="25%", max_unavailable="25%"),
        rollout_reaches(web, pods=MOST_PODS, available=FEWEST_AVAILABLE),
        ready_endpoints_stay(web.service, CANARY, phase="paused"),
        only_versions(["v1"], phase="before"),
        traffic_split({"v1": 5 / 8, "v2": 3 / 8}, phase="paused"),
        no_request_lost(),
    )


@pytest.mark.row("C1")
def test_a_pause_at_once_makes_no_new_pod(cluster: K3sCluster, chaos: Run, web: Web) -> None:
    """A new image and the pause come in one change.

    Goal: a rollout can be made ready without a single pod of it.
    Method: set the image and paused in one edit, leave it for 5 s.
    Expectation: no new pod and no new revision; only v1 answers, and no request is lost.
    """
    template = {"spec": {"containers": [{"name": CONTAINER, "image": image("v2")}]}}
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit({"spec": {"paused": True, "template": template}})
        with chaos.phase("paused"):
            load.run_for(seconds=5)
    chaos.check(
        pods_stay(web, {"v1": 3}, phase="paused"),
        ready_endpoints_stay(web.service, {"v1": 3}, phase="paused"),
        revision_numbers(web, [1], [1]),
        only_versions(["v1"]),
        no_request_lost(),
    )


@pytest.mark.row("C2")
def test_a_canary_that_is_resumed_goes_out_to_all(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A canary has proved itself and is resumed.

    Goal: from the canary on the rollout goes to its end as any other.
    Method: pause at three new pods of eight, leave it for 4 s, resume.
    Expectation: six pods of v2 and no other; the bounds hold throughout; no request is lost.
    """
    web = start_web(**SIX, min_ready_s=8)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        pause_as_canary(web)
        load.run_for(seconds=4)
        web.deployment.resume()
        web.deployment.wait_complete(timeout_s=90)
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        pods_stay(web, {"v2": 6}, phase="after"),
        ready_endpoints_stay(web.service, {"v2": 6}, phase="after"),
        rollout_bounds(web, max_surge="25%", max_unavailable="25%"),
        revision_numbers(web, [1], [1, 2], [1, 2], [1, 2]),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )


@pytest.mark.row("C2")
def test_a_canary_that_is_undone_leaves_nothing(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A canary is not wanted and is undone.

    Goal: from the canary there is a way back that nobody notices.
    Method: pause at three new pods of eight, leave it for 4 s, resume and undo.
    Expectation: six pods of v1 and no other, by the ReplicaSet that had them before; the bounds
    hold throughout; no request is lost.
    """
    web = start_web(**SIX, min_ready_s=8)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=200) as load:
        load.wait_steady(timeout_s=30)
        pause_as_canary(web)
        load.run_for(seconds=4)
        web.deployment.resume()
        web.deployment.undo()
        web.deployment.wait_complete(timeout_s=90)
        with chaos.phase("after"):
            load.run_for(seconds=4)
    chaos.check(
        pods_stay(web, {"v1": 6}, phase="after"),
        ready_endpoints_stay(web.service, {"v1": 6}, phase="after"),
        rollout_bounds(web, max_surge="25%", max_unavailable="25%"),
        revision_numbers(web, [1], [1, 2], [1, 2], [1, 2], [2, 3]),
        template_restored(web),
        only_new_pods_after_completion(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )
