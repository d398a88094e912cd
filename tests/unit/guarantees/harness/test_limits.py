"""Where the harness begins to be doubted, and what its verdicts say in full."""

import numpy as np
import pytest

from chaoskit.guarantees import load_was_enough, nothing_left, sampler_agrees
from chaoskit.guarantees.harness.stream_pairs import StreamSeen
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import TracesCompared
from tests.corpus.driver import health
from tests.corpus.requests import bad_between, delayed, load_marks, steady
from tests.corpus.sampler import always_ok, beside, sampled
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import in_full, verdict_on
from tests.unit.guarantees.harness.test_nothing_left import HELD, compared
from tests.unit.guarantees.harness.test_sampler_agreement import check, some


def driven(story: Story | None = None, **slow: float) -> list[str]:
    rows = delayed(steady(seconds=30), 5, 25, slow["late_s"]) if slow else steady(seconds=30)
    told = Story() if story is None else story
    told.events += load_marks(rows)
    return in_full(verdict_on(load_was_enough(), told, rows))


def busy() -> Story:
    story = Story()
    story.events.append(health(3, 5, 0.9))
    return story


def test_a_load_in_full() -> None:
    assert driven() == [
        "load_was_enough 3: the load was enough to conclude from",
        "HELD: 3000 requests",
        "requests: 3000",
        "calibrated: 0",
        "outside faults: 3000",
        "seconds with requests: 30",
        "harness-suspect seconds: 0",
        "unsent_share = 0",
        "lag_p99_s = 0.0001",
    ]
    assert driven(busy()) == [
        "load_was_enough 3: the load was enough to conclude from",
        (
            "UNKNOWN: cannot tell: 2 of 30 seconds are harness-suspect (at 3 s, 4 s): the"
            " driver itself used more than 80% of a core; 3000 requests"
        ),
        "requests: 3000",
        "calibrated: 0",
        "outside faults: 3000",
        "seconds with requests: 30",
        "harness-suspect seconds: 2",
        "unsent_share = 0",
        "lag_p99_s = 0.0001",
    ]
    assert driven(late_s=0.2) == [
        "load_was_enough 3: the load was enough to conclude from",
        (
            "UNKNOWN: cannot tell: the driver was late: 1 % of the requests were sent 200"
            " ms or more after their planned time, where 25 ms are allowed; the machine"
            " was too busy for this load; 20 of 30 seconds are harness-suspect (at 5 s, 6"
            " s, 7 s, …): the driver itself was late by up to 200 ms; 3000 requests"
        ),
        "requests: 3000",
        "calibrated: 0",
        "outside faults: 3000",
        "seconds with requests: 30",
        "harness-suspect seconds: 20",
        "unsent_share = 0",
        "lag_p99_s = 0.2",
    ]


def test_a_driver_that_is_as_late_as_it_may_be_is_punctual_enough() -> None:
    rows = delayed(steady(seconds=30), 0, 30, 0.02)
    for most_s, outcome in ((0.02, Outcome.HELD), (0.0199, Outcome.UNKNOWN)):
        verdict = verdict_on(load_was_enough(lag_at_most_s=most_s), None, rows)
        assert verdict.outcome is outcome
        assert verdict.figures["lag_p99_s"] == pytest.approx(0.02)


def test_as_many_requests_as_are_needed_are_enough() -> None:
    for most, outcome in ((3000, Outcome.HELD), (3001, Outcome.UNKNOWN)):
        rows = steady(seconds=30)
        assert verdict_on(load_was_enough(minimum_requests=most), None, rows).outcome is outcome


def test_what_is_left_in_full() -> None:
    assert in_full(verdict_on(HELD, compared())) == [
        "nothing_left 1: nothing is left of 2 faults",
        "HELD: 2 faults healed, nothing is left",
        "faults healed: 2",
        "comparisons: 1",
    ]
    assert in_full(verdict_on(HELD, compared("node n1: queues: + tbf rate 1Mbit"))) == [
        "nothing_left 1: nothing is left of 2 faults",
        "VIOLATED: node n1: queues: + tbf rate 1Mbit",
        "first, worst, last of 1 at 25 s: node n1: queues: + tbf rate 1Mbit []",
        "faults healed: 2",
        "comparisons: 1",
    ]
    assert in_full(verdict_on(HELD, Story())) == [
        "nothing_left 1: nothing is left of 2 faults",
        (
            "UNKNOWN: cannot tell: the cluster was not compared with what it was; 0 faults"
            " healed, nothing is left"
        ),
        "comparisons: 0",
    ]


