"""halted and members_run: a set that goes no further, and what its members run."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees import halted, members_run
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.stateful_sets import KINDS, kv, member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

HALTED = halted("kv", phase="stuck", at_least_s=5)


def broken(*, wanted: int = 4, ready: int = 2) -> Story:
    """Three members, of which kv-1 is not Ready; a fourth is wanted."""
    story = Story().clock().watching(*KINDS)
    story.watched(1, "StatefulSet", kv(wanted, ready=ready), "ADDED")
    for ordinal in range(3):
        is_ready = 2 if ordinal != 1 else None
        story.watched(2, "Pod", member(ordinal, ready_since=is_ready), "ADDED")
    return story


def test_a_set_that_waits_holds() -> None:
    verdict = verdict_on(HALTED, broken().phase("stuck", 10, 16))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.summary == "6.0 s long with 2 of 4 members Ready"


def test_a_member_made_or_taken_is_the_witness() -> None:
    story = broken().watched(12, "Pod", member(3), "ADDED").phase("stuck", 10, 16)
    assert first(verdict_on(HALTED, story)) == (at(12), "kv-3 was made", ["kv-3"])
    story = broken().watched(12, "Pod", member(2, leaving=True)).phase("stuck", 10, 16)
    assert first(verdict_on(HALTED, story)) == (at(12), "kv-2 was taken away", ["kv-2"])
    story = broken().watched(9, "Pod", member(2, leaving=True)).phase("stuck", 10, 16)
    story.watched(12, "Pod", member(2, leaving=True), "DELETED")
    assert verdict_on(HALTED, story).outcome is Outcome.HELD


def test_what_a_step_takes_is_not_charged() -> None:
    story = broken().step("delete", "Pod kv-2", 11.9)
    story.watched(12, "Pod", member(2, leaving=True)).phase("stuck", 10, 16)
    assert verdict_on(HALTED, story).outcome is Outcome.HELD


def test_a_set_with_nothing_left_to_do_did_not_halt() -> None:
    verdict = verdict_on(HALTED, broken(wanted=3, ready=3).phase("stuck", 10, 16))
    assert first(verdict) == (at(16), "kv had nothing left to do", ["kv"])
    outdated = kv(3, ready=3, current="kv-old")
    story = broken().watched(9, "StatefulSet", outdated).phase("stuck", 10, 16)
    assert verdict_on(HALTED, story).outcome is Outcome.HELD


def test_a_phase_that_is_too_short_or_not_there_is_unknown() -> None:
    for story in (
        broken().phase("stuck", 10, 14),
        broken().phase("stuck", 10, None),
        broken().phase("other", 10, 16),
        broken().phase("stuck", 10, 16).gap("Pod", 12, "uid-never-seen"),
        Story(),
    ):
        assert verdict_on(HALTED, story).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="positive"):
        halted("kv", phase="stuck", at_least_s=0)


def updated() -> Story:
    """kv-2 gets v2 within the phase canary, kv-1 after it."""
    story = broken().phase("canary", 10, 20)
    for second, ordinal in ((12, 2), (22, 1)):
        story.watched(second, "Pod", member(ordinal), "DELETED")
        new = member(ordinal, uid=f"uid-new-{ordinal}", version="v2")
        story.watched(second + 1, "Pod", new, "ADDED")
    return story


def test_members_run_what_is_said_when_it_is_said() -> None:
    canary = members_run("kv", {0: "v1", 1: "v1", 2: "v2"}, phase="canary")
    assert verdict_on(canary, updated()).outcome is Outcome.HELD
    late = members_run("kv", {0: "v1", 1: "v2", 2: "v2"})
    assert verdict_on(late, updated(), end_s=30).outcome is Outcome.HELD
    wrong = members_run("kv", {1: "v2"}, phase="canary")
    text = "kv-1 was of image chaoskit/specimen:v1 at the end of the phase canary"
    assert first(verdict_on(wrong, updated())) == (at(20), text, ["kv-1"])


def test_a_member_that_is_not_there_then_is_unknown() -> None:
    away = updated().watched(19, "Pod", member(0, leaving=True))
    for story, rule in (
        (away, members_run("kv", {0: "v1"}, phase="canary")),
        (updated(), members_run("kv", {3: "v1"})),
        (Story(), members_run("kv", {0: "v1"})),
    ):
        assert verdict_on(rule, story).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="no member"):
        members_run("kv", {})
