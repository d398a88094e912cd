"""Updates that cannot go unnoticed, and by how much."""

from collections.abc import Callable

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    failures_attributed,
    no_overlap_when_recreated,
    only_new_pods_after_completion,
    only_versions,
    outage,
    requests_lost,
    revision_numbers,
)
from chaoskit.run import Run
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image

GRACE_S = 5
#: From the creation of a pod to its first answer, at worst.
START_S = 5
OUTAGE_AT_MOST_S = GRACE_S + START_S + 2


@pytest.mark.row("R4")
def test_recreate_never_has_two_versions(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """An update by Recreate: the old pods end before the new ones begin.

    Goal: two versions never run side by side, and the outage that this costs is bounded.
    Method: set the image from v1 to v2 under the strategy Recreate, with a grace of 5 s.
    Expectation: no new pod before the last old one has ended; at least one request is lost, and
    nobody waits longer than grace, start and 2 s.
    """
    web = start_web(strategy={"type": "Recreate"}, pod=SpecimenPod(grace_s=GRACE_S))
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=4)
    chaos.check(
        no_overlap_when_recreated(web),
        requests_lost(at_least=1),
        outage(OUTAGE_AT_MOST_S),
        revision_numbers(web, [1], [1, 2]),
        only_versions(["v1", "v2"]),
        only_new_pods_after_completion(web),
        failures_attributed(),
    )


@pytest.mark.row("R20")
def test_deleted_and_created_again_begins_anew(
    cluster: K3sCluster, chaos: Run, start_web: Callable[..., Web]
) -> None:
    """A Deployment is deleted and, when its pods are gone, created again.

    Goal: know what deleting and creating costs in place of an update.
    Method: delete the Deployment, wait until its pods are gone, apply its manifest with v2.
    Expectation: the outage is measured and bounded by grace, start and 2 s; the history begins
    with 1 again, so that nothing can be undone.
    """
    web = start_web(pod=SpecimenPod(grace_s=GRACE_S))
    updated = SpecimenPod(version="v2", grace_s=GRACE_S)
    again = specimen_manifests.web(chaos.setup.namespace, "web", pod=updated)[1]
    with chaos.load(web.service, via=cluster.agents, rate_per_s=100) as load:
        load.wait_steady(timeout_s=30)
        pods = web.deployment.pods()
        web.deployment.delete()
        for each in pods:
            each.wait_gone(timeout_s=30)
        web.deployment.apply(again)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=4)
    chaos.check(
        requests_lost(at_least=1),
        outage(OUTAGE_AT_MOST_S),
        revision_numbers(web, [1], [], [1]),
        only_versions(["v1", "v2"]),
        failures_attributed(),
    )
