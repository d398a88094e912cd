"""stable_identity: name, hostname, subdomain and labels of a StatefulSet's members."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import stable_identity
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import Watched, WatchStarted
from chaoskit.history.reader import Damage, History
from tests.corpus.examples import examples
from tests.corpus.stateful_set_controller import StatefulSetRun
from tests.corpus.stateful_sets import KINDS, Object, kv, member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

check = partial(verdict_on, stable_identity("kv"))


def with_member(obj: Object) -> Story:
    story = Story().watching(*KINDS).watched(1, "StatefulSet", kv(), "ADDED")
    story.watched(2, "Pod", member(0), "ADDED")
    return story.watched(3, "Pod", obj, "ADDED")


def test_members_that_come_back_under_their_name_hold() -> None:
    run = StatefulSetRun().go(20)
    for ordinal in range(3):
        run.delete(ordinal)
        run.go(20)
    verdict = check(run.story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {"members": 3, "members with more than one uid": 3}


@pytest.mark.parametrize(
    "path,value,text",
    [
        (("spec", "hostname"), "other", "kv-1 has hostname other, not kv-1"),
        (("spec", "subdomain"), "", "kv-1 has subdomain , not kv-members"),
        (
            ("metadata", "labels", "statefulset.kubernetes.io/pod-name"),
            "kv-2",
            "kv-1 has label statefulset.kubernetes.io/pod-name kv-2, not kv-1",
        ),
        (
            ("metadata", "labels", "apps.kubernetes.io/pod-index"),
            "2",
            "kv-1 has label apps.kubernetes.io/pod-index 2, not 1",
        ),
        (("metadata", "labels"), {}, "kv-1 has label statefulset.kubernetes.io/pod-name None"),
    ],
)
def test_each_part_of_an_identity_that_differs_is_the_witness(
    path: tuple[str, ...], value: object, text: str
) -> None:
    wrong = member(1)
    place = wrong
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    time_ns, seen, objects = first(check(with_member(wrong)))
    assert (time_ns, objects) == (at(3), ["kv-1"])
    assert seen.startswith(text)


def test_a_pod_of_the_set_without_an_ordinal_is_violated() -> None:
    wrong = member(1)
    wrong["metadata"]["name"] = "kv-one"
    assert first(check(with_member(wrong))) == (
        at(3),
        "pod kv-one of kv has no ordinal in its name",
        ["kv-one"],
    )


def test_what_a_step_changes_and_the_controller_puts_right_does_not_matter() -> None:
    bare = member(1)
    bare["metadata"]["labels"] = {}
    story = with_member(member(1)).watched(4, "Pod", bare)
    assert check(story).outcome is Outcome.VIOLATED
    assert check(story.watched(5, "Pod", member(1))).outcome is Outcome.HELD


def test_a_name_with_two_uids_at_once_is_violated() -> None:
    story = with_member(member(0, uid="uid-second"))
    text = "kv-0 is uid-second while uid-kv-0 was not yet gone"
    assert first(check(story)) == (at(3), text, ["kv-0", "uid-kv-0", "uid-second"])
    story = Story().watching(*KINDS).watched(1, "StatefulSet", kv(), "ADDED")
    story.watched(2, "Pod", member(0), "ADDED").watched(3, "Pod", member(0), "DELETED")
    assert check(story.watched(4, "Pod", member(0, uid="two"), "ADDED")).outcome is Outcome.HELD


def test_unknown_for_empty_podless_unwatched_and_gappy_records() -> None:
    podless = Story().watching(*KINDS).watched(1, "StatefulSet", kv(), "ADDED")
    unwatched = [e for e in with_member(member(1)).events if not isinstance(e, WatchStarted)]
    gap = with_member(member(1)).gap("Pod", 5, "uid-kv-1")
    lost = Damage(
        file="events-x.ckl", holds="events", kind="torn", since_ns=at(5), until_ns=None, detail=""
    )
    for history, reason in (
        (History.of_parts(), "not in the record"),
        (History.of_parts(events=podless.events), "no pod of kv is in the record"),
        (History.of_parts(events=unwatched), "were not watched"),
        (History.of_parts(events=gap.events), "has a gap"),
        (History.of_parts(events=podless.events, damage=[lost]), "events may be missing"),
    ):
        verdict = stable_identity("kv").check(history)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.summary


def test_nobody_is_accused_after_a_gap() -> None:
    story = with_member(member(0, uid="uid-second")).gap("Pod", 2.5, "uid-kv-0")
    assert check(story).outcome is Outcome.UNKNOWN


def test_malformed_objects_are_an_error() -> None:
    story = with_member(member(1))
    story.events.append(
        Watched(
            time_ns=at(5),
            kind="Pod",
            change="ADDED",
            uid="u",
            namespace="chaos",
            name="kv-3",
            resource_version=9999,
            object={},
        )
    )
    with pytest.raises(RecordError, match="no metadata"):
        check(story)


@examples(40)
@given(seed=st.integers(0, 10_000), planted=st.booleans())
def test_members_of_any_history_hold_and_a_planted_twin_is_found(seed: int, planted: bool) -> None:
    run = StatefulSetRun(seed=seed).go(20)
    for ordinal in range(run.random.randrange(3)):
        run.delete(ordinal, force=run.random.random() < 0.5)
        run.go(run.random.choice((5, 20)))
    if planted:
        twin = run.random.choice(sorted(run.pods))
        run.story.watched(run.second, "Pod", member(twin, uid="uid-twin"), "ADDED")
    verdict = check(run.story)
    if planted:
        assert first(verdict)[2] == [f"kv-{twin}", run.pods[twin].uid, "uid-twin"]
    else:
        assert verdict.outcome is Outcome.HELD, verdict.evidence
