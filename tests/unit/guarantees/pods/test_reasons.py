"""reason_shown, node_reason_shown: what cannot start says why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import node_reason_shown, reason_shown
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.objects import node, pod, replica_set
from tests.corpus.rollouts import KINDS, NEW, three_ready_pods
from tests.corpus.story import NAMESPACE, Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

PULL = reason_shown("web", "ErrImagePull", "ImagePullBackOff", message="not found")
MOUNT = reason_shown("web", "FailedMount", message="not found", also=["ContainerCreating"])
NO_NETWORK = node_reason_shown(
    "n1",
    "KubeletNotReady",
    message="NetworkPluginNotReady",
    within_s=20,
    fault="cni_config_withdrawn",
)


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """A new pod whose container waits."""
    made = pod("new-0", of=NEW, waiting=reason)
    made["status"]["containerStatuses"][0]["state"]["waiting"]["message"] = message
    return made


def event(reason: str, message: str, *, of: str = "new-0") -> dict[str, Any]:
    """An event of a pod."""
    return {
        "metadata": {"uid": f"uid-{reason}", "name": f"{of}.1", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "name": of, "uid": f"uid-{of}"},
        "reason": reason,
        "message": message,
    }


def pulled(*, words: str = "v9: not found", back_off_s: float = 24) -> Story:
    """A new pod from second 11 on, whose image cannot be had."""
    story = three_ready_pods().watching("Event", second=0.1).step("set_image", "Deployment web", 10)
    story.watched(10.5, "ReplicaSet", replica_set("rs-2", image="app:v9"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(12, "Pod", waiting("ErrImagePull", words))
    return story.watched(back_off_s, "Pod", waiting("ImagePullBackOff", f"Back-off: {words}"))


def without_network(*, ready: str = "False", message: str = "NetworkPluginNotReady") -> Story:
    """A node that has lost its network configuration, from second 10 to 60."""
    lost = node("n1", ready=ready)
    no_pressure = {"type": "DiskPressure", "status": "False", "reason": "NoPressure"}
    lost["status"]["conditions"].append(no_pressure)
    lost["status"]["conditions"][0] |= {"reason": "KubeletNotReady", "message": message}
    story = Story().watched(0, "Node", node("n1"), "LISTED").watching("Node", second=0.1)
    return story.fault("cni_config_withdrawn", "n1", 10, 60).watched(19, "Node", lost).ended(70)


def test_a_reason_in_time_holds_and_the_summary_says_what_why_and_how() -> None:
    verdict = verdict_on(PULL, pulled())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert "Pod new-0 shows ErrImagePull: v9: not found (after 1.9 s)" in verdict.summary
    assert "Pod new-0 shows ImagePullBackOff: Back-off: v9: not found" in verdict.summary
    assert verdict.figures["ImagePullBackOff_after_s"] == pytest.approx(13.9)


def test_an_event_counts_and_also_asks_for_no_message() -> None:
    story = pulled().watched(13, "Pod", waiting("ContainerCreating"))
    story.watched(14, "Event", event("FailedMount", 'configmap "settings" not found'), "ADDED")
    assert verdict_on(MOUNT, story).outcome is Outcome.HELD
    with_message = reason_shown("web", "ContainerCreating", message="settings")
    assert verdict_on(with_message, story, end_s=60).outcome is Outcome.VIOLATED


def test_init_containers_conditions_and_ended_containers_count() -> None:
    shown = pod("new-0", of=NEW)
    status = shown["status"]
    status["initContainerStatuses"] = [{"state": {"waiting": {"reason": "PodInitializing"}}}]
    status["conditions"][0] |= {"reason": "ContainersNotReady", "message": "unready: [app]"}
    ended = {"terminated": {"reason": "StartError", "message": "no such file"}}
    status["containerStatuses"][0]["lastState"] = ended
    story = pulled().watched(25, "Pod", shown)
    for reason, message in (
        ("PodInitializing", ""),
        ("ContainersNotReady", "[app]"),
        ("StartError", "no such file"),
    ):
        words = (message,) if message else ()
        assert verdict_on(reason_shown("web", reason, message=words), story).outcome is Outcome.HELD


@pytest.mark.parametrize("guarantee", [PULL, MOUNT, NO_NETWORK])
def test_an_empty_record_is_unknown(guarantee: Guarantee) -> None:
    assert verdict_on(guarantee).outcome is Outcome.UNKNOWN


def test_no_reason_is_no_claim() -> None:
    with pytest.raises(UsageError, match="names no reason"):
        reason_shown("web", message="not found")


def test_a_reason_that_never_comes_is_violated_at_its_limit() -> None:
    time_ns, text, objects = first(verdict_on(MOUNT, pulled(), end_s=60))
    assert time_ns == at(40.1)
    assert "no new pod of web shows FailedMount with 'not found' in its message in 30 s" in text
    assert "seen: Pod new-0 shows ErrImagePull: v9: not found" in text
    assert objects == ["web"]


def test_a_message_that_says_something_else_is_violated_with_what_it_says() -> None:
    text = first(verdict_on(PULL, pulled(words="connection refused"), end_s=60))[1]
    assert "shows ErrImagePull with 'not found' in its message in 30 s" in text
    assert "connection refused" in text
    either = reason_shown("web", "ErrImagePull", message=("401", "connection refused"))
    story = pulled(words="connection refused")
    assert verdict_on(either, story, end_s=60).outcome is Outcome.HELD


def test_a_late_reason_is_violated_when_it_comes() -> None:
    time_ns, text, _ = first(verdict_on(PULL, pulled(back_off_s=45), end_s=60))
    assert time_ns == at(45)
    assert text.endswith("only after 34.9 s")


def test_who_was_helped_before_the_limit_is_not_accused() -> None:
    repaired = pulled(back_off_s=50).step("push_tag", "Deployment web", 30)
    verdict = verdict_on(PULL, repaired, end_s=60)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "left alone for 19.9 s only, without ImagePullBackOff" in verdict.summary
    healed = pulled(back_off_s=50).fault("registry_stopped", "registry", 5, 30)
    assert verdict_on(PULL, healed, end_s=60).outcome is Outcome.UNKNOWN
    short = verdict_on(PULL, pulled(back_off_s=11.5).ended(20))
    assert short.outcome is Outcome.HELD


def test_a_step_on_something_else_helps_nobody() -> None:
    story = pulled(back_off_s=50).step("push_tag", "Deployment other", 30)
    assert verdict_on(PULL, story, end_s=60).outcome is Outcome.VIOLATED


def test_old_pods_and_other_workloads_count_for_nothing() -> None:
    story = three_ready_pods().watching("Event").step("set_image", "Deployment web", 10)
    said = event("ErrImagePull", "not found", of="old-0")
    story.watched(12, "Event", said, "ADDED")
    story.watched(12, "Pod", pod("stranger", of=("ReplicaSet", "of-another")), "ADDED")
    verdict = verdict_on(PULL, story, end_s=60)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "made no pod" in verdict.summary


def test_each_step_of_that_name_is_judged_by_its_own_pods() -> None:
    story = pulled().step("set_image", "Deployment web", 50)
    story.watched(51, "Pod", pod("newer-0", of=NEW), "ADDED")
    verdict = verdict_on(PULL, story, end_s=90)
    assert first(verdict)[0] == at(80.1)


def test_what_was_shown_is_proved_whatever_is_missing_and_nothing_else_is() -> None:
    gap = ("Pod", 20, "uid-never-seen")
    assert verdict_on(PULL, pulled().gap(*gap)).outcome is Outcome.HELD
    assert verdict_on(MOUNT, pulled().gap(*gap), end_s=60).outcome is Outcome.UNKNOWN
    unwatched = three_ready_pods().step("set_image", "Deployment web", 10)
    unwatched.watched(10.5, "ReplicaSet", replica_set("rs-2"), "ADDED")
    unwatched.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    verdict = verdict_on(MOUNT, unwatched.watching(*KINDS), end_s=60)
    assert "Events were not watched" in verdict.summary


@given(shown_s=st.floats(min_value=11.5, max_value=80), within_s=st.integers(5, 50))
def test_it_is_violated_exactly_when_it_comes_too_late(shown_s: float, within_s: int) -> None:
    guarantee = reason_shown("web", "ImagePullBackOff", message="not found", within_s=within_s)
    verdict = verdict_on(guarantee, pulled(back_off_s=shown_s), end_s=100)
    in_time = at(shown_s) <= at(10.1) + within_s * 1_000_000_000
    assert (verdict.outcome is Outcome.HELD) == in_time
    assert verdict.outcome in (Outcome.HELD, Outcome.VIOLATED)


def test_a_node_that_says_what_it_lacks_holds() -> None:
    verdict = verdict_on(NO_NETWORK, without_network())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert "Node n1 shows KubeletNotReady: NetworkPluginNotReady (after 8.9 s)" in verdict.summary


def test_a_node_that_says_nothing_or_something_else_is_violated() -> None:
    for story in (without_network(ready="True"), without_network(message="disk is full")):
        time_ns, text, _ = first(verdict_on(NO_NETWORK, story))
        assert time_ns == at(30.1)
        assert "n1 does not show KubeletNotReady with 'NetworkPluginNotReady'" in text


def test_a_node_that_says_it_late_is_violated_and_one_healed_early_unknown() -> None:
    parameters: Any = {"message": "NetworkPluginNotReady", "fault": "cni_config_withdrawn"}
    soon = node_reason_shown("n1", "KubeletNotReady", within_s=5, **parameters)
    assert first(verdict_on(soon, without_network()))[0] == at(19)
    other = node_reason_shown("n1", "NoPressure", within_s=20, message="", fault=NO_NETWORK.fault)
    assert verdict_on(other, without_network()).outcome is Outcome.VIOLATED
    long = node_reason_shown("n1", "DiskPressure", within_s=100, **parameters)
    assert verdict_on(long, without_network()).outcome is Outcome.UNKNOWN
    gappy = without_network(ready="True").gap("Node", 25, "uid-n1")
    assert verdict_on(NO_NETWORK, gappy).outcome is Outcome.UNKNOWN
