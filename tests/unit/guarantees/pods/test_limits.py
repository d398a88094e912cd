"""Where claims about pods begin and end: what only seems to be proof, and ways out seldom taken."""

from typing import Any

from chaoskit.guarantees import (
    never_made_again,
    no_surplus_after,
    node_not_ready_within,
    node_reason_shown,
    nothing_bound,
    one_per_node,
    ordinary_delete_sticks,
    pods_evicted_within,
    pods_stay,
    reason_shown,
    restarts_back_off,
    runs_untouched,
    steps_fail,
)
from chaoskit.guarantees.pods.container_runs import containers_of
from chaoskit.guarantees.pods.showings import of_conditions, of_pods
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched
from chaoskit.history.reader import History
from tests.corpus.objects import deployment, node, pod, replica_set, stateful_set
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import LOST_EVENTS, first, in_full, verdict_on
from tests.unit.guarantees.pods.test_evictions import KV, NODES, WITHIN, all_cut, told_to_end
from tests.unit.guarantees.pods.test_idle_nodes import (
    BOUND,
    FAIL,
    STARTS,
    WAITS,
    allowing,
    cordoned,
    drained,
    of_web,
    stopped,
    tried,
)
from tests.unit.guarantees.pods.test_nodes_away import HEAL_S, over
from tests.unit.guarantees.pods.test_reasons import event, pulled, without_network
from tests.unit.guarantees.pods.test_recovery import cut
from tests.unit.guarantees.pods.test_same_pods import SAME, back


def test_a_step_that_fails_proves_nothing_of_a_fault_that_may_not_have_acted() -> None:
    story = tried()
    story.events = [each for each in story.events if getattr(each, "mark", "") != "effective"]
    assert in_full(verdict_on(FAIL, story)) == [
        "steps_fail 1: exec of web-1 fails during component_stopped",
        "UNKNOWN: cannot tell: component_stopped on kubelet on n2 was never seen in effect;"
        " 1 failed during it, 1 were done outside",
        "tried during the fault: 1",
        "tried outside: 1",
    ]
    assert verdict_on(FAIL, tried(), (), LOST_EVENTS).outcome is Outcome.UNKNOWN


