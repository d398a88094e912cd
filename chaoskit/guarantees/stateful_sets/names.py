"""The names of a StatefulSet's members, as other members' resolvers see them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import fault_windows
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_finished,
    is_leaving,
    is_ready,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.stateful_sets.members import ordinal_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import LookedUp, Watched
from chaoskit.history.reader import History

Answers = frozenset[str]
#: What is asked, and of which record: as in `LookedUp`.
Question = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class NamesFollowMembers:
    """The DNS names of members and of their headless Service follow them.

    Claims: `within_s` after each change a member's name (pod.service.namespace.svc…) gives its
    present address while it is Ready, and nothing otherwise; the headless Service's own name gives
    the addresses of all Ready members, and its SRV records their names. Until then what was right
    in the last `within_s` may still be answered, or be missing already. This is so for every
    member that asks.
    Violated when: an answer lacks what was right all that time, or holds what no longer was.
    Unknown when: no name was looked up, nothing changed meanwhile, a Ready member's last answer is
    not yet right when the record ends or it never asked, a fault was in effect around the only
    offences, or the set or its pods were not watched throughout.
    """

    stateful_set: str
    within_s: float

    name: ClassVar[str] = "names_follow_members"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        title = f"names of {self.stateful_set} follow its members within {self.within_s:g} s"
        found = Findings(title=title)
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ("StatefulSet", "Pod"))
        lookups = [
            event
            for event in history.of(LookedUp)
            if ordinal_of(event.pod, self.stateful_set) is not None
        ]
        if not owned.workload:
            found.doubt(f"StatefulSet {self.stateful_set} is not in the record")
        else:
            service = str(owned.workload[-1].object["spec"].get("serviceName") or "")
            members = _MembersOverTime.of(self.stateful_set, owned.pods)
            judge = _Judge(found, history, members, service, round(self.within_s * 1e9))
            judge.judge(lookups)
        found.coverage["lookups"] = len(lookups)
        if not lookups:
            found.doubt(f"no member of {self.stateful_set} looked a name up")
        return conclude(self, found)


def names_follow_members(stateful_set: Subject, *, within_s: float = 35.0) -> NamesFollowMembers:
    """Names follow members; see `NamesFollowMembers`. The default: a cache of 30 s, and 5 s more.

    Raises `UsageError` for a time that is not positive.
    """
    if within_s <= 0:
        raise UsageError(
            "must be positive", subject="names_follow_members' within_s", seen=within_s
        )
    return NamesFollowMembers(stateful_set=name_of(stateful_set), within_s=within_s)


@dataclass(kw_only=True)
class _MembersOverTime:
    """The addresses of the Ready members, by name, from each moment on at which they changed."""

    stateful_set: str
    states: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @classmethod
    def of(cls, stateful_set: str, pods: Sequence[Watched]) -> "_MembersOverTime":
        made = cls(stateful_set=stateful_set)
        holders: dict[str, tuple[str, str]] = {}  # uid and address by name
        for event in pods:
            address = str((event.object.get("status") or {}).get("podIP") or "")
            away = event.change == "DELETED" or is_leaving(event.object)
            if away or is_finished(event.object) or not is_ready(event.object) or not address:
                if holders.get(event.name, ("", ""))[0] == event.uid:
                    del holders[event.name]
            else:
                holders[event.name] = event.uid, address
            state = {name: address for name, (_, address) in holders.items()}
            if not made.states or made.states[-1][1] != state:
                made.states.append((event.time_ns, state))
        return made

    def right(self, question: Question, service: str) -> list[tuple[int, Answers]]:
        """What is right to answer, from each moment on at which that changed."""
        result: list[tuple[int, Answers]] = []
        for time_ns, state in self.states:
            answers = _right(question, service, self.stateful_set, state)
            if answers is not None and (not result or result[-1][1] != answers):
                result.append((time_ns, answers))
        return result


def _right(
    question: Question, service: str, stateful_set: str, state: dict[str, str]
) -> Answers | None:
    """The right answer while these are the Ready members; None: the question is not about them."""
    name, record = question
    labels = name.split(".")
    if record == "SRV" and labels[0].startswith("_") and labels[2:3] == [service]:
        domain = ".".join(labels[2:])
        return frozenset(f"{member}.{domain}" for member in state)
    if record == "A" and labels[0] == service:
        return frozenset(state.values())
    if (
        record == "A"
        and labels[1:2] == [service]
        and ordinal_of(labels[0], stateful_set) is not None
    ):
        return frozenset(address for member, address in state.items() if member == labels[0])
    return None


def _answers(lookup: LookedUp) -> Answers:
    if lookup.record == "A":
        return frozenset(lookup.answers)
    return frozenset(answer.rpartition(":")[0] for answer in lookup.answers)  # without the port


@dataclass
class _Judge:
    found: Findings
    history: History
    members: _MembersOverTime
    service: str
    within_ns: int
    seen: int = 0
    changed: bool = False

    def judge(self, lookups: Sequence[LookedUp]) -> None:
        """All lookups, each against what was right around it; then what each member saw last."""
        asked: dict[Question, dict[str, list[LookedUp]]] = {}
        unanswered = 0
        for lookup in lookups:
            unanswered += bool(lookup.problem)
            if not lookup.problem:
                of_question = asked.setdefault((lookup.name, lookup.record), {})
                of_question.setdefault(lookup.pod, []).append(lookup)
        for question, by_pod in sorted(asked.items()):
            right = self.members.right(question, self.service)
            if not right:
                continue
            for one_pods in by_pod.values():
                self._judge_answers(one_pods, right)
                self._judge_delays(one_pods, right)
            self._judge_last(question, by_pod, right[-1][1])
        self.found.coverage |= {"lookups without an answer": unanswered, "changes seen": self.seen}
        if asked and not self.changed:
            self.found.doubt("no member came or went while names were looked up")
        slowest = self.found.figures.get("slowest_change_s", 0.0)
        self.found.summary = f"{self.seen} changes seen, the slowest after {slowest:.1f} s at most"

    def _judge_answers(
        self, lookups: Sequence[LookedUp], right: Sequence[tuple[int, Answers]]
    ) -> None:
        for lookup in lookups:
            since_ns = lookup.asked_ns - self.within_ns
            meanwhile = [answers for start, answers in right if since_ns < start <= lookup.time_ns]
            before = [answers for start, answers in right if start <= since_ns][-1:]
            if not before:
                before = [frozenset()]  # nothing was Ready, or known, that long ago
            must = frozenset.intersection(*before, *meanwhile)
            may = frozenset.union(*before, *meanwhile)
            given = _answers(lookup)
            wrong = [f"lacks {each}" for each in sorted(must - given)]
            wrong += [f"still has {each}" for each in sorted(given - may)]
            if not wrong:
                continue
            text = f"{lookup.pod} asked for {lookup.record} {lookup.name}: it {wrong[0]}"
            if excuse := self._fault_around(since_ns, lookup.time_ns):
                self.found.doubt(f"{text}, while {excuse}")
            else:
                self.found.violate(lookup.time_ns, text, lookup.pod, lookup.name)

    def _judge_delays(
        self, lookups: Sequence[LookedUp], right: Sequence[tuple[int, Answers]]
    ) -> None:
        """How long after each change the new answer was first given: an upper bound."""
        first_ns = min(lookup.asked_ns for lookup in lookups)
        ends = [start for start, _ in right[1:]] + [None]
        for (start, answers), end in zip(right, ends, strict=True):
            if start < first_ns:
                continue
            self.changed = True
            told = (
                lookup.time_ns
                for lookup in lookups
                if lookup.asked_ns >= start
                and (end is None or lookup.time_ns < end)
                and _answers(lookup) == answers
            )
            if (told_ns := min(told, default=None)) is not None:
                self.seen += 1
                slowest = self.found.figures.get("slowest_change_s", 0.0)
                self.found.figures["slowest_change_s"] = max(slowest, (told_ns - start) / 1e9)

    def _judge_last(
        self, question: Question, by_pod: dict[str, list[LookedUp]], right: Answers
    ) -> None:
        if not right:
            return
        what = f"{question[1]} {question[0]}"
        for member in sorted(self.members.states[-1][1]):
            if member not in by_pod:
                self.found.doubt(f"{member} never asked for {what}")
            elif _answers(by_pod[member][-1]) != right:
                self.found.doubt(f"the record ends before {member} was told all of {what}")

    def _fault_around(self, start_ns: int, end_ns: int) -> str | None:
        for window in fault_windows(self.history):
            if window.requested_ns <= end_ns and start_ns <= window.end_ns:
                return f"{window.name} on {window.target} was in effect"
        return None
