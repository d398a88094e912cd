"""names_follow_members: members' names give what is so now, or was a moment ago."""

from functools import partial
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskit.errors import UsageError
from chaoskit.guarantees import names_follow_members
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import LookedUp
from tests.corpus.stateful_sets import KINDS, kv, member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

DOMAIN = "kv-members.chaos.svc.cluster.local"
PEERS = f"_http._tcp.{DOMAIN}"

check = partial(verdict_on, names_follow_members("kv", within_s=10))


def looked_up(
    story: Story,
    second: float,
    pod: str,
    name: str,
    *answers: str,
    record: Literal["A", "SRV"] = "A",
    problem: str = "",
) -> None:
    told = [f"{answer}:8080" for answer in answers] if record == "SRV" else list(answers)
    story.events.append(
        LookedUp(
            time_ns=at(second) + 5_000_000,
            asked_ns=at(second),
            pod=pod,
            pod_uid=f"uid-{pod}",
            name=name,
            record=record,
            answers=told,
            problem=problem,
        )
    )


def two_members() -> Story:
    """kv-0 and kv-1 Ready from second 1 on."""
    story = Story().clock().watching(*KINDS).watched(0.5, "StatefulSet", kv(2), "ADDED")
    for ordinal in range(2):
        ready = member(ordinal, ready_since=1, address=f"10.0.0.{ordinal}")
        story.watched(1, "Pod", ready, "ADDED")
    return story


def moved(second: float) -> Story:
    """Then kv-1 goes at `second`, and is back at another address 3 s later."""
    story = two_members()
    old = member(1, ready_since=1, address="10.0.0.1", leaving=True)
    story.watched(second, "Pod", old).watched(second + 1, "Pod", old, "DELETED")
    new = member(1, uid="uid-new", ready_since=second + 3, address="10.0.0.7")
    return story.watched(second + 3, "Pod", new, "ADDED")


def ask_all(
    story: Story, second: float, *addresses: str, members: tuple[int, ...] = (0, 1)
) -> None:
    """Every member asks for everything, and kv-1's address is the last one of `addresses`."""
    for asker in members:
        looked_up(story, second, f"kv-{asker}", DOMAIN, *addresses)
        looked_up(story, second, f"kv-{asker}", f"kv-1.{DOMAIN}", *addresses[1:])
        peers = [f"kv-{ordinal}.{DOMAIN}" for ordinal in range(len(addresses))]
        looked_up(story, second, f"kv-{asker}", PEERS, *peers, record="SRV")


def test_names_that_follow_in_time_hold() -> None:
    story = moved(20)
    ask_all(story, 15, "10.0.0.0", "10.0.0.1")
    ask_all(story, 21, "10.0.0.0", "10.0.0.1", members=(0,))  # still what was right
    ask_all(story, 22, "10.0.0.0", members=(0,))
    ask_all(story, 27, "10.0.0.0", "10.0.0.7")
    verdict = check(story)
    assert verdict.outcome is Outcome.HELD, verdict.summary
    assert verdict.coverage == {
        "lookups": 18,
        "lookups without an answer": 0,
        "changes seen": 9,
    }
    assert verdict.figures["slowest_change_s"] == pytest.approx(4.005)


def test_an_address_that_is_no_more_is_the_witness() -> None:
    story = moved(20)
    ask_all(story, 15, "10.0.0.0", "10.0.0.1")
    looked_up(story, 31, "kv-0", f"kv-1.{DOMAIN}", "10.0.0.1")
    ask_all(story, 35, "10.0.0.0", "10.0.0.7")
    text = f"kv-0 asked for A kv-1.{DOMAIN}: it still has 10.0.0.1"
    assert first(check(story)) == (at(31.005), text, ["kv-0", f"kv-1.{DOMAIN}"])


def test_a_peer_that_is_not_found_is_the_witness() -> None:
    story = moved(20)
    ask_all(story, 30, "10.0.0.0", members=(0,))  # 7 s after it came back
    ask_all(story, 35, "10.0.0.0", members=(0,))
    verdict = check(story)
    assert first(verdict)[1] == f"kv-0 asked for SRV {PEERS}: it lacks kv-1.{DOMAIN}"
    assert verdict.evidence.count == 3


def test_an_unready_member_is_no_peer() -> None:
    story = two_members().watched(20, "Pod", member(1, address="10.0.0.1"))
    ask_all(story, 15, "10.0.0.0", "10.0.0.1")
    ask_all(story, 25, "10.0.0.0", members=(0,))
    assert check(story).outcome is Outcome.HELD
    ask_all(story, 31, "10.0.0.0", "10.0.0.1", members=(0,))
    assert check(story).evidence.count == 3


def test_what_was_not_shown_is_unknown() -> None:
    assert check(two_members()).outcome is Outcome.UNKNOWN
    still = two_members()
    ask_all(still, 5, "10.0.0.0", "10.0.0.1")
    assert "no member came or went" in check(still).summary
    silent = moved(20)
    ask_all(silent, 15, "10.0.0.0", "10.0.0.1")
    ask_all(silent, 27, "10.0.0.0", "10.0.0.7", members=(0,))
    assert f"before kv-1 was told all of A {DOMAIN}" in check(silent).summary
    alone = moved(20)
    ask_all(alone, 15, "10.0.0.0", "10.0.0.1", members=(0,))
    ask_all(alone, 27, "10.0.0.0", "10.0.0.7", members=(0,))
    assert f"kv-1 never asked for A {DOMAIN}" in check(alone).summary
    failing = moved(20)
    ask_all(failing, 15, "10.0.0.0", "10.0.0.1")
    for asker in (0, 1):
        looked_up(failing, 40, f"kv-{asker}", DOMAIN, problem="502 nobody answered")
    verdict = check(failing)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.coverage["lookups without an answer"] == 2
    assert check().outcome is Outcome.UNKNOWN


def test_a_fault_around_an_offence_makes_it_a_doubt() -> None:
    for start_s, outcome in ((25, Outcome.UNKNOWN), (40, Outcome.VIOLATED)):
        story = moved(20).fault("dns_outage", "cluster", start_s, start_s + 2)
        ask_all(story, 15, "10.0.0.0", "10.0.0.1")
        looked_up(story, 31, "kv-0", f"kv-1.{DOMAIN}", "10.0.0.1")
        ask_all(story, 38, "10.0.0.0", "10.0.0.7")
        assert check(story).outcome is outcome


@settings(max_examples=60, deadline=None)
@given(lag_s=st.floats(0.0, 30.0))
def test_only_a_cache_that_lags_more_than_that_is_accused(lag_s: float) -> None:
    """A resolver that says what was so `lag_s` ago."""
    story = moved(40)
    for tick in range(30, 90):
        second = tick + 0.5
        seen_s = second - lag_s
        addresses = ["10.0.0.0"]
        if seen_s < 40:
            addresses.append("10.0.0.1")
        elif seen_s >= 43:
            addresses.append("10.0.0.7")
        ask_all(story, second, *addresses)
    verdict = check(story)
    if lag_s <= 10:
        assert verdict.outcome is Outcome.HELD, verdict.summary
    elif lag_s > 11.1:
        assert verdict.outcome is Outcome.VIOLATED


def test_a_time_that_is_not_positive_is_refused() -> None:
    with pytest.raises(UsageError, match="must be positive"):
        names_follow_members("kv", within_s=0)
