"""members_answer_through_proxy and hostnames_match: members asked one by one."""

from typing import Any

import msgspec
import pytest

from chaoskit.guarantees import hostnames_match, members_answer_through_proxy
from chaoskit.guarantees.verdict import Outcome
from chaoskit.history.events import MemberAnswered
from tests.corpus.stateful_sets import KINDS, kv, member
from tests.corpus.story import Story
from tests.corpus.times import at
from tests.corpus.verdicts import first, verdict_on

PROXY = members_answer_through_proxy("kv")
HOSTNAMES = hostnames_match("kv")


def answered(ordinal: int, method: str = "GET", path: str = "/", **other: Any) -> MemberAnswered:
    """As it should be, but for `other`."""
    name = f"kv-{ordinal}"
    way = f"/api/v1/namespaces/chaos/pods/{name}:8080/proxy"
    right = MemberAnswered(
        time_ns=at(10),
        member=name,
        method=method,
        path=path,
        target=f"{way}{path}",
        status=200 if path else 301,
        location="" if path else f"{way}/",
        pod=name if path else "",
        pod_uid=f"uid-{name}" if path else "",
        hostname=name if method == "GET" and path else "",
    )
    return msgspec.structs.replace(right, **other)


def all_asked(*others: MemberAnswered) -> Story:
    """Both members asked in all ways; `others` take the place of what they are like."""
    story = Story().clock().watching(*KINDS).watched(1, "StatefulSet", kv(2), "ADDED")
    for ordinal in range(2):
        story.watched(2, "Pod", member(ordinal), "ADDED")
    given = {(each.member, each.method, each.path): each for each in others}
    for ordinal in range(2):
        for method in ("GET", "HEAD"):
            for path in ("/", ""):
                right = answered(ordinal, method, path)
                story.events.append(given.get((right.member, method, path), right))
    return story


def test_members_that_answer_as_themselves_hold() -> None:
    for rule in (PROXY, HOSTNAMES):
        verdict = verdict_on(rule, all_asked())
        assert verdict.outcome is Outcome.HELD, verdict.summary
        assert verdict.coverage["members"] == 2


@pytest.mark.parametrize(
    "wrong,text",
    [
        (answered(1, pod="kv-0"), "/: kv-0 answered"),
        (answered(1, pod=""), "/: nobody answered"),
        (answered(1, pod_uid="uid-x"), "/: uid uid-x answered, which kv-1 did not have then"),
        (answered(1, status=503), "/: 503, not 200"),
        (answered(1, "HEAD", "", status=200), "proxy: 200, not 301"),
        (answered(1, "HEAD", "", location="/elsewhere/"), "proxy: it leads to '/elsewhere/'"),
    ],
)
def test_another_answer_is_the_witness(wrong: MemberAnswered, text: str) -> None:
    time_ns, said, objects = first(verdict_on(PROXY, all_asked(wrong)))
    assert (time_ns, objects) == (at(10), ["kv-1"])
    assert said.endswith(text)


def test_the_pod_of_then_may_answer_and_no_later_one_of_before() -> None:
    for gone_s, outcome in ((9.5, Outcome.HELD), (8, Outcome.VIOLATED), (12, Outcome.HELD)):
        story = all_asked().watched(gone_s, "Pod", member(1), "DELETED")
        assert verdict_on(PROXY, story).outcome is outcome


def test_another_hostname_is_the_witness() -> None:
    story = all_asked(answered(1, hostname="localhost"))
    assert first(verdict_on(HOSTNAMES, story)) == (
        at(10),
        "kv-1 has hostname localhost",
        ["kv-1"],
    )


def test_a_member_that_was_not_asked_is_unknown() -> None:
    story = all_asked().watched(12, "Pod", member(2), "ADDED")
    verdict = verdict_on(PROXY, story)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "kv-2 was not asked by HEAD without the closing slash" in verdict.summary
    for rule in (PROXY, HOSTNAMES):
        for told in (story, Story(), all_asked().gap("Pod", 5, "uid-never-seen")):
            assert verdict_on(rule, told).outcome is Outcome.UNKNOWN
