"""Verdicts on paths, names and slow nodes, word by word: what people read is part of the claim."""

from chaoskit.guarantees import paths_as_before
from tests.corpus.story import Story
from tests.corpus.verdicts import in_full, verdict_on
from tests.unit.guarantees.network.test_names import AGAIN, FAIL, outage
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


def third_way(*, before_ms: float = 0.2, **during: float) -> Story:
    """A third way is measured as well."""
    story = measured(lossy(), 3, ("n3", "n1"), median_ms=before_ms)
    return measured(story, 20, ("n3", "n1"), **during)  # type: ignore[arg-type]


def slower(**by_s: float) -> list[str]:
    rows = answered(**by_s)
    return in_full(verdict_on(NAMED, told(rows), rows))


def test_path_loses() -> None:
    assert in_full(verdict_on(LOSES, lossy())) == [
        "path_loses 1: the path n1 to n2 loses 27.0% to 33.0% during loss",
        "HELD: 30.00% of 10000 lost (29.10% to 30.91% at 95 %), 27.0% to 33.0% claimed",
        "datagrams: 10000",
        "lost_share = 0.3",
        "lost_share_at_least = 0.291028",
        "lost_share_at_most = 0.309089",
    ]
    assert in_full(verdict_on(LOSES, lossy(came=6_000))) == [
        "path_loses 1: the path n1 to n2 loses 27.0% to 33.0% during loss",
        (
            "VIOLATED: 40.00% of 10000 lost (39.04% to 40.97% at 95 %), 27.0% to 33.0% claimed;"
            " the path n1 to n2: 40.00% of 10000 lost (39.04% to 40.97% at 95 %), not 27.0% to"
            " 33.0%"
        ),
        (
            "first, worst, last of 1 at 16 s: the path n1 to n2: 40.00% of 10000 lost (39.04% to"
            " 40.97% at 95 %), not 27.0% to 33.0% [n1, n2]"
        ),
        "datagrams: 10000",
        "lost_share = 0.4",
        "lost_share_at_least = 0.390378",
        "lost_share_at_most = 0.40968",
    ]
    assert in_full(verdict_on(LOSES, lossy(came=7_250))) == [
        "path_loses 1: the path n1 to n2 loses 27.0% to 33.0% during loss",
        (
            "UNKNOWN: cannot tell: 10000 datagrams do not tell: 27.50% of 10000 lost (26.63% to"
            " 28.39% at 95 %); 27.50% of 10000 lost (26.63% to 28.39% at 95 %), 27.0% to 33.0%"
            " claimed"
        ),
        "datagrams: 10000",
        "lost_share = 0.275",
        "lost_share_at_least = 0.266265",
        "lost_share_at_most = 0.283866",
    ]
    assert in_full(verdict_on(LOSES, lossy(came=6_750)))[1] == (
        "UNKNOWN: cannot tell: 10000 datagrams do not tell: 32.50% of 10000 lost (31.58% to"
        " 33.43% at 95 %); 32.50% of 10000 lost (31.58% to 33.43% at 95 %), 27.0% to 33.0%"
        " claimed"
    )
    assert in_full(verdict_on(LOSES, Story())) == [
        "path_loses 1: the path n1 to n2 loses 27.0% to 33.0% during loss",
        (
            "UNKNOWN: cannot tell: the fault loss was never injected; the path n1 to n2 was not"
            " measured during loss"
        ),
    ]


