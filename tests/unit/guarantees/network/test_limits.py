"""Where claims about the network begin and end: limits that are met, and what only seems to be."""

import pytest

from chaoskit.guarantees import (
    names_answer_again,
    names_fail,
    other_paths_unchanged,
    path_delayed,
    path_loses,
    path_narrowed,
    paths_as_before,
    slow_node_named,
)
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import LookedUp
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import LOST_EVENTS, first, in_full, refused, verdict_on
from tests.unit.guarantees.network.test_names import AGAIN, FAIL, asked, outage
from tests.unit.guarantees.network.test_paths import (
    DELAYED,
    LOSES,
    NARROWED,
    OTHERS,
    healed,
    lossy,
    measured,
)
from tests.unit.guarantees.network.test_slow_node import NAMED, answered, told

HELD = [
    (LOSES, lossy()),
    (DELAYED, lossy(median_ms=200.2)),
    (NARROWED, lossy(rate_mbit=1.0)),
    (OTHERS, lossy()),
    (paths_as_before(), healed()),
    (FAIL, outage()),
    (AGAIN, outage()),
]


@pytest.mark.parametrize("guarantee, story", HELD)
def test_nothing_holds_where_events_were_lost(guarantee: Guarantee, story: Story) -> None:
    assert verdict_on(guarantee, story).outcome is Outcome.HELD
    verdict = verdict_on(guarantee, story, (), LOST_EVENTS)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.summary.startswith("cannot tell: events may be missing: x.ckl: torn")


def test_names_that_fail_in_an_outage_that_was_not_proved_prove_nothing() -> None:
    unproved = Story().fault("dns_outage", "n1, n2", 10, 40, proved=False)
    unproved.events += [event for event in outage().events if isinstance(event, LookedUp)]
    for guarantee in (FAIL, AGAIN):
        verdict = verdict_on(guarantee, unproved)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "dns_outage on n1, n2 was never seen in effect" in verdict.summary


def test_names_answered_in_another_fault_are_no_witness() -> None:
    story = outage().fault("nic_down", "n1", 41.2, 49)
    verdict = verdict_on(FAIL, story)
    assert verdict.outcome is Outcome.HELD
    assert verdict.coverage == {"lookups": 400, "answered": 0, "pods": 1}
    again = verdict_on(names_answer_again(5, after="dns_outage"), story)
    assert again.figures == {"answered_after_s": pytest.approx(0.71)}


def test_an_outage_without_names_is_that_of_the_pod_that_could_resolve_none_before() -> None:
    story = outage()
    asked(story, 12, answered=False, pod="web-2")
    assert in_full(verdict_on(FAIL, story))[1] == (
        "UNKNOWN: cannot tell: web-2 had no name resolved before dns_outage;"
        " 401 of 401 lookups failed"
    )


def test_lookups_of_all_pods_are_counted_and_the_slowest_is_told() -> None:
    story = outage()
    for second, pod_answered in ((12, False), (43, True), (46, True), (47, True)):
        asked(story, second, answered=pod_answered, pod="web-2")
    assert in_full(verdict_on(AGAIN, story))[1:] == [
        "HELD: names answered 2.71 s after the heal at the latest",
        "lookups later: 11",
        "pods: 2",
        "answered_after_s = 2.71",
    ]


def test_a_name_that_does_not_exist_was_not_told() -> None:
    story = outage()
    story.events.append(
        LookedUp(
            time_ns=at(48.2),
            asked_ns=at(48.1),
            pod="web-1",
            pod_uid="uid-web-1",
            name="gone",
            record="A",
            answers=[],
            problem="",
        )
    )
    text = "web-1 was not told gone after the heal: no such name"
    assert first(verdict_on(AGAIN, story)) == (at(48.2), text, ["web-1", "gone"])


def test_a_limit_that_is_met_is_kept() -> None:
    assert verdict_on(DELAYED, lossy(median_ms=220.2)).outcome is Outcome.HELD
    assert verdict_on(DELAYED, lossy(median_ms=220.3)).outcome is Outcome.VIOLATED
    lossless = other_paths_unchanged(("n1", "n2"), during="loss", lost_at_most=0)
    assert verdict_on(lossless, lossy()).outcome is Outcome.HELD
    half = measured(measured(lossy(), 3, ("n3", "n1")), 20, ("n3", "n1"), rate_mbit=2.0)
    assert verdict_on(OTHERS, half).outcome is Outcome.HELD
    added = measured(measured(lossy(), 3, ("n3", "n1")), 20, ("n3", "n1"), median_ms=20.2)
    assert verdict_on(OTHERS, added).outcome is Outcome.HELD


def test_no_loss_is_not_told_from_a_little() -> None:
    none = path_loses("n1", "n2", at_least=0, at_most=0, during="loss")
    assert verdict_on(none, lossy(came=10_000)).outcome is Outcome.UNKNOWN
    all_lost = path_loses("n1", "n2", at_least=1, at_most=1, during="loss")
    assert verdict_on(all_lost, lossy(came=0)).outcome is Outcome.UNKNOWN


def test_the_worst_of_the_other_ways_is_told() -> None:
    story = lossy()
    for way, lost in ((("n3", "n1"), 30), (("n1", "n3"), 10)):
        measured(story, 3, way)
        measured(story, 20, way, came=10_000 - lost, median_ms=0.2 + lost / 10)
    verdict = verdict_on(OTHERS, story)
    assert verdict.summary == "3 other ways: at most 0.30% lost and 3.0 ms longer"
    assert verdict.figures == {"lost_share": 0.003, "added_ms": 3.0}
    lost_only = measured(Story().fault("loss", "n1 to n2", 10, 30), 3, ("n3", "n1"))
    measured(lost_only, 20, ("n3", "n1"), came=0)
    assert in_full(verdict_on(OTHERS, lost_only))[1] == (
        "VIOLATED: 1 other ways: at most 100.00% lost and 0.0 ms longer;"
        " the path n3 to n1 lost 100.00% of 10000"
    )


