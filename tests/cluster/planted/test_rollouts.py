"""Rows of the family rollouts with a planted defect: each is found, and named.

Their sound twins are the scenarios of those rows.
"""

import pytest

from chaoskit.cluster.node_process import NodeProcess
from chaoskit.faults import RolloutClientKilled
from chaoskit.guarantees import (
    change_causes,
    min_ready_respected,
    no_overlap_when_recreated,
    nothing_rolls_while_paused,
    only_versions,
    outage,
    pods_named_by_template,
    pods_stay,
    progress_deadline_reported,
    ready_endpoints_stay,
    reason_shown,
    recovers_within,
    requests_lost,
    revision_numbers,
    revision_semantics,
    rollout_blocked,
    rollout_bounds,
    rollout_outlives_its_client,
    rollout_reaches,
    step_refused,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.replication_controller import ReplicationController
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import SpecimenPod, image
from chaoskit.workloads.template import HASH_LABEL
from tests.cluster.planting import Planting

QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


def the_set(web: Web, revision: int) -> str:
    """The name of the ReplicaSet that holds this revision."""
    holders = {each.number: each.holder for each in web.deployment.history()}
    return holders[revision]


@pytest.mark.row("R1")
def test_new_pods_that_nobody_asks(planting: Planting) -> None:
    """A Service that selects the pods of one version only: the new ones get no request."""
    web = planting.web(replicas=1, min_ready_s=5)
    digest = the_set(web, 1).rsplit("-", 1)[-1]
    web.service.set_selector({"app": "web", HASH_LABEL: digest})
    with planting.load(web.service) as load:
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    verdict = planting.expect(True, min_ready_respected(web))
    assert "had no answer within 3 s of being Ready" in said(verdict["min_ready_respected"])


@pytest.mark.row("R2")
def test_twice_the_percentage_that_was_promised(planting: Planting) -> None:
    """A Deployment with 50 % and 50 % where 25 % and 25 % were promised."""
    web = planting.web(replicas=4, max_surge="50%", max_unavailable="50%", pod=QUICK)
    web.deployment.set_image(image("v2"))
    web.deployment.wait_complete(timeout_s=60)
    verdicts = planting.expect(
        True,
        rollout_bounds(web, max_surge="25%", max_unavailable="25%"),
        rollout_reaches(web, pods=5, available=3),
    )
    # Which of the two bounds is passed first is the controller's affair.
    first = said(verdicts["rollout_bounds"])
    assert "6 pods where at most 5 may be" in first or "2 available pods where at least 3" in first
    assert "6, where 5 were to be reached" in said(verdicts["rollout_reaches"])


@pytest.mark.row("R3")
def test_an_edit_that_is_accepted(planting: Planting) -> None:
    """An edit that should have been refused is accepted, and changes the Deployment."""
    web = planting.web(replicas=1)
    web.deployment.edit({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}})
    web.deployment.wait_observed(timeout_s=10)
    verdict = planting.expect(True, step_refused(web, "edit", "may not be 0"))
    # The watch may tell of the change before the step is over, or after it.
    evidence = verdict["step_changes_nothing"].evidence
    told = {each.text for each in (evidence.first, evidence.last) if each is not None}
    assert "it was done, not refused" in told


@pytest.mark.long
@pytest.mark.row("R4")
def test_an_old_pod_beside_new_ones(planting: Planting) -> None:
    """Under Recreate somebody starts an old pod again, and the new ones are slow to start."""
    slow = SpecimenPod(settings={"SPECIMEN_STARTUP_S": "8"})
    web = planting.web(replicas=1, strategy={"type": "Recreate"}, pod=slow)
    with planting.load(web.service) as load:
        web.deployment.set_image(image("v2"))
        web.deployment.wait_updated(1, timeout_s=60)
        planting.cluster.kube.patch(
            "ReplicaSet", the_set(web, 1), web.ref.namespace, {"spec": {"replicas": 1}}
        )
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    verdicts = planting.expect(True, no_overlap_when_recreated(web), outage(5))
    assert "had not ended" in said(verdicts["no_overlap_when_recreated"])