def test_a_step_in_another_fault_is_one_without_the_fault() -> None:
    story = tried().fault("loss", "n1", 40, 50).step("exec", "Pod web-1", 45)
    verdict = verdict_on(FAIL, story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage == {"tried during the fault": 1, "tried outside": 2}
    other = steps_fail("exec", "Pod web-2", fault="component_stopped")
    assert verdict_on(other, tried()).outcome is Outcome.UNKNOWN


def test_a_step_at_the_very_injection_or_request_to_heal_is_one_during_the_fault() -> None:
    for second in (10.1, 30):
        story = stopped().step("exec", "Pod web-1", 5).step("exec", "Pod web-1", second)
        assert first(verdict_on(FAIL, story))[0] == at(second)
    early = stopped().step("exec", "Pod web-1", 10.05)
    assert verdict_on(FAIL, early).coverage == {"tried during the fault": 0, "tried outside": 0}


def test_only_the_fault_that_was_named_cuts_a_node() -> None:
    story = cut().fault("pause", "n2", 70, 99)
    verdict = verdict_on(node_not_ready_within("n2", 20), story)
    assert in_full(verdict) == [
        "node_not_ready_within 1: node n2 not ready within 20 s",
        "HELD: not ready after 14.9 s",
        "injections: 1",
        "not_ready_after_s = 14.9",
    ]
    late = verdict_on(node_not_ready_within("n2", 20), cut(not_ready_s=35))
    assert first(late)[1] == "not ready only after 24.9 s"
    never = verdict_on(node_not_ready_within("n2", 20), cut(not_ready_s=None))
    assert first(never)[1] == "still ready after 49.9 s"


def test_only_the_fault_that_was_named_cordons_a_node() -> None:
    story = cordoned(a="n1").fault("loss", "n2", 40, 50)
    story.watched(45, "Pod", pod("b", node="n2"), "ADDED")
    assert verdict_on(BOUND, story).outcome is Outcome.HELD
    other = nothing_bound("n2", fault="loss")
    assert first(verdict_on(other, story))[1] == "b was bound to n2"


def test_nothing_bound_in_full() -> None:
    assert in_full(verdict_on(BOUND, cordoned())) == [
        "nothing_bound 1: no pod is bound to n2 during node_cordoned",
        "UNKNOWN: cannot tell: no pod was bound to any other node meanwhile;"
        " 0 pods were bound to other nodes",
        "injections: 1",
        "pods bound to other nodes: 0",
    ]


def test_a_fault_that_nobody_heals_lasts_to_the_end_of_the_record() -> None:
    story = Story().watching("Pod").fault("component_stopped", "kubelet on n2", 10, 30)
    story.events = [
        each
        for each in story.events
        if getattr(each, "mark", "") not in ("heal_requested", "healed")
    ]
    story.scans("n2", 60).container("n2", "uid-web-1", "c1", 1, 15)
    story.container("n2", "uid-web-1", "c2", 45, None)
    assert first(verdict_on(STARTS, story.ended(60)))[0] == at(45)


def test_a_pod_that_was_never_seen_cannot_stick() -> None:
    story = cut().step("delete", "pod/kv-9", 30)
    assert in_full(verdict_on(ordinary_delete_sticks("kv-9"), story)) == [
        "ordinary_delete_sticks 1: ordinary delete of kv-9 on a lost node sticks",
        "UNKNOWN: cannot tell: pod kv-9 was not seen before it was deleted",
    ]


def test_pods_that_go_without_being_told_are_given_up_then() -> None:
    story = all_cut()
    for ordinal, second in enumerate((46, 46.2)):
        told_to_end(story, ordinal, second)
    story.watched(56, "Pod", pod("kv-2", of=KV, node=NODES[2]), "DELETED")
    verdict = verdict_on(WITHIN, story)
    assert in_full(verdict) == [
        "pods_evicted_within 1: pods of kv on lost nodes are given up in 30 to 50 s",
        "HELD: 3 pods given up after 35.9 to 45.9 s (30 to 50 s)",
        "nodes: 3",
        "pods on them: 3",
        "first_after_s = 35.9",
        "last_after_s = 45.88",
    ]
    exact = pods_evicted_within("kv", NODES, not_before_s=35.9, at_most_s=45.88, kind="StatefulSet")
    assert verdict_on(exact, story).outcome is Outcome.HELD


def test_a_budget_that_is_gone_holds_nobody_up() -> None:
    story = Story().watching("PodDisruptionBudget", "Pod")
    story.watched(0, "PodDisruptionBudget", allowing(1), "LISTED")
    story.watched(10, "Pod", of_web("web-1"))
    story.watched(10.1, "PodDisruptionBudget", allowing(0), "DELETED")
    story.watched(20, "Pod", of_web("web-2"))
    verdict = verdict_on(WAITS, story.ended(60))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.figures == {"longest_wait_s": 0}
    assert in_full(verdict_on(WAITS, drained(15.5))) == [
        "evictions_wait 1: evictions wait 3 s for budget web",
        "HELD: 2 evictions, one waited 4.9 s",
        "evictions: 2",
        "longest_wait_s = 4.9",
    ]


def waited(story: Story) -> Story:
    """A pod of web waits from second 1 on; what it waits for is there at 10."""
    told = Story().watching("Pod", "Deployment", "ReplicaSet")
    told.watched(0, "Deployment", deployment(replicas=1), "LISTED")
    told.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    told.watched(1, "Pod", pod("web-1", waiting="ImagePullBackOff"), "ADDED")
    told.step("fix", "Deployment web", 9.9)
    told.events += story.events
    return told.ended(60)


def test_a_pod_that_is_gone_at_once_did_not_run_untouched() -> None:
    rule = runs_untouched(20, "web", after="fix")
    gone = Story().watched(12, "Pod", pod("web-1"), "DELETED")
    time_ns, text, names = first(verdict_on(rule, waited(gone)))
    assert (time_ns, names) == (at(12), ["web-1"])
    assert text == "web-1 was taken away after 2.0 s, before it was Ready"
    ready = Story().watched(12, "Pod", pod("web-1", ready_since=12))
    assert in_full(verdict_on(rule, waited(ready))) == [
        "runs_untouched 1: web runs untouched 20 s later",
        "HELD: web-1 is Ready 2.0 s after 'fix'",
        "waiting pods: 1",
        "ready_after_s = 2",
    ]


def test_same_pods_in_full() -> None:
    assert in_full(verdict_on(SAME, back(65))) == [
        "same_pods_come_back 2: ds on n2 is back 20 s after nic_down, not restarted",
        "HELD: ds-2 is Ready again 4.7 s after the heal",
        "injections: 1",
        "pods on the node: 1",
        "ready_again_after_s = 4.7",
    ]


def test_a_workload_that_is_as_large_as_wanted_says_when_it_was() -> None:
    rule = no_surplus_after(30, "web", fault="nic_down")
    assert in_full(verdict_on(rule, over())) == [
        "no_surplus_after 1: no pod of web too many 30 s after nic_down",
        "HELD: as many as wanted 9.7 s after it",
        "heals: 1",
        "processes seen on nodes: 3",
        "settled_after_s = 9.7",
    ]
    assert HEAL_S == 70


def test_each_span_of_a_phase_is_judged() -> None:
    """A first one that is too short to be judged does not hide the next."""
    story = Story().watching("Deployment", "ReplicaSet", "Pod")
    story.watched(0, "Deployment", deployment(replicas=1), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    shown = pod("web-1", ready_since=-9)
    shown["spec"]["containers"] = [{"name": "app", "image": "app:v1"}]
    story.watched(0, "Pod", shown, "LISTED").phase("canary", 5, 5.5).phase("canary", 10, 20)
    verdict = verdict_on(pods_stay("web", {"v1": 2}, phase="canary"), story.ended(30))
    assert first(verdict)[:2] == (at(11), "there were 1 of v1, not 2 of v1")


def test_a_phase_without_an_end_is_judged_to_the_end_of_the_record() -> None:
    story = Story().watching("Deployment", "ReplicaSet", "Pod")
    story.watched(0, "Deployment", deployment(replicas=1), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED").phase("canary", 5, None)
    shown = pod("web-1")
    shown["spec"]["containers"] = [{"name": "app", "image": "app:v1"}]
    story.watched(8, "Pod", shown, "ADDED")
    verdict = verdict_on(pods_stay("web", {}, phase="canary"), story.ended(30))
    assert first(verdict)[0] == at(8)


def history_of(*objects: tuple[str, dict[str, Any]]) -> tuple[History, list[Watched]]:
    story = Story()
    for second, (kind, obj) in enumerate(objects):
        story.watched(second, kind, obj)
    history = History.of_parts(events=story.events)
    return history, history.of(Watched)


def test_conditions_that_are_true_say_nothing() -> None:
    shown = node("n1", ready="False")
    shown["status"]["conditions"][0]["reason"] = "KubeletNotReady"
    shown["status"]["conditions"] += [{"type": "x", "status": "True", "reason": "Fine"}]
    _, (seen,) = history_of(("Node", shown))
    assert [str(each) for each in of_conditions(seen)] == ["Node n1 shows KubeletNotReady"]


def test_events_of_pods_are_shown_with_what_they_say() -> None:
    bare = event("Started", "")
    del bare["reason"], bare["message"]
    history, seen = history_of(("Event", event("FailedMount", "no such secret")), ("Event", bare))
    made = Story().watched(0, "Pod", pod("new-0")).events
    told = of_pods(history, [each for each in made if isinstance(each, Watched)])
    assert [(each.object, each.reason, each.message) for each in told if "Pod new" in each.object][
        -2:
    ] == [("Pod new-0", "FailedMount", "no such secret"), ("Pod new-0", "", "")]
    assert len(seen) == 2


def test_a_reason_that_was_shown_late_says_when() -> None:
    rule = node_reason_shown(
        "n1",
        "KubeletNotReady",
        message="NetworkPluginNotReady",
        within_s=5,
        fault="cni_config_withdrawn",
    )
    time_ns, text, _ = first(verdict_on(rule, without_network()))
    assert (time_ns, text) == (
        at(19),
        "n1 shows KubeletNotReady with 'NetworkPluginNotReady' in its message only after 8.9 s",
    )


def test_what_was_missing_before_the_step_hides_no_reason() -> None:
    rule = reason_shown("web", "CrashLoopBackOff", within_s=10)
    assert verdict_on(rule, pulled().ended(60), (), LOST_EVENTS).outcome is Outcome.VIOLATED


def test_a_run_that_ended_before_it_was_seen_has_the_number_before() -> None:
    """What a running container's last state says was the run before this one."""
    shown = pod("web-1", ready_since=5, container_id="c2", restarts=1)
    shown["spec"]["containers"] = [{"name": "app", "image": "app:v1"}]
    status = shown["status"]["containerStatuses"][0]
    status["state"] = {"running": {"startedAt": "2023-11-14T22:13:25Z"}}
    status["lastState"] = {
        "terminated": {
            "containerID": "containerd://c1",
            "finishedAt": "2023-11-14T22:13:24Z",
            "exitCode": 7,
        }
    }
    _, seen = history_of(("Pod", shown))
    (container,) = containers_of(seen)
    assert [(run.number, run.exit_code) for run in container.numbered()] == [(0, 7), (1, 0)]


def test_an_ended_pod_that_was_seen_without_runs_is_not_missed() -> None:
    _, seen = history_of(("StatefulSet", stateful_set()))
    assert containers_of(seen) == []


def test_a_container_that_never_ran_is_not_missed() -> None:
    story = Story().clock().watching("Deployment", "ReplicaSet", "Pod", "Node")
    story.watched(0, "Deployment", deployment(replicas=1), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    waiting = pod("web-1", waiting="ImagePullBackOff")
    waiting["spec"]["containers"] = [{"name": "app", "image": "app:none"}]
    story.watched(1, "Pod", waiting, "ADDED").ended(600)
    assert in_full(verdict_on(restarts_back_off("web"), story)) == [
        "restarts_back_off 1: containers of web are restarted by the back-off",
        (
            "UNKNOWN: cannot tell: no container of web was restarted; 0 restarts, the"
            " longest wait 0 s"
        ),
        "restarts: 0",
        "restarts after a known wait: 0",
    ]


def test_one_per_node_in_full() -> None:
    assert in_full(verdict_on(one_per_node("ds"), back(65))) == [
        "one_per_node 1: one pod of ds on each node",
        "HELD: 2 of 2 nodes have a Ready one at the end",
        "pods: 2",
        "nodes with a pod: 2",
    ]
    assert in_full(verdict_on(one_per_node("ds"), Story())) == [
        "one_per_node 1: one pod of ds on each node",
        (
            "UNKNOWN: cannot tell: DaemonSets were not watched; Pods were not watched;"
            " DaemonSet ds is not in the record"
        ),
    ]


def bare(*, again_s: float | None = None) -> Story:
    story = Story().watching("Pod").watched(1, "Pod", pod("bare"), "ADDED")
    story.watched(10, "Pod", pod("bare"), "DELETED")
    if again_s is not None:
        story.watched(again_s, "Pod", pod("bare", uid="uid-again", node="n2"), "ADDED")
    return story.ended(20)


def test_never_made_again_in_full() -> None:
    assert in_full(verdict_on(never_made_again("bare"), bare())) == [
        "never_made_again 1: bare is not made again",
        "HELD: none came in 10.0 s",
        "pods that went: 1",
        "gone_for_s = 10",
    ]
    assert in_full(verdict_on(never_made_again("bare"), bare(again_s=12))) == [
        "never_made_again 1: bare is not made again",
        "VIOLATED: another bare came 2.0 s later, on n2",
        ("first, worst, last of 1 at 12 s: another bare came 2.0 s later, on n2 [bare, uid-again]"),
        "pods that went: 1",
        "gone_for_s = 10",
    ]
    assert in_full(verdict_on(never_made_again("bare", at_least_s=11), bare())) == [
        "never_made_again 1: bare is not made again",
        ("UNKNOWN: cannot tell: the record ends 10.0 s later (11 s needed); none came in 10.0 s"),
        "pods that went: 1",
        "gone_for_s = 10",
    ]
    assert in_full(verdict_on(never_made_again("bare"), Story())) == [
        "never_made_again 1: bare is not made again",
        "UNKNOWN: cannot tell: Pods were not watched; bare is not on record",
    ]
