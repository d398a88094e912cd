"""acknowledged_writes_survive on hand-made and generated histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import acknowledged_writes_survive, forced_deletion_overlap
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.examples import examples
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on
from tests.corpus.writes import writes

Entry = tuple[str, str, int]


def held(*numbers: int, member: str = "kv-0") -> list[Entry]:
    """What the member holds after these writes, in this order."""
    return [(f"k{n}", f"{member}-v{n}", place) for place, n in enumerate(numbers, start=1)]


def check(rows: list[RequestRow], *contents: list[Entry], second: float = 100) -> Verdict:
    story = Story()
    for number, entries in enumerate(contents):
        story.store(second + number, "kv-0", *entries)
    return verdict_on(acknowledged_writes_survive("kv"), story, rows)


def test_all_acknowledged_writes_there_holds() -> None:
    assert check(writes("ok", "ok", "ok"), held(0, 1, 2)).outcome is Outcome.HELD


@pytest.mark.parametrize("there", [held(0, 1, 2), held(0, 2)])
def test_a_write_of_unknown_outcome_may_be_there_or_not(there: list[Entry]) -> None:
    assert check(writes("ok", "unknown", "ok"), there).outcome is Outcome.HELD


def test_a_lost_write_is_the_witness() -> None:
    time_ns, text = first(check(writes("ok", "ok", "ok"), held(0, 2)))[:2]
    assert time_ns == at(2)
    assert "k1=kv-0-v1" in text


@pytest.mark.parametrize("outcome", ["fail", "unsent"])
def test_a_failed_write_that_is_there_is_a_violation(outcome: str) -> None:
    time_ns, text = first(check(writes("ok", outcome), held(0, 1)))[:2]
    assert time_ns == at(2)
    assert "surely had no effect" in text
    assert check(writes("ok", outcome), held(0)).outcome is Outcome.HELD


def test_sequence_that_goes_back_is_a_violation() -> None:
    entries = [("k0", "kv-0-v0", 5), ("k1", "kv-0-v1", 5)]
    assert "back to 5" in first(check(writes("ok", "ok"), entries))[1]


def twins(*, forced: bool = True, last: int = 3) -> Story:
    """The old process (a) writes once more after the new one (b) has begun to."""
    entries = [("k0", "kv-0-v0", 1, "a"), ("k1", "kv-0-v1", 2, "b"), ("k2", "kv-0-v2", 3, "b")]
    story = Story().step("delete", "Pod kv-0", 50, force=forced)
    return story.store_of_boots(100, "kv-0", *entries, ("k3", "kv-0-v3", last, "a"))


def judged(story: Story, *, allowed: bool = True) -> Verdict:
    allowing = forced_deletion_overlap() if allowed else None
    history = History.of_parts(requests=writes("ok", "ok", "ok", "ok"), events=story.events)
    return acknowledged_writes_survive("kv", allowing=allowing).check(history)


def test_a_superseded_process_may_write_after_a_forced_deletion_where_that_is_allowed() -> None:
    verdict = judged(twins(last=2))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["entries_of_superseded_processes"] == 1


@pytest.mark.parametrize("forced, allowed", [(True, False), (False, True)])
def test_a_superseded_process_is_a_violation_otherwise(forced: bool, allowed: bool) -> None:
    text = first(judged(twins(forced=forced, last=2), allowed=allowed))[1]
    assert "goes from 3 back to 2" in text


def test_within_one_process_the_sequence_never_goes_back() -> None:
    assert "goes from 1 back to 1" in first(judged(twins(last=1)))[1]


def test_contents_that_shrink_are_a_violation() -> None:
    story_rows = writes("ok", "unknown")
    assert "no longer holds" in first(check(story_rows, held(0, 1), held(0)))[1]


def test_unknown_when_read_too_early_never_or_nothing_acknowledged() -> None:
    rows = writes("ok", "ok")
    assert check(rows, held(0, 1), second=2).outcome is Outcome.UNKNOWN
    assert check(rows).outcome is Outcome.UNKNOWN
    assert check([], held(0)).outcome is Outcome.UNKNOWN
    assert check(writes("unknown"), held(0)).outcome is Outcome.UNKNOWN
    assert check([]).outcome is Outcome.UNKNOWN
    lost = Damage(
        file="requests-x.ckl",
        holds="requests",
        kind="torn",
        since_ns=at(1),
        until_ns=None,
        detail="",
    )
    story = Story().store(100, "kv-0", *held(0, 1))
    history = History.of_parts(requests=rows, events=story.events, damage=[lost])
    assert acknowledged_writes_survive("kv").check(history).outcome is Outcome.UNKNOWN


def test_every_member_is_judged_by_its_own_contents() -> None:
    rows = [*writes("ok"), *writes("ok", member="kv-1"), *writes("ok", member="other-0")]
    story = Story().store(100, "kv-0", *held(0))
    guarantee = acknowledged_writes_survive("kv")
    half = guarantee.check(History.of_parts(requests=rows, events=story.events))
    assert half.outcome is Outcome.UNKNOWN
    story.store(100, "kv-1", *held(0))
    swapped = guarantee.check(History.of_parts(requests=rows, events=story.events))
    assert "kv-1 lost" in first(swapped)[1]
    story.store(101, "kv-1", *held(0, member="kv-0"), ("k0", "kv-1-v0", 2))
    whole = guarantee.check(History.of_parts(requests=rows, events=story.events))
    assert whole.outcome is Outcome.HELD


def test_write_without_a_value_is_an_error() -> None:
    with pytest.raises(RecordError, match="no key or value"):
        check([writes("ok")[0]._replace(value=None)], held(0))


@examples(60)
@given(data=st.data())
def test_valid_stores_hold_and_a_planted_loss_is_found(data: st.DataObject) -> None:
    outcome = st.sampled_from(["ok", "fail", "unknown", "unsent"])
    outcomes = ["ok", *data.draw(st.lists(outcome, max_size=30))]
    rows = writes(*outcomes)
    applied = [
        n
        for n, how in enumerate(outcomes)
        if how == "ok" or (how == "unknown" and data.draw(st.booleans()))
    ]
    assert check(rows, held(*applied)).outcome is Outcome.HELD
    victim = data.draw(st.sampled_from([n for n, how in enumerate(outcomes) if how == "ok"]))
    verdict = check(rows, held(*(n for n in applied if n != victim)))
    assert first(verdict)[0] == rows[victim].planned_ns
