"""Which members of a StatefulSet lost their pod, and which kept theirs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.watched import (
    Subject,
    is_finished,
    is_leaving,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.stateful_sets.members import ordinal_of
from chaoskit.guarantees.traffic.selection import phase_spans
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class OnlyMembersTouched:
    """Exactly these members lose their pod; all others keep theirs.

    Claims: in the record (with `phase`: in that phase) a pod of each of the `ordinals`, and of no
    other, is told to end or ends, whoever caused that.
    Violated when: a pod of another ordinal is, or none of one of these.
    Unknown when: no pod of the set is on record, the phase is not on record or has no end, or the
    set or its pods were not watched throughout.
    """

    stateful_set: str
    ordinals: tuple[int, ...]
    phase: str | None = None

    name: ClassVar[str] = "only_members_touched"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        when = "" if self.phase is None else f" in the phase {self.phase}"
        who = ", ".join(str(each) for each in self.ordinals) or "none"
        found = Findings(title=f"of {self.stateful_set} only members {who} lose their pod{when}")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ("StatefulSet", "Pod"))
        spans: list[Span] = [(0, FOREVER_NS)]
        if self.phase is not None:
            spans, doubts = phase_spans(history, self.phase)
            found.doubt(*doubts)
        if not owned.pods:
            found.doubt(f"no pod of {self.stateful_set} is in the record")
        ended: set[str] = set()
        touched: dict[int, int] = {}
        for event in owned.pods:
            ends = event.change == "DELETED" or is_leaving(event.object)
            if event.uid in ended or not (ends or is_finished(event.object)):
                continue
            ended.add(event.uid)
            ordinal = ordinal_of(event.name, self.stateful_set)
            if ordinal is None or not any(a <= event.time_ns <= b for a, b in spans):
                continue
            if event.change != "LISTED":  # it was on its way before anybody looked
                touched[ordinal] = touched.get(ordinal, 0) + 1
                if ordinal not in self.ordinals:
                    text = f"{event.name} lost its pod {event.uid}"
                    found.violate(event.time_ns, text, event.name)
        self._judge_missing(found, history, touched, spans)
        found.coverage["pods that ended"] = sum(touched.values())
        seen = ", ".join(f"{ordinal} ({n})" for ordinal, n in sorted(touched.items()))
        found.summary = f"lost their pod: {seen or 'none'}"
        return conclude(self, found)

    def _judge_missing(
        self, found: Findings, history: History, touched: Iterable[int], spans: list[Span]
    ) -> None:
        if found.doubts or not spans:
            return
        end_ns = min(max(end for _, end in spans), history.events[-1].time_ns)
        for ordinal in sorted(set(self.ordinals) - set(touched)):
            text = f"{self.stateful_set}-{ordinal} kept its pod"
            found.violate(end_ns, text, f"{self.stateful_set}-{ordinal}")


def only_members_touched(
    stateful_set: Subject, ordinals: Iterable[int], *, phase: str | None = None
) -> OnlyMembersTouched:
    """Exactly these members lose their pod; see `OnlyMembersTouched`.

    Raises `UsageError` for a negative ordinal.
    """
    chosen = tuple(sorted(ordinals))
    if any(ordinal < 0 for ordinal in chosen):
        raise UsageError(
            "must not be negative", subject="only_members_touched's ordinals", seen=chosen
        )
    return OnlyMembersTouched(stateful_set=name_of(stateful_set), ordinals=chosen, phase=phase)