def test_path_delayed() -> None:
    assert in_full(verdict_on(DELAYED, lossy(median_ms=180.2))) == [
        "path_delayed 1: the path n1 to n2 takes 180 to 220 ms longer during loss",
        "HELD: 180.0 ms longer (0.2 before, 180.2 during)",
        "added_ms = 180",
        "before_ms = 0.2",
        "during_ms = 180.2",
    ]
    assert in_full(verdict_on(DELAYED, lossy(median_ms=150.2))) == [
        "path_delayed 1: the path n1 to n2 takes 180 to 220 ms longer during loss",
        (
            "VIOLATED: 150.0 ms longer (0.2 before, 150.2 during); the path n1 to n2 took 150.0 ms"
            " longer, not 180 to 220 ms"
        ),
        (
            "first, worst, last of 1 at 16 s: the path n1 to n2 took 150.0 ms longer, not 180 to"
            " 220 ms [n1, n2]"
        ),
        "added_ms = 150",
        "before_ms = 0.2",
        "during_ms = 150.2",
    ]
    assert in_full(verdict_on(DELAYED, lossy(came=19)))[1] == (
        "UNKNOWN: cannot tell: too few datagrams came from n1 to n2"
    )
    assert in_full(verdict_on(DELAYED, Story())) == [
        "path_delayed 1: the path n1 to n2 takes 180 to 220 ms longer during loss",
        (
            "UNKNOWN: cannot tell: the fault loss was never injected; the path n1 to n2 was not"
            " measured before loss; the path n1 to n2 was not measured during loss"
        ),
    ]


def test_path_narrowed() -> None:
    assert in_full(verdict_on(NARROWED, lossy(rate_mbit=1.1))) == [
        "path_narrowed 1: the path n1 to n2 lets through at most 1.1 Mbit/s during loss",
        "HELD: 1.10 Mbit/s, 4.00 before",
        "rate_mbit = 1.1",
        "rate_before_mbit = 4",
    ]
    assert in_full(verdict_on(NARROWED, lossy(rate_mbit=1.3))) == [
        "path_narrowed 1: the path n1 to n2 lets through at most 1.1 Mbit/s during loss",
        (
            "VIOLATED: 1.30 Mbit/s, 4.00 before; the path n1 to n2 let 1.30 Mbit/s through, over"
            " 1.1 Mbit/s"
        ),
        (
            "first, worst, last of 1 at 16 s: the path n1 to n2 let 1.30 Mbit/s through, over 1.1"
            " Mbit/s [n1, n2]"
        ),
        "rate_mbit = 1.3",
        "rate_before_mbit = 4",
    ]
    assert in_full(verdict_on(NARROWED, Story())) == [
        "path_narrowed 1: the path n1 to n2 lets through at most 1.1 Mbit/s during loss",
        (
            "UNKNOWN: cannot tell: the fault loss was never injected; the path n1 to n2 was not"
            " seen to be faster than 1.1 Mbit/s before; no rate was measured from n1 to n2 during"
            " loss"
        ),
    ]


def test_other_paths_unchanged() -> None:
    assert in_full(verdict_on(OTHERS, third_way(median_ms=7.2))) == [
        "other_paths_unchanged 1: paths that loss does not touch are unchanged",
        "HELD: 2 other ways: at most 0.00% lost and 7.0 ms longer",
        "other ways: 2",
        "ways touched: 1",
        "lost_share = 0",
        "added_ms = 7",
    ]
    assert in_full(verdict_on(OTHERS, third_way(came=9_500))) == [
        "other_paths_unchanged 1: paths that loss does not touch are unchanged",
        (
            "VIOLATED: 2 other ways: at most 5.00% lost and 0.0 ms longer; the path n3 to n1 lost"
            " 5.00% of 10000"
        ),
        "first, worst, last of 1 at 21 s: the path n3 to n1 lost 5.00% of 10000 [n3, n1]",
        "other ways: 2",
        "ways touched: 1",
        "lost_share = 0.05",
        "added_ms = 0",
    ]
    assert in_full(verdict_on(OTHERS, third_way(median_ms=21.2))) == [
        "other_paths_unchanged 1: paths that loss does not touch are unchanged",
        (
            "VIOLATED: 2 other ways: at most 0.00% lost and 21.0 ms longer; the path n3 to n1 took"
            " 21.0 ms longer than before"
        ),
        (
            "first, worst, last of 1 at 21 s: the path n3 to n1 took 21.0 ms longer than before"
            " [n3, n1]"
        ),
        "other ways: 2",
        "ways touched: 1",
        "lost_share = 0",
        "added_ms = 21",
    ]


