"""Whether every failure can be put down to something."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chaoskit.errors import UsageError
from chaoskit.guarantees.attribution.failures import load_requests
from chaoskit.guarantees.attribution.table import SETTLE_S, Attribution, attribution
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.damage import incomplete_loads, lost_requests
from chaoskit.guarantees.intervals import FOREVER_NS, Codes
from chaoskit.guarantees.objects.watched import changes, in_namespace, require_watched
from chaoskit.guarantees.traffic.columns import integers
from chaoskit.guarantees.verdict import Verdict, Witness
from chaoskit.history.events import WatchStarted
from chaoskit.history.reader import History

#: What must have been watched for a missing explanation to mean that there was none.
_KINDS = ("Pod", "EndpointSlice", "Node")


@dataclass(frozen=True, kw_only=True)
class FailuresAttributed:
    """Every request that was not ok has a cause in the record.

    Claims: for all but `unattributed_at_most` of the load's requests that were not ok, the record
    holds evidence of a cause, by one of the rules in `attribution.rules`. A fault explains
    failures until `settle_s` after its heal. Whether so many failures may be is for others to say
    (availability, outage); here none may be a riddle.
    Violated when: more have none.
    Unknown when: pods, endpoints or nodes were not watched throughout, events or requests may be
    missing, a load died, or there were no requests.
    """

    unattributed_at_most: int
    settle_s: float

    name: ClassVar[str] = "failures_attributed"
    version: ClassVar[int] = 2

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        most = self.unattributed_at_most
        but = f", but for at most {most}" if most else ""
        found = Findings(title=f"every failed request has a cause in the record{but}")
        _doubt_gaps(found, history)
        causes = attribution(history, settle_s=self.settle_s)
        unknown = int(np.count_nonzero(causes.unattributed))
        found.coverage |= {
            "requests": causes.total,
            "failed": len(causes),
            "attributed": len(causes) - unknown,
        }
        if not causes.total:
            found.doubt("there were no requests")
        counts = causes.counts()
        found.figures |= {f"cause_{cause}": float(count) for cause, count in counts.items()}
        told = ", ".join(f"{count} {cause}" for cause, count in counts.items())
        found.summary = f"{len(causes)} of {causes.total} requests not ok{told and f': {told}'}"
        blind_ns = FOREVER_NS if found.blind_from_ns is None else found.blind_from_ns
        sure = causes.unattributed & (causes.failures.planned_ns < blind_ns)
        places: Codes = np.flatnonzero(sure).astype(np.int32)
        if len(places) > most:
            _blame(found, causes, places)
        elif unknown > most:
            found.doubt(f"{unknown} failures have no cause in what is left of the record")
        return conclude(self, found)


def failures_attributed(
    *, unattributed_at_most: int = 0, settle_s: float = SETTLE_S
) -> FailuresAttributed:
    """Every request that was not ok has a cause in the record; see `FailuresAttributed`.

    Raises `UsageError` for a number below 0.
    """
    for name, value in (("unattributed_at_most", unattributed_at_most), ("settle_s", settle_s)):
        if value < 0:
            raise UsageError("is below 0", subject=f"failures_attributed's {name}", seen=value)
    return FailuresAttributed(unattributed_at_most=unattributed_at_most, settle_s=settle_s)


def _doubt_gaps(found: Findings, history: History) -> None:
    """Doubts, and the moment from which on nothing can be called unexplained any more."""
    found.doubt(*incomplete_loads(history), *lost_requests(history, None, None))
    objects = in_namespace(changes(history, "Pod", "EndpointSlice"), history)
    uids = {event.uid for event in (*objects, *changes(history, "Node"))}
    require_watched(found, history, uids, _KINDS)
    planned = integers(history, "planned_ns")[load_requests(history)]
    since: dict[str, int] = {}
    for event in history.of(WatchStarted):
        since.setdefault(event.kind, event.time_ns)
    for kind in _KINDS:
        if kind not in since:
            found.go_blind(0)
        elif len(planned) and since[kind] > planned[0]:
            found.doubt(f"{kind}s were not watched from the first request on")
            found.go_blind(0)


def _blame(found: Findings, causes: Attribution, places: Codes) -> None:
    """The first, the last, and as the worst one of the class that occurs most."""
    classes = causes.failures.error_class.codes[places]
    example = places[np.argmax(classes == np.bincount(classes).argmax())]
    first, last, worst = (
        Witness(
            time_ns=int(causes.failures.planned_ns[place]),
            text=causes.describe(int(place)),
            objects=[causes.failures.senders[int(causes.failures.sender[place])].stream],
        )
        for place in (places[0], places[-1], example)
    )
    found.violations = list({witness.time_ns: witness for witness in (first, last, worst)}.values())
    found.violation_count = len(places)
    found.worst = worst
