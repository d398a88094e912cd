"""The name of a StatefulSet's member, and everything that follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import Subject, name_of, owned_by, owner, require_watched
from chaoskit.guarantees.stateful_sets.members import ordinal_of
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_POD_NAME = "statefulset.kubernetes.io/pod-name"
_POD_INDEX = "apps.kubernetes.io/pod-index"


@dataclass(frozen=True, kw_only=True)
class StableIdentity:
    """Each pod of a StatefulSet bears the name of its ordinal, and all that goes with it.

    Claims: each pod of the set is named set-ordinal, has that name as its hostname, the set's
    serviceName as its subdomain, the label statefulset.kubernetes.io/pod-name with its name and
    apps.kubernetes.io/pod-index with its ordinal, from when it is first seen to when it is last
    seen (what a step changes in between, the controller puts right). In the API's order a name
    belongs to one uid at a time. Whether two processes of one name live at once is not seen here:
    that is `one_process_per_identity`.
    Violated when: a pod of the set has another name, hostname, subdomain or label, or a name gets
    a new uid before the old one is gone.
    Unknown when: the set or a pod of it is not on record, or they were not watched throughout.
    """

    stateful_set: str

    name: ClassVar[str] = "stable_identity"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"members of {self.stateful_set} keep their identity")
        owned = owned_by(history, "StatefulSet", self.stateful_set)
        require_watched(found, history, owned.uids, ("StatefulSet", "Pod"))
        services = {e.uid: str(e.object["spec"].get("serviceName") or "") for e in owned.workload}
        by_uid: dict[str, list[Watched]] = {}
        for event in owned.pods:
            by_uid.setdefault(event.uid, []).append(event)
        for events in by_uid.values():
            for seen in dict.fromkeys((0, len(events) - 1)):
                self._judge_pod(found, events[seen], services)
        self._judge_uids(found, owned.pods)
        names = {event.name for event in owned.pods}
        found.coverage |= {
            "members": len(names),
            "members with more than one uid": len(by_uid) - len(names),
        }
        if not owned.workload:
            found.doubt(f"StatefulSet {self.stateful_set} is not in the record")
        elif not by_uid:
            found.doubt(f"no pod of {self.stateful_set} is in the record")
        found.summary = f"{len(by_uid)} pods under {len(names)} names"
        return conclude(self, found)

    def _judge_pod(self, found: Findings, event: Watched, services: dict[str, str]) -> None:
        ordinal = ordinal_of(event.name, self.stateful_set)
        if ordinal is None:
            text = f"pod {event.name} of {self.stateful_set} has no ordinal in its name"
            found.violate(event.time_ns, text, event.name)
            return
        spec, labels = event.object["spec"], event.object["metadata"].get("labels") or {}
        of_set = str((owner(event.object, "StatefulSet") or {}).get("uid"))
        for what, seen, due in (
            ("hostname", spec.get("hostname"), event.name),
            ("subdomain", spec.get("subdomain") or "", services.get(of_set, "")),
            (f"label {_POD_NAME}", labels.get(_POD_NAME), event.name),
            (f"label {_POD_INDEX}", labels.get(_POD_INDEX), str(ordinal)),
        ):
            if seen != due:
                text = f"{event.name} has {what} {seen}, not {due}"
                found.violate(event.time_ns, text, event.name)

    def _judge_uids(self, found: Findings, pods: Iterable[Watched]) -> None:
        holders: dict[str, str] = {}
        for event in pods:
            holder = holders.get(event.name)
            if event.change == "DELETED":
                if holder == event.uid:
                    del holders[event.name]
            elif holder is None:
                holders[event.name] = event.uid
            elif holder != event.uid:
                text = f"{event.name} is {event.uid} while {holder} was not yet gone"
                found.violate(event.time_ns, text, event.name, holder, event.uid)
                holders[event.name] = event.uid


def stable_identity(stateful_set: Subject) -> StableIdentity:
    """Members keep name, hostname, subdomain and labels; see `StableIdentity`."""
    return StableIdentity(stateful_set=name_of(stateful_set))
