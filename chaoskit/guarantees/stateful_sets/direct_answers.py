"""What a StatefulSet's members answer when they are asked one by one through the API server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.availability_over_time import SLACK_NS
from chaoskit.guarantees.objects.watched import Subject, name_of, owned_by, require_watched
from chaoskit.guarantees.stateful_sets.members import ordinal_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import MemberAnswered, Watched
from chaoskit.history.reader import History

_KINDS = ("StatefulSet", "Pod")
_METHODS = ("GET", "HEAD")
_WAYS = tuple((method, path) for path in ("/", "") for method in _METHODS)


@dataclass(frozen=True, kw_only=True)
class MembersAnswerThroughProxy:
    """Each member is reached through the API server's proxy, as itself.

    Claims: asked with the closing slash (…/pods/NAME:PORT/proxy/) by GET or HEAD, a member answers
    200 under its own name and the uid that its pod had then; asked without it, the API server
    answers 301 and names the same path with the slash.
    Violated when: an answer is another.
    Unknown when: a member was not asked in each of the four ways, or the set or its pods were not
    watched throughout.
    """

    stateful_set: str

    name: ClassVar[str] = "members_answer_through_proxy"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"members of {self.stateful_set} answer through the proxy")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, _KINDS)
        answers = _answers(history, self.stateful_set)
        for answer in answers:
            wrong = _to_slash(answer) if answer.path == "" else _to_answer(answer, owned.pods)
            if wrong:
                text = f"{answer.method} {answer.target}: {wrong}"
                found.violate(answer.time_ns, text, answer.member)
        _require_all(found, self.stateful_set, answers, owned.pods, _WAYS)
        found.summary = f"{len(answers)} answers"
        return conclude(self, found)


def members_answer_through_proxy(stateful_set: Subject) -> MembersAnswerThroughProxy:
    """Each member answers through the proxy; see `MembersAnswerThroughProxy`."""
    return MembersAnswerThroughProxy(stateful_set=name_of(stateful_set))


@dataclass(frozen=True, kw_only=True)
class HostnamesMatch:
    """Each member's process finds the pod's name as its hostname.

    Claims: the hostname that a member's process reads from the kernel is its pod's name.
    Violated when: one tells another.
    Unknown when: a member never told its hostname, or the set or its pods were not watched
    throughout.
    """

    stateful_set: str

    name: ClassVar[str] = "hostnames_match"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"members of {self.stateful_set} have their name as hostname")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, _KINDS)
        told = [each for each in _answers(history, self.stateful_set) if each.hostname]
        for answer in told:
            if answer.hostname != answer.member:
                text = f"{answer.member} has hostname {answer.hostname}"
                found.violate(answer.time_ns, text, answer.member)
        _require_all(found, self.stateful_set, told, owned.pods, (("GET", "/"),))
        found.summary = f"{len(told)} hostnames told"
        return conclude(self, found)


def hostnames_match(stateful_set: Subject) -> HostnamesMatch:
    """Members have their name as hostname; see `HostnamesMatch`."""
    return HostnamesMatch(stateful_set=name_of(stateful_set))


def _answers(history: History, stateful_set: str) -> list[MemberAnswered]:
    return [
        event
        for event in history.of(MemberAnswered)
        if ordinal_of(event.member, stateful_set) is not None and event.path in ("", "/")
    ]


def _require_all(
    found: Findings,
    stateful_set: str,
    answers: Sequence[MemberAnswered],
    pods: Sequence[Watched],
    ways: Sequence[tuple[str, str]],
) -> None:
    members = sorted({event.name for event in pods})
    given = {(answer.member, answer.method, answer.path) for answer in answers}
    found.coverage |= {"members": len(members), "answers": len(answers)}
    if not members:
        found.doubt(f"no pod of {stateful_set} is in the record")
    for member in members:
        for method, path in ways:
            if (member, method, path) not in given:
                slash = "with" if path else "without"
                found.doubt(f"{member} was not asked by {method} {slash} the closing slash")


def _to_slash(answer: MemberAnswered) -> str:
    if answer.status != 301:
        return f"{answer.status}, not 301"
    path = urlsplit(answer.location).path
    return "" if path == f"{answer.target}/" else f"it leads to {answer.location!r}"


def _to_answer(answer: MemberAnswered, pods: Sequence[Watched]) -> str:
    if answer.status != 200:
        return f"{answer.status}, not 200"
    if answer.pod != answer.member:
        return f"{answer.pod or 'nobody'} answered"
    lives: dict[str, list[int]] = {}
    for event in pods:
        if event.name == answer.member:
            gone = event.change == "DELETED"
            lives.setdefault(event.uid, []).append(event.time_ns if gone else -1)
    ended_ns = max(lives.get(answer.pod_uid, [0]))
    if answer.pod_uid not in lives or 0 <= ended_ns < answer.time_ns - SLACK_NS:
        return f"uid {answer.pod_uid} answered, which {answer.member} did not have then"
    return ""