def test_the_faults_of_all_comparisons_are_counted() -> None:
    story = compared(faults=1)
    story.fault("loss", "n1", 30, 35)
    story.events.append(TracesCompared(time_ns=at(40), since_ns=at(28), lines=[]))
    verdict = verdict_on(nothing_left(), story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage == {"faults healed": 2, "comparisons": 2}
    assert verdict.summary == "2 faults healed, nothing is left"


def test_two_that_agree_in_full() -> None:
    assert in_full(verdict_on(sampler_agrees(), beside(sampled()), sampled())) == [
        "sampler_agrees 1: the sampler and the load saw the same service",
        "HELD: 1 pairs of streams, 0 outages and 1 shares compared",
        "sampler slots: 600",
        "pairs of streams: 1",
        "loads without a sampler: 0",
        "outages compared: 0",
        "shares compared: 1",
        "sampler_late_share = 0",
    ]


def test_an_outage_of_over_two_intervals_is_compared() -> None:
    """Of the slower one, which is the sampler: 100 ms. A run of slots at both ends counts."""
    for until_s, compared_count in ((10.11, 0), (10.12, 1)):
        rows = sampled(outcome=bad_between((10, until_s)), sampler_outcome=always_ok)
        assert check(rows).coverage["outages compared"] == compared_count


def test_kept_connections_do_not_end_the_comparison_of_shares() -> None:
    """A pair on kept connections comes first; the new ones after it are compared."""
    kept = sampled(connection="kept", load="a-load")
    new = sampled(
        load="b-load", outcome=some(1, 0.3, (2, 9)), sampler_outcome=some(2, 0.03, (2, 9))
    )
    verdict = check([*kept, *new])
    assert verdict.coverage["shares compared"] == 1
    assert "disagree outside all faults: " in verdict.summary


def test_shares_are_told_of_both() -> None:
    rows = sampled(outcome=some(1, 0.3, (2, 9)), sampler_outcome=some(2, 0.03, (2, 9)))
    assert check(rows).summary == (
        "cannot tell: stream sampler new via n1 of sampler-load-1 and stream new via n1 of load-1"
        " disagree outside all faults: 596 of 600 ok by the sampler, 2788 of 2996 by the load;"
        " 1 pairs of streams, 0 outages and 1 shares compared"
    )


def test_many_comparisons_share_one_chance_of_error() -> None:
    """9 of 400 against none of 2000 is a disagreement, but not the only one among 51."""
    rows = sampled(
        sampler_outcome=lambda s: "fail" if s < 20 and round(s * 20) % 44 == 0 else "ok",
        outcome=always_ok,
    )
    for count, outcome in ((1, Outcome.UNKNOWN), (50, Outcome.HELD)):
        story = Story()
        for number in range(count):
            story.fault("pause", "n9", 20 + number / 1000, 29)
        verdict = check(rows, story)
        assert verdict.coverage["shares compared"] == count + 1
        assert verdict.outcome is outcome


def stream(ok: list[bool], connections: list[int]) -> StreamSeen:
    count = len(ok)
    return StreamSeen(
        stream="s",
        load="l",
        planned_ns=np.arange(count, dtype=np.int64),
        end_ns=np.arange(count, dtype=np.int64),
        ok=np.array(ok),
        charged=~np.array(ok),
        connection_id=np.array(connections, dtype=np.int64),
    )


def test_trials_are_requests_or_connections() -> None:
    seen = stream([True, False, True, False], [7, 7, 8, 9])
    assert seen.trials(by_connection=False) == (4, 2)
    assert seen.trials(by_connection=True) == (3, 2)
    assert stream([False, True, False, False], [1, 2, 3, 4]).outages(0) == [(2, 3)]
