"""Members that are made although others are not Ready."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Step,
    Subject,
    is_leaving,
    is_ready,
    latest,
    name_of,
    owned_by,
    require_watched,
    steps,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class MadeAtOnce:
    """A member is made at once although another one is not Ready, as under the policy Parallel.

    Claims: after each step `after` on the set the member of that ordinal is made within
    `at_most_s`, while a member of a lower ordinal is not Ready.
    Violated when: it is made later, or not at all.
    Unknown when: there was no such step, every lower member was Ready when it was made (then it had
    nobody to wait for), the record ends too early, or the set or its pods were not watched
    throughout.
    """

    stateful_set: str
    ordinal: int
    at_most_s: float
    after: str

    name: ClassVar[str] = "made_at_once"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        member = f"{self.stateful_set}-{self.ordinal}"
        found = Findings(title=f"{member} is made {self.at_most_s:g} s after '{self.after}'")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ["StatefulSet", "Pod"])
        done = steps(history, self.after, self.stateful_set)
        found.coverage["steps"] = len(done)
        if not done:
            found.doubt(f"no step {self.after} of {self.stateful_set} is on record")
        for step in done:
            self._judge(found, history, owned.pods, step, member)
        return conclude(self, found)

    def _judge(
        self, found: Findings, history: History, pods: list[Watched], step: Step, member: str
    ) -> None:
        limit_ns = step.started_ns + int(self.at_most_s * 1e9)
        made = next((e for e in pods if e.name == member and e.time_ns > step.started_ns), None)
        end_ns = history.events[-1].time_ns
        if made is None and end_ns < limit_ns:
            found.doubt(f"the record ends too early: {member} was not made")
            return
        if made is None or made.time_ns > limit_ns:
            took_s = ((end_ns if made is None else made.time_ns) - step.started_ns) / 1e9
            seen = "not made in" if made is None else "made only after"
            text = f"{member} was {seen} {took_s:.1f} s"
            found.violate(limit_ns if made is None else made.time_ns, text, member)
            return
        took_s = (made.time_ns - step.started_ns) / 1e9
        lower = [f"{self.stateful_set}-{ordinal}" for ordinal in range(self.ordinal)]
        state = {event.name: event for event in latest(pods, made.time_ns).values()}
        waiting = [name for name in lower if not _is_fine(state.get(name))]
        found.figures["made_after_s"] = took_s
        found.summary = f"{member} was made after {took_s:.2f} s, {', '.join(waiting)} not Ready"
        if not waiting:
            found.doubt(f"all members below {member} were Ready when it was made")


def made_at_once(
    stateful_set: Subject, ordinal: int, *, at_most_s: float = 3.0, after: str = "scale"
) -> MadeAtOnce:
    """A member waits for no other; see `MadeAtOnce`.

    Raises `UsageError` for the ordinal 0, which has no member below it.
    """
    if ordinal < 1:
        raise UsageError("has no member below it", subject="made_at_once's ordinal", seen=ordinal)
    return MadeAtOnce(
        stateful_set=name_of(stateful_set), ordinal=ordinal, at_most_s=at_most_s, after=after
    )


def _is_fine(pod: Watched | None) -> bool:
    return pod is not None and is_ready(pod.object) and not is_leaving(pod.object)
