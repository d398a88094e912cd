"""disruption_budget_respected: every eviction leaves as many healthy pods as were asked for."""

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import disruption_budget_respected
from chaoskit.guarantees.pods.label_selector import selects
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import StepMark, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.budgets import KINDS, budget, evicted
from tests.corpus.deployments import numbered, web
from tests.corpus.objects import Object, pod, stateful_set
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on


def check(story: Story, name: str | None = "web", **rule: float) -> Verdict:
    return verdict_on(disruption_budget_respected(name, **rule), story)


def labelled(name: str, *, ready: bool = True, leaving: bool = False, **fields: object) -> Object:
    made = pod(name, ready_since=-60 if ready else None, leaving=leaving, **fields)  # type: ignore[arg-type]
    made["metadata"]["labels"] = {"app": "web"}
    return made


def guarded(*, pods: int = 3, guard: Object | None = None, replicas: int = 3) -> Story:
    """web with its pods p0, p1, …, all Ready, and the budget web of at least 2."""
    story = Story().clock()
    story.watched(0, "Deployment", web(replicas=replicas), "LISTED")
    story.watched(0, "ReplicaSet", numbered("rs-1", 1, replicas=replicas), "LISTED")
    for number in range(pods):
        story.watched(0, "Pod", labelled(f"p{number}"), "LISTED")
    guard = budget(minAvailable=2) if guard is None else guard
    story.watched(0, "PodDisruptionBudget", guard, "LISTED")
    return story.watching(*KINDS, second=0.1)


def evict(story: Story, second: float, name: str, *, ready: bool = True) -> Story:
    """The pod is marked and then deleted."""
    marked = evicted(labelled(name, ready=ready))
    story.watched(second, "Pod", marked)
    leaving = evicted(labelled(name, ready=ready, leaving=True))
    return story.watched(second + 0.01, "Pod", leaving)


def approve(story: Story, second: float, *names: str, desired: int = 2) -> Story:
    """The budget lists pods whose eviction the API server has approved."""
    listing = budget(minAvailable=2, desired=desired, disrupted=names)
    return story.watched(second, "PodDisruptionBudget", listing)


def test_an_eviction_that_leaves_enough_holds() -> None:
    verdict = check(evict(guarded(), 10, "p0"))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {
        "evictions judged": 1,
        "evictions that budgets do not guard": 0,
        "evict and drain steps": 0,
    }
    assert verdict.figures == {"lowest_healthy_of_web": 2, "needed_of_web": 2}
    assert "web: at least 2 healthy after each eviction (2 needed)" in verdict.summary


def test_an_eviction_that_leaves_too_few_is_the_witness() -> None:
    story = evict(evict(guarded(), 10, "p0"), 12, "p1")
    assert first(check(story)) == (
        at(12),
        "evicting p1 leaves 1 healthy pods where budget web needs 2",
        ["p1", "web"],
    )
    assert check(story, None).outcome is Outcome.VIOLATED


def test_two_evictions_at_once_are_two() -> None:
    story = evict(guarded(), 10, "p0")
    assert check(evict(story, 10.02, "p1")).outcome is Outcome.VIOLATED


def test_an_eviction_is_dated_by_its_approval() -> None:
    story = approve(guarded(), 10, "p0")
    story.watched(10.5, "Pod", labelled("p1", ready=False))
    verdict = check(evict(story, 14, "p0"))
    assert verdict.outcome is Outcome.HELD
    late = guarded().watched(10.5, "Pod", labelled("p1", ready=False))
    assert check(evict(late, 14, "p0")).outcome is Outcome.VIOLATED


def test_a_pod_that_was_approved_counts_no_more() -> None:
    story = approve(guarded(), 10, "p0")
    story = evict(approve(story, 10.2, "p0", "p1"), 10.4, "p1")
    assert first(check(evict(story, 10.6, "p0")))[:2] == (
        at(10.2),
        "evicting p1 leaves 1 healthy pods where budget web needs 2",
    )


