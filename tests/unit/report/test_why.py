"""What surrounds the moment at which a verdict went wrong: nothing left out, nothing invented."""

from typing import Any

from chaoskit.history.events import FaultMark, LoadMark, Note, Watched
from chaoskit.history.reader import Damage, History
from chaoskit.report.chart import axis_of
from chaoskit.report.failures import failure_table
from chaoskit.report.happenings import happenings
from chaoskit.report.why import Explainer, Why
from tests.unit.report.scenes import nic_down_events, nic_down_requests
from tests.unit.report.synthetic import Objects, at, run_info, verdict


def explained(outcome: str = "VIOLATED", moments: Any = (), **parts: Any) -> Why:
    parts.setdefault("events", nic_down_events())
    history = History.of_parts(info=run_info("a run"), **parts)
    axis = axis_of(history)
    assert axis is not None
    why = Explainer(history, axis, failure_table(history, axis)).verdict(
        verdict(outcome, "one process per identity", "two", moments)
    )
    assert why is not None
    return why


def test_a_verdict_that_held_needs_no_explanation() -> None:
    history = History.of_parts(events=nic_down_events(), info=run_info("a run"))
    axis = axis_of(history)
    assert axis is not None
    assert Explainer(history, axis, None).verdict(verdict("HELD", "a", "b", [(1, "c")])) is None


def test_it_names_moment_fault_object_and_revision() -> None:
    why = explained(moments=[(42.7, "two processes of kv-1 on agent-1")])
    assert (why.moment, why.clock) == ("42.60 s", "00:00:42 UTC")
    assert why.faults == ("nic_down on agent-1, for 22.7 s",)
    pod, node = why.things
    assert (pod.kind, pod.name, pod.revision) == ("Pod", "kv-1", "7d4c9f")
    assert pod.state == "Pending on agent-0, revision 7d4c9f, UID 1bbb2222"
    assert (node.kind, node.name, node.state) == ("Node", "agent-1", "NotReady (Unknown)")
    assert node.reason == "NodeStatusUnknown"


def test_objects_are_as_they_were_at_that_moment_and_not_later() -> None:
    before, after = (explained(moments=[(s, "of kv-1 on agent-1")]) for s in (30.0, 70.0))
    assert [thing.state for thing in before.things][1] == "Ready"
    assert [thing.state for thing in after.things][1] == "Ready"
    assert "UID 1aaa1111" in before.things[0].state
    assert "UID 1bbb2222" in after.things[0].state


def test_after_the_heal_the_fault_is_said_to_be_over() -> None:
    why = explained(moments=[(70.0, "late")])
    assert why.faults == ("none; nic_down on agent-1 had been healed 8.0 s before",)


def test_before_the_fault_there_was_none() -> None:
    assert explained(moments=[(5.0, "early")]).faults == ()


def test_failures_and_answers_about_then_are_counted_with_their_cause() -> None:
    why = explained(moments=[(30.0, "no answer")], requests=nic_down_requests())
    (failed,) = why.failures
    assert "timeout/connect (fault in effect)" in failed
    assert why.answering.endswith("by 7d4c9f")


def test_the_events_around_it_stand_in_order_with_the_nearest_kept() -> None:
    why = explained(moments=[(40.0, "deleted")])
    texts = [event.text for event in why.around]
    assert "kv-1 is gone, UID 1aaa1111" in texts
    assert any(text.startswith("delete (forced) of kv-1 started") for text in texts)
    assert [e.at_s for e in why.around] == sorted(e.at_s for e in why.around)
    assert len(why.around) == 9
    assert "+0.10 s" in [event.offset for event in why.around]


def test_a_doubt_without_a_witness_is_dated_by_what_makes_the_record_doubtful() -> None:
    doubtful = FaultMark(
        time_ns=at(33), fault_id="f9", name="loss", target="agent-0", mark="ineffective"
    )
    why = explained("UNKNOWN", events=[*nic_down_events(), doubtful])
    assert why.at_s is not None
    assert why.text == "loss on agent-0 was ineffective"
    assert why.things[0].name == "agent-0"


def test_damage_and_a_load_that_died_date_a_doubt_too() -> None:
    died = LoadMark(time_ns=at(50), load_id="l1", mark="died", rate_per_s=5, streams=[])
    assert explained("UNKNOWN", events=[*nic_down_events(), died]).text == "load l1 died"
    damage = Damage(
        file="requests-load.ckl", holds="requests", kind="torn", since_ns=at(45), until_ns=None,
        detail="cut",
    )  # fmt: skip
    why = explained("UNKNOWN", damage=[damage])
    assert why.text == "from here on requests may be missing (requests-load.ckl)"


def test_without_any_moment_it_says_so_and_shows_how_the_record_ends() -> None:
    why = explained("UNKNOWN")
    assert why.at_s is None
    assert why.text.startswith("No single moment")
    assert why.around[-1].text == "phase recovery ends"


def test_a_pod_that_cannot_start_says_reason_and_message() -> None:
    objects = Objects()
    objects.pod(1, "web-1", "u1", ready=False)
    pod = objects.events[0]
    assert isinstance(pod, Watched)
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "web:v9"'}
    pod.object["status"]["containerStatuses"] = [{"state": {"waiting": waiting}}]
    pod.object["spec"]["containers"] = [{"image": "web:v9"}]
    note = Note(time_ns=at(3), source="observer", level="warning", text="slow")
    (thing,) = explained(moments=[(2, "web-1 not ready")], events=[pod, note]).things
    assert thing.image == "web:v9"
    assert thing.reason == 'ImagePullBackOff: Back-off pulling image "web:v9"'


def test_warnings_of_kubernetes_are_told_and_normal_events_are_not() -> None:
    def told(kind: str) -> Watched:
        return Watched(
            time_ns=at(1), kind="Event", change="ADDED", uid=kind, namespace="n", name=kind,
            resource_version=1,
            object={
                "metadata": {}, "type": kind, "reason": "Failed", "message": "no such image",
                "involvedObject": {"kind": "Pod", "name": "web-1"},
            },
        )  # fmt: skip

    history = History.of_parts(events=[told("Normal"), told("Warning")])
    assert [one.text for one in happenings(history, at(2))] == ["Pod web-1: Failed: no such image"]


def test_measurements_of_a_fault_are_told_once() -> None:
    marks = [
        FaultMark(time_ns=at(s), fault_id="f", name="loss", target="a", mark="effective")
        for s in range(5)
    ]
    assert len(happenings(History.of_parts(events=marks), at(9))) == 1
