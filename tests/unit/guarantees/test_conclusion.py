"""From findings to a verdict: what accuses, what only doubts, and which words are chosen."""

from typing import ClassVar

import pytest

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.verdict import Evidence, Outcome, Verdict, Witness, merge


class Claim:
    """Something that findings are about."""

    name: ClassVar[str] = "claim"
    version: ClassVar[int] = 7


def concluded(found: Findings) -> Verdict:
    return conclude(Claim(), found)


def test_nothing_found_holds_and_is_told_by_its_title() -> None:
    verdict = concluded(Findings(title="all is well"))
    assert verdict == Verdict(
        guarantee="claim",
        version=7,
        title="all is well",
        outcome=Outcome.HELD,
        summary="all is well",
    )


def test_a_summary_of_what_held_is_kept_as_it_is() -> None:
    verdict = concluded(Findings(title="t", summary="3 of 3 ok"))
    assert (verdict.title, verdict.summary) == ("t", "3 of 3 ok")


def test_doubts_are_all_told_once_before_the_figures() -> None:
    found = Findings(title="t", summary="3 of 3 ok")
    found.doubt("too few", "a gap")
    found.doubt("too few")
    verdict = concluded(found)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.summary == "cannot tell: too few; a gap; 3 of 3 ok"
    assert verdict.evidence == Evidence()


def test_a_doubt_without_figures_ends_with_itself() -> None:
    found = Findings(title="t")
    found.doubt("too few")
    assert concluded(found).summary == "cannot tell: too few"


def test_a_violation_counts_whatever_the_doubts() -> None:
    found = Findings(title="t", summary="1 of 3 bad")
    found.doubt("a gap")
    found.violate(5, "bad at five", "web-1", "n1")
    verdict = concluded(found)
    witness = Witness(time_ns=5, text="bad at five", objects=["web-1", "n1"])
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.summary == "1 of 3 bad; bad at five"
    assert verdict.evidence == Evidence(count=1, first=witness, worst=witness, last=witness)


def test_violations_are_told_by_time_and_the_heaviest_is_the_worst() -> None:
    found = Findings(title="t")
    found.violate(9, "late", weight=0.5)
    found.violate(3, "early", weight=0.2)
    found.violate(6, "as heavy as the first", weight=0.5)
    evidence = concluded(found).evidence
    assert evidence.first is not None
    assert evidence.worst is not None
    assert evidence.last is not None
    told = (evidence.first.text, evidence.worst.text, evidence.last.text)
    assert told == ("early", "late", "late")
    assert evidence.count == 3


def test_without_a_weight_the_first_is_the_worst() -> None:
    found = Findings(title="t")
    found.violate(9, "late")
    found.violate(3, "early")
    worst = concluded(found).evidence.worst
    assert worst is not None
    assert worst.text == "early"
    assert found.heaviest == 0


def test_more_violations_than_witnesses_are_counted() -> None:
    found = Findings(title="t", violation_count=40)
    found.violate(3, "one of them")
    assert concluded(found).evidence.count == 40


@pytest.mark.parametrize(
    "blind, seen",
    [((), 3), ((6,), 1), ((5,), 1), ((4, 9), 1), ((9, 4), 1), ((None,), 3), ((1,), 0)],
)
def test_blind_from_a_moment_on_nothing_is_accused_from_it_on(
    blind: tuple[int | None, ...], seen: int
) -> None:
    found = Findings(title="t", violation_count=50)
    found.violate(2, "before")
    found.violate(6, "at six", weight=5)
    found.violate(9, "after")
    for moment in blind:
        found.go_blind(moment)
    found.doubt("a gap")
    verdict = concluded(found)
    if not seen:
        assert verdict.outcome is Outcome.UNKNOWN
        assert verdict.evidence == Evidence()
        return
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.evidence.count == (50 if seen == 3 else 1)
    assert verdict.evidence.worst is not None
    assert verdict.evidence.worst.text == ("at six" if seen == 3 else "before")
    assert verdict.evidence.last is not None
    assert verdict.evidence.last.text == ("after" if seen == 3 else "before")


def test_coverage_and_figures_are_copied_and_figures_rounded_to_a_billionth() -> None:
    found = Findings(title="t", coverage={"requests": 3}, figures={"share": 1 / 3, "longest_s": 2})
    verdict = concluded(found)
    assert verdict.coverage == {"requests": 3}
    assert verdict.figures == {"share": 0.333333333, "longest_s": 2.0}
    found.coverage["requests"] = 4
    assert verdict.coverage == {"requests": 3}


def test_the_worst_outcome_is_what_many_amount_to() -> None:
    held, violated, unknown = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
    assert merge([]) is unknown
    assert merge([held, held]) is held
    assert merge([held, unknown, held]) is unknown
    assert merge([unknown, violated, held]) is violated
