"""one_process_per_identity: two processes of one name, allowed for a while or never."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import forced_deletion_overlap, one_process_per_identity
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import ContainerSeen
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.objects import pod, stateful_set
from tests.corpus.requests import steady
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on

KV = ("StatefulSet", "kv")
ALLOWING = forced_deletion_overlap(until="healed", plus_s=45)


def members(until_s: float = 120.0, *, silent: tuple[float, float] = (0, 0)) -> Story:
    """kv-0 on n1 and kv-1 on n2, both running since second 1."""
    story = Story().watching("StatefulSet", "Pod")
    story.watched(0.5, "StatefulSet", stateful_set(replicas=2), "ADDED")
    for number, node in enumerate(("n1", "n2")):
        name = f"kv-{number}"
        obj = pod(name, of=KV, ready_since=2, node=node, container_id=f"app-{number}")
        story.watched(2, "Pod", obj, "ADDED")
        story.container(node, f"uid-{name}", f"sandbox-{number}", 0.9, None)
    story.container("n1", "uid-kv-0", "app-0", 1, None)
    story.scans("n1", until_s).scans("n2", until_s, silent=silent)
    return story


def replaced(story: Story, second: float, *, old_gone_s: float | None, node: str = "n1") -> Story:
    """kv-1 gets a new uid, running on a node from `second` on; the old one goes at its time."""
    old = pod("kv-1", of=KV, node="n2", container_id="app-1")
    new = pod("kv-1", of=KV, ready_since=second, node=node, uid="uid-new", container_id="app-new")
    story.watched(second - 0.5, "Pod", old, "DELETED")
    story.watched(second + 0.5, "Pod", new, "ADDED")
    story.container("n2", "uid-kv-1", "app-1", 1, old_gone_s)
    return story.container(node, "uid-new", "app-new", second, None)


def check(story: Story, *, allowing: bool = True, rows: Sequence[RequestRow] = ()) -> Verdict:
    guarantee = one_process_per_identity("kv", allowing=ALLOWING if allowing else None)
    return verdict_on(guarantee, story, rows)


def test_one_after_the_other_holds() -> None:
    verdict = check(replaced(members(), 30, old_gone_s=29), allowing=False)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["members with more than one uid"] == 1
    assert verdict.figures["duplicate_at_most_s"] == 0


def test_overlap_is_violated_with_both_uids_as_witness() -> None:
    verdict = check(replaced(members(), 30, old_gone_s=33))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(30)
    assert verdict.evidence.first.objects == ["kv-1", "uid-kv-1", "uid-new"]
    assert verdict.figures["duplicate_at_least_s"] == pytest.approx(2.95)


def test_overlap_after_a_forced_deletion_on_a_cut_node_is_measured_and_allowed() -> None:
    story = members().fault("nic_down", "n2", 10, 60).step("delete", "pod/kv-1", 29, force=True)
    replaced(story, 30, old_gone_s=75)
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["duplicate_at_least_s"] == pytest.approx(44.95)
    assert check(story, allowing=False).outcome is Outcome.VIOLATED


def collected(second: float) -> Story:
    """kv-1's node is deleted while it is cut; the garbage collector takes the pod at that time."""
    story = members().fault("nic_down", "n2", 10, 60).fault("node_deleted", "n2", 11, 62)
    taken = pod("kv-1", of=KV, node="n2", container_id="app-1")
    reason = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
    taken["status"]["conditions"].append(reason)
    return story.watched(second, "Pod", taken)


def test_garbage_collection_is_a_forced_deletion() -> None:
    verdict = check(replaced(collected(29), 30, old_gone_s=75))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["duplicate_at_least_s"] == pytest.approx(44.95)
    strict = check(replaced(collected(29), 30, old_gone_s=75), allowing=False)
    assert strict.outcome is Outcome.VIOLATED
    late = check(replaced(collected(29), 30, old_gone_s=110))
    assert late.outcome is Outcome.VIOLATED


