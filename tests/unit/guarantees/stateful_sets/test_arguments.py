"""What is claimed is what was asked for, and what cannot be claimed is refused: stateful_sets."""

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


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            acknowledged_writes_survive("StatefulSet kv"),
            acknowledged_writes_survive("kv", allowing=forced_deletion_overlap()),
            claims_stay("StatefulSet kv"),
            claims_stay("kv", deleted_within_s=0.5),
            duplicate_ends_within(9, "StatefulSet kv", fault="nic_down"),
            forced_deletion_overlap(),
            forced_deletion_overlap(until="healed", plus_s=3),
            halted("StatefulSet kv", phase="p"),
            halted("kv", phase="p", at_least_s=0.5),
            hostnames_match("StatefulSet kv"),
            made_at_once("StatefulSet kv", 1),
            made_at_once("kv", 2, at_most_s=4, after="start"),
            members_answer_through_proxy("StatefulSet kv"),
            members_do_not_wait("StatefulSet kv", at="start"),
            members_run("StatefulSet kv", {1: "b", 0: "a"}),
            members_run("kv", {0: "a"}, phase="p"),
            name_stays_taken("StatefulSet kv", "Node n2", fault="nic_down"),
            name_stays_taken("kv", "n2", fault="nic_down", at_least_s=4),
            names_follow_members("StatefulSet kv"),
            names_follow_members("kv", within_s=0.5),
            one_process_per_identity("StatefulSet kv"),
            one_process_per_identity("kv", allowing=forced_deletion_overlap()),
            only_members_touched("StatefulSet kv", [2, 0]),
            only_members_touched("kv", [1], phase="p"),
            ordinals_in_order("StatefulSet kv"),
            stable_identity("StatefulSet kv"),
            volumes_follow_claims("StatefulSet kv"),
            volumes_follow_claims("kv", deleted_within_s=0.5),
        )
    ] == [
        "AcknowledgedWritesSurvive(stateful_set='kv', allowing=None)",
        (
            "AcknowledgedWritesSurvive(stateful_set='kv',"
            " allowing=ForcedDeletionOverlap(until='healed', plus_s=45.0))"
        ),
        "ClaimsStay(stateful_set='kv', deleted_within_s=60.0)",
        "ClaimsStay(stateful_set='kv', deleted_within_s=0.5)",
        "DuplicateEndsWithin(stateful_set='kv', at_most_s=9, fault='nic_down')",
        "ForcedDeletionOverlap(until='healed', plus_s=45.0)",
        "ForcedDeletionOverlap(until='healed', plus_s=3)",
        "Halted(stateful_set='kv', phase='p', at_least_s=5.0)",
        "Halted(stateful_set='kv', phase='p', at_least_s=0.5)",
        "HostnamesMatch(stateful_set='kv')",
        "MadeAtOnce(stateful_set='kv', ordinal=1, at_most_s=3.0, after='scale')",
        "MadeAtOnce(stateful_set='kv', ordinal=2, at_most_s=4, after='start')",
        "MembersAnswerThroughProxy(stateful_set='kv')",
        "MembersDoNotWait(stateful_set='kv', occasion='start')",
        "MembersRun(stateful_set='kv', versions=((0, 'a'), (1, 'b')), phase=None)",
        "MembersRun(stateful_set='kv', versions=((0, 'a'),), phase='p')",
        "NameStaysTaken(stateful_set='kv', node='n2', at_least_s=3.0, fault='nic_down')",
        "NameStaysTaken(stateful_set='kv', node='n2', at_least_s=4, fault='nic_down')",
        "NamesFollowMembers(stateful_set='kv', within_s=35.0)",
        "NamesFollowMembers(stateful_set='kv', within_s=0.5)",
        "OneProcessPerIdentity(stateful_set='kv', allowing=None)",
        (
            "OneProcessPerIdentity(stateful_set='kv',"
            " allowing=ForcedDeletionOverlap(until='healed', plus_s=45.0))"
        ),
        "OnlyMembersTouched(stateful_set='kv', ordinals=(0, 2), phase=None)",
        "OnlyMembersTouched(stateful_set='kv', ordinals=(1,), phase='p')",
        "OrdinalsInOrder(stateful_set='kv')",
        "StableIdentity(stateful_set='kv')",
        "VolumesFollowClaims(stateful_set='kv', deleted_within_s=60.0)",
        "VolumesFollowClaims(stateful_set='kv', deleted_within_s=0.5)",
    ]


def test_what_cannot_be_claimed_is_refused() -> None:
    assert [
        refused(make)
        for make in (
            lambda: only_members_touched("kv", [-1]),
            lambda: halted("kv", phase="p", at_least_s=0),
            lambda: members_run("kv", {}),
            lambda: volumes_follow_claims("kv", deleted_within_s=0),
            lambda: names_follow_members("kv", within_s=0),
            lambda: claims_stay("kv", deleted_within_s=0),
            lambda: made_at_once("kv", 0),
        )
    ] == [
        "only_members_touched's ordinals: must not be negative\n  seen: (-1,)",
        "halted's at_least_s: must be positive\n  seen: 0",
        "members_run's versions: name no member",
        "volumes_follow_claims' deleted_within_s: must be positive\n  seen: 0",
        "names_follow_members' within_s: must be positive\n  seen: 0",
        "claims_stay's deleted_within_s: must be positive\n  seen: 0",
        "made_at_once's ordinal: has no member below it\n  seen: 0",
    ]
