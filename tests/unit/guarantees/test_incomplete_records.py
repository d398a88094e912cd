"""What is missing from a record may excuse a violation: then nobody is accused, nothing fails."""

from typing import Literal

from chaoskit.guarantees import (
    availability,
    no_request_lost,
    one_process_per_identity,
    outage,
    rollout_bounds,
)
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.objects.processes import processes_of
from chaoskit.guarantees.objects.watched import name_of, steps
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import ContainerSeen, FaultMark, StepMark
from chaoskit.history.reader import Damage, History
from tests.corpus.objects import pod, replica_set
from tests.corpus.requests import bad_between, steady
from tests.corpus.rollouts import NEW, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at


def lost(
    since_s: float, until_s: float, holds: Literal["events", "requests"] = "events"
) -> list[Damage]:
    return [
        Damage(
            file=f"{holds}-x.ckl",
            holds=holds,
            kind="lost",
            since_ns=at(since_s),
            until_ns=at(until_s),
            detail="",
        )
    ]


def surplus_pod_at_12() -> Story:
    story = three_ready_pods()
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    return story.watched(12, "Pod", pod("new-1", of=NEW), "ADDED")


def test_a_gap_before_the_violation_makes_it_a_doubt_and_one_after_does_not() -> None:
    for second, outcome in ((11.5, Outcome.UNKNOWN), (20, Outcome.VIOLATED)):
        story = surplus_pod_at_12().gap("Pod", second, "any-object")
        verdict = rollout_bounds("web").check(History.of_parts(events=story.events))
        assert verdict.outcome is outcome


def test_lost_events_before_the_violation_make_it_a_doubt() -> None:
    for since_s, outcome in ((5, Outcome.UNKNOWN), (20, Outcome.VIOLATED)):
        history = History.of_parts(
            events=surplus_pod_at_12().events, damage=lost(since_s, since_s + 1)
        )
        assert rollout_bounds("web").check(history).outcome is outcome


def test_a_lost_chunk_of_requests_accuses_no_outage() -> None:
    rows = [
        row
        for row in steady(seconds=30, outcome=bad_between((9, 10), (20, 21)))
        if not at(10) <= row.planned_ns < at(20)
    ]
    whole = History.of_parts(requests=rows)
    assert outage(5).check(whole).outcome is Outcome.VIOLATED
    holed = History.of_parts(requests=rows, damage=lost(10, 20, "requests"))
    assert outage(5).check(holed).outcome is Outcome.UNKNOWN


def test_requests_are_not_charged_when_the_marks_of_the_fault_may_be_missing() -> None:
    story = Story().fault("nic_down", "n2", 40, 50)
    rows = steady(seconds=90, outcome=bad_between((39, 50)))
    for guarantee in (availability(0.999, outside="nic_down"), no_request_lost(outside="nic_down")):
        whole = History.of_parts(requests=rows, events=story.events)
        assert guarantee.check(whole).outcome is Outcome.VIOLATED
        holed = History.of_parts(requests=rows, events=story.events, damage=lost(38, 39))
        assert guarantee.check(holed).outcome is Outcome.UNKNOWN


def test_marks_whose_counterpart_was_lost_are_no_error() -> None:
    damage = lost(0, 5)
    fault = FaultMark(time_ns=at(6), fault_id="f", name="x", target="n2", mark="effective")
    step = StepMark(time_ns=at(6), step_id="s", name="undo", target="Deployment web", mark="done")
    gone = ContainerSeen(
        time_ns=at(6), node="n", pod_uid="u", container_id="c", state="gone", before_ns=at(5.9)
    )
    history = History.of_parts(events=[fault, step, gone], damage=damage)
    assert fault_windows(history)[0].doubts
    assert steps(history, "undo", "web") == []
    assert processes_of(history, {"u": "kv-0"}).found == []
    assert one_process_per_identity("kv").check(history).outcome is Outcome.UNKNOWN


def test_names_are_found_in_texts_and_references() -> None:
    class Ref:
        name = "kv"

    class Workload:
        ref = Ref()

    texts = ("kv", "statefulset/kv", "StatefulSet kv", "StatefulSet chaos/kv")
    assert {name_of(text) for text in texts} == {"kv"}
    assert name_of(Workload()) == name_of(Ref()) == "kv"