def test_other_paths_that_change_otherwise() -> None:
    assert in_full(verdict_on(OTHERS, third_way(rate_mbit=1.9))) == [
        "other_paths_unchanged 1: paths that loss does not touch are unchanged",
        (
            "VIOLATED: 2 other ways: at most 0.00% lost and 0.0 ms longer; the path n3 to n1 let"
            " 1.90 Mbit/s through, 4.00 before"
        ),
        (
            "first, worst, last of 1 at 21 s: the path n3 to n1 let 1.90 Mbit/s through, 4.00"
            " before [n3, n1]"
        ),
        "other ways: 2",
        "ways touched: 1",
        "lost_share = 0",
        "added_ms = 0",
    ]
    assert in_full(verdict_on(OTHERS, third_way(came=19)))[1] == (
        "VIOLATED: 2 other ways: at most 99.81% lost and 0.0 ms longer; the path n3 to n1 lost"
        " 99.81% of 10000"
    )
    assert in_full(verdict_on(OTHERS, measured(lossy(), 20, ("n3", "n1"))))[1] == (
        "UNKNOWN: cannot tell: the path n3 to n1 was not measured before loss; 2 other ways:"
        " at most 0.00% lost and 0.0 ms longer"
    )
    assert in_full(verdict_on(OTHERS, Story())) == [
        "other_paths_unchanged 1: paths that loss does not touch are unchanged",
        "UNKNOWN: cannot tell: the fault loss was never injected; no other way was measured",
        "other ways: 0",
        "ways touched: 1",
    ]


def test_paths_as_before() -> None:
    assert in_full(verdict_on(paths_as_before(), healed())) == [
        "paths_as_before 1: paths are as before once all faults are healed",
        "HELD: 2 ways: at most 0.00% lost and 0.0 ms longer",
        "ways: 2",
        "lost_share = 0",
        "added_ms = 0",
    ]
    assert in_full(verdict_on(paths_as_before(), healed(came=9_000))) == [
        "paths_as_before 1: paths are as before once all faults are healed",
        (
            "VIOLATED: 2 ways: at most 10.00% lost and 0.0 ms longer; the path n1 to n2 lost"
            " 10.00% of 10000"
        ),
        "first, worst, last of 1 at 36 s: the path n1 to n2 lost 10.00% of 10000 [n1, n2]",
        "ways: 2",
        "lost_share = 0.1",
        "added_ms = 0",
    ]
    assert in_full(verdict_on(paths_as_before(), lossy())) == [
        "paths_as_before 1: paths are as before once all faults are healed",
        "UNKNOWN: cannot tell: no way was measured before the first fault and after the last heal",
        "ways: 0",
    ]
    assert in_full(verdict_on(paths_as_before(), Story())) == [
        "paths_as_before 1: paths are as before once all faults are healed",
        (
            "UNKNOWN: cannot tell: no fault was injected; no way was measured before the first"
            " fault and after the last heal"
        ),
        "ways: 0",
    ]


def test_names_fail() -> None:
    assert in_full(verdict_on(FAIL, outage(answered=5))) == [
        "names_fail 1: at least 99.0% of names fail during dns_outage",
        (
            "VIOLATED: 395 of 400 lookups failed; web-1 was told the address of"
            " 11.0.chaos.pod.cluster.local"
        ),
        (
            "first, worst of 5 at 11.01 s: web-1 was told the address of"
            " 11.0.chaos.pod.cluster.local [web-1, 11.0.chaos.pod.cluster.local]"
        ),
        (
            "last of 5 at 11.29 s: web-1 was told the address of 11.28.chaos.pod.cluster.local"
            " [web-1, 11.28.chaos.pod.cluster.local]"
        ),
        "lookups: 400",
        "answered: 5",
        "pods: 1",
        "failed_share = 0.9875",
    ]
    assert in_full(verdict_on(FAIL, outage(count=299))) == [
        "names_fail 1: at least 99.0% of names fail during dns_outage",
        (
            "UNKNOWN: cannot tell: 299 lookups are too few to tell (300 needed); 299 of 299"
            " lookups failed"
        ),
        "lookups: 299",
        "answered: 0",
        "pods: 1",
        "failed_share = 1",
    ]
    assert in_full(verdict_on(FAIL, Story().fault("dns_outage", "n1", 10, 40))) == [
        "names_fail 1: at least 99.0% of names fail during dns_outage",
        "UNKNOWN: cannot tell: 0 lookups are too few to tell (300 needed)",
        "lookups: 0",
        "answered: 0",
        "pods: 0",
    ]