@pytest.mark.row("R5")
def test_a_strategy_edit_that_touches_the_template(planting: Planting) -> None:
    """An edit of the strategy that touches the template too; and a pod's hash changed by hand."""
    web = planting.web(replicas=2, pod=QUICK)
    template = {"metadata": {"labels": {"tier": "front"}}}
    strategy = {"rollingUpdate": {"maxSurge": 2}}
    web.deployment.edit({"spec": {"strategy": strategy, "template": template}})
    web.deployment.wait_complete(timeout_s=60)
    pod = web.deployment.pods()[0]
    change = {"metadata": {"labels": {HASH_LABEL: "mine"}}}
    planting.cluster.kube.patch("Pod", pod.name, web.ref.namespace, change)
    web.deployment.wait_ready(timeout_s=60)
    verdicts = planting.expect(True, revision_numbers(web, [1], [1]), pods_named_by_template(web))
    assert "the history is {1,2}, not {1}" in said(verdicts["revision_numbers"])
    assert "has the label 'mine'" in said(verdicts["pods_named_by_template"])


@pytest.mark.row("R6")
def test_a_cause_that_nobody_gave(planting: Planting) -> None:
    """An update without its own change cause inherits that of the one before."""
    web = planting.web(replicas=1, pod=QUICK)
    web.deployment.set_image(image("v2"))
    web.deployment.set_change_cause("to v2")
    web.deployment.wait_complete(timeout_s=60)
    web.deployment.set_image(image("v3"))
    web.deployment.wait_complete(timeout_s=60)
    verdict = planting.expect(True, change_causes(web, {1: None, 2: "to v2", 3: "to v3"}))
    assert said(verdict["change_causes"]) == "revision 3 has cause 'to v2', not 'to v3'"


@pytest.mark.row("R7")
def test_undo_when_the_revision_before_is_gone(planting: Planting) -> None:
    """Somebody has deleted the ReplicaSet that an undo would go to: it goes further back."""
    web = planting.web(replicas=1, pod=QUICK)
    for version in ("v2", "v3"):
        web.deployment.set_image(image(version))
        web.deployment.wait_complete(timeout_s=60)
    planting.cluster.kube.delete("ReplicaSet", the_set(web, 2), web.ref.namespace)
    web.deployment.undo()
    web.deployment.wait_complete(timeout_s=60)
    verdicts = planting.expect(True, revision_numbers(web, [1, 3, 4]), revision_semantics(web))
    assert "the history is {3,4}, not {1,3,4}" in said(verdicts["revision_numbers"])


@pytest.mark.row("R8")
def test_a_shorter_history_than_promised(planting: Planting) -> None:
    """One old revision is kept where two were promised."""
    web = planting.web(replicas=1, revision_history_limit=1, pod=QUICK)
    for number in (2, 3, 4):
        web.deployment.set_env(NUMBER=str(number))
        web.deployment.wait_complete(timeout_s=60)
    verdict = planting.expect(True, revision_numbers(web, [2, 3, 4]))
    assert "not {2,3,4}" in said(verdict["revision_numbers"])


@pytest.mark.row("R10")
def test_a_longer_deadline_than_promised(planting: Planting) -> None:
    """A progress deadline of 60 s where 8 s were promised: nothing is reported in time."""
    web = planting.web(replicas=1, progress_deadline_s=60)
    with planting.load(web.service) as load:
        web.deployment.set_image("chaoskit/specimen:no-such-tag")
        load.run_for(seconds=15)
    verdict = planting.expect(True, progress_deadline_reported(web, deadline_s=8, slack_s=3))
    assert "no ProgressDeadlineExceeded" in said(verdict["progress_deadline_reported"])


@pytest.mark.row("R11")
def test_a_failing_version_without_a_readiness_probe(planting: Planting) -> None:
    """A version that answers 500 after five requests, without a probe to hold it."""
    web = planting.web(min_ready_s=2, pod=SpecimenPod(readiness=False))
    with planting.load(web.service) as load:
        web.deployment.set_env(SPECIMEN_VERSION="bad", SPECIMEN_DEFECTS="fail-after=5")
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=4)
    verdicts = planting.expect(
        True, rollout_blocked(web, step="set_env", at_least_s=5), requests_lost(1, 75)
    )
    assert "of the bad version" in said(verdicts["rollout_blocked"]) or (
        "old pods of 3" in said(verdicts["rollout_blocked"])
    )