def test_a_rate_that_was_measured_in_the_fault_only_narrowed_nothing() -> None:
    story = measured(Story().fault("loss", "n1 to n2", 10, 30), 15, rate_mbit=0.9)
    assert in_full(verdict_on(NARROWED, story))[1:] == [
        "UNKNOWN: cannot tell: the path n1 to n2 was not seen to be faster than 1.1 Mbit/s before;"
        " 0.90 Mbit/s, 0.00 before",
        "rate_mbit = 0.9",
        "rate_before_mbit = 0",
    ]


def test_a_single_answer_of_a_node_is_too_few() -> None:
    rows = answered(n2=0.2)
    brief = Story().phase("as usual", 5, 25).phase("slow", 35, 35.02)
    brief.events += told(rows).events[-1:]
    verdict = verdict_on(NAMED, brief, rows)
    assert "n2 gave only 1 answers in the phase slow" in verdict.summary
    assert "fewer than two nodes answered in both phases" in verdict.summary


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            path_loses("Node n1", "n2", at_least=0.3, at_most=0.3, during="loss"),
            path_delayed("Node n1", "n2", at_least_ms=2, at_most_ms=2, during="latency"),
            path_narrowed("n1", "Node n2", at_most_mbit=0.5, during="bandwidth"),
            other_paths_unchanged(("Node n1", "n2"), during="loss"),
            other_paths_unchanged(during="loss", lost_at_most=0.2, added_at_most_ms=3),
            paths_as_before(),
            paths_as_before(lost_at_most=0.2, added_at_most_ms=3),
            names_fail(0.9, during="dns_outage"),
            names_answer_again(0.5, after="dns_outage"),
            slow_node_named("Node n2", phase="slow", before="as usual", by_at_least_s=0.1),
            slow_node_named("n2", phase="b", before="a", by_at_least_s=0.1, minimum_requests=7),
        )
    ] == [
        ("PathLoses(source='n1', destination='n2', at_least=0.3, at_most=0.3, fault='loss')"),
        (
            "PathDelayed(source='n1', destination='n2', at_least_ms=2, at_most_ms=2,"
            " fault='latency')"
        ),
        "PathNarrowed(source='n1', destination='n2', at_most_mbit=0.5, fault='bandwidth')",
        (
            "OtherPathsUnchanged(touched=(('n1', 'n2'),), fault='loss', lost_at_most=0.01,"
            " added_at_most_ms=20.0)"
        ),
        ("OtherPathsUnchanged(touched=(), fault='loss', lost_at_most=0.2, added_at_most_ms=3)"),
        "PathsAsBefore(lost_at_most=0.01, added_at_most_ms=20.0)",
        "PathsAsBefore(lost_at_most=0.2, added_at_most_ms=3)",
        "NamesFail(at_least=0.9, fault='dns_outage')",
        "NamesAnswerAgain(at_most_s=0.5, fault='dns_outage')",
        (
            "SlowNodeNamed(node='n2', phase='slow', before='as usual', by_at_least_s=0.1,"
            " minimum_requests=20)"
        ),
        ("SlowNodeNamed(node='n2', phase='b', before='a', by_at_least_s=0.1, minimum_requests=7)"),
    ]


def test_what_cannot_be_claimed_is_refused() -> None:
    assert [
        refused(make)
        for make in (
            lambda: path_loses("n1", "n2", at_least=0.4, at_most=0.3, during="loss"),
            lambda: path_loses("n1", "n2", at_least=-0.1, at_most=0.3, during="loss"),
            lambda: path_loses("n1", "n2", at_least=0.1, at_most=1.5, during="loss"),
            lambda: path_delayed("n1", "n2", at_least_ms=2, at_most_ms=1, during="latency"),
            lambda: path_narrowed("n1", "n2", at_most_mbit=0, during="bandwidth"),
            lambda: names_fail(0, during="dns_outage"),
            lambda: names_fail(1, during="dns_outage"),
            lambda: names_answer_again(0, after="dns_outage"),
            lambda: slow_node_named("n2", phase="b", before="a", by_at_least_s=0),
        )
    ] == [
        "path_loses: are no limits of a share\n  seen: 0.4 to 0.3",
        "path_loses: are no limits of a share\n  seen: -0.1 to 0.3",
        "path_loses: are no limits of a share\n  seen: 0.1 to 1.5",
        "path_delayed: are no limits\n  seen: 2 to 1 ms",
        "path_narrowed: must be positive\n  seen: 0",
        "names_fail: is not a share between 0 and 1\n  seen: 0",
        "names_fail: is not a share between 0 and 1\n  seen: 1",
        "names_answer_again: must be positive\n  seen: 0",
        "slow_node_named: must be positive\n  seen: 0",
    ]


def test_what_cannot_be_told_in_full() -> None:
    few = measured(measured(lossy(), 3, ("n3", "n1")), 20, ("n3", "n1"), sent=15, came=15)
    assert in_full(verdict_on(OTHERS, few))[1] == (
        "UNKNOWN: cannot tell: too few datagrams came from n3 to n1;"
        " 2 other ways: at most 0.00% lost and 0.0 ms longer"
    )
    assert in_full(verdict_on(FAIL, Story()))[1] == (
        "UNKNOWN: cannot tell: the fault dns_outage was never injected;"
        " 0 lookups are too few to tell (300 needed)"
    )
    one = answered()[:1]
    assert in_full(verdict_on(NAMED, told(one), one))[1] == (
        "UNKNOWN: cannot tell: fewer than two nodes answered in both phases"
    )
