"""Pods of a Deployment bear its name and the hash of their template."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import Subject, name_of, owned_by, require_watched
from chaoskit.guarantees.rollouts.deployment_state import KINDS
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.reader import History

_HASH = "pod-template-hash"


@dataclass(frozen=True, kw_only=True)
class PodsNamedByTemplate:
    """Each pod's name says its Deployment and its template, and so does its label.

    Claims: a ReplicaSet of the Deployment is named deployment-hash, and its selector and template
    carry the label pod-template-hash with that hash; each pod is named deployment-hash-random
    (random: five characters) and carries the label, from when it is first seen to when it is last.
    Two ReplicaSets never share a hash.
    Violated when: one is not so.
    Unknown when: pods of fewer than two templates are on record, or the Deployment, its
    ReplicaSets or pods were not watched throughout.
    """

    deployment: str

    name: ClassVar[str] = "pods_named_by_template"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"pods of {self.deployment} are named by their template")
        owned = owned_by(history, "Deployment", self.deployment)
        require_watched(found, history, owned.uids, KINDS)
        hashes: dict[str, str] = {}
        for uid, event in owned.replica_sets.items():
            label = _label(event.object["spec"]["template"])
            selected = (event.object["spec"].get("selector") or {}).get("matchLabels") or {}
            if event.name != f"{self.deployment}-{label}" or selected.get(_HASH) != label:
                text = f"ReplicaSet {event.name} has the hash {label!r}"
                found.violate(event.time_ns, text, event.name)
            if label in hashes.values():
                text = f"ReplicaSet {event.name} shares the hash {label!r} with another one"
                found.violate(event.time_ns, text, event.name)
            hashes[uid] = label
        accused: set[str] = set()
        seen: set[str] = set()
        for event in owned.pods:
            of_set = owned.replica_set_of(event)
            wanted = hashes.get(of_set or "", "")
            seen.add(wanted)
            prefix = f"{self.deployment}-{wanted}-"
            rest = event.name.removeprefix(prefix)
            is_named = event.name.startswith(prefix) and len(rest) == 5
            if not (is_named and _label(event.object) == wanted) and event.uid not in accused:
                accused.add(event.uid)
                text = f"pod {event.name} of the template {wanted!r} has the label"
                text += f" {_label(event.object)!r}"
                found.violate(event.time_ns, text, event.name)
        pods = len({event.uid for event in owned.pods})
        found.coverage |= {"pods": pods, "templates with pods": len(seen)}
        found.summary = f"{pods} pods of {len(seen)} templates"
        if not owned.workload:
            found.doubt(f"deployment {self.deployment} is not in the record")
        elif len(seen) < 2:
            found.doubt("pods of fewer than two templates are on record")
        return conclude(self, found)


def pods_named_by_template(deployment: Subject) -> PodsNamedByTemplate:
    """Names and labels say the template; see `PodsNamedByTemplate`."""
    return PodsNamedByTemplate(deployment=name_of(deployment))


def _label(obj: dict[str, object]) -> str:
    metadata = obj.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return str((labels or {}).get(_HASH, ""))
