"""Spans from events: pods and nodes as the API showed them, processes as the nodes did."""

from typing import Literal

from chaoskit.history.events import FaultMark, LoadMark, PhaseMark, StepMark, Watched
from chaoskit.report.marks import fault_spans, load_spans, phase_spans, step_spans
from chaoskit.report.objects import node_spans, pod_spans
from chaoskit.report.processes import identities
from tests.unit.report.scenes import (
    nic_down_events,
)
from tests.unit.report.synthetic import (
    Objects,
    at,
    container,
)

END_NS = at(100)
MARKS: list[tuple[int, Literal["steady", "died"]]] = [(1, "steady"), (4, "died")]


def watched(objects: Objects) -> list[Watched]:
    return [event for event in objects.events if isinstance(event, Watched)]


def test_a_pod_name_has_the_states_of_all_its_incarnations() -> None:
    events = [e for e in nic_down_events() if isinstance(e, Watched)]
    spans = pod_spans(events, END_NS)["chaos-7/kv-1"]
    assert [(s.state, s.owner[:4], s.open_end) for s in spans] == [
        ("ready", "1aaa", False),
        ("not_ready", "1aaa", False),
        ("terminating", "1aaa", False),
        ("not_ready", "1bbb", False),
        ("ready", "1bbb", True),
    ]
    assert [s.end_ns for s in spans[:-1]] == [at(36.6), at(40.0), at(40.1), at(43.9)]
    assert spans[0].revision == "7d4c9f"


def test_pods_of_kubernetes_itself_are_left_out() -> None:
    objects = Objects()
    objects.pod(1, "kv-0", "u", ready=True)
    own = watched(objects)[0]
    system = Watched(
        time_ns=own.time_ns,
        kind="Pod",
        change="ADDED",
        uid="s",
        namespace="kube-system",
        name="coredns",
        resource_version=9,
        object={},
    )
    assert list(pod_spans([own, system], END_NS)) == ["chaos-7/kv-0"]


def test_a_node_is_not_ready_between_its_conditions() -> None:
    events = [e for e in nic_down_events() if isinstance(e, Watched)]
    spans = node_spans(events, END_NS)
    assert [(s.state, s.start_ns) for s in spans["agent-1"]] == [
        ("ready", at(0.1)),
        ("unknown", at(36.4)),
        ("ready", at(65.3)),
    ]
    assert [s.state for s in spans["agent-0"]] == ["ready"]


def test_two_processes_of_one_name_overlap_only_while_both_were_surely_alive() -> None:
    objects = Objects()
    objects.pod(1, "kv-1", "old", ready=True)
    objects.pod(2, "kv-1", "new", ready=True)
    seen = [
        container(1, "a", "old", "running"),
        container(10, "b", "new", "running", before=0.5),
        container(20, "a", "old", "gone", before=0.25),
    ]
    (identity,) = identities(seen, watched(objects), END_NS)
    assert identity.overlaps == ((at(10), at(19.75)),)


def test_one_process_after_the_other_is_no_overlap() -> None:
    objects = Objects()
    objects.pod(1, "kv-1", "old", ready=True)
    objects.pod(2, "kv-1", "new", ready=True)
    seen = [
        container(1, "a", "old", "running"),
        container(5, "a", "old", "gone"),
        container(5, "b", "new", "running"),
    ]
    (identity,) = identities(seen, watched(objects), END_NS)
    assert identity.overlaps == ()


def test_pods_of_a_deployment_have_no_identity_to_double() -> None:
    objects = Objects()
    objects.pod(1, "web-a", "u1", ready=True, owner="ReplicaSet")
    assert identities([container(1, "a", "u1", "running")], watched(objects), END_NS) == []


def test_a_fault_that_was_not_healed_lasts_to_the_end_of_the_record() -> None:
    mark = FaultMark(time_ns=at(3), fault_id="f", name="nic_down", target="a", mark="injected")
    (span,) = fault_spans([mark], END_NS)
    assert span.window == (at(3), END_NS)
    assert not span.healed


def test_a_fault_that_was_only_asked_for_has_no_window() -> None:
    mark = FaultMark(time_ns=at(3), fault_id="f", name="nic_down", target="a", mark="requested")
    (span,) = fault_spans([mark], END_NS)
    assert span.window is None


def test_steps_phases_and_loads_without_an_end_last_to_the_end_of_the_record() -> None:
    step = StepMark(time_ns=at(1), step_id="s", name="scale", target="kv", mark="started")
    phase = PhaseMark(time_ns=at(2), phase="cut", mark="begin")
    load = LoadMark(time_ns=at(3), load_id="l", mark="steady", rate_per_s=5, streams=[])
    for (span,) in (
        step_spans([step], END_NS),
        phase_spans([phase], END_NS),
        load_spans([load], END_NS),
    ):
        assert span.end_ns == END_NS
        assert span.open_end


def test_a_load_that_died_is_a_moment() -> None:
    marks = [
        LoadMark(time_ns=at(s), load_id="l", mark=mark, rate_per_s=5, streams=[], detail="OOM")
        for s, mark in MARKS
    ]
    spans = load_spans(marks, END_NS)
    assert [(s.state, s.start_ns, s.end_ns) for s in spans] == [
        ("steady", at(1), at(4)),
        ("died", at(4), at(4)),
    ]
    assert "OOM" in spans[1].title


def test_a_closed_loop_is_called_one() -> None:
    """It has no rate of its own: it asks as fast as it is answered."""
    mark = LoadMark(
        time_ns=at(1), load_id="l", mark="steady", rate_per_s=0, streams=[], loop="closed"
    )
    (span,) = load_spans([mark], END_NS)
    assert span.owner == "closed loop"
    assert "requests/s" not in span.title