def test_names_answer_again() -> None:
    assert in_full(verdict_on(AGAIN, outage())) == [
        "names_answer_again 1: names answer 5 s after dns_outage",
        "HELD: names answered 0.71 s after the heal at the latest",
        "lookups later: 9",
        "pods: 1",
        "answered_after_s = 0.71",
    ]
    assert in_full(verdict_on(AGAIN, outage(back_s=47))) == [
        "names_answer_again 1: names answer 5 s after dns_outage",
        (
            "VIOLATED: names answered 6.71 s after the heal at the latest; web-1 had no name"
            " resolved for 6.7 s after the heal"
        ),
        (
            "first, worst, last of 1 at 47.01 s: web-1 had no name resolved for 6.7 s after the"
            " heal [web-1]"
        ),
        "lookups later: 9",
        "pods: 1",
        "answered_after_s = 6.71",
    ]
    assert in_full(verdict_on(AGAIN, outage(back_s=99))) == [
        "names_answer_again 1: names answer 5 s after dns_outage",
        "VIOLATED: web-1 was not told 45.5.chaos.pod.cluster.local after the heal: i/o timeout",
        (
            "first, worst of 9 at 46 s: web-1 was not told 45.5.chaos.pod.cluster.local after the"
            " heal: i/o timeout [web-1, 45.5.chaos.pod.cluster.local]"
        ),
        (
            "last of 9 at 50 s: web-1 was not told 49.5.chaos.pod.cluster.local after the heal:"
            " i/o timeout [web-1, 49.5.chaos.pod.cluster.local]"
        ),
        "lookups later: 9",
        "pods: 1",
    ]


def test_names_that_were_not_asked_for_again() -> None:
    assert in_full(verdict_on(AGAIN, outage(until_s=45))) == [
        "names_answer_again 1: names answer 5 s after dns_outage",
        (
            "UNKNOWN: cannot tell: web-1 looked nothing up later than 5 s after the heal; names"
            " answered 0.71 s after the heal at the latest"
        ),
        "lookups later: 0",
        "pods: 1",
        "answered_after_s = 0.71",
    ]
    assert in_full(verdict_on(AGAIN, outage(count=0))) == [
        "names_answer_again 1: names answer 5 s after dns_outage",
        "UNKNOWN: cannot tell: no pod looked a name up during dns_outage",
        "pods: 0",
    ]


def test_slow_node_named() -> None:
    assert slower(n2=0.2, n3=0.01) == [
        "slow_node_named 1: the answers of the phase slow name the slow node",
        "HELD: n2 answers 200 ms later than before, others at most 10 ms",
        "nodes that answered: 2",
        "slower_by_s = 0.2",
        "others_slower_by_s = 0.01",
    ]
    assert slower(n2=0.1) == [
        "slow_node_named 1: the answers of the phase slow name the slow node",
        (
            "VIOLATED: n2 answers 100 ms later than before, others at most 0 ms; no node stands"
            " out: n2 answers 100 ms later than before, others at most 0 ms"
        ),
        (
            "first, worst, last of 1 at 55 s: no node stands out: n2 answers 100 ms later than"
            " before, others at most 0 ms [n2]"
        ),
        "nodes that answered: 2",
        "slower_by_s = 0.1",
        "others_slower_by_s = 0",
    ]
    assert slower(n2=0.2, n3=0.15) == [
        "slow_node_named 1: the answers of the phase slow name the slow node",
        (
            "VIOLATED: n2 answers 200 ms later than before, others at most 150 ms; n2 does not"
            " stand out alone"
        ),
        "first, worst, last of 1 at 55 s: n2 does not stand out alone [n2, n3]",
        "nodes that answered: 2",
        "slower_by_s = 0.2",
        "others_slower_by_s = 0.15",
    ]
    assert slower(n3=0.2)[1:3] == [
        "VIOLATED: n3 answers 200 ms later than before, others at most 0 ms; it is n3, not n2",
        "first, worst, last of 1 at 55 s: it is n3, not n2 [n3, n2]",
    ]
