"""Rows of the family stateful_sets with a planted defect: each is found, and named.

Their sound twins are the scenarios of those rows.
"""

import copy

import pytest

from chaoskit.guarantees import (
    acknowledged_writes_survive,
    claims_stay,
    failing_at_once,
    halted,
    members_answer_through_proxy,
    members_do_not_wait,
    members_run,
    names_follow_members,
    only_members_touched,
    ordinals_in_order,
    recovers_within,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.kube.kinds import Object
from chaoskit.workloads.specimen import KeyValue
from chaoskit.workloads.specimen_manifests import SpecimenPod, image
from tests.cluster.planting import Planting

QUICK = SpecimenPod(pre_stop_s=0, drain_s=0)


def said(verdict: Verdict) -> str:
    """What its first witness says."""
    assert verdict.evidence.first is not None
    return verdict.evidence.first.text


def taken_by_somebody(kv: KeyValue, ordinal: int) -> None:
    """A member's pod deleted by nobody whose steps are on record; returns once it is back."""
    kube, pod = kv.stateful_set.kube, kv.pod(ordinal)
    uid = pod.read()["metadata"]["uid"]
    kube.delete("Pod", pod.name, pod.ref.namespace)
    pod.wait_gone(timeout_s=30, uid=uid)
    pod.wait_ready(timeout_s=30)


def made_by_somebody(kv: KeyValue, ordinal: int) -> Object:
    """A pod that says it is that member, and that its set controls it."""
    pod = copy.deepcopy(kv.pod(0).read())
    name = f"{kv.name}-{ordinal}"
    of_zero = pod["metadata"]
    labels = {**of_zero["labels"], "statefulset.kubernetes.io/pod-name": name}
    labels["apps.kubernetes.io/pod-index"] = str(ordinal)
    metadata = {
        "name": name,
        "namespace": of_zero["namespace"],
        "labels": labels,
        "ownerReferences": of_zero["ownerReferences"],
    }
    spec: Object = kv.stateful_set.read()["spec"]["template"]["spec"]
    spec |= {"hostname": name, "volumes": [{"name": "data", "emptyDir": {}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.row("S1")
def test_a_member_that_is_made_too_early(planting: Planting) -> None:
    """A member made by somebody else, while those before it are not Ready or not even there."""
    kv = planting.kv(pod=QUICK)
    kv.member(0).set_ready(False)
    kv.pod(0).wait_not_ready(timeout_s=15)
    kv.stateful_set.scale(3)
    planting.cluster.kube.create(made_by_somebody(kv, 2))
    verdicts = planting.expect(True, ordinals_in_order(kv))
    assert "kv-2 was made while kv-1 was absent" in said(verdicts["ordinals_in_order"])


@pytest.mark.row("S2")
def test_names_that_lead_nowhere(planting: Planting) -> None:
    """A headless Service whose selector fits no member any more."""
    kv = planting.kv(replicas=2, pod=QUICK)
    planting.run.follow_names(kv, at_most_s=35)
    kv.headless_service.set_selector({"app": "nobody"})
    uid = kv.pod(1).delete()
    kv.pod(1).wait_gone(timeout_s=30, uid=uid)
    kv.pod(1).wait_ready(timeout_s=30)
    planting.run.follow_names(kv, at_most_s=8)
    verdicts = planting.expect(True, names_follow_members(kv, within_s=5))
    assert "it lacks" in said(verdicts["names_follow_members"])


@pytest.mark.row("S3")
def test_a_member_that_comes_back_without_its_data(planting: Planting) -> None:
    """A member whose claim was deleted with its pod: an empty one takes its name."""
    kv = planting.kv(pod=QUICK)
    with planting.load(kv, rate_per_s=50):
        pass
    planting.cluster.kube.delete("PersistentVolumeClaim", "data-kv-0", planting.namespace.name)
    uid = kv.pod(0).delete()
    kv.pod(0).wait_gone(timeout_s=30, uid=uid)
    kv.pod(0).wait_ready(timeout_s=60)
    planting.run.read_store(kv, via=planting.cluster.servers[0])
    verdicts = planting.expect(True, claims_stay(kv), acknowledged_writes_survive(kv))
    assert "data-kv-0" in said(verdicts["claims_stay"])
    assert "kv-0 lost the acknowledged write" in said(verdicts["acknowledged_writes_survive"])


@pytest.mark.row("S4")
def test_a_member_that_is_taken_though_it_was_to_stay(planting: Planting) -> None:
    """A member below the new size taken away while the set is scaled down."""
    kv = planting.kv(replicas=2, pod=QUICK)
    kv.stateful_set.scale(1)
    taken_by_somebody(kv, 0)
    kv.stateful_set.wait_ready(timeout_s=30)
    verdicts = planting.expect(True, only_members_touched(kv, [1]), ordinals_in_order(kv))
    assert "kv-0 lost its pod" in said(verdicts["only_members_touched"])


@pytest.mark.row("S5")
def test_a_claim_that_goes_with_its_set(planting: Planting) -> None:
    """A claim that somebody deletes after the set was scaled to none."""
    kv = planting.kv(pod=QUICK)
    kv.stateful_set.scale(0)
    kv.stateful_set.wait_ready(timeout_s=30)
    planting.cluster.kube.delete("PersistentVolumeClaim", "data-kv-0", planting.namespace.name)
    kv.stateful_set.wait_claims(0, timeout_s=30)
    verdicts = planting.expect(True, claims_stay(kv))
    assert "data-kv-0 was deleted, though it was to stay" in said(verdicts["claims_stay"])


@pytest.mark.row("S6")
def test_members_that_wait_for_one_another(planting: Planting) -> None:
    """A set of the policy OrderedReady where Parallel was meant."""
    kv = planting.kv(replicas=2, pod=QUICK)
    verdicts = planting.expect(True, members_do_not_wait(kv, at="start"))
    assert "kv-0, kv-1 waited for the one before" in said(verdicts["members_do_not_wait"])


@pytest.mark.row("S7")
def test_an_update_that_reaches_below_its_partition(planting: Planting) -> None:
    """A member below the partition taken away as if the update were for it."""
    kv = planting.kv(replicas=2, pod=QUICK)
    kv.stateful_set.set_update_strategy("RollingUpdate", partition=1)
    with planting.run.phase("canary"):
        kv.stateful_set.set_image(image("v2"))
        kv.stateful_set.wait_complete(timeout_s=60)
        taken_by_somebody(kv, 0)
    verdicts = planting.expect(
        True,
        only_members_touched(kv, [1], phase="canary"),
        ordinals_in_order(kv),
        members_run(kv, {0: "v2"}, phase="canary"),
    )
    assert "though partition 1 protects it" in said(verdicts["ordinals_in_order"])


@pytest.mark.row("S8")
def test_a_broken_member_that_nobody_deletes(planting: Planting) -> None:
    """A bad image reverted, and the broken pod left where it is."""
    kv = planting.kv(replicas=2, pod=QUICK)
    with planting.load(kv.service) as load:
        kv.stateful_set.set_image(image("no-such-tag"))
        kv.pod(1).wait_reason("ErrImagePull", "ImagePullBackOff", timeout_s=60)
        kv.stateful_set.undo()
        load.run_for(seconds=7)
    verdicts = planting.expect(True, recovers_within(5, kv, after="undo"))
    assert "after 5 s" in said(verdicts["recovers_within"])


@pytest.mark.row("S9")
def test_a_set_that_goes_on_as_its_member_gets_ready(planting: Planting) -> None:
    """A halt that ends too early: the unready member gets ready in the middle of it."""
    kv = planting.kv(replicas=2, pod=QUICK)
    kv.member(0).set_ready(False)
    kv.pod(0).wait_not_ready(timeout_s=15)
    with planting.run.phase("halted"):
        kv.stateful_set.scale(3)
        kv.member(0).set_ready(True)
        kv.stateful_set.wait_ready(timeout_s=30)
    verdicts = planting.expect(True, halted(kv, phase="halted", at_least_s=1))
    assert "kv-2 was made" in said(verdicts["halted"])


@pytest.mark.row("S12")
def test_a_member_that_answers_the_proxy_with_errors(planting: Planting) -> None:
    """A member that is Ready, and answers whoever reaches it with an error."""
    kv = planting.kv(
        pod=SpecimenPod(pre_stop_s=0, drain_s=0, settings={"SPECIMEN_DEFECTS": "status=500"})
    )
    planting.run.ask_members(kv)
    verdicts = planting.expect(True, members_answer_through_proxy(kv))
    assert "500, not 200" in said(verdicts["members_answer_through_proxy"])


@pytest.mark.row("S13")
def test_a_claim_that_stays_though_it_was_to_go(planting: Planting) -> None:
    """A finalizer that nobody removes on the claim of a member that is scaled away."""
    retention = {"whenScaled": "Delete", "whenDeleted": "Retain"}
    kv = planting.kv(replicas=2, pod=QUICK, retention=retention)
    held: Object = {"metadata": {"finalizers": ["chaoskit.test/held"]}}
    kube, claim = planting.cluster.kube, ("PersistentVolumeClaim", "data-kv-1")
    kube.patch(*claim, planting.namespace.name, held)
    with planting.load(kv.service) as load:
        kv.stateful_set.scale(1)
        kv.stateful_set.wait_ready(timeout_s=30)
        load.run_for(seconds=6)
    kube.patch(*claim, planting.namespace.name, {"metadata": {"finalizers": None}})
    verdicts = planting.expect(True, claims_stay(kv, deleted_within_s=4))
    assert "data-kv-1 was to be deleted" in said(verdicts["claims_stay"])


@pytest.mark.row("S14")
def test_a_peer_that_is_found_though_it_is_not_ready(planting: Planting) -> None:
    """A headless Service that publishes members which are not Ready."""
    kv = planting.kv(replicas=2, pod=QUICK)
    service = kv.headless_service.ref
    publish = {"spec": {"publishNotReadyAddresses": True}}
    planting.cluster.kube.patch(service.kind, service.name, service.namespace, publish)
    kv.member(1).set_ready(False)
    kv.pod(1).wait_not_ready(timeout_s=15)
    planting.run.follow_names(kv, at_most_s=9)
    verdicts = planting.expect(True, names_follow_members(kv, within_s=7))
    assert "it still has" in said(verdicts["names_follow_members"])


@pytest.mark.row("S15")
@pytest.mark.long
def test_members_that_get_no_time_to_flush(planting: Planting) -> None:
    """A grace of 3 s for members that need 8 s to flush what they acknowledged."""
    slow = {"SPECIMEN_DEFECTS": "flush-at-term=8"}
    kv = planting.kv(pod=SpecimenPod(pre_stop_s=0, drain_s=0, grace_s=3, settings=slow))
    with planting.load(kv, rate_per_s=100) as load:
        load.run_for(seconds=1)
        kv.stateful_set.restart()
        kv.stateful_set.wait_complete(timeout_s=60)
    planting.run.read_store(kv, via=planting.cluster.servers[0])
    verdicts = planting.expect(True, acknowledged_writes_survive(kv))
    assert "kv-0 lost the acknowledged write" in said(verdicts["acknowledged_writes_survive"])
    assert 137 in exit_codes(planting), "nobody saw a KILL"


def exit_codes(planting: Planting) -> set[int]:
    """The exit codes of all containers that ended, as their pods' statuses had them."""
    pods = [e.object for e in planting.run.history().of(Watched) if e.kind == "Pod"]
    statuses = [s for pod in pods for s in pod["status"].get("containerStatuses", [])]
    ended = [status["state"].get("terminated") for status in statuses]
    return {each["exitCode"] for each in ended if each is not None}


@pytest.mark.row("S15")
@pytest.mark.long
def test_members_that_get_no_time_to_catch_up(planting: Planting) -> None:
    """Members that are Ready before they have caught up, and no minReadySeconds."""
    hasty = {"SPECIMEN_DEFECTS": "lie-ready", "SPECIMEN_STARTUP_S": "6"}
    kv = planting.kv(replicas=2, pod=SpecimenPod(pre_stop_s=0, drain_s=0, settings=hasty))
    with planting.load(kv, rate_per_s=150) as load:
        kv.stateful_set.restart()
        kv.stateful_set.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    verdicts = planting.expect(True, failing_at_once(1))
    assert "2 pods failed at once: kv-0, kv-1" in said(verdicts["failing_at_once"])
