"""no_overlap_when_recreated: the old pods end before the new ones are created."""

from functools import partial

import pytest

from chaoskit.errors import RecordError
from chaoskit.guarantees import no_overlap_when_recreated
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import ContainerSeen, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.deployment_run import DeploymentRun
from tests.corpus.deployments import web
from tests.corpus.objects import Object, node, pod, replica_set
from tests.corpus.rollouts import KINDS, NEW, OLD
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, no_overlap_when_recreated("deployment/web"))


def before(*, strategy: str = "Recreate") -> Story:
    """web with the pods old-0 and old-1 on n1, and an image set at 10 s."""
    story = Story().clock()
    story.watched(0, "Deployment", web(strategy=strategy), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    story.watched(0, "Node", node("n1"), "LISTED").watched(0, "Node", node("n2"), "LISTED")
    for number in range(2):
        story.watched(0, "Pod", old_pod(number, ready_since=-60), "LISTED")
    story.watching(*KINDS, "Node", second=0.1)
    story.step("set_image", "Deployment web", 10)
    changed = web(image="app:v2", revision=2, complete=False, strategy=strategy)
    story.watched(10.1, "Deployment", changed)
    for number in range(2):
        story.watched(11, "Pod", old_pod(number, leaving=True))
    return story


def old_pod(number: int, *, leaving: bool = False, ready_since: float | None = None) -> Object:
    name = f"old-{number}"
    return pod(name, of=OLD, leaving=leaving, ready_since=ready_since, container_id=f"c-{name}")


def go(story: Story, second: float) -> Story:
    """The old pods are gone."""
    for number in range(2):
        story.watched(second, "Pod", old_pod(number, leaving=True), "DELETED")
    return story


def come(story: Story, second: float) -> Story:
    """The new pod new-0 is created on n2 and runs."""
    story.watched(second, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    story.watched(second, "Pod", pod("new-0", of=NEW, node="n2"), "ADDED")
    running = pod("new-0", of=NEW, node="n2", container_id="c-new-0")
    return story.watched(second + 1, "Pod", running)


def recreated() -> Story:
    return come(go(before(), 13), 14)


def test_one_after_the_other_holds() -> None:
    verdict = check(recreated())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["rollouts"] == 1
    assert verdict.coverage["pods created"] == 1


def test_a_pod_created_before_the_old_ones_are_gone_is_the_witness() -> None:
    assert first(check(go(come(before(), 12), 13))) == (
        at(12),
        "new-0 of rs-2 created while 2 of rs-1 had not ended: old-0, old-1",
        ["new-0", "old-0", "old-1"],
    )


def test_an_old_pod_created_beside_new_ones_is_an_overlap_too() -> None:
    story = recreated().watched(20, "Pod", pod("old-2", of=OLD), "ADDED")
    assert first(check(story)) == (
        at(20),
        "old-2 of rs-1 created while 1 of rs-2 had not ended: new-0",
        ["old-2", "new-0"],
    )


def test_old_pods_that_ended_for_good_are_no_overlap() -> None:
    story = before()
    for number in range(2):
        ended = old_pod(number, leaving=True)
        ended["status"]["phase"] = "Failed"
        story.watched(12, "Pod", ended)
    assert check(go(come(story, 13), 30)).outcome is Outcome.HELD


def test_a_pod_that_the_deployment_released_is_not_its_own() -> None:
    story = before()
    for number in range(2):
        released = old_pod(number)
        del released["metadata"]["ownerReferences"]
        story.watched(12, "Pod", released)
    assert check(come(story, 13)).outcome is Outcome.HELD


def test_pods_of_another_deployment_of_that_name_are_no_overlap() -> None:
    story = before()
    story.watched(12, "Deployment", web(image="app:v2", revision=2), "DELETED")
    again = web(image="app:v1", strategy="Recreate")
    again["metadata"]["uid"] = "uid-second"
    story.watched(12.1, "Deployment", again, "ADDED")
    owner = {"kind": "Deployment", "name": "web", "uid": "uid-second", "controller": True}
    fresh = replica_set("rs-2")
    fresh["metadata"]["ownerReferences"] = [owner]
    story.watched(12.2, "ReplicaSet", fresh, "ADDED")
    story.watched(12.3, "Pod", pod("new-0", of=NEW), "ADDED")
    assert check(story).outcome is Outcome.UNKNOWN


def containers(story: Story, old_gone_s: float, new_start_s: float = 14.5) -> Story:
    story.container("n1", "uid-old-0", "c-old-0", 1, old_gone_s)
    return story.container("n2", "uid-new-0", "c-new-0", new_start_s, None).scans("n2", 30)


def test_containers_are_judged_where_they_were_seen() -> None:
    held = check(containers(recreated(), 12.9))
    assert held.outcome is Outcome.HELD
    assert held.coverage["containers seen on nodes"] == 2
    assert first(check(containers(recreated(), 17))) == (
        at(14.5),
        "a container of new-0 on n2 ran for 2.45 s beside one of old-0 on n1",
        ["new-0", "old-0"],
    )


def test_a_container_that_no_status_names_may_be_a_sandbox() -> None:
    story = containers(recreated(), 17)
    seen = [e for e in story.events if isinstance(e, ContainerSeen)]
    story.events = [e for e in story.events if e not in seen]
    story.events += [event for event in seen if event.pod_uid == "uid-old-0"]
    story.watched(14, "Pod", pod("new-1", of=NEW, node="n2"), "ADDED")
    story.container("n2", "uid-new-1", "c-sandbox", 14.5, None).scans("n2", 30)
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "may be its sandbox" in verdict.summary


@pytest.mark.parametrize("why", ["forced", "lost"])
def test_containers_that_outlive_a_forced_or_lost_pod_are_counted_apart(why: str) -> None:
    story = before()
    if why == "forced":
        story.step("delete", "Pod old-0", 12, force=True)
    else:
        story.watched(12, "Node", node("n1", ready="Unknown"))
    verdict = check(containers(come(go(story, 13), 14), 17))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["containers that outlived a lost or forced pod"] == 1


def test_a_rollout_that_began_under_another_strategy_is_not_judged() -> None:
    story = before(strategy="RollingUpdate")
    changed = web(image="app:v2", revision=2, complete=False, strategy="Recreate")
    story.watched(11.5, "Deployment", changed)
    verdict = check(go(come(story, 12), 13))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "no rollout with the strategy Recreate is on record" in verdict.summary


def test_a_rollout_that_was_under_way_before_the_watch_is_not_judged() -> None:
    story = Story()
    under_way = web(image="app:v2", revision=2, complete=False, strategy="Recreate")
    story.watched(0, "Deployment", under_way, "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    story.watched(0, "Pod", old_pod(0), "LISTED")
    assert check(come(story.watching(*KINDS, second=0.1), 5)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "story,reason",
    [
        (Story(), "deployment web is not in the record"),
        (come(go(before(strategy="RollingUpdate"), 13), 14), "its strategy is not Recreate"),
        (go(before(), 13), "the rollout created no pod"),
        (recreated().gap("Pod", 12, "uid-old-0"), "the watch of Pods has a gap (410 Gone)"),
    ],
)
def test_unknown_and_why(story: Story, reason: str) -> None:
    verdict = check(story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert reason in verdict.summary


def test_unknown_when_not_watched_or_when_events_are_lost() -> None:
    unwatched = [e for e in recreated().events if not isinstance(e, WatchStarted)]
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history in (
        History.of_parts(events=unwatched),
        History.of_parts(events=recreated().events, damage=[lost]),
    ):
        verdict = no_overlap_when_recreated("web").check(history)
        assert verdict.outcome is Outcome.UNKNOWN


def test_a_gap_before_an_overlap_excuses_it() -> None:
    story = go(come(before(), 12), 13).gap("Pod", 11.5, "uid-old-0")
    assert check(story).outcome is Outcome.UNKNOWN


def test_malformed_records_are_errors() -> None:
    story = recreated()
    story.watched(20, "Pod", pod("new-1", of=NEW), "ADDED")
    story.events[-1].object.pop("metadata")  # type: ignore[union-attr]
    with pytest.raises(RecordError, match="has no metadata"):
        check(story)
    story = containers(recreated(), 17)
    story.events = [
        e for e in story.events if not (isinstance(e, ContainerSeen) and e.state == "running")
    ]
    with pytest.raises(RecordError, match="went without having been there"):
        check(story)


def test_a_simulated_controller_that_does_not_wait_is_caught() -> None:
    run = DeploymentRun(strategy="Recreate", defect="creates_beside_old_pods")
    run.wait_complete()
    run.set_image("app:v2")
    run.wait_complete()
    time_ns, _, objects = first(no_overlap_when_recreated("web").check(run.history()))
    assert run.controller.offence is not None
    assert time_ns > run.controller.offence[0]
    assert objects[0].startswith("web-v2")
    assert all(name.startswith("web-v1") for name in objects[1:])
