"""Whether what a store acknowledged is still there."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from chaoskit.errors import RecordError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import incomplete_loads, lost_events, lost_requests
from chaoskit.guarantees.objects.watched import Subject, name_of, steps
from chaoskit.guarantees.stateful_sets.identity import ForcedDeletionOverlap
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import StoreContents
from chaoskit.history.reader import History

#: What the column `operation` says of a write to a key-value store.
WRITE = "write"

Entry = tuple[str, str]  # key and value; every write writes a value of its own


@dataclass(frozen=True)
class _Write:
    slot: int
    planned_ns: int
    end_ns: int
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class AcknowledgedWritesSurvive:
    """What a member acknowledged, it still holds at the end.

    Claims: every write that was answered ok is in the member's last contents; no write that
    surely had no effect (`fail`) is; a write whose outcome is unknown may be there or not. The
    durable sequence rises from entry to entry, and later contents hold all that earlier ones did.
    With `allowing`, a member that was forcibly deleted may hold entries of two processes side by
    side, on storage that does not fence the old one: then it rises within each process.
    Violated when: an acknowledged write is missing, a failed one is there, or the sequence goes
    back.
    Unknown when: nothing was acknowledged, a member's contents were not read after its last
    acknowledged write, or parts of the record are missing.
    """

    stateful_set: str
    allowing: ForcedDeletionOverlap | None = None

    name: ClassVar[str] = "acknowledged_writes_survive"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"acknowledged writes to {self.stateful_set} survive")
        found.doubt(
            *incomplete_loads(history),
            *lost_requests(history, None, None),
            *lost_events(history, None, None),
        )
        contents: dict[str, list[StoreContents]] = {}
        for event in history.of(StoreContents):
            contents.setdefault(event.member, []).append(event)
        writes = self._writes(history)
        for member, by_outcome in sorted(writes.items()):
            forced = any(step.force for step in steps(history, "delete", member))
            _judge_sequence(
                found, contents.get(member, []), twins=forced and self.allowing is not None
            )
            self._judge(found, member, by_outcome, contents.get(member, []))
        acknowledged = sum(len(by_outcome.get("ok", [])) for by_outcome in writes.values())
        found.coverage |= {"acknowledged writes": acknowledged, "members": len(writes)}
        if not acknowledged:
            found.doubt("no write was acknowledged")
        found.figures["lost_writes"] = len(found.violations)
        found.summary = f"{acknowledged} acknowledged writes to {len(writes)} members"
        return conclude(self, found)

    def _judge(
        self,
        found: Findings,
        member: str,
        by_outcome: dict[str, list[_Write]],
        contents: list[StoreContents],
    ) -> None:
        acknowledged = by_outcome.get("ok", [])
        last_ns = max((write.end_ns for write in acknowledged), default=0)
        if not contents or contents[-1].time_ns <= last_ns:
            if acknowledged:
                found.doubt(f"{member} was not read after its last acknowledged write")
            return
        held = {(key, value) for key, value, _, _ in contents[-1].entries}
        for write in acknowledged:
            if write.entry not in held:
                text = f"{member} lost the acknowledged write {_text(write)}"
                found.violate(write.planned_ns, text, member)
        may_be = {w.entry for outcome in ("ok", "unknown") for w in by_outcome.get(outcome, [])}
        for write in [*by_outcome.get("fail", []), *by_outcome.get("unsent", [])]:
            if write.entry in held and write.entry not in may_be:
                text = f"{member} holds {_text(write)}, a write that surely had no effect"
                found.violate(write.planned_ns, text, member)

    def _writes(self, history: History) -> dict[str, dict[str, list[_Write]]]:
        """The writes to members of the set, by member and outcome."""
        names = ("entry", "outcome", "key", "value", "slot", "planned_ns", "end_ns")
        # Only writes become Python objects: they are few beside the reads.
        rows = np.flatnonzero(text_column(history, "operation").is_like(WRITE))
        writes: list[dict[str, Any]] = history.columns(*names).take(rows).to_pylist()
        result: dict[str, dict[str, list[_Write]]] = {}
        for row in writes:
            member = row["entry"]
            set_name, _, ordinal = member.rpartition("-")
            if set_name != self.stateful_set or not ordinal.isdigit():
                continue
            if row["key"] is None or row["value"] is None:
                raise RecordError("has no key or value", subject=f"write of slot {row['slot']}")
            write = _Write(
                slot=row["slot"],
                planned_ns=row["planned_ns"],
                end_ns=row["end_ns"] or row["planned_ns"],
                entry=(row["key"], row["value"]),
            )
            result.setdefault(member, {}).setdefault(row["outcome"], []).append(write)
        return result


def acknowledged_writes_survive(
    stateful_set: Subject, *, allowing: ForcedDeletionOverlap | None = None
) -> AcknowledgedWritesSurvive:
    """What a member acknowledged, it still holds; see `AcknowledgedWritesSurvive`."""
    return AcknowledgedWritesSurvive(stateful_set=name_of(stateful_set), allowing=allowing)


def _judge_sequence(found: Findings, contents: list[StoreContents], *, twins: bool) -> None:
    """The sequence rises; where there may have been `twins`, in what each process wrote."""
    for event in contents:
        highest: dict[str, int] = {}
        for key, value, sequence, boot in event.entries:
            before = highest.get(boot, 0) if twins else max(highest.values(), default=0)
            if sequence <= before:
                text = (
                    f"{event.member}: durable sequence goes from {before} back to {sequence}"
                    f" at {key}={value}"
                )
                found.violate(event.time_ns, text, event.member)
            highest[boot] = max(sequence, highest.get(boot, 0))
    if contents:
        side_by_side = _entries_of_superseded(contents[-1])
        known = found.figures.get("entries_of_superseded_processes", 0)
        found.figures["entries_of_superseded_processes"] = known + side_by_side
    for earlier, later in pairwise(contents):
        gone = set(earlier.entries) - set(later.entries)
        for key, value, sequence, _ in sorted(gone, key=lambda entry: entry[2])[:1]:
            text = (
                f"{later.member} no longer holds {key}={value} (sequence {sequence})"
                f" and {len(gone) - 1} more that it held before"
            )
            found.violate(later.time_ns, text, later.member)


def _text(write: _Write) -> str:
    return f"{write.entry[0]}={write.entry[1]} (slot {write.slot})"


def _entries_of_superseded(event: StoreContents) -> int:
    """Entries that a process wrote after another one had begun to write."""
    boots: list[str] = []
    count = 0
    for *_, boot in event.entries:
        if boot not in boots:
            boots.append(boot)
        elif boot != boots[-1]:
            count += 1
    return count