@pytest.mark.row("R12")
def test_a_second_rollout_that_widens_the_bounds(planting: Planting) -> None:
    """The second rollout comes with a strategy that takes all pods at once."""
    web = planting.web(pod=QUICK)
    web.deployment.set_image(image("v2"))
    web.deployment.wait_updated(1, timeout_s=30)
    container = {"name": specimen_manifests.CONTAINER, "image": image("v3")}
    strategy = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"}}
    template = {"spec": {"containers": [container]}}
    web.deployment.edit({"spec": {"strategy": strategy, "template": template}})
    web.deployment.wait_complete(timeout_s=60)
    verdict = planting.expect(True, rollout_bounds(web, max_surge=1, max_unavailable=0))
    assert "available pods where at least 3 must be" in said(verdict["rollout_bounds"])


@pytest.mark.row("R13")
def test_a_rollout_that_stops_with_its_client(planting: Planting) -> None:
    """A client that is killed had paused the rollout: without it nothing goes on."""
    web = planting.web(replicas=2, pod=QUICK, min_ready_s=2)
    namespace = planting.namespace.name
    server = planting.cluster.servers[0]
    client = NodeProcess(server, f"pauses-{namespace}")
    script = (
        'kubectl -n "$1" set image deployment/web specimen=chaoskit/specimen:v2;'
        ' kubectl -n "$1" rollout pause deployment/web; sleep 60'
    )
    with planting.run.steps.step("set_image", web.ref):
        client.start(["sh", "-c", script, "sh", namespace])
        web.deployment.wait_revision(2, timeout_s=30)
    with planting.load(web.service) as load:
        with planting.run.inject(RolloutClientKilled(server.name, client.name)):
            load.run_for(seconds=1)
        load.run_for(seconds=8)
    verdict = planting.expect(
        True, rollout_outlives_its_client(5, web, fault="rollout_client_killed")
    )
    assert "is not complete 5 s after" in said(verdict["rollout_outlives_its_client"])


@pytest.mark.row("R14")
def test_a_pod_that_somebody_replaces_after_the_edit(planting: Planting) -> None:
    """Somebody deletes a pod while the edited template was to wait."""
    kube, namespace = planting.cluster.kube, planting.namespace.name
    for manifest in specimen_manifests.controller(namespace, "web", pod=QUICK):
        kube.apply(manifest)
    ref = ObjectRef("ReplicationController", namespace, "web")
    web = ReplicationController(kube=kube, ref=ref, steps=planting.run.steps)
    web.wait_ready(timeout_s=60)
    service = Service.named(kube, namespace, "web", planting.run.steps)
    service.wait_answering(timeout_s=15)
    with planting.load(service) as load, planting.run.phase("left alone"):
        web.set_image(image("v2"))
        load.run_for(seconds=2)
        web.pods()[0].delete()
        web.wait_ready(timeout_s=60)
        load.run_for(seconds=2)
    verdicts = planting.expect(
        True,
        pods_stay(web, {"v1": 2}, phase="left alone"),
        only_versions(["v1"], phase="left alone"),
    )
    assert "not 2 of v1" in said(verdicts["pods_stay"])


@pytest.mark.row("R15")
def test_a_switch_to_both_colours(planting: Planting) -> None:
    """The selector names a label that blue has, too: after the switch both answer."""
    blue = planting.web(replicas=1, labels={"colour": "any"})
    green = specimen_manifests.web(
        planting.namespace.name,
        "green",
        replicas=1,
        labels={"colour": "any"},
        pod=SpecimenPod(version="v2"),
    )
    started = specimen.start_web(planting.cluster.kube, green, steps=planting.run.steps)
    started.deployment.wait_complete(timeout_s=60)
    with planting.load(blue.service) as load:
        blue.service.set_selector({"colour": "any"})
        load.run_for(seconds=2)
        with planting.run.phase("there"):
            load.run_for(seconds=3)
    verdicts = planting.expect(
        True,
        ready_endpoints_stay(blue.service, {"v2": 1}, phase="there"),
        only_versions(["v2"], connection="new", phase="there"),
    )
    assert "1 of v1 and 1 of v2" in said(verdicts["ready_endpoints_stay"])


