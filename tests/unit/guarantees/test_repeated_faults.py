"""The same fault more than once in a run: flapping, and on two targets at once."""

import pytest

from chaoskit.guarantees import availability, degradation, outage
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.reader import History
from tests.corpus.requests import bad_between, steady
from tests.corpus.story import Story
from tests.corpus.times import at

NAME = "nic_down"


def flapping() -> Story:
    """Down from 10, 20 and 30 s on, for 4 s each."""
    story = Story()
    for start_s in (10, 20, 30):
        story.fault(NAME, "n1", start_s, start_s + 4)
    return story


def in_windows() -> History:
    rows = steady(
        seconds=60, rate_per_s=100, outcome=bad_between((10, 13.9), (20, 23.9), (30, 33.9))
    )
    return History.of_parts(requests=rows, events=flapping().events)


def test_each_cycle_is_a_window_of_its_own() -> None:
    windows = fault_windows(in_windows(), NAME)
    assert [window.requested_ns for window in windows] == [at(10), at(20), at(30)]
    assert [window.doubts for window in windows] == [(), (), ()]


def test_one_cycle_without_effect_casts_doubt_on_all() -> None:
    story = Story().fault(NAME, "n1", 10, 14).fault(NAME, "n1", 20, 24, proved=False)
    history = History.of_parts(requests=steady(seconds=60), events=story.events)
    assert outage(1, during=NAME).check(history).outcome is Outcome.UNKNOWN


def test_what_happens_in_the_next_window_is_not_after_the_last_heal() -> None:
    verdict = outage(1, after=NAME).check(in_windows())
    assert verdict.outcome is Outcome.HELD, verdict
    assert degradation(0.99, 2, after=NAME).check(in_windows()).outcome is Outcome.HELD
    assert outage(5, during=NAME).check(in_windows()).outcome is Outcome.HELD
    assert outage(1, during=NAME).check(in_windows()).outcome is Outcome.VIOLATED
    assert availability(0.999, outside=NAME).check(in_windows()).outcome is Outcome.HELD


@pytest.mark.parametrize("between", [(15, 17), (25, 27), (40, 42)])
def test_what_happens_between_the_windows_is(between: tuple[float, float]) -> None:
    rows = steady(seconds=60, rate_per_s=100, outcome=bad_between((10, 13.9), between))
    history = History.of_parts(requests=rows, events=flapping().events)
    assert outage(1, after=NAME).check(history).outcome is Outcome.VIOLATED
    assert availability(0.999, outside=NAME).check(history).outcome is Outcome.VIOLATED


def test_windows_of_two_targets_may_overlap() -> None:
    story = Story().fault(NAME, "n1", 10, 20).fault(NAME, "n2", 15.5, 25)
    rows = steady(seconds=60, rate_per_s=100, outcome=bad_between((10, 25.2)))
    history = History.of_parts(requests=rows, events=story.events)
    assert availability(0.999, outside=NAME).check(history).outcome is Outcome.HELD
    # The first heal is no recovery: the other one was in effect still.
    assert outage(1, after=NAME).check(history).outcome is Outcome.HELD
