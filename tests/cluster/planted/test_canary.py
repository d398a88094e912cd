"""Rows of the family canary with a planted defect: each is found, and named.

Their sound twins are the scenarios of those rows.
"""

import pytest

from chaoskit.guarantees import (
    failing_at_once,
    no_request_lost,
    only_versions,
    pods_stay,
    ready_endpoints_stay,
    requests_lost,
    rollout_bounds,
    rollout_reaches,
    template_restored,
    traffic_split,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.specimen_manifests import SpecimenPod, image
from tests.cluster.planting import Planting

QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


@pytest.mark.long
@pytest.mark.row("C1")
def test_a_canary_of_another_size(planting: Planting) -> None:
    """Surge 2 and none unavailable where 25 % of four were promised."""
    web = planting.web(replicas=4, max_surge=2, max_unavailable=0, min_ready_s=30, pod=QUICK)
    with planting.load(web.service, rate_per_s=200) as load:
        web.deployment.set_image(image("v2"))
        web.deployment.wait_updated(2, timeout_s=30)
        web.deployment.pause()
        web.service.wait_endpoints(6, timeout_s=30)
        load.run_for(seconds=2)
        with planting.run.phase("paused"):
            load.run_for(seconds=6)
    verdicts = planting.expect(
        True,
        rollout_bounds(web, max_surge="25%", max_unavailable="25%"),
        rollout_reaches(web, pods=5, available=3),
        pods_stay(web, {"v1": 3, "v2": 2}, phase="paused"),
        ready_endpoints_stay(web.service, {"v1": 3, "v2": 2}, phase="paused"),
        traffic_split({"v1": 1 / 2, "v2": 1 / 2}, phase="paused"),
    )
    assert "6 pods where at most 5 may be" in said(verdicts["rollout_bounds"])
    assert "there were 4 of v1 and 2 of v2" in said(verdicts["pods_stay"])


@pytest.mark.row("C1")
def test_a_pause_that_is_taken_back(planting: Planting) -> None:
    """Somebody takes the pause back while the new image waits."""
    web = planting.web(replicas=2, pod=QUICK)
    container = {"name": specimen_manifests.CONTAINER, "image": image("v2")}
    change = {"spec": {"paused": True, "template": {"spec": {"containers": [container]}}}}
    with planting.load(web.service) as load:
        web.deployment.edit(change)
        with planting.run.phase("paused"):
            load.run_for(seconds=2)
            unpaused = {"spec": {"paused": False}}
            planting.cluster.kube.patch("Deployment", "web", web.ref.namespace, unpaused)
            web.deployment.wait_complete(timeout_s=60)
            load.run_for(seconds=2)
    verdicts = planting.expect(
        True,
        pods_stay(web, {"v1": 2}, phase="paused"),
        ready_endpoints_stay(web.service, {"v1": 2}, phase="paused"),
        only_versions(["v1"]),
    )
    assert "1 of v2" in said(verdicts["pods_stay"])


@pytest.mark.row("C2")
def test_an_undo_to_another_revision(planting: Planting) -> None:
    """The canary is undone to a revision that is older than the one before it."""
    web = planting.web(replicas=2, pod=QUICK)
    web.deployment.set_image(image("v3"))
    web.deployment.wait_complete(timeout_s=60)
    with planting.load(web.service) as load:
        web.deployment.set_env(SPECIMEN_VERSION="canary")
        web.deployment.wait_updated(1, timeout_s=30)
        web.deployment.pause()
        web.deployment.resume()
        web.deployment.undo(to_revision=1)
        web.deployment.wait_complete(timeout_s=60)
        with planting.run.phase("after"):
            load.run_for(seconds=3)
    verdicts = planting.expect(
        True, template_restored(web, step="set_env"), pods_stay(web, {"v3": 2}, phase="after")
    )
    assert "there were 2 of v1, not 2 of v3" in said(verdicts["pods_stay"])


@pytest.mark.row("C3")
def test_a_service_that_forgets_the_canary(planting: Planting) -> None:
    """The common Service selects the pods of one Deployment only."""
    web = planting.web(replicas=2, labels={"shop": "front"})
    namespace = planting.namespace.name
    second = specimen_manifests.web(
        namespace, "canary", replicas=1, labels={"shop": "front"}, pod=SpecimenPod(version="v2")
    )
    canary = specimen.start_web(planting.cluster.kube, second, steps=planting.run.steps)
    canary.deployment.wait_complete(timeout_s=60)
    with planting.load(web.service) as load, planting.run.phase("canary"):
        load.run_for(seconds=4)
    verdicts = planting.expect(
        True,
        ready_endpoints_stay(web.service, {"v1": 2, "v2": 1}, phase="canary"),
        traffic_split({"v1": 2 / 3, "v2": 1 / 3}, phase="canary"),
    )
    assert "v2 gave 0 of" in verdicts["traffic_split"].summary


@pytest.mark.row("C4")
def test_a_switch_that_selects_both(planting: Planting) -> None:
    """The Service is moved to the label that both versions have, and v1 is deleted at once."""
    web = planting.web(replicas=2, labels={"shop": "front"}, pod=QUICK)
    namespace = planting.namespace.name
    second = specimen_manifests.web(
        namespace, "canary", replicas=1, labels={"shop": "front"}, pod=SpecimenPod(version="v2")
    )
    canary = specimen.start_web(planting.cluster.kube, second, steps=planting.run.steps)
    canary.deployment.wait_complete(timeout_s=60)
    with planting.load(web.service) as load:
        web.service.set_selector({"shop": "front"})
        load.run_for(seconds=2)
        with planting.run.phase("one"):
            load.run_for(seconds=3)
        web.deployment.delete()
        load.run_for(seconds=4)
    verdicts = planting.expect(
        True,
        ready_endpoints_stay(web.service, {"v2": 1}, phase="one"),
        only_versions(["v2"], connection="new", phase="one"),
        no_request_lost(),
    )
    assert "2 of v1 and 1 of v2" in said(verdicts["ready_endpoints_stay"])


@pytest.mark.row("C5")
def test_a_bad_canary_that_is_not_taken_back(planting: Planting) -> None:
    """Both of two pods answer 500 where one was to be the canary, and nobody takes them back."""
    bad = SpecimenPod(pre_stop_s=0, drain_s=0, settings={"SPECIMEN_DEFECTS": "status=500"})
    web = planting.web(replicas=2, pod=bad)
    load = planting.run.load(web.service, via=planting.cluster.servers[0], rate_per_s=100)
    load.run_for(seconds=1)
    for phase in ("canary", "after"):
        with planting.run.phase(phase):
            load.run_for(seconds=4)
    verdicts = planting.expect(
        True,
        requests_lost(50, 150, connection="new", phase="canary"),
        failing_at_once(1, phase="canary"),
        no_request_lost(connection="new", phase="after"),
    )
    assert "2 pods" in said(verdicts["failing_at_once"])