def test_an_approved_pod_that_stays_counts() -> None:
    story = evict(approve(guarded(), 10, "p0"), 12, "p1")
    assert check(story).outcome is Outcome.HELD


def test_a_pod_that_got_unready_a_moment_ago_may_not_be_known_yet() -> None:
    for second, outcome in ((10.9, Outcome.HELD), (11.1, Outcome.VIOLATED)):
        story = guarded().watched(10, "Pod", labelled("p1", ready=False))
        assert check(evict(story, second, "p0")).outcome is outcome
    story = guarded().watched(10, "Pod", labelled("p1", ready=False))
    assert check(evict(story, 10.9, "p0"), lag_s=0.5).outcome is Outcome.VIOLATED
    gone = guarded().watched(10, "Pod", labelled("p1"), "DELETED")
    assert check(evict(gone, 10.9, "p0")).outcome is Outcome.HELD


def test_an_unready_pod_that_was_evicted_may_still_be_counted() -> None:
    for second, outcome in ((10.9, Outcome.HELD), (11.1, Outcome.VIOLATED)):
        story = guarded().watched(10, "Pod", labelled("p0", ready=False))
        story = evict(story, 10.2, "p0", ready=False)
        assert check(evict(story, second, "p1")).outcome is outcome


def test_a_pod_that_was_approved_but_preempted_was_not_evicted() -> None:
    story = approve(guarded(pods=2), 10, "p0")
    story.watched(11, "Pod", evicted(labelled("p0", leaving=True), "PreemptionByScheduler"))
    assert check(story).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "spec,desired,first_too_many",
    [
        ({"minAvailable": 4}, 9, 2),
        ({"minAvailable": "50%"}, 9, 3),  # 2.5 of 5 is 3
        ({"maxUnavailable": 1}, 9, 2),
        ({"maxUnavailable": "30%"}, 9, 3),  # 1.5 of 5 is 2
        ({"maxUnavailable": 9}, 9, 6),
        ({"minAvailable": 0}, 9, 6),
    ],
)
def test_the_need_follows_from_the_spec_not_from_the_status(
    spec: Object, desired: int, first_too_many: int
) -> None:
    story = guarded(pods=5, replicas=5, guard=budget(desired=desired, **spec))
    for number in range(first_too_many - 1):
        evict(story, 10 + 2 * number, f"p{number}")
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["needed_of_web"] == 6 - first_too_many
    if first_too_many <= 5:
        evict(story, 30, f"p{first_too_many - 1}")
        assert first(check(story))[0] == at(30)


def test_a_need_that_grew_a_moment_ago_may_not_be_known_yet() -> None:
    for second, outcome in ((10.9, Outcome.HELD), (11.1, Outcome.VIOLATED)):
        story = guarded(guard=budget(desired=2, maxUnavailable=1))
        story.watched(10, "Deployment", web(replicas=6, generation=2))
        assert check(evict(story, second, "p0")).outcome is outcome


def test_the_replicas_of_a_stateful_set_count_too() -> None:
    story = Story().watching(*KINDS)
    story.watched(1, "StatefulSet", stateful_set(), "ADDED")
    for number in range(3):
        story.watched(1, "Pod", labelled(f"kv-{number}", of=("StatefulSet", "kv")), "ADDED")
    story.watched(2, "PodDisruptionBudget", budget(desired=0, maxUnavailable=1), "ADDED")
    for number, second in ((2, 10), (1, 12)):
        marked = evicted(labelled(f"kv-{number}", of=("StatefulSet", "kv")))
        leaving = labelled(f"kv-{number}", of=("StatefulSet", "kv"), leaving=True)
        story.watched(second, "Pod", marked).watched(second + 0.1, "Pod", evicted(leaving))
    assert first(check(story))[0] == at(12)


