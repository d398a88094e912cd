"""What is claimed is what was asked for, and what cannot be claimed is refused: stateful_sets."""

from collections.abc import Callable

from chaoskit.guarantees import (
    acknowledged_writes_survive,
    claims_stay,
    duplicate_ends_within,
    forced_deletion_overlap,
    halted,
    hostnames_match,
    made_at_once,
    members_answer_through_proxy,
    members_do_not_wait,
    members_run,
    name_stays_taken,
    names_follow_members,
    one_process_per_identity,
    only_members_touched,
    ordinals_in_order,
    stable_identity,
    volumes_follow_claims,
)
from tests.corpus.verdicts import refused

#: Claims, made only when they are tested: else by no mutant of what makes them.
CLAIMED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: acknowledged_writes_survive("StatefulSet kv"),
        "AcknowledgedWritesSurvive(stateful_set='kv', allowing=None)",
    ),
    (
        lambda: acknowledged_writes_survive("kv", allowing=forced_deletion_overlap()),
        (
            "AcknowledgedWritesSurvive(stateful_set='kv',"
            " allowing=ForcedDeletionOverlap(until='healed', plus_s=45.0))"
        ),
    ),
    (lambda: claims_stay("StatefulSet kv"), "ClaimsStay(stateful_set='kv', deleted_within_s=60.0)"),
    (
        lambda: claims_stay("kv", deleted_within_s=0.5),
        "ClaimsStay(stateful_set='kv', deleted_within_s=0.5)",
    ),
    (
        lambda: duplicate_ends_within(9, "StatefulSet kv", fault="nic_down"),
        "DuplicateEndsWithin(stateful_set='kv', at_most_s=9, fault='nic_down')",
    ),
    (forced_deletion_overlap, "ForcedDeletionOverlap(until='healed', plus_s=45.0)"),
    (
        lambda: forced_deletion_overlap(until="healed", plus_s=3),
        "ForcedDeletionOverlap(until='healed', plus_s=3)",
    ),
    (
        lambda: halted("StatefulSet kv", phase="p"),
        "Halted(stateful_set='kv', phase='p', at_least_s=5.0)",
    ),
    (
        lambda: halted("kv", phase="p", at_least_s=0.5),
        "Halted(stateful_set='kv', phase='p', at_least_s=0.5)",
    ),
    (lambda: hostnames_match("StatefulSet kv"), "HostnamesMatch(stateful_set='kv')"),
    (
        lambda: made_at_once("StatefulSet kv", 1),
        "MadeAtOnce(stateful_set='kv', ordinal=1, at_most_s=3.0, after='scale')",
    ),
    (
        lambda: made_at_once("kv", 2, at_most_s=4, after="start"),
        "MadeAtOnce(stateful_set='kv', ordinal=2, at_most_s=4, after='start')",
    ),
    (
        lambda: members_answer_through_proxy("StatefulSet kv"),
        "MembersAnswerThroughProxy(stateful_set='kv')",
    ),
    (
        lambda: members_do_not_wait("StatefulSet kv", at="start"),
        "MembersDoNotWait(stateful_set='kv', occasion='start')",
    ),
    (
        lambda: members_run("StatefulSet kv", {1: "b", 0: "a"}),
        "MembersRun(stateful_set='kv', versions=((0, 'a'), (1, 'b')), phase=None)",
    ),
    (
        lambda: members_run("kv", {0: "a"}, phase="p"),
        "MembersRun(stateful_set='kv', versions=((0, 'a'),), phase='p')",
    ),
    (
        lambda: name_stays_taken("StatefulSet kv", "Node n2", fault="nic_down"),
        "NameStaysTaken(stateful_set='kv', node='n2', at_least_s=3.0, fault='nic_down')",
    ),
    (
        lambda: name_stays_taken("kv", "n2", fault="nic_down", at_least_s=4),
        "NameStaysTaken(stateful_set='kv', node='n2', at_least_s=4, fault='nic_down')",
    ),
    (
        lambda: names_follow_members("StatefulSet kv"),
        "NamesFollowMembers(stateful_set='kv', within_s=35.0)",
    ),
    (
        lambda: names_follow_members("kv", within_s=0.5),
        "NamesFollowMembers(stateful_set='kv', within_s=0.5)",
    ),
    (
        lambda: one_process_per_identity("StatefulSet kv"),
        "OneProcessPerIdentity(stateful_set='kv', allowing=None)",
    ),
    (
        lambda: one_process_per_identity("kv", allowing=forced_deletion_overlap()),
        (
            "OneProcessPerIdentity(stateful_set='kv',"
            " allowing=ForcedDeletionOverlap(until='healed', plus_s=45.0))"
        ),
    ),
    (
        lambda: only_members_touched("StatefulSet kv", [2, 0]),
        "OnlyMembersTouched(stateful_set='kv', ordinals=(0, 2), phase=None)",
    ),
    (
        lambda: only_members_touched("kv", [1], phase="p"),
        "OnlyMembersTouched(stateful_set='kv', ordinals=(1,), phase='p')",
    ),
    (lambda: ordinals_in_order("StatefulSet kv"), "OrdinalsInOrder(stateful_set='kv')"),
    (lambda: stable_identity("StatefulSet kv"), "StableIdentity(stateful_set='kv')"),
    (
        lambda: volumes_follow_claims("StatefulSet kv"),
        "VolumesFollowClaims(stateful_set='kv', deleted_within_s=60.0)",
    ),
    (
        lambda: volumes_follow_claims("kv", deleted_within_s=0.5),
        "VolumesFollowClaims(stateful_set='kv', deleted_within_s=0.5)",
    ),
]

#: What cannot be claimed, and what is said against it.
REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: only_members_touched("kv", [-1]),
        "only_members_touched's ordinals: must not be negative\n  seen: (-1,)",
    ),
    (
        lambda: halted("kv", phase="p", at_least_s=0),
        "halted's at_least_s: must be positive\n  seen: 0",
    ),
    (lambda: members_run("kv", {}), "members_run's versions: name no member"),
    (
        lambda: volumes_follow_claims("kv", deleted_within_s=0),
        "volumes_follow_claims' deleted_within_s: must be positive\n  seen: 0",
    ),
    (
        lambda: names_follow_members("kv", within_s=0),
        "names_follow_members' within_s: must be positive\n  seen: 0",
    ),
    (
        lambda: claims_stay("kv", deleted_within_s=0),
        "claims_stay's deleted_within_s: must be positive\n  seen: 0",
    ),
    (lambda: made_at_once("kv", 0), "made_at_once's ordinal: has no member below it\n  seen: 0"),
]


def test_what_is_claimed_is_what_was_asked_for() -> None:
    for make, claimed in CLAIMED:
        assert repr(make()) == claimed


def test_what_cannot_be_claimed_is_refused() -> None:
    for make, said in REFUSED:
        assert refused(make) == said
