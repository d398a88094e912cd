"""Two cheap scenarios to be run again and again; CHAOSKIT_PLANTED makes the first one worse.

Node ids, guarantees and parameters are the same with the defect and without: only what the
service does is different, as with a regression in real life.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    latency,
    no_request_lost,
    outage,
    recovers_within,
    rollout_bounds,
    rollout_completes_within,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

PLANTED = "CHAOSKIT_PLANTED"
STARTUP_S = "6"


@pytest.fixture
def start(cluster: K3sCluster, namespace: Namespace, chaos: Run) -> Callable[..., Web]:
    """Starts the specimen, complete and answering."""

    def started(**parameters: Any) -> Web:
        manifests = specimen_manifests.web(namespace.name, "web", **parameters)
        web = specimen.start_web(cluster.kube, manifests, steps=chaos.steps)
        web.deployment.wait_complete(timeout_s=60)
        web.service.wait_answering(timeout_s=15)
        return web

    return started


def test_an_ordinary_update(cluster: K3sCluster, chaos: Run, start: Callable[..., Web]) -> None:
    """A rolling update of one pod that starts in six seconds.

    Goal: clients notice nothing. Method: set the image under load.
    Expectation: no new connection is lost. Planted: the readiness probe was forgotten.
    """
    is_planted = bool(os.environ.get(PLANTED))
    pod = SpecimenPod(readiness=not is_planted, settings={"SPECIMEN_STARTUP_S": STARTUP_S})
    web = start(replicas=1, pod=pod)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=90)
        load.run_for(seconds=8)
    chaos.check(
        no_request_lost(connection="new"),
        outage(1.0, connection="new"),
        latency(0.5, connection="new"),
        rollout_bounds(web, max_surge=1, max_unavailable=0),
        rollout_completes_within(60, web),
    )


def test_a_deleted_pod(cluster: K3sCluster, chaos: Run, start: Callable[..., Web]) -> None:
    """One of three pods is deleted; nothing is ever planted here.

    Goal: the service goes on. Method: delete a pod under load.
    Expectation: it is replaced within 30 s and no outage lasts longer than 2 s.
    """
    web = start(replicas=3)
    with chaos.load(web.service, via=cluster.agents, rate_per_s=60) as load:
        load.wait_steady(timeout_s=30)
        victim = chaos.pick(web.deployment.pods())
        victim.delete()
        victim.wait_gone(timeout_s=60)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=5)
    chaos.check(
        outage(2.0),
        latency(0.5, quantile=0.98),
        recovers_within(30, web, after="delete"),
    )
