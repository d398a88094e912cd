"""sampler_agrees: two instruments that saw the same service, or one that is not to be believed."""

import random
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import RecordError
from chaoskit.guarantees import sampler_agrees
from chaoskit.guarantees.harness.stream_pairs import chance_of
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.history.events import FaultMark, LoadMark
from chaoskit.history.reader import Damage, History
from chaoskit.history.requests import RequestRow
from tests.corpus.driver import health
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, delayed, slowed, steady
from tests.corpus.sampler import always_ok, beside, sampled
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import verdict_on


def check(rows: Sequence[RequestRow], story: Story | None = None, *damage: Damage) -> Verdict:
    return verdict_on(sampler_agrees(), beside(rows, story), rows, *damage)


def some(seed: int, share: float, *spans: tuple[float, float]) -> "Partly":
    return Partly(random.Random(seed), share, spans)


class Partly:
    """An outcome for `sampled`: in the spans this share of requests fail, each by itself."""

    def __init__(
        self, chance: random.Random, share: float, spans: Sequence[tuple[float, float]]
    ) -> None:
        self._chance, self._share, self._spans = chance, share, spans

    def __call__(self, second: float) -> str:
        inside = any(start <= second < end for start, end in self._spans)
        return "fail" if inside and self._chance.random() < self._share else "ok"


def test_two_that_saw_nothing_wrong_agree() -> None:
    for connection in ("new", "kept"):
        verdict = check(sampled(connection=connection))
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage == {
            "sampler slots": 600,
            "pairs of streams": 1,
            "loads without a sampler": 0,
            "outages compared": 0,
            "shares compared": 1 if connection == "new" else 0,
        }
        assert verdict.figures == {"sampler_late_share": 0}


def test_control_streams_are_not_compared() -> None:
    control = steady(
        seconds=30, rate_per_s=20, load="sampler-load-1", stream="control new", connection="new"
    )
    verdict = check([*sampled(), *control])
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["pairs of streams"] == 1
    assert verdict.coverage["sampler slots"] == 1200


def test_requests_without_a_connections_number_stand_for_themselves() -> None:
    rows = sampled(outcome=bad_between((10, 11)), sampler_outcome=always_ok)
    nameless = [row._replace(connection_id=None) for row in rows]
    assert "had no ok for 0.990 s" in check(nameless).summary


def test_two_that_saw_the_same_outage_agree() -> None:
    story = Story().fault("nic_down", "n2", 9, 15)
    for connection in ("new", "kept"):
        rows = sampled(outcome=bad_between((10, 14)), connection=connection)
        verdict = check(rows, story)
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage["outages compared"] == 2
        assert check(rows).outcome is Outcome.HELD


def test_an_outage_that_only_one_saw_is_a_disagreement() -> None:
    story = Story().fault("nic_down", "n2", 9, 15)
    outage = bad_between((10, 11))
    for connection in ("new", "kept"):
        rows = sampled(
            outcome=outage, sampler_outcome=always_ok, connection=connection, connections=40
        )
        verdict = check(rows, story)
        assert verdict.outcome is Outcome.UNKNOWN
        assert verdict.summary.startswith("cannot tell: ")
        assert (
            f"stream {connection} via n1 of load-1 had no ok for 0.990 s, 10.0 s after its start,"
            f" in which stream sampler {connection} via n1 of sampler-load-1 had 19 of 19 ok"
        ) in verdict.summary
        rows = sampled(sampler_outcome=outage, connection=connection, connections=40)
        verdict = check(rows, story)
        assert verdict.outcome is Outcome.UNKNOWN
        assert (
            f"stream sampler {connection} via n1 of sampler-load-1 had no ok for 0.950 s, 10.0 s"
            f" after its start, in which stream {connection} via n1 of load-1 had 94 of 94 ok"
        ) in verdict.summary


def test_a_short_or_unlikely_outage_of_one_is_no_disagreement() -> None:
    """Of three pods one is away: three slots in a row meet it now and then."""
    for until_s, compared in ((10.15, 0), (10.25, 1)):
        verdict = check(sampled(sampler_outcome=bad_between((10, until_s))))
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage["outages compared"] == compared
    rows = sampled(outcome=bad_between((10, 10.1)), sampler_outcome=always_ok)
    assert check(rows).coverage["outages compared"] == 0


def test_an_ok_that_waited_for_the_end_of_an_outage_does_not_deny_it() -> None:
    rows = sampled(sampler_outcome=bad_between((10, 11)))
    waiting = slowed(rows[:3000], 10, 11, 1.2) + rows[3000:]
    assert "had no ok for" in check(rows).summary
    assert "had no ok for" not in check(waiting).summary


