"""Which node is slow, told from the answers alone."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import Subject, name_of
from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.columns import ends_ns, integers, text_column
from chaoskit.guarantees.traffic.selection import select
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

#: Of the slow node's delay, what any other may seem to have for the slow one to stand out.
_OTHERS_AT_MOST = 0.5


@dataclass(frozen=True, kw_only=True)
class SlowNodeNamed:
    """The record alone tells which node is slow.

    Each answer says which node gave it. Claims: in the phase `phase`, compared with the phase
    `before`, the median time of the answers given by exactly one node has grown by `by_at_least_s`
    or more, those of all others by less than half of that node's growth, and it is `node`. Nothing
    but requests is looked at: neither faults nor Kubernetes' view of the nodes. Requests that
    came in through the node itself are left out, as all of them would be slow.
    Violated when: another stands out, or none.
    Unknown when: fewer than `minimum_requests` answers of a node, or of fewer than two nodes, are
    on record in a phase, a phase is not on record, or requests may be missing.
    """

    node: str
    phase: str
    before: str
    by_at_least_s: float
    minimum_requests: int

    name: ClassVar[str] = "slow_node_named"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"the answers of the phase {self.phase} name the slow node")
        earlier = self._medians_s(found, history, self.before)
        later = self._medians_s(found, history, self.phase)
        grown = {node: later[node] - earlier[node] for node in later if node in earlier}
        found.coverage["nodes that answered"] = len(grown)
        if len(grown) < 2:
            found.doubt("fewer than two nodes answered in both phases")
            return conclude(self, found)
        slowest, *others = sorted(grown, key=lambda node: -grown[node])
        found.figures["slower_by_s"] = grown[slowest]
        found.figures["others_slower_by_s"] = max(grown[node] for node in others)
        found.summary = (
            f"{slowest} answers {grown[slowest] * 1e3:.0f} ms later than before,"
            f" others at most {grown[others[0]] * 1e3:.0f} ms"
        )
        moment_ns = self._moment_ns(history)
        if grown[slowest] < self.by_at_least_s:
            found.violate(moment_ns, f"no node stands out: {found.summary}", slowest)
        elif grown[others[0]] >= _OTHERS_AT_MOST * grown[slowest]:
            found.violate(moment_ns, f"{slowest} does not stand out alone", slowest, others[0])
        elif slowest != self.node:
            found.violate(moment_ns, f"it is {slowest}, not {self.node}", slowest, self.node)
        return conclude(self, found)

    def _medians_s(self, found: Findings, history: History, phase: str) -> dict[str, float]:
        """The median time of each node's answers in that phase."""
        chosen = select(history, Choice(phase=phase))
        found.doubt(*chosen.doubts)
        answered, entry = text_column(history, "node"), text_column(history, "entry")
        took_s = (ends_ns(history) - integers(history, "planned_ns")) / 1e9
        medians: dict[str, float] = {}
        for code, node in enumerate(answered.values):
            of_node = (answered.codes == code) & ~entry.is_like(node)
            rows = chosen.rows[chosen.ok & of_node[chosen.rows]]
            if 0 < len(rows) < self.minimum_requests:
                found.doubt(f"{node} gave only {len(rows)} answers in the phase {phase}")
            elif len(rows):
                medians[node] = float(np.median(took_s[rows]))
        return medians

    def _moment_ns(self, history: History) -> int:
        planned = select(history, Choice(phase=self.phase)).planned_ns
        return int(planned[-1]) if len(planned) else 0


def slow_node_named(
    node: Subject,
    *,
    phase: str,
    before: str,
    by_at_least_s: float,
    minimum_requests: int = 20,
) -> SlowNodeNamed:
    """The answers name the slow node; see `SlowNodeNamed`.

    Raises `UsageError` for a time that is not positive.
    """
    if by_at_least_s <= 0:
        raise UsageError("must be positive", subject="slow_node_named", seen=by_at_least_s)
    return SlowNodeNamed(
        node=name_of(node),
        phase=phase,
        before=before,
        by_at_least_s=by_at_least_s,
        minimum_requests=minimum_requests,
    )
