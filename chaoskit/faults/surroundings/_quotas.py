"""A ResourceQuota changed by us: its annotation keeps what its values were, and which are ours."""

import json
from dataclasses import dataclass

from chaoskit.errors import FaultError
from chaoskit.faults._objects import OURS, annotation, break_object, edit, listed, mark_of, refuse
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object

_KIND = "ResourceQuota"


@dataclass(frozen=True)
class LoweredQuota:
    """The quota `namespace`/`name` with other `hard` values by the fault of that name."""

    fault: str
    namespace: str
    name: str
    hard: Object

    def put(self, kube: Kube) -> None:
        """Change these values, or make a quota with them. Raises every refusal with its reason."""
        if kube.find(_KIND, self.name, self.namespace) is None:
            ours = kube.create(self._manifest(None), dry_run=True)["spec"]["hard"]
            kube.create(self._manifest({"before": None, "ours": ours}))
            return
        # The server writes quantities its own way ("0.5" as "500m"): ask it how.
        change: Object = {"spec": {"hard": self.hard}}
        would_be = kube.patch(_KIND, self.name, self.namespace, change, dry_run=True)
        ours = {key: would_be["spec"]["hard"][key] for key in self.hard}
        break_object(kube, _KIND, self.name, self.namespace, lambda now: self._change(now, ours))

    def is_effective(self, kube: Kube) -> bool:
        """Whether the quota controller has taken our values up, so that admission goes by them."""
        item = listed(kube, _KIND, self.name, self.namespace)
        kept = item and self._kept(item)
        if not item or not kept:
            return False
        enforced = item.get("status", {}).get("hard", {})
        return bool(kept["ours"].items() <= enforced.items())

    def put_back(self, kube: Kube) -> str:
        """Undo the values that are still ours; what is missing until the controller took it up."""
        item = listed(kube, _KIND, self.name, self.namespace)
        if item is None:
            return ""
        kept = self._kept(item)
        if kept is None:
            enforced = item.get("status", {}).get("hard", {})
            wanted = item["spec"].get("hard", {})
            return "" if enforced == wanted else f"enforced is {enforced}, wanted {wanted}"
        if kept["before"] is None and item["spec"].get("hard", {}) == kept["ours"]:
            kube.delete(_KIND, self.name, self.namespace, uid=item["metadata"]["uid"])
            return "our quota was still there"
        edit(kube, _KIND, self.name, self.namespace, self._undo)
        return "it was still lowered"

    def _change(self, now: Object, ours: Object) -> Object | None:
        kept = self._kept(now)
        if kept is not None:
            if kept["ours"] == ours:
                return None
            raise refuse(
                self._subject,
                "is lowered already, to other values",
                seen=kept["ours"],
                next_step="heal that first",
            )
        hard = now["spec"].get("hard", {})
        if ours.items() <= hard.items():
            raise refuse(
                self._subject,
                "has these values already",
                seen=hard,
                next_step="give lower ones",
            )
        before = {key: hard.get(key) for key in ours}
        mark = {mark_of(self.fault): json.dumps({"before": before, "ours": ours})}
        return {"metadata": {"annotations": mark}, "spec": {"hard": ours}}

    def _undo(self, now: Object) -> Object | None:
        kept = self._kept(now)
        if kept is None:
            return None
        hard = now["spec"].get("hard", {})
        before = kept["before"] or {}
        is_own = kept["before"] is None  # somebody made our quota his own: his values stay
        undone = {
            key: before[key]
            for key, value in kept["ours"].items()
            if not is_own and hard.get(key) == value
        }
        change: Object = {"metadata": {"annotations": {mark_of(self.fault): None}}}
        return {**change, "spec": {"hard": undone}} if undone else change

    def _kept(self, item: Object) -> Object | None:
        mark = annotation(item, mark_of(self.fault))
        if mark is None:
            return None
        try:
            kept: Object = json.loads(mark)
        except ValueError as error:
            raise FaultError(
                "our note on it was changed, so its former values are not known",
                subject=self._subject,
                seen=mark,
                next_step=f"set its values, then remove the annotation {mark_of(self.fault)}",
            ) from error
        return kept

    def _manifest(self, kept: Object | None) -> Object:
        metadata: Object = {"name": self.name, "namespace": self.namespace, "labels": OURS}
        if kept is not None:
            metadata["annotations"] = {mark_of(self.fault): json.dumps(kept)}
        spec = {"hard": self.hard}
        return {"apiVersion": "v1", "kind": _KIND, "metadata": metadata, "spec": spec}

    @property
    def _subject(self) -> str:
        return f"{_KIND} {self.namespace}/{self.name}"