def test_one_kept_connection_shares_one_fate() -> None:
    """A stuck connection of the sampler is one trial, however many requests wait for it."""
    outage = bad_between((10, 12))
    stuck = sampled(connection="kept", sampler_outcome=outage, connections=1)
    assert check(stuck).outcome is Outcome.HELD
    many = sampled(connection="kept", sampler_outcome=outage, connections=40)
    assert check(many).outcome is Outcome.UNKNOWN


def test_shares_that_differ_in_calm_or_in_a_window_are_a_disagreement() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = sampled(outcome=some(1, 0.6, (10, 20)), sampler_outcome=some(2, 0.2, (10, 20)))
    verdict = check(rows, story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "disagree during nic_down on n2: " in verdict.summary
    assert "disagree outside" not in verdict.summary
    assert verdict.coverage["shares compared"] == 2
    rows = sampled(outcome=some(1, 0.3, (2, 9)), sampler_outcome=some(2, 0.03, (2, 9)))
    verdict = check(rows, story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "disagree outside all faults: " in verdict.summary
    assert "disagree during" not in verdict.summary


def test_the_shares_of_kept_connections_are_not_compared() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = sampled(
        connection="kept", outcome=some(1, 0.01, (0, 30)), sampler_outcome=some(2, 0.08, (0, 30))
    )
    verdict = check(rows, story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["shares compared"] == 0


def test_windows_shorter_than_a_second_are_not_compared() -> None:
    rows = sampled()
    short = check(rows, Story().fault("delete", "web-1", 10, 10.6))
    assert short.coverage["shares compared"] == 1
    assert check(rows, Story().fault("delete", "web-1", 10, 10.8)).coverage["shares compared"] == 2


def test_suspect_seconds_of_either_are_left_out() -> None:
    outage = bad_between((10, 13))
    rows = sampled(outcome=outage, sampler_outcome=always_ok)
    assert check(rows).outcome is Outcome.UNKNOWN
    late = delayed(rows[:3000], 10, 13, 0.3) + rows[3000:]
    assert check(late).outcome is Outcome.HELD
    blind = sampled(sampler_outcome=outage)
    story = Story()
    story.events.append(health(10, 13, 0.95, load="sampler-load-1"))
    assert check(blind).outcome is Outcome.UNKNOWN
    assert check(blind, story).outcome is Outcome.HELD


def test_a_late_sampler_is_no_witness() -> None:
    rows = sampled()
    for late_s, outcome in ((0.3, Outcome.HELD), (0.35, Outcome.UNKNOWN)):
        verdict = check(rows[:3000] + delayed(rows[3000:], 10, 10 + late_s, 0.03))
        assert verdict.outcome is outcome
    assert "the sampler sent 1.2% of its slots over 25 ms late" in verdict.summary
    control = delayed(
        steady(seconds=30, rate_per_s=20, load="sampler-load-1", stream="control new"), 5, 6, 0.03
    )
    verdict = check([*rows, *control])
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.figures["sampler_late_share"] == pytest.approx(20 / 1200)


def test_each_load_with_reads_needs_a_sampler_of_its_own() -> None:
    rows = sampled()
    alone = check(rows[:3000])
    assert alone.outcome is Outcome.UNKNOWN
    assert "load load-1 had no sampler beside it" in alone.summary
    assert "no stream of a sampler can be compared" in alone.summary
    second = steady(seconds=30, load="load-2", stream="new via n1", connection="new")
    both = check([*rows, *second])
    assert both.outcome is Outcome.UNKNOWN
    assert "load load-2 had no sampler beside it" in both.summary
    writes = [row._replace(operation="write") for row in second]
    assert check([*rows, *writes]).outcome is Outcome.HELD
    elsewhere = [row._replace(entry="n2") for row in rows[3000:]]
    assert check([*rows[:3000], *elsewhere]).outcome is Outcome.UNKNOWN


def test_loads_are_compared_with_their_own_samplers() -> None:
    one = sampled(outcome=bad_between((10, 14)))
    other = sampled(load="load-2")
    verdict = check([*one, *other])
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["pairs of streams"] == 2
    nameless = [
        row._replace(load="s") if row.load == "sampler-load-1" else row for row in [*one, *other]
    ]
    assert check(nameless).outcome is Outcome.UNKNOWN


def test_only_the_time_in_which_both_ran_is_compared() -> None:
    early = sampled(outcome=bad_between((0, 5)))
    later = [row for row in early if row.load == "load-1" or row.planned_ns >= at(6)]
    verdict = check(later)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage["outages compared"] == 0
    brief = [row for row in early if row.load == "load-1" or row.planned_ns >= at(26)]
    verdict = check(brief)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "were compared by 80 slots only" in verdict.summary


def test_what_was_cut_off_at_the_stop_is_left_out() -> None:
    rows = [
        row._replace(outcome="unknown", error="cut_off", error_phase="wait")
        if row.load == "load-1" and row.planned_ns >= at(28)
        else row
        for row in sampled()
    ]
    assert check(rows).outcome is Outcome.HELD


def test_slots_that_were_not_sent_saw_nothing() -> None:
    rows = sampled(outcome=bad_between((10, 11), outcome="unsent"), sampler_outcome=always_ok)
    verdict = check(rows, Story().fault("loss", "n2", 9, 12))
    assert "had no ok" not in verdict.summary


def test_unknown_when_parts_are_missing_or_one_of_them_died() -> None:
    rows = sampled()
    parts: tuple[Literal["events", "requests"], ...] = ("events", "requests")
    for holds in parts:
        lost = Damage(
            file="x", holds=holds, kind="lost", since_ns=at(3), until_ns=at(4), detail="lost"
        )
        assert check(rows, None, lost).outcome is Outcome.UNKNOWN
    story = Story()
    story.events.append(
        LoadMark(time_ns=at(29), load_id="sampler-load-1", mark="died", rate_per_s=20, streams=[])
    )
    verdict = check(rows, story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "load sampler-load-1 died" in verdict.summary
    assert sampler_agrees().check(History.of_parts()).outcome is Outcome.UNKNOWN


def test_a_record_that_contradicts_itself_is_an_error() -> None:
    story = Story()
    story.events += [
        FaultMark(time_ns=at(2), fault_id="f", name="x", target="n2", mark="healed"),
        FaultMark(time_ns=at(3), fault_id="f", name="x", target="n2", mark="injected"),
    ]
    with pytest.raises(RecordError, match="before it was injected"):
        check(sampled(), story)


def test_the_chance_that_one_stream_gets_all_that_was_ok() -> None:
    assert chance_of(0, 5, 5) == pytest.approx(1)
    assert chance_of(3, 0, 5) == pytest.approx(1)
    assert chance_of(1, 1, 1) == pytest.approx(1 / 2)
    assert chance_of(3, 2, 4) == pytest.approx((4 * 3) / (7 * 6))
    assert chance_of(40, 8, 8) == pytest.approx(2.6499e-9, rel=1e-3)


def test_a_kept_connection_may_fail_now_and_then_and_go_on() -> None:
    """Of 50 requests 49 fail: soon each connection of the faster stream has had an ok."""
    span = (2.0, 30.0)
    verdict = check(
        sampled(
            outcome=some(1, 0.98, span),
            sampler_outcome=some(20_001, 0.98, span),
            connection="kept",
            connections=20,
            rate_per_s=400,
        )
    )
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["outages compared"] > 10


@examples(30)
@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.001, 0.05, 1 / 3, 0.5, 2 / 3, 0.9, 0.95]),
    start_s=st.floats(0, 15),
    length_s=st.floats(0.2, 15),
    marked=st.booleans(),
    connection=st.sampled_from(["new", "kept"]),
)
def test_two_honest_witnesses_of_a_partial_outage_agree(
    seed: int, share: float, start_s: float, length_s: float, marked: bool, connection: str
) -> None:
    span = start_s, start_s + length_s
    rows = sampled(
        outcome=some(seed, share, span),
        sampler_outcome=some(seed + 20_000, share, span),
        connection=connection,
    )
    story = Story().fault("nic_down", "n2", *span) if marked else None
    assert check(rows, story).outcome is Outcome.HELD


@examples(20)
@given(
    start_s=st.floats(1, 15),
    length_s=st.floats(0.6, 10),
    blind=st.sampled_from(["load", "sampler"]),
)
def test_a_witness_that_slept_through_a_total_outage_is_found_out(
    start_s: float, length_s: float, blind: str
) -> None:
    bad = bad_between((start_s, start_s + length_s))
    outcomes = {"load": bad, "sampler": bad} | {blind: always_ok}
    rows = sampled(outcome=outcomes["load"], sampler_outcome=outcomes["sampler"])
    verdict = check(rows)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "had no ok for" in verdict.summary
