"""Following the names of a StatefulSet's members, as its members' resolvers see them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from chaoskit.errors import WaitTimeout
from chaoskit.history.events import LookedUp
from chaoskit.waiting import wait_until
from chaoskit.workloads.specimen import KeyValue

#: Each round takes some lookups of every member; a cache of 30 s needs no faster ones.
_ROUND_EVERY_S = 0.5
_PORT_NAME = "http"


def follow_names(store: KeyValue, record: Callable[[LookedUp], None], *, at_most_s: float) -> None:
    """Look up, by each Ready member, until every answer fits the Ready members, or time is up."""

    spec = store.stateful_set.read()["spec"]
    service = f"{spec['serviceName']}.{store.ref.namespace}.svc.cluster.local"

    def attempt() -> bool:
        ready = _ready(store)
        asked = _Round(store, service, spec["replicas"], ready, record)
        right = [asked.is_right(ordinal) for ordinal in sorted(ready)]
        return all(right) and _ready(store) == ready

    try:
        wait_until(
            attempt,
            what=f"the names of {store.ref} to be right everywhere",
            timeout_s=at_most_s,
            interval_s=_ROUND_EVERY_S,
        )
    except WaitTimeout:
        return  # what was answered is on record, and is judged there


def _ready(store: KeyValue) -> dict[int, str]:
    """The Ready members' addresses, by ordinal."""
    found = store.stateful_set.ready_members()
    return {ordinal: str(item["status"]["podIP"]) for ordinal, item in found.items()}


@dataclass(frozen=True)
class _Round:
    """What all members are asked once, and what is right while `ready` are the Ready ones."""

    store: KeyValue
    service: str
    replicas: int
    ready: dict[int, str]
    record: Callable[[LookedUp], None]

    def is_right(self, asker: int) -> bool:
        """Whether all answers that one member gets now are right."""
        addresses = set(self.ready.values())
        names = {f"{self.store.pod(ordinal).name}.{self.service}" for ordinal in self.ready}
        right = [
            self._answers(asker, self.service) == addresses,
            self._answers(asker, f"_{_PORT_NAME}._tcp.{self.service}", "SRV") == names,
        ]
        for ordinal in range(self.replicas):
            name = f"{self.store.pod(ordinal).name}.{self.service}"
            wanted = {self.ready[ordinal]} if ordinal in self.ready else set()
            right.append(self._answers(asker, name) == wanted)
        return all(right)

    def _answers(self, asker: int, name: str, record: Literal["A", "SRV"] = "A") -> set[str] | None:
        """None: nobody answered."""
        lookup = self.store.member(asker).look_up(name, record)
        self.record(lookup)
        if lookup.problem:
            return None
        # of "target:port" the target
        return {answer.partition(":")[0] for answer in lookup.answers}
