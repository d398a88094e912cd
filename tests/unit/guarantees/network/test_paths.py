"""path_loses, path_delayed, path_narrowed, other_paths_unchanged: what measured ways tell."""

import pytest

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees import (
    other_paths_unchanged,
    path_delayed,
    path_loses,
    path_narrowed,
    paths_as_before,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import PathMeasured
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

LOSES = path_loses("n1", "n2", at_least=0.27, at_most=0.33, during="loss")
DELAYED = path_delayed("n1", "n2", at_least_ms=180, at_most_ms=220, during="loss")
NARROWED = path_narrowed("n1", "n2", at_most_mbit=1.1, during="loss")
OTHERS = other_paths_unchanged(("n1", "n2"), during="loss")


def measured(
    story: Story,
    second: float,
    way: tuple[str, str] = ("n1", "n2"),
    *,
    sent: int = 10_000,
    came: int = 10_000,
    median_ms: float = 0.2,
    rate_mbit: float = 4.0,
) -> Story:
    """A measurement that took one second."""
    story.events.append(
        PathMeasured(
            time_ns=at(second + 1),
            began_ns=at(second),
            source=way[0],
            destination=way[1],
            sent=sent,
            came=came,
            size_bytes=64,
            median_ms=median_ms,
            rate_mbit=rate_mbit,
        )
    )
    return story


def lossy(*, proved: bool = True, came: int = 7_000, **during: float) -> Story:
    """Two ways, measured before and during a fault that acts from 10 to 30 s."""
    story = Story().fault("loss", "n1 to n2", 10, 30, proved=proved)
    for way in (("n1", "n2"), ("n2", "n1")):
        measured(story, 2, way)
    measured(story, 15, came=came, **during)  # type: ignore[arg-type]
    return measured(story, 17, ("n2", "n1"))


def test_what_was_asked_for_holds() -> None:
    verdict = verdict_on(LOSES, lossy())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["lost_share"] == pytest.approx(0.3)
    delayed = verdict_on(DELAYED, lossy(median_ms=200.4))
    assert delayed.outcome is Outcome.HELD, delayed.summary
    assert delayed.figures["added_ms"] == pytest.approx(200.2)
    narrowed = verdict_on(NARROWED, lossy(rate_mbit=1.04))
    assert narrowed.outcome is Outcome.HELD, narrowed.summary
    assert verdict_on(OTHERS, lossy()).outcome is Outcome.HELD


@pytest.mark.parametrize("came", [8_000, 6_000])
def test_another_share_is_the_witness(came: int) -> None:
    time_ns, text, objects = first(verdict_on(LOSES, lossy(came=came)))
    assert (time_ns, objects) == (at(16), ["n1", "n2"])
    assert f"{1 - came / 10_000:.2%} of 10000 lost" in text


def test_another_delay_or_rate_is_the_witness() -> None:
    assert "took 150.0 ms longer" in first(verdict_on(DELAYED, lossy(median_ms=150.2)))[1]
    assert "let 1.30 Mbit/s through" in first(verdict_on(NARROWED, lossy(rate_mbit=1.3)))[1]


def test_too_few_datagrams_do_not_tell() -> None:
    story = Story().fault("loss", "n1 to n2", 10, 30)
    measured(measured(story, 2), 15, sent=100, came=70)
    assert verdict_on(LOSES, story).outcome is Outcome.UNKNOWN
    few = Story().fault("loss", "n1 to n2", 10, 30)
    measured(measured(few, 2), 15, sent=20, came=10, median_ms=200.2)
    assert verdict_on(DELAYED, few).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("guarantee", [LOSES, DELAYED, NARROWED, OTHERS])
def test_unknown_without_measurement_fault_or_proof(guarantee: Guarantee) -> None:
    before_only = measured(Story().fault("loss", "n1 to n2", 10, 30), 2)
    across_the_heal = measured(before_only, 29.5)
    for story in (Story(), before_only, across_the_heal, lossy(proved=False)):
        assert verdict_on(guarantee, story).outcome is Outcome.UNKNOWN


def test_a_way_that_was_slow_before_was_not_narrowed() -> None:
    story = Story().fault("loss", "n1 to n2", 10, 30)
    measured(measured(story, 2, rate_mbit=0.9), 15, rate_mbit=0.9)
    assert verdict_on(NARROWED, story).outcome is Outcome.UNKNOWN


def test_another_way_that_changes_is_the_witness() -> None:
    for changed, text in (
        ({"came": 9_500}, "lost 5.00% of 10000"),
        ({"median_ms": 50.2}, "took 50.0 ms longer than before"),
        ({"rate_mbit": 1.0}, "let 1.00 Mbit/s through, 4.00 before"),
    ):
        story = lossy()
        measured(story, 20, ("n3", "n1"), **changed)
        measured(story, 3, ("n3", "n1"))
        time_ns, said, objects = first(verdict_on(OTHERS, story))
        assert (time_ns, objects) == (at(21), ["n3", "n1"])
        assert text in said


def test_a_way_that_was_bad_before_or_not_measured_is_unknown() -> None:
    bad = measured(measured(lossy(), 3, ("n3", "n1"), came=9_000), 20, ("n3", "n1"), came=9_000)
    for story in (bad, measured(lossy(), 20, ("n3", "n1"))):
        assert verdict_on(OTHERS, story).outcome is Outcome.UNKNOWN


def test_more_than_were_sent_cannot_have_come() -> None:
    for guarantee in (LOSES, OTHERS):
        with pytest.raises(RecordError, match="no measurement"):
            verdict_on(guarantee, measured(lossy(), 20, came=10_001))


def test_limits_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="no limits"):
        path_loses("n1", "n2", at_least=0.4, at_most=0.3, during="loss")
    with pytest.raises(UsageError, match="no limits"):
        path_delayed("n1", "n2", at_least_ms=2, at_most_ms=1, during="latency")
    with pytest.raises(UsageError, match="positive"):
        path_narrowed("n1", "n2", at_most_mbit=0, during="bandwidth")


def healed(**after: float) -> Story:
    """Two ways, measured before a fault and again after its heal."""
    story = lossy()
    measured(story, 35, **after)  # type: ignore[arg-type]
    return measured(story, 37, ("n2", "n1"))


def test_ways_that_are_as_before_hold() -> None:
    verdict = verdict_on(paths_as_before(), healed())
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage["ways"] == 2


def test_a_way_that_is_not_as_before_is_the_witness() -> None:
    for changed, text in (({"came": 9_000}, "lost 10.00%"), ({"median_ms": 90.2}, "took 90.0 ms")):
        time_ns, said, _ = first(verdict_on(paths_as_before(), healed(**changed)))
        assert time_ns == at(36)
        assert text in said


def test_as_before_is_unknown_without_a_fault_a_heal_or_a_measurement() -> None:
    open_still = Story().fault("loss", "n1 to n2", 10, 30, healed=False)
    quiet = measured(measured(Story(), 2), 35)
    for story in (Story(), quiet, lossy(), measured(measured(open_still, 2), 35)):
        assert verdict_on(paths_as_before(), story).outcome is Outcome.UNKNOWN
