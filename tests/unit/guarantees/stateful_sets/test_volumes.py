"""volumes_follow_claims: a volume lives as long as its claim, then does as its policy says."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees import volumes_follow_claims
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.stateful_sets import KINDS, claim, kv, volume
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

RULE = volumes_follow_claims("kv", deleted_within_s=30)


def bound(policy: str = "Delete") -> Story:
    """Two claims, each bound to its volume."""
    story = Story().clock().watching(*KINDS, "PersistentVolume")
    story.watched(1, "StatefulSet", kv(2, claims=("data",)), "ADDED")
    for ordinal in range(2):
        story.watched(2, "PersistentVolume", volume(f"pv-data-kv-{ordinal}", policy), "ADDED")
        story.watched(3, "PersistentVolumeClaim", claim(ordinal), "ADDED")
    return story


def freed(policy: str = "Delete") -> Story:
    """Then the claim of kv-1 goes at second 10."""
    return bound(policy).watched(10, "PersistentVolumeClaim", claim(1), "DELETED")


def test_volumes_that_stay_and_go_with_their_claims_hold() -> None:
    assert verdict_on(RULE, bound(), end_s=100).outcome is Outcome.HELD
    story = freed().watched(15, "PersistentVolume", volume("pv-data-kv-1"), "DELETED")
    verdict = verdict_on(RULE, story, end_s=100)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"volumes": 2, "volumes gone after claims": 1}
    assert verdict_on(RULE, freed("Retain"), end_s=100).outcome is Outcome.HELD


def test_a_volume_that_goes_before_its_claim_is_the_witness() -> None:
    story = bound().watched(9, "PersistentVolume", volume("pv-data-kv-1"), "DELETED")
    text = "volume pv-data-kv-1 went while its claim data-kv-1 was there"
    assert first(verdict_on(RULE, story)) == (at(9), text, ["pv-data-kv-1", "data-kv-1"])
    story.step("delete", "PersistentVolume pv-data-kv-1", 8.9)
    assert verdict_on(RULE, story).outcome is Outcome.HELD


def test_a_volume_that_stays_or_goes_against_its_policy_is_the_witness() -> None:
    late = verdict_on(RULE, freed(), end_s=41)
    assert first(late) == (
        at(40),
        "volume pv-data-kv-1 is still there 30 s after its claim",
        ["pv-data-kv-1"],
    )
    kept = volume("pv-data-kv-1", "Retain")
    story = freed("Retain").watched(15, "PersistentVolume", kept, "DELETED")
    assert "to be retained" in first(verdict_on(RULE, story))[1]


def test_a_volume_that_goes_too_late_is_the_witness() -> None:
    for second, outcome in ((39, Outcome.HELD), (41, Outcome.VIOLATED)):
        story = freed().watched(second, "PersistentVolume", volume("pv-data-kv-1"), "DELETED")
        verdict = verdict_on(RULE, story, end_s=100)
        assert verdict.outcome is outcome
    text = "volume pv-data-kv-1 went only 31 s after its claim"
    assert first(verdict) == (at(40), text, ["pv-data-kv-1"])


def test_what_was_not_seen_is_unknown() -> None:
    early = verdict_on(RULE, freed(), end_s=39)
    assert early.outcome is Outcome.UNKNOWN
    assert "before volume pv-data-kv-1 had its time" in early.summary
    unbound = Story().watching(*KINDS, "PersistentVolume")
    unbound.watched(1, "StatefulSet", kv(2, claims=("data",)), "ADDED")
    unbound.watched(3, "PersistentVolumeClaim", claim(0, volume=""), "ADDED")
    unseen = Story().watching(*KINDS, "PersistentVolume")
    unseen.watched(1, "StatefulSet", kv(2, claims=("data",)), "ADDED")
    unseen.watched(3, "PersistentVolumeClaim", claim(0), "ADDED")
    unwatched = Story().watching(*KINDS)
    for story in (unbound, unseen, unwatched, Story()):
        assert verdict_on(RULE, story, end_s=100).outcome is Outcome.UNKNOWN
    with pytest.raises(UsageError, match="positive"):
        volumes_follow_claims("kv", deleted_within_s=0)
