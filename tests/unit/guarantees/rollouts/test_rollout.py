"""rollout_bounds: at every instant, in resourceVersion order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import rollout_bounds
from chaoskit.guarantees.objects.bounds import resolved
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import Watched, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.examples import examples
from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.rollouts import NEW, OLD, good_rollout, three_ready_pods
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on


def check(story: Story, **bounds: int | str) -> Verdict:
    return verdict_on(rollout_bounds("deployment/web", **bounds), story)


@pytest.mark.parametrize("min_ready_s", [0, 10])
def test_good_rollout_holds(min_ready_s: int) -> None:
    verdict = check(good_rollout(min_ready_s=min_ready_s))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["highest_pods"] == 4
    assert verdict.figures["lowest_available_pods"] == 3


def test_a_surplus_pod_is_the_witness() -> None:
    story = three_ready_pods()
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(12, "Pod", pod("new-1", of=NEW), "ADDED")
    verdict = check(story)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.objects == ["new-1"]
    assert verdict.evidence.first.time_ns == at(12)


def test_taking_away_a_pod_too_early_is_the_witness() -> None:
    story = three_ready_pods()
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(12, "Pod", pod("old-0", of=OLD, ready_since=-60, leaving=True))
    verdict = check(story)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.objects == ["old-0"]
    assert check(story, max_unavailable=1).outcome is Outcome.HELD
    assert check(story, max_unavailable="25%").outcome is Outcome.VIOLATED
    assert check(story, max_unavailable="34%").outcome is Outcome.HELD


def test_ready_is_not_yet_available() -> None:
    story = three_ready_pods()
    story.watched(9, "Deployment", deployment(min_ready_s=10))
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(12, "Pod", pod("new-0", of=NEW, ready_since=12))
    taken_early, in_time = list(story.events), list(story.events)
    story.watched(20.5, "Pod", pod("old-0", of=OLD, ready_since=-60, leaving=True))
    taken_early.append(story.events[-1])
    story.watched(21.5, "Pod", pod("old-0", of=OLD, ready_since=-60, leaving=True))
    in_time.append(story.events[-1])
    guarantee = rollout_bounds("web")
    assert guarantee.check(History.of_parts(events=taken_early)).outcome is Outcome.VIOLATED
    assert guarantee.check(History.of_parts(events=in_time)).outcome is Outcome.HELD


def test_a_dip_that_the_rollout_did_not_cause_is_not_charged() -> None:
    story = good_rollout()
    story.watched(60, "Pod", pod("new-1", of=NEW))
    assert check(story).outcome is Outcome.HELD
    story.step("delete", "pod/new-2", 65)
    story.watched(65, "Pod", pod("new-2", of=NEW, ready_since=20, leaving=True))
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["pods_taken_by_steps"] == 1


def sized(name: str, replicas: int, desired: int) -> Object:
    """A ReplicaSet of so many pods, sized while the Deployment was to have `desired`."""
    made = replica_set(name, image="app:v1" if name == "rs-1" else "app:v2")
    made["spec"]["replicas"] = replicas
    made["metadata"]["annotations"] = {"deployment.kubernetes.io/desired-replicas": str(desired)}
    return made


def scaled_down_in_mid_rollout(*, late_s: float = 0.0) -> Story:
    """Of three old pods and one new, not Ready yet, two are to be: two old ones go, then one."""
    story = three_ready_pods().watched(9, "ReplicaSet", sized("rs-1", 3, 3))
    story.watched(10, "ReplicaSet", sized("rs-2", 1, 3), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(12, "Deployment", deployment(replicas=2, image="app:v2", complete=False))
    story.watched(12.1, "ReplicaSet", sized("rs-1", 1, 2))
    for number in (0, 1):
        story.watched(12.2, "Pod", pod(f"old-{number}", of=OLD, ready_since=-60, leaving=True))
    story.watched(12.3 + late_s, "ReplicaSet", sized("rs-1", 0, 2))
    return story.watched(12.4 + late_s, "Pod", pod("old-2", of=OLD, ready_since=-60, leaving=True))


def test_pods_that_scaling_in_mid_rollout_takes_are_not_charged() -> None:
    verdict = check(scaled_down_in_mid_rollout())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["pods_taken_by_scaling"] == 2
    assert verdict.figures["lowest_available_pods_of_any_cause"] == 0


def test_a_pod_that_goes_when_the_scaling_is_over_is_the_witness() -> None:
    verdict = check(scaled_down_in_mid_rollout(late_s=2))
    text = "old-2 taken away, which leaves 0 available pods where at least 2 must be"
    assert first(verdict) == (at(14.4), text, ["old-2"])
    assert verdict.evidence.count == 1


def test_a_set_that_had_no_pods_is_not_scaled_when_it_gets_some() -> None:
    story = three_ready_pods().watched(9, "ReplicaSet", sized("rs-1", 3, 3))
    story.watched(9.5, "ReplicaSet", sized("rs-2", 0, 5), "ADDED")
    story.watched(10, "ReplicaSet", sized("rs-2", 1, 3))
    story.watched(10.2, "ReplicaSet", sized("rs-1", 2, 3))
    story.watched(10.3, "Pod", pod("old-0", of=OLD, ready_since=-60, leaving=True))
    story.watched(10.4, "Pod", pod("new-0", of=NEW), "ADDED")
    text = "old-0 taken away, which leaves 2 available pods where at least 3 must be"
    assert first(check(story)) == (at(10.3), text, ["old-0"])


def test_the_lowest_number_is_the_rollouts_own_and_other_dips_are_told_apart() -> None:
    story = good_rollout()
    assert "unready by themselves" not in check(story).summary
    for number in range(3):
        story.watched(60 + number, "Pod", pod(f"new-{number}", of=NEW))
        story.watched(61 + number, "Pod", pod(f"new-{number}", of=NEW))
    story.watched(65, "Deployment", deployment(image="app:v2", revision=2))
    story.watched(66, "Pod", pod("new-0", of=NEW))
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.summary.startswith(
        "at most 4 pods, at least 3 available after each it took away (3 needed)"
    )
    assert verdict.summary.endswith("; 3 pods unready by themselves, not charged")
    assert verdict.figures["lowest_available_pods"] == 3
    assert verdict.figures["lowest_available_pods_of_any_cause"] == 0
    assert verdict.figures["pods_unready_by_themselves"] == 3


def test_a_ready_pod_taken_before_it_is_available_did_not_get_unready_by_itself() -> None:
    story = good_rollout(min_ready_s=10)
    second = 100.0
    for name in ("extra-0", "extra-1"):
        story.watched(second, "Pod", pod(name, of=NEW), "ADDED")
        story.watched(second + 1, "Pod", pod(name, of=NEW, ready_since=second + 1))
        gone = pod(name, of=NEW, ready_since=second + 1)
        if name == "extra-0":
            gone = pod(name, of=NEW, ready_since=second + 1, leaving=True)
            story.watched(second + 2, "Pod", gone)
        story.watched(second + 3, "Pod", gone, "DELETED")
        second += 10
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["pods_unready_by_themselves"] == 0


def test_the_lowest_of_several_removals_is_reported() -> None:
    story = three_ready_pods()
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    for number in range(2):
        old = f"old-{number}"
        story.watched(12 + number, "Pod", pod(old, of=OLD, ready_since=-60, leaving=True))
    verdict = check(story, max_unavailable=2)
    assert verdict.outcome is Outcome.HELD
    assert "at least 1 available after each it took away (1 needed)" in verdict.summary


def test_a_rollout_that_takes_nothing_away_says_so() -> None:
    story = three_ready_pods()
    story.watched(10, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD
    assert "no available pod was taken away" in verdict.summary
    assert "lowest_available_pods" not in verdict.figures


def test_not_judged_right_after_scaling_until_complete() -> None:
    story = good_rollout()

    def scaled(*, complete: bool) -> Object:
        return deployment(image="app:v2", revision=2, replicas=6, complete=complete)

    story.watched(60, "Deployment", scaled(complete=False))
    for number in range(3, 6):
        story.watched(61, "Pod", pod(f"new-{number}", of=NEW), "ADDED")
    assert check(story).outcome is Outcome.HELD
    story.watched(70, "Deployment", scaled(complete=True))
    story.watched(71, "Pod", pod("new-0", of=NEW, ready_since=14, leaving=True))
    assert check(story).outcome is Outcome.VIOLATED


def test_unknown_without_rollout_watch_or_bounds() -> None:
    no_rollout = three_ready_pods()
    gap = good_rollout().gap("Pod", 20, "uid-new-1")
    unwatched = [e for e in good_rollout().events if not isinstance(e, WatchStarted)]
    recreate = good_rollout().watched(50, "Deployment", deployment(strategy="Recreate"))
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history in (
        History.of_parts(),
        History.of_parts(events=no_rollout.events),
        History.of_parts(events=gap.events),
        History.of_parts(events=unwatched),
        History.of_parts(events=recreate.events),
        History.of_parts(events=good_rollout().events, damage=[lost]),
    ):
        assert rollout_bounds("web").check(history).outcome is Outcome.UNKNOWN


def test_a_gap_about_other_objects_does_not_matter() -> None:
    story = good_rollout()
    story.watched(5, "Pod", pod("other", of=("ReplicaSet", "foreign")), "ADDED")
    story.gap("Pod", 20, "uid-other")
    assert check(story).outcome is Outcome.HELD


def test_malformed_objects_are_an_error() -> None:
    story = good_rollout()
    broken = next(e for e in story.events if isinstance(e, Watched) and e.kind == "Pod")
    story.events.append(
        Watched(
            time_ns=at(70),
            kind="Pod",
            change="MODIFIED",
            uid=broken.uid,
            namespace="",
            name="x",
            resource_version=9999,
            object={},
        )
    )
    with pytest.raises(RecordError, match="no metadata"):
        check(story)
    with pytest.raises(RecordError, match="neither a number"):
        check(good_rollout(), max_surge="many")


@pytest.mark.parametrize(
    "surge,unavailable,desired,pods",
    [
        ("25%", "25%", 3, (1, 0)),
        ("25%", "25%", 6, (2, 1)),
        ("25%", "25%", 1, (1, 0)),
        (0, "75%", 20, (0, 15)),
        ("100%", 0, 20, (20, 0)),
        ("0%", "10%", 3, (0, 1)),
        ("10%", "25%", 100, (10, 25)),
    ],
)
def test_percentages_round_as_kubernetes_rounds(
    surge: int | str, unavailable: int | str, desired: int, pods: tuple[int, int]
) -> None:
    assert resolved(surge, unavailable, desired) == pods


@examples(25)
@given(seed=st.integers(0, 10_000), early=st.booleans())
def test_order_of_arrival_does_not_matter_and_one_early_removal_is_found(
    seed: int, early: bool
) -> None:
    story = good_rollout()
    events = list(story.events)
    if early:
        # The first old pod goes before the first new one is Ready.
        ready = next(
            e
            for e in events
            if isinstance(e, Watched) and e.name == "new-0" and e.change == "MODIFIED"
        )
        events.remove(ready)
    random.Random(seed).shuffle(events)
    verdict = rollout_bounds("web").check(History.of_parts(events=events))
    assert verdict.outcome is (Outcome.VIOLATED if early else Outcome.HELD)
    if early:
        assert verdict.evidence.first is not None
        assert verdict.evidence.first.objects == ["old-0"]


def test_recreate_takes_all_pods_and_breaks_no_bound() -> None:
    """Its docstring says UNKNOWN: a strategy without bounds has none that could be broken."""
    story = Story().clock()
    story.watched(0, "Deployment", deployment(strategy="Recreate"), "LISTED")
    for number in range(3):
        story.watched(0, "Pod", pod(f"old-{number}", of=OLD, ready_since=-60), "LISTED")
    for kind, name in (OLD, NEW):
        story.watched(0, kind, replica_set(name), "LISTED")
    story.watching("Deployment", "ReplicaSet", "Pod", second=0.1)
    for number in range(3):
        story.watched(12, "Pod", pod(f"old-{number}", of=OLD, leaving=True), "DELETED")
    story.watched(14, "Pod", pod("new-0", of=NEW), "ADDED")
    verdict = rollout_bounds("web").check(History.of_parts(events=story.events))
    assert verdict.outcome is Outcome.UNKNOWN, verdict.summary
    assert "Recreate" in verdict.summary


def test_a_pod_unready_by_itself_is_not_taken_away_by_its_clean_up() -> None:
    """Within the second of slack it still counts as available, but the Deployment took nothing."""
    story = good_rollout()
    story.watched(40, "Pod", pod("new-0", of=NEW))
    story.watched(40.3, "Pod", pod("new-0", of=NEW, leaving=True), "DELETED")
    verdict = rollout_bounds("web").check(History.of_parts(events=story.events))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["pods_unready_by_themselves"] == 1


def handed_over(*, gone_s: float = 10.3, ordered: int = 2) -> Story:
    """Surge 0: rs-1 is to have 2 pods, rs-2 is to have 1, and makes it before one of rs-1 goes."""
    story = three_ready_pods()
    changed = deployment(image="app:v2", revision=2, complete=False, surge=0, unavailable=1)
    story.watched(10, "Deployment", changed)
    old, new = replica_set("rs-1"), replica_set("rs-2", image="app:v2")
    old["spec"]["replicas"], new["spec"]["replicas"] = ordered, 1
    story.watched(10.1, "ReplicaSet", old).watched(10.1, "ReplicaSet", new, "ADDED")
    story.watched(10.2, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(gone_s, "Pod", pod("old-0", of=OLD, ready_since=-60, leaving=True))
    return story.watched(gone_s + 1, "Pod", pod("old-0", of=OLD, leaving=True), "DELETED")


def test_a_pod_that_its_set_is_just_deleting_is_not_one_too_many() -> None:
    """ReplicaSets are sized within the bound; each then follows in its own time."""
    verdict = verdict_on(rollout_bounds("web", max_surge=0, max_unavailable=1), handed_over())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["highest_pods"] == 3
    assert verdict.figures["highest_pods_of_any_cause"] == 4


def test_one_that_is_still_there_a_second_later_or_that_nobody_takes_is_one_too_many() -> None:
    bounds = rollout_bounds("web", max_surge=0, max_unavailable=1)
    for story in (handed_over(gone_s=11.4), handed_over(ordered=3)):
        time_ns, text, objects = first(verdict_on(bounds, story, end_s=20))
        assert (time_ns, text) == (at(10.2), "4 pods where at most 3 may be")
        assert objects == ["new-0"]