def test_with_controllers_of_other_kinds_the_status_says_the_need() -> None:
    def of_job(status: bool) -> Story:
        story = Story().watching(*KINDS)
        for number in range(3):
            story.watched(1, "Pod", labelled(f"p{number}", of=("Job", "batch")), "ADDED")
        guard = budget(desired=3, maxUnavailable=1)
        if not status:
            del guard["status"]
        story.watched(2, "PodDisruptionBudget", guard, "ADDED")
        marked = evicted(labelled("p0", of=("Job", "batch")))
        story.watched(10, "Pod", marked)
        leaving = evicted(labelled("p0", of=("Job", "batch"), leaving=True))
        return story.watched(10.1, "Pod", leaving)

    text = first(check(of_job(True)))[1]
    assert text == "evicting p0 leaves 2 healthy pods where budget web needs 3"
    verdict = check(of_job(False))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "desiredHealthy of budget web cannot be told" in verdict.summary


@pytest.mark.parametrize(
    "policy,healthy,outcome",
    [
        (None, 2, Outcome.HELD),  # it takes nothing away
        (None, 1, Outcome.VIOLATED),
        ("IfHealthyBudget", 1, Outcome.VIOLATED),
        ("AlwaysAllow", 1, Outcome.UNKNOWN),  # not guarded, and nothing else was evicted
    ],
)
def test_unready_pods_go_by_the_policy(policy: str | None, healthy: int, outcome: Outcome) -> None:
    spec: Object = {} if policy is None else {"unhealthyPodEvictionPolicy": policy}
    story = guarded(pods=healthy, guard=budget(minAvailable=2, **spec))
    story.watched(5, "Pod", labelled("bad", ready=False), "ADDED")
    verdict = check(evict(story, 10, "bad", ready=False))
    assert verdict.outcome is outcome
    assert verdict.coverage["evictions that budgets do not guard"] == (policy == "AlwaysAllow")


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed", "leaving"])
def test_pods_that_no_budget_guards(phase: str) -> None:
    story = guarded(pods=1)
    free = labelled("free", ready=False, leaving=phase == "leaving")
    if phase != "leaving":
        free["status"]["phase"] = phase
    story.watched(5, "Pod", free, "ADDED")
    verdict = check(evict(story, 10, "free", ready=False))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage["evictions that budgets do not guard"] == 1
    assert "no pod that a budget web guards was evicted" in verdict.summary


def test_what_bypasses_the_budget_is_counted_apart() -> None:
    story = guarded(pods=5)
    story.watched(10, "Pod", labelled("p0", leaving=True))
    preempted = evicted(labelled("p1", leaving=True), "PreemptionByScheduler")
    story.watched(11, "Pod", preempted)
    story.watched(12, "Pod", evicted(labelled("p2", leaving=True), "DeletionByTaintManager"))
    story.watched(13, "Pod", labelled("p3"), "DELETED")
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage["healthy pods that went by other causes"] == 2
    assert verdict.coverage["healthy pods that went by PreemptionByScheduler"] == 1
    assert verdict.coverage["healthy pods that went by DeletionByTaintManager"] == 1
    assert first(check(evict(story, 20, "p4")))[1] == (
        "evicting p4 leaves 0 healthy pods where budget web needs 2"
    )


def test_servers_that_mark_no_pod_are_judged_by_the_evict_steps() -> None:
    story = guarded(pods=2).step("evict", "Pod p0", 10)
    story.watched(10.05, "Pod", labelled("p0", leaving=True))
    assert first(check(story))[:2] == (
        at(10.05),
        "evicting p0 leaves 1 healthy pods where budget web needs 2",
    )
    refused = guarded(pods=2).step("evict", "Pod p0", 10, end="failed")
    refused.watched(10.05, "Pod", labelled("p0", leaving=True))
    later = guarded(pods=2).step("evict", "Pod p0", 10)
    later.watched(30, "Pod", labelled("p0", leaving=True))
    marking = evict(guarded(), 5, "p2").step("evict", "Pod p0", 10)
    marking.watched(10.05, "Pod", labelled("p0", leaving=True))
    assert check(refused).outcome is check(later).outcome is Outcome.UNKNOWN
    assert check(marking).outcome is Outcome.HELD


