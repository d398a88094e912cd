"""The attribution itself: a cause for each failed request, as codes into few values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chaoskit.guarantees.attribution.endpoints import endpoints_of, members_of_services
from chaoskit.guarantees.attribution.failures import (
    Failures,
    failures_of,
    load_requests,
    senders_of,
)
from chaoskit.guarantees.attribution.matching import Matched, match
from chaoskit.guarantees.attribution.phases import parts_of
from chaoskit.guarantees.attribution.pods import PodLife, pod_lives
from chaoskit.guarantees.attribution.rules import RULES
from chaoskit.guarantees.attribution.touched import touched_sets
from chaoskit.guarantees.attribution.world import (
    Explanation,
    Layer,
    World,
    faults_in_effect,
    nodes_not_ready,
    stops_of_loads,
)
from chaoskit.guarantees.intervals import Codes, Mask, Span
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.driver_health import suspect_seconds_of
from chaoskit.guarantees.traffic.starved import starved_pods
from chaoskit.history.reader import History

UNATTRIBUTED = "unattributed"

#: After its heal a fault goes on to explain failures for this long: routes, connection tracking,
#: endpoints and back-offs of retransmissions (RFC 6298 doubles them) need some seconds.
SETTLE_S = 5.0

#: How long a node may be silent before it is called not Ready (node-monitor-grace-period): 50 s by
#: default since Kubernetes 1.32, 16 s with the profile `fast`.
_NODE_GRACE_NS = {"fast": 16_000_000_000}
_DEFAULT_NODE_GRACE_NS = 50_000_000_000


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Every request of the load that was not ok, with its cause; by planned time.

    `failures` are the requests themselves. `cause` is a code into `causes` (the names of the rules,
    then `unattributed`), `explanation` one into `explanations` (-1: none), `parts` one into
    `part_sets`, the named parts of the run that the request fell in. `pods` knows, by uid, the
    pods that any of them may have been sent to; `total` counts all requests of the load.
    """

    failures: Failures
    total: int
    cause: Codes
    causes: tuple[str, ...]
    explanation: Codes
    explanations: tuple[Explanation, ...]
    parts: Codes
    part_sets: tuple[tuple[str, ...], ...]
    pods: Mapping[str, PodLife]

    def __len__(self) -> int:
        return len(self.failures)

    @property
    def unattributed(self) -> Mask:
        """Which of them have no cause in the record."""
        return self.explanation < 0

    def counts(self) -> dict[str, int]:
        """How many failures each cause has; causes without any are left out."""
        counted = np.bincount(self.cause, minlength=len(self.causes)).tolist()
        return {name: count for name, count in zip(self.causes, counted, strict=True) if count}

    def explanation_of(self, place: int) -> Explanation | None:
        """What explains one of them."""
        code = int(self.explanation[place])
        return None if code < 0 else self.explanations[code]

    def layer_of(self, place: int) -> Layer:
        """Where one of them failed, as far as its cause tells."""
        explanation = self.explanation_of(place)
        return "unknown" if explanation is None else explanation.layer

    def parts_of(self, place: int) -> tuple[str, ...]:
        """The named parts of the run in which one of them fell."""
        return self.part_sets[int(self.parts[place])]

    def pods_of(self, place: int) -> list[str]:
        """The pods that one of them may have been sent to, with their revisions."""
        uids = self.failures.pod_sets[int(self.failures.pods[place])]
        return [self.pods[uid].in_words() if uid in self.pods else uid for uid in uids]

    def describe(self, place: int) -> str:
        """One of them in words."""
        failures = self.failures
        sender = failures.senders[int(failures.sender[place])]
        pods = self.pods_of(place)
        to = "" if not pods else f" to {pods[0]}" if len(pods) == 1 else f" to one of {len(pods)}"
        among = f" ({', '.join(pods[:_NAMED])}{', …' * (len(pods) > _NAMED)})" * (len(pods) > 1)
        parts = ", ".join(self.parts_of(place)) or "no named part of the run"
        explanation = self.explanation_of(place)
        why = self.causes[int(self.cause[place])]
        return (
            f"{failures.error_class.at(place)} on stream {sender.stream} of load {sender.load}"
            f"{to}{among}, in {parts}: {why}"
            f"{'' if explanation is None else f', {explanation.text}'}"
        )


#: So many pods that a request may have been sent to are named.
_NAMED = 3


def attribution(history: History, *, settle_s: float = SETTLE_S) -> Attribution:
    """A cause for every request of the load that was not ok, by the first rule that explains it.

    `settle_s`: for how long after its heal a fault explains failures. Raises `RecordError` for a
    record that contradicts itself.
    """
    of_load = load_requests(history)
    bad = of_load & ~text_column(history, "outcome").is_like("ok")
    rows: Codes = np.flatnonzero(bad).astype(np.int32)
    lives = pod_lives(history)
    senders = senders_of(history, rows, members_of_services(history))
    endpoints = endpoints_of(history, {name for one in senders[1] for name in one.services})
    failures = failures_of(history, rows, senders, lives, endpoints)
    involved = {uid for uids in failures.pod_sets for uid in uids}
    world = World(
        senders=failures.senders,
        pods={uid: life for uid, life in lives.items() if uid in involved},
        endpoints=endpoints,
        nodes=nodes_not_ready(history),
        faults=faults_in_effect(history),
        stopping_ns=stops_of_loads(history),
        suspect=_suspect(history),
        starved=starved_pods(history),
        answers=_answers(failures),
        settle_ns=round(settle_s * 1e9),
        node_grace_ns=_node_grace_ns(history),
    )
    matched = match(failures, world, RULES)
    return _table(history, failures, matched, world, int(np.count_nonzero(of_load)))


def _table(
    history: History, failures: Failures, matched: Matched, world: World, total: int
) -> Attribution:
    named = parts_of(history)
    parts, sets = touched_sets([part.span for part in named], failures.planned_ns, failures.end_ns)
    return Attribution(
        failures=failures,
        total=total,
        cause=matched.cause,
        causes=(*matched.names, UNATTRIBUTED),
        explanation=matched.explanation,
        explanations=tuple(matched.explanations),
        parts=parts,
        part_sets=tuple(tuple(named[place].name for place in one) for one in sets),
        pods=world.pods,
    )


def _suspect(history: History) -> dict[str, tuple[str, Sequence[Span]]]:
    seconds = suspect_seconds_of(history)
    loads = text_column(history, "load").values
    spans = {name: seconds.spans_of(code) for code, name in enumerate(loads)}
    return {name: (seconds.in_words(), of_load) for name, of_load in spans.items() if of_load}


def _answers(failures: Failures) -> set[tuple[str, str | None]]:
    """The classes of the failures that were answered, each with who gave them."""
    classes = failures.error_class
    who = np.where(failures.is_sure, failures.pods, -1)
    found: set[tuple[str, str | None]] = set()
    for code, value in enumerate(classes.values):
        if value.startswith("status "):
            for pods in np.unique(who[classes.codes == code]).tolist():
                found.add((value, None if pods < 0 else failures.pod_sets[pods][0]))
    return found


def _node_grace_ns(history: History) -> int:
    profile = "" if history.info is None else history.info.profile
    return _NODE_GRACE_NS.get(profile, _DEFAULT_NODE_GRACE_NS)
