"""pods_stay and ready_endpoints_stay: so many of each version throughout a phase."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import pods_stay, ready_endpoints_stay
from chaoskit.guarantees.verdict import Outcome
from tests.corpus.examples import examples
from tests.corpus.objects import deployment, pod, replica_set
from tests.corpus.rollouts import KINDS, NEW, OLD
from tests.corpus.story import Story
from tests.corpus.terminations import endpoint_slice
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

THREE = pods_stay("web", {"v1": 3}, phase="held")
CANARY = pods_stay("web", {"v1": 3, "v2": 1}, phase="held")
READY = ready_endpoints_stay("web", {"v1": 2, "v2": 1}, phase="held")


def of(name: str, version: str = "v1", *, owner: tuple[str, str] = OLD, **how: Any) -> Any:
    """A pod of web with that image."""
    made = pod(name, of=owner, ready_since=-60, **how)
    made["spec"]["containers"] = [{"name": "app", "image": f"registry:5000/app:{version}"}]
    return made


def held(versions: dict[str, str]) -> Story:
    """web with pods of these versions, from before the record on."""
    story = Story().clock().watched(0, "Deployment", deployment(), "LISTED")
    for name, image in (("rs-1", "app:v1"), ("rs-2", "app:v2")):
        story.watched(0, "ReplicaSet", replica_set(name, image=image), "LISTED")
    for name, version in versions.items():
        owner = OLD if version == "v1" else NEW
        story.watched(0, "Pod", of(name, version, owner=owner), "LISTED")
    return story.watching(*KINDS, "EndpointSlice", second=0.1)


def canary() -> Story:
    return held({"a": "v1", "b": "v1", "c": "v1", "d": "v2"})


def serving(**ready: bool) -> Story:
    story = held({"a": "v1", "b": "v1", "d": "v2"})
    return story.watched(1, "EndpointSlice", endpoint_slice(ready), "ADDED")


def test_pods_that_stay_hold() -> None:
    verdict = verdict_on(CANARY, canary().phase("held", 10, 20).ended(30))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.title == "web keeps its pods in the phase held: 3 of v1 and 1 of v2"
    assert verdict.summary == "there were 3 of v1 and 1 of v2"


def test_other_numbers_are_the_witness() -> None:
    verdict = verdict_on(THREE, canary().phase("held", 10, 20).ended(30))
    assert first(verdict)[:2] == (at(11), "there were 3 of v1 and 1 of v2, not 3 of v1")


def test_a_pod_that_is_replaced_in_one_go_is_the_witness() -> None:
    story = held({"a": "v1", "b": "v1", "c": "v1"})
    story.watched(15, "Pod", of("c", leaving=True)).watched(15.1, "Pod", of("e"), "ADDED")
    verdict = verdict_on(THREE, story.phase("held", 10, 20).ended(30))
    assert first(verdict)[1] == "there were 2 of v1, not 3 of v1"
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.text == "e came in place of c"
    assert verdict.evidence.count == 2


@pytest.mark.parametrize("second", [5.0, 10.9, 20.1])
def test_what_changes_outside_the_phase_and_its_first_second_is_not_charged(second: float) -> None:
    story = canary() if second > 15 else held({"a": "v1", "b": "v1", "c": "v1"})
    story.watched(second, "Pod", of("e", "v2", owner=NEW), "ADDED")
    verdict = verdict_on(CANARY, story.phase("held", 10, 20).ended(30))
    assert verdict.outcome is Outcome.HELD, verdict.summary


def test_pods_that_leave_have_ended_or_are_released_do_not_count() -> None:
    story = canary()
    story.watched(5, "Pod", of("e", leaving=True), "ADDED")
    ended = of("f")
    ended["status"]["phase"] = "Failed"
    story.watched(5, "Pod", ended, "ADDED").watched(6, "Pod", of("g"), "ADDED")
    released = of("g")
    del released["metadata"]["ownerReferences"]
    story.watched(7, "Pod", released)
    verdict = verdict_on(CANARY, story.phase("held", 10, 20).ended(30))
    assert verdict.outcome is Outcome.HELD, verdict.summary


def test_no_pod_at_all_can_be_what_is_wanted() -> None:
    story = held({"a": "v1"})
    none = pods_stay("web", {}, phase="held")
    assert verdict_on(none, story.phase("held", 3, 5).ended(9)).outcome is Outcome.VIOLATED
    story = held({"a": "v1"}).watched(2, "Pod", of("a", leaving=True), "DELETED")
    story.watched(2, "Deployment", deployment(), "DELETED")
    assert verdict_on(none, story.phase("held", 3, 5).ended(9)).outcome is Outcome.HELD


def test_ready_endpoints_hold_and_others_are_the_witness() -> None:
    good = serving(a=True, b=True, d=True).phase("held", 5, 9).ended(20)
    assert verdict_on(READY, good).outcome is Outcome.HELD
    bad = serving(a=True, b=True, d=True)
    bad.watched(7, "EndpointSlice", endpoint_slice({"a": True, "b": False, "d": True}))
    verdict = verdict_on(READY, bad.phase("held", 5, 9).ended(20))
    text = "there were 1 of v1 and 1 of v2, not 2 of v1 and 1 of v2"
    assert first(verdict)[:2] == (at(7), text)


def test_endpoints_of_another_service_or_of_a_deleted_slice_do_not_count() -> None:
    other = endpoint_slice({"c": True}, of="other")
    story = held({"a": "v1", "b": "v1", "c": "v1", "d": "v2"})
    story.watched(1, "EndpointSlice", other, "ADDED")
    story.watched(1, "EndpointSlice", endpoint_slice(dict.fromkeys("abd", True)), "ADDED")
    assert verdict_on(READY, story.phase("held", 3, 6).ended(9)).outcome is Outcome.HELD
    gone = serving(a=True, b=True, d=True)
    gone.watched(2, "EndpointSlice", endpoint_slice(dict.fromkeys("abd", True)), "DELETED")
    assert verdict_on(READY, gone.phase("held", 3, 6).ended(9)).outcome is Outcome.VIOLATED


@pytest.mark.parametrize("rule", [CANARY, READY])
def test_what_is_not_on_record_is_unknown(rule: Any) -> None:
    def told() -> Story:
        return canary().watched(
            1, "EndpointSlice", endpoint_slice({"a": True, "b": True, "d": True}), "ADDED"
        )

    assert verdict_on(rule, told().phase("held", 5, 9).ended(10)).outcome is Outcome.HELD
    unknown = [
        Story(),
        told().ended(10),
        told().phase("held", 5, None).ended(10),
        told().phase("held", 5, 5.9).ended(10),
        told().phase("held", 5, 9).gap("Pod", 1.5, "uid-never-seen"),
        told().phase("other", 5, 9),
    ]
    for story in unknown:
        assert verdict_on(rule, story).outcome is Outcome.UNKNOWN


def test_endpoints_of_pods_that_were_never_seen_are_unknown() -> None:
    story = serving(a=True, b=True, d=True, stranger=True).phase("held", 5, 9).ended(10)
    assert verdict_on(READY, story).outcome is Outcome.UNKNOWN


def test_a_number_below_one_is_refused() -> None:
    for make in (pods_stay, ready_endpoints_stay):
        with pytest.raises(UsageError, match="above 0"):
            make("web", {"v1": 0}, phase="held")


@given(old=st.integers(0, 4), new=st.integers(0, 4), told=st.integers(1, 4))
@examples(40)
def test_exactly_the_numbers_that_are_there_hold(old: int, new: int, told: int) -> None:
    pods = {f"old-{n}": "v1" for n in range(old)} | {f"new-{n}": "v2" for n in range(new)}
    story = held(pods).phase("held", 5, 9).ended(10)
    there = {version: n for version, n in (("v1", old), ("v2", new)) if n}
    for wanted in (there, {**there, "v1": told}):
        outcome = Outcome.HELD if wanted == there else Outcome.VIOLATED
        assert verdict_on(pods_stay("web", wanted, phase="held"), story).outcome is outcome