def test_only_the_pods_of_the_budget_count() -> None:
    other = labelled("other")
    other["metadata"]["labels"] = {"app": "api"}
    story = guarded(pods=2).watched(5, "Pod", other, "ADDED")
    other_marked = evicted({**other, "metadata": {**other["metadata"]}})
    other_marked["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z"
    story.watched(9, "Pod", other_marked)
    assert check(story).outcome is Outcome.UNKNOWN
    assert check(evict(story, 10, "p0")).outcome is Outcome.VIOLATED


def test_each_budget_is_judged_for_itself() -> None:
    story = guarded(pods=4)
    second = budget("strict", minAvailable=4)
    story.watched(3, "PodDisruptionBudget", second, "ADDED")
    evict(story, 10, "p0")
    assert check(story).outcome is Outcome.HELD
    assert first(check(story, None))[2] == ["p0", "strict"]
    assert check(story, "absent").outcome is Outcome.UNKNOWN


def test_without_its_budget_a_pod_may_go() -> None:
    story = guarded(pods=2)
    story.watched(5, "PodDisruptionBudget", budget(minAvailable=2), "DELETED")
    assert check(evict(story, 10, "p0")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "selector,chosen",
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "api"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "x", "operator": "In", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors(selector: Object | None, chosen: bool) -> None:
    assert selects(selector, {"app": "web"}) is chosen


def test_unknown_and_why() -> None:
    good = evict(guarded(), 10, "p0")
    unwatched = Story()
    unwatched.events = [e for e in good.events if not isinstance(e, WatchStarted)]
    for story, reason in (
        (Story(), "no budget web is in the record"),
        (guarded(), "no pod that a budget web guards was evicted"),
        (unwatched, "PodDisruptionBudgets were not watched"),
        (evict(guarded(), 10, "p0").gap("Pod", 5, "uid-p1"), "the watch of Pods has a gap"),
    ):
        verdict = check(story)
        assert verdict.outcome is Outcome.UNKNOWN, verdict.summary
        assert reason in verdict.summary
    assert "no disruption budget is in the record" in check(Story(), None).summary
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    torn = History.of_parts(events=good.events, damage=[lost])
    assert disruption_budget_respected("web").check(torn).outcome is Outcome.UNKNOWN


def test_a_gap_in_the_controllers_matters_where_the_need_rests_on_them() -> None:
    by_share = evict(guarded(guard=budget(maxUnavailable=1)), 10, "p0")
    assert check(by_share).outcome is Outcome.HELD
    assert check(by_share.gap("Deployment", 5, "uid-web")).outcome is Outcome.UNKNOWN
    by_number = evict(guarded(), 10, "p0").gap("Deployment", 5, "uid-web")
    assert check(by_number).outcome is Outcome.HELD


def test_a_gap_before_the_eviction_excuses_it() -> None:
    story = evict(guarded(pods=2), 10, "p0").gap("Pod", 5, "uid-p1")
    assert check(story).outcome is Outcome.UNKNOWN


def test_malformed_records_are_errors() -> None:
    with pytest.raises(RecordError, match="neither a number nor a percentage"):
        check(evict(guarded(guard=budget(minAvailable="many")), 10, "p0"))
    strange = {"matchExpressions": [{"key": "app", "operator": "Like"}]}
    with pytest.raises(RecordError, match="operator that Kubernetes does not know"):
        check(evict(guarded(guard=budget(minAvailable=2, selector=strange)), 10, "p0"))
    story = guarded()
    story.events.append(
        StepMark(time_ns=at(9), step_id="x", name="evict", target="Pod p0", mark="done")
    )
    story.watched(9.1, "Pod", labelled("p0", leaving=True))
    with pytest.raises(RecordError, match="never started"):
        check(story)
