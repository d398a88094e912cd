"""outage on hand-made and generated histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import outage
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from tests.corpus.examples import examples
from tests.corpus.requests import bad_between, steady
from tests.corpus.story import Story
from tests.corpus.times import at


def test_figures_bound_the_outage_from_both_sides() -> None:
    rows = steady(seconds=30, rate_per_s=10, outcome=bad_between((10, 14)))
    verdict = outage(5).check(History.of_parts(requests=rows))
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["outage_at_least_s"] == pytest.approx(3.9)
    assert verdict.figures["outage_at_most_s"] == pytest.approx(4.1)


def test_violated_names_stream_and_moment() -> None:
    rows = [
        *steady(seconds=30, rate_per_s=10, outcome=bad_between((3, 4))),
        *steady(
            seconds=30,
            rate_per_s=10,
            stream="new via n1",
            load="load-2",
            outcome=bad_between((10, 14), (20, 22.6)),
        ),
    ]
    verdict = outage(2).check(History.of_parts(requests=rows))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == 2
    assert verdict.evidence.worst is not None
    assert verdict.evidence.worst.time_ns == at(10)
    assert verdict.evidence.worst.objects == ["new via n1", "load-2"]
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.time_ns == at(20)


def test_unknown_between_the_bounds() -> None:
    rows = steady(seconds=30, rate_per_s=10, outcome=bad_between((10, 14)))
    assert outage(4).check(History.of_parts(requests=rows)).outcome is Outcome.UNKNOWN


def test_unknown_when_the_stream_ends_in_an_outage() -> None:
    for span in ((0, 1), (29, 30)):
        rows = steady(seconds=30, outcome=bad_between(span))
        assert outage(4).check(History.of_parts(requests=rows)).outcome is Outcome.UNKNOWN
    rows = steady(seconds=30, outcome=lambda _s: "unsent")
    assert outage(4).check(History.of_parts(requests=rows)).outcome is Outcome.VIOLATED


def test_slots_never_planned_are_no_proof() -> None:
    rows = [row for row in steady(seconds=30) if not at(10) <= row.planned_ns < at(20)]
    assert outage(5).check(History.of_parts(requests=rows)).outcome is Outcome.UNKNOWN


def test_only_outages_of_the_window_count() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = steady(seconds=60, outcome=bad_between((2, 5), (11, 12), (19, 24), (40, 50)))
    history = History.of_parts(requests=rows, events=story.events)
    during = outage(6, during="nic_down").check(history)
    assert during.outcome is Outcome.HELD
    assert during.figures["outage_at_most_s"] == pytest.approx(5.01)
    assert outage(4, during="nic_down").check(history).outcome is Outcome.VIOLATED
    after = outage(11, after="nic_down").check(history)
    assert after.outcome is Outcome.HELD
    assert outage(9, after="nic_down").check(history).outcome is Outcome.VIOLATED


def test_after_counts_from_the_heal() -> None:
    story = Story().fault("nic_down", "n2", 10, 20)
    rows = steady(seconds=60, outcome=bad_between((11, 24)))
    history = History.of_parts(requests=rows, events=story.events)
    verdict = outage(4, after="nic_down").check(history)
    assert verdict.outcome is Outcome.HELD
    assert verdict.figures["outage_at_most_s"] == pytest.approx(3.7)


def test_unknown_without_cover_proof_or_slots() -> None:
    rows = steady(seconds=60)
    story = Story().fault("nic_down", "n2", 10, 20)
    late = steady(seconds=30, start_s=15)
    unproved = Story().fault("nic_down", "n2", 10, 20, proved=False)
    unhealed = Story().fault("nic_down", "n2", 10, 20, healed=False)
    for history in (
        History.of_parts(),
        History.of_parts(requests=rows),
        History.of_parts(requests=late, events=story.events),
        History.of_parts(requests=rows, events=unproved.events),
    ):
        assert outage(60, during="nic_down").check(history).outcome is Outcome.UNKNOWN
    history = History.of_parts(requests=rows, events=unhealed.events)
    assert outage(60, after="nic_down").check(history).outcome is Outcome.UNKNOWN


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError):
        outage(0)
    with pytest.raises(UsageError):
        outage(1, during="a", after="b")


@examples(80)
@given(
    start_s=st.floats(1, 20),
    length_s=st.floats(0.01, 30),
    rate_per_s=st.sampled_from([5, 10, 20]),
    limit_s=st.floats(0.1, 30),
)
def test_planted_outage_lies_within_the_bounds(
    start_s: float, length_s: float, rate_per_s: int, limit_s: float
) -> None:
    rows = steady(
        seconds=60, rate_per_s=rate_per_s, outcome=bad_between((start_s, start_s + length_s))
    )
    verdict = outage(limit_s).check(History.of_parts(requests=rows))
    lower, upper = verdict.figures["outage_at_least_s"], verdict.figures["outage_at_most_s"]
    assert lower <= length_s + 1e-6
    assert length_s <= upper + 1e-6
    assert upper - lower <= 2 / rate_per_s + 1e-6
    if length_s < limit_s:
        assert verdict.outcome is not Outcome.VIOLATED
    if length_s > limit_s + 2 / rate_per_s:  # up to a slot's distance is lost at either end
        assert verdict.outcome is Outcome.VIOLATED
        assert verdict.evidence.first is not None
        assert abs(verdict.evidence.first.time_ns - at(start_s)) <= 1e9 / rate_per_s
    if length_s + 2 / rate_per_s < limit_s:
        assert verdict.outcome is Outcome.HELD
