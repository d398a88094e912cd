"""Bounds given in percent: surge rounds up, unavailable rounds down."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    failures_attributed,
    no_request_lost,
    outage,
    rollout_bounds,
    rollout_reaches,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

#: A pod that ends at once: what is counted here are pods, not answers.
QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)


@pytest.mark.row("R2")
def test_defaults_and_roundings_of_few_pods(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """Four small Deployments with their bounds in percent are updated at once.

    Goal: percentages become the numbers of pods that Kubernetes documents.
    Method: 1, 3 and 6 pods without a strategy, and 3 with surge 0 and 10 % unavailable; set the
    image of all of them while the single pod gets requests.
    Expectation: Kubernetes fills in 25 % and 25 %: 1 pod becomes 2 and nobody notices; of 3 there
    are 4, none unavailable; of 6 there are 8, one unavailable. 10 % of 3 and surge 0 both round to
    0, so 1 is unavailable.
    """
    one, three, six = (
        start_web(name, replicas=replicas, strategy={})
        for name, replicas in (("one", 1), ("three", 3), ("six", 6))
    )
    both_zero = start_web("both-zero", replicas=3, max_surge=0, max_unavailable="10%", pod=QUICK)
    webs = (one, three, six, both_zero)
    with chaos.load(one.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        for web in webs:
            web.deployment.set_image(image("v2"))
        for web in webs:
            web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=2)
    filled_in = {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert six.deployment.read()["spec"]["strategy"]["rollingUpdate"] == filled_in
    reached = ((one, 2, 1), (three, 4, 3), (six, 8, 5), (both_zero, 3, 2))
    chaos.check(
        *(rollout_reaches(web, pods=pods, available=fewest) for web, pods, fewest in reached),
        *(rollout_bounds(web) for web in webs),
        outage(0.5),
        no_request_lost(),
    )


@pytest.mark.row("R2")
@pytest.mark.heavy  # forty pods that start and end at once
@pytest.mark.parametrize(
    "surge, unavailable, most, fewest",
    [(0, "75%", 20, 5), ("100%", 0, 40, 20)],
    ids=["75% unavailable", "100% surge"],
)
def test_percentages_of_twenty_pods(
    surge: int | str,
    unavailable: int | str,
    most: int,
    fewest: int,
    cluster: K3sCluster,
    chaos: Run,
    start_web: Callable[..., Web],
) -> None:
    """Twenty pods are updated, most of them at once.

    Goal: wide bounds are used in full, and are bounds all the same.
    Method: 20 pods with 75 % unavailable, or with 100 % surge and none unavailable; set the image.
    Expectation: never fewer than 5 available, or never more than 40 pods and never fewer than 20
    available; both limits are reached. Pods that end at once, and so many that start at once, lose
    requests: none without a cause.
    """
    web = start_web(replicas=20, max_surge=surge, max_unavailable=unavailable, pod=QUICK)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=120)
        load.run_for(seconds=2)
    chaos.check(
        rollout_bounds(web, max_surge=most - 20, max_unavailable=20 - fewest),
        rollout_reaches(web, pods=most, available=fewest),
        failures_attributed(),
    )