def test_overlap_beyond_heal_and_bound_is_violated() -> None:
    story = members().fault("nic_down", "n2", 10, 60).step("delete", "pod/kv-1", 29, force=True)
    verdict = check(replaced(story, 30, old_gone_s=115))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert verdict.evidence.first.time_ns == at(105.3)


def test_unforced_deletion_allows_nothing() -> None:
    story = members().fault("nic_down", "n2", 10, 60).step("delete", "pod/kv-1", 29)
    assert check(replaced(story, 30, old_gone_s=40)).outcome is Outcome.VIOLATED


def test_on_a_healthy_node_a_forced_deletion_allows_grace_and_two_seconds() -> None:
    for gone_s, outcome in ((60, Outcome.HELD), (63, Outcome.VIOLATED)):
        story = members().step("delete", "pod/kv-1", 29, force=True)
        assert check(replaced(story, 30, old_gone_s=gone_s)).outcome is outcome


def test_record_that_ends_with_two_is_unknown() -> None:
    story = members(80).fault("nic_down", "n2", 10, 60).step("delete", "pod/kv-1", 29, force=True)
    assert check(replaced(story, 30, old_gone_s=None)).outcome is Outcome.UNKNOWN


def test_unknown_for_empty_unscanned_silent_and_gappy_records() -> None:
    unscanned = replaced(members(0), 30, old_gone_s=29)
    silent = replaced(members(silent=(20, 25)), 30, old_gone_s=29)
    gappy = replaced(members(), 30, old_gone_s=29).gap("Pod", 30, "uid-kv-1")
    unseen = members()
    for story in (Story(), unscanned, silent, gappy, unseen):
        assert check(story).outcome is Outcome.UNKNOWN


def test_sandbox_that_outlives_its_pod_accuses_nobody() -> None:
    story = replaced(members(), 30, old_gone_s=29)
    assert check(story, allowing=False).outcome is Outcome.HELD


def test_container_never_named_is_a_doubt() -> None:
    story = replaced(members(), 30, old_gone_s=29)
    story.watched(40, "Pod", pod("kv-1", of=KV, uid="uid-third", node="n2"), "ADDED")
    story.container("n2", "uid-third", "whose", 40, 45)
    assert check(story, allowing=False).outcome is Outcome.UNKNOWN


def test_answers_of_two_uids_at_once_are_violated() -> None:
    story = replaced(members(), 30, old_gone_s=29)

    def answers(uid: str, start_s: float, end_s: float) -> list[RequestRow]:
        rows = steady(start_s=start_s, seconds=end_s - start_s, rate_per_s=10)
        return [row._replace(pod="kv-1", pod_uid=uid) for row in rows]

    apart = [*answers("uid-kv-1", 5, 29), *answers("uid-new", 31, 50)]
    both = [*answers("uid-kv-1", 5, 35), *answers("uid-new", 31, 50)]
    assert check(story, rows=apart).outcome is Outcome.HELD
    verdict = check(story, rows=both)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.first is not None
    assert "answered" in verdict.evidence.first.text


def test_container_that_goes_without_having_been_there_is_an_error() -> None:
    story = replaced(members(), 30, old_gone_s=29)
    story.events.append(
        ContainerSeen(
            time_ns=at(50),
            node="n9",
            pod_uid="uid-new",
            container_id="app-new",
            state="gone",
            before_ns=at(49.9),
        )
    )
    with pytest.raises(RecordError, match="without having been there"):
        check(story)


@examples(40)
@given(start_s=st.floats(5, 60), overlap_s=st.floats(-4, 40))
def test_planted_overlap_is_found_and_none_is_invented(start_s: float, overlap_s: float) -> None:
    story = replaced(members(), start_s, old_gone_s=start_s + overlap_s)
    verdict = check(story, allowing=False)
    if overlap_s > 0.06:
        assert verdict.outcome is Outcome.VIOLATED
    if overlap_s < -0.0001:
        assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["duplicate_at_least_s"] <= max(0.0, overlap_s) + 1e-6
    assert verdict.figures["duplicate_at_most_s"] >= overlap_s - 1e-6
