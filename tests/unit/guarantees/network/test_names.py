"""names_fail and names_answer_again: names are away with DNS, and back soon after it."""

import pytest

from chaoskit.errors import UsageError
from chaoskit.guarantees import names_answer_again, names_fail
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import LookedUp
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

FAIL = names_fail(0.99, during="dns_outage")
AGAIN = names_answer_again(5, after="dns_outage")


def asked(story: Story, second: float, *, answered: bool, pod: str = "web-1") -> None:
    """One lookup, answered at once or given up after half a second."""
    story.events.append(
        LookedUp(
            time_ns=at(second + (0.01 if answered else 0.5)),
            asked_ns=at(second),
            pod=pod,
            pod_uid=f"uid-{pod}",
            name=f"{second}.chaos.pod.cluster.local",
            record="A",
            answers=["10.0.0.1"] if answered else [],
            problem="" if answered else "i/o timeout",
        )
    )


def outage(
    *, answered: int = 0, count: int = 400, back_s: float = 41, until_s: float = 50
) -> Story:
    """DNS is away from 10 to 40 s: so many lookups, of which the first few are answered."""
    story = Story().fault("dns_outage", "n1, n2", 10, 40)
    asked(story, 5, answered=True)
    for number in range(count):
        asked(story, 11 + number * 28 / count, answered=number < answered)
    second = 40.5
    while second < until_s:
        asked(story, second, answered=second >= back_s)
        second += 0.5
    return story


def test_names_that_fail_and_come_back_hold() -> None:
    verdict = verdict_on(FAIL, outage(answered=4))
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.figures["failed_share"] == pytest.approx(0.99)
    again = verdict_on(AGAIN, outage())
    assert again.outcome is Outcome.HELD, again.summary
    assert again.figures["answered_after_s"] == pytest.approx(0.71)


def test_names_that_are_answered_are_the_witness() -> None:
    time_ns, text, objects = first(verdict_on(FAIL, outage(answered=5)))
    assert (time_ns, objects[0]) == (at(11.01), "web-1")
    assert text == "web-1 was told the address of 11.0.chaos.pod.cluster.local"


def test_names_that_come_back_late_or_fail_again_are_the_witness() -> None:
    assert "for 7.7 s after the heal" in first(verdict_on(AGAIN, outage(back_s=48)))[1]
    story = outage()
    asked(story, 48.2, answered=False)
    assert "was not told 48.2." in first(verdict_on(AGAIN, story))[1]
    assert verdict_on(AGAIN, outage(back_s=99)).outcome is Outcome.VIOLATED


def test_unknown_where_too_little_was_asked() -> None:
    never_answered_before = outage()
    del never_answered_before.events[Story().fault("dns_outage", "n1, n2", 10, 40).events.__len__()]
    for story in (Story(), outage(count=299), never_answered_before):
        assert verdict_on(FAIL, story).outcome is Outcome.UNKNOWN
    for story in (Story(), outage(until_s=45), outage(count=0)):
        assert verdict_on(AGAIN, story).outcome is Outcome.UNKNOWN


def test_claims_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="share"):
        names_fail(1.0, during="dns_outage")
    with pytest.raises(UsageError, match="positive"):
        names_answer_again(0, after="dns_outage")
