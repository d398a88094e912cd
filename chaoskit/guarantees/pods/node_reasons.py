"""A node that lacks something says what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.objects.watched import (
    Subject,
    changes,
    is_ready,
    name_of,
    require_watched,
)
from chaoskit.guarantees.pods import showings
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class NodeReasonShown:
    """A node that lacks something says what.

    Claims: within `within_s` of each injection of `fault` on the node its condition Ready is not
    True, with the reason `reason` and a message that has one of `words`.
    Violated when: it does not say so, though the fault lasted that long.
    Unknown when: the fault was never injected there, not proved in effect, healed before
    `within_s` had passed, or the nodes were not watched throughout.
    """

    node: str
    reason: str
    words: tuple[str, ...]
    within_s: float
    fault: str

    name: ClassVar[str] = "node_reason_shown"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"node {self.node} shows {self.reason}")
        nodes = [event for event in changes(history, "Node") if event.name == self.node]
        ours = [
            window
            for window in fault_windows(history, self.fault)
            if name_of(window.target) == self.node
        ]
        found.doubt(*fault_doubts(ours, f"{self.fault} on {self.node}"))
        found.coverage["injections"] = len(ours)
        for window in ours:
            if window.injected_ns is not None:
                end_ns = window.heal_requested_ns or history.events[-1].time_ns
                self._judge(found, history, window.injected_ns, end_ns, nodes)
        return conclude(self, found)

    def _judge(
        self,
        found: Findings,
        history: History,
        start_ns: int,
        end_ns: int,
        nodes: Sequence[Watched],
    ) -> None:
        shown = [
            showings.of_condition(node, "Ready")
            for node in nodes
            if start_ns <= node.time_ns <= end_ns and not is_ready(node.object)
        ]
        first = next((e for e in shown if e.reason == self.reason and e.says(self.words)), None)
        took_s = ((end_ns if first is None else first.time_ns) - start_ns) / 1e9
        if first is not None:
            found.figures["shown_after_s"] = took_s
            found.summary = f"{first} (after {took_s:.1f} s)"
            if took_s <= self.within_s:
                return
        uids = {event.uid for event in nodes}
        require_watched(found, history, uids, ["Node"], start_ns=start_ns, end_ns=end_ns)
        what = f"{self.reason} with {' or '.join(map(repr, self.words))} in its message"
        if first is not None:
            text = f"{self.node} shows {what} only after {took_s:.1f} s"
            found.violate(first.time_ns, text, self.node)
        elif took_s < self.within_s:
            found.doubt(f"{self.fault} lasted only {took_s:.1f} s, without {what}")
        else:
            text = f"{self.node} does not show {what} in {self.within_s:g} s"
            seen = f"{text}; seen: {showings.told(shown)}"
            found.violate(start_ns + int(self.within_s * 1e9), seen, self.node)


def node_reason_shown(
    node: Subject, reason: str, *, message: str | Sequence[str], within_s: float, fault: str
) -> NodeReasonShown:
    """A node says what it lacks; see `NodeReasonShown`."""
    return NodeReasonShown(
        node=name_of(node),
        reason=reason,
        words=showings.words_of(message),
        within_s=within_s,
        fault=fault,
    )