@pytest.mark.row("R16")
def test_resumed_by_somebody_else(planting: Planting) -> None:
    """Somebody resumes the Deployment while its operator still holds it paused."""
    web = planting.web(replicas=1, pod=QUICK)
    with planting.load(web.service) as load:
        web.deployment.pause()
        web.deployment.set_image(image("v2"))
        load.run_for(seconds=2)
        change = {"spec": {"paused": False}}
        planting.cluster.kube.patch("Deployment", "web", web.ref.namespace, change)
        web.deployment.wait_complete(timeout_s=60)
    verdicts = planting.expect(
        True, nothing_rolls_while_paused(web), revision_numbers(web, [1], [1], [1])
    )
    assert "was made while paused" in said(verdicts["nothing_rolls_while_paused"])


@pytest.mark.row("R19")
def test_room_for_the_surge_pod_after_all(planting: Planting) -> None:
    """There is room for the surge pod: the rollout that was to wait goes through."""
    web = planting.web(replicas=1, pod=SpecimenPod(requests={"cpu": "10m"}))
    with planting.load(web.service) as load, planting.run.phase("no room"):
        web.deployment.set_image(image("v2"))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=6)
    verdicts = planting.expect(
        True,
        reason_shown(web, "Unschedulable", message="Insufficient cpu", within_s=4),
        only_versions(["v1"], phase="no room"),
    )
    assert "Unschedulable" in said(verdicts["reason_shown"])


@pytest.mark.long
@pytest.mark.row("R20")
def test_restarted_twice_and_recreated_late(planting: Planting) -> None:
    """Two restarts where one was meant; then deleted, and created again too late."""
    web = planting.web(replicas=1)
    manifest = specimen_manifests.web(planting.namespace.name, "web", replicas=1)[1]
    web.deployment.restart()
    web.deployment.wait_complete(timeout_s=60)
    web.deployment.restart()
    web.deployment.wait_complete(timeout_s=60)
    with planting.load(web.service, rate_per_s=40) as load:
        web.deployment.delete()
        load.run_for(seconds=12)
        web.deployment.apply(manifest)
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=2)
    verdicts = planting.expect(True, revision_numbers(web, [1, 2], [], [1]), outage(2))
    assert "the history is {1,2,3}, not {1,2}" in said(verdicts["revision_numbers"])


@pytest.mark.row("R21")
def test_a_released_pod_that_nobody_replaces(planting: Planting) -> None:
    """A pod is set aside from a Deployment that is scaled down meanwhile."""
    web = planting.web(replicas=2, pod=QUICK)
    with planting.load(web.service) as load:
        web.deployment.pods()[0].set_label("app", None)
        web.deployment.scale(1)
        load.run_for(seconds=3)
        with planting.run.phase("aside"):
            load.run_for(seconds=3)
    verdicts = planting.expect(
        True,
        pods_stay(web, {"v1": 2}, phase="aside"),
        ready_endpoints_stay(web.service, {"v1": 2}, phase="aside"),
    )
    assert said(verdicts["pods_stay"]) == "there were 1 of v1, not 2 of v1"


@pytest.mark.row("R21")
def test_a_pod_that_comes_back_late(planting: Planting) -> None:
    """A deleted pod's successor needs 8 s to start, where 4 s were promised."""
    slow = SpecimenPod(pre_stop_s=0, drain_s=0, settings={"SPECIMEN_STARTUP_S": "8"})
    web = planting.web(replicas=1, pod=slow)
    with planting.load(web.service) as load, planting.run.phase("left alone"):
        load.run_for(seconds=2)
        web.deployment.pods()[0].delete()
        load.run_for(seconds=3)
        web.deployment.wait_ready(timeout_s=60)
    verdicts = planting.expect(
        True,
        recovers_within(4, web, after="delete"),
        pods_stay(web, {"v1": 1}, phase="left alone"),
    )
    assert "recovered only after" in said(verdicts["recovers_within"])
