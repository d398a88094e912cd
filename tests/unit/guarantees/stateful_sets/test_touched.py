"""only_members_touched: exactly these members lose their pod."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees import only_members_touched
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.stateful_set_controller import StatefulSetRun
from tests.corpus.stateful_sets import member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on


def scaled() -> Story:
    run = StatefulSetRun(replicas=2).go(20)
    run.scale(4)
    run.go(20)
    run.scale(2)
    return run.go(20).story.ended(100)


def test_members_that_were_scaled_away_and_nobody_else() -> None:
    verdict = verdict_on(only_members_touched("kv", [3, 2]), scaled())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"pods that ended": 2}


def test_another_member_is_the_witness() -> None:
    verdict = verdict_on(only_members_touched("kv", [3]), scaled())
    assert first(verdict)[2] == ["kv-2"]


def test_a_member_that_kept_its_pod_is_the_witness() -> None:
    verdict = verdict_on(only_members_touched("kv", [1, 2, 3]), scaled())
    assert first(verdict) == (at(100), "kv-1 kept its pod", ["kv-1"])


def test_in_a_phase_only_that_phase_counts() -> None:
    run = StatefulSetRun().go(20)
    run.delete(1)
    run.go(10)
    for start_s, outcome in ((5, Outcome.HELD), (25, Outcome.VIOLATED)):
        rule = only_members_touched("kv", [1], phase="canary")
        told = Story()
        told.events = [*run.story.events]
        assert verdict_on(rule, told.phase("canary", start_s, 29).ended(40)).outcome is outcome
    for story in (run.story, Story().phase("canary", 1, None)):
        assert verdict_on(rule, story).outcome is Outcome.UNKNOWN


def test_a_pod_that_ends_by_itself_is_touched() -> None:
    run = StatefulSetRun().go(20)
    story = run.story.watched(25, "Pod", member(0, uid=run.pods[0].uid, phase="Failed"))
    assert first(verdict_on(only_members_touched("kv", []), story))[2] == ["kv-0"]


def test_without_pods_or_with_a_gap_nothing_is_known() -> None:
    assert verdict_on(only_members_touched("kv", [])).outcome is Outcome.UNKNOWN
    story = scaled().gap("Pod", 1.5, "uid-never-seen")
    assert verdict_on(only_members_touched("kv", [0]), story).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="negative"):
        only_members_touched("kv", [-1])
