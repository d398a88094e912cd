"""What a heal has to know of an object that is gone, kept in the cluster as a ConfigMap."""

import json
from dataclasses import dataclass

from chaoskit.faults._objects import DOMAIN, OURS, digest
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import NotFound

#: Where notes on objects without a namespace lie.
CLUSTER = "kube-system"


@dataclass(frozen=True)
class Note:
    """One fault's note on one object: written before it is broken, dropped once it is healed."""

    namespace: str
    fault: str
    about: str

    @property
    def name(self) -> str:
        """The ConfigMap's name; any process finds it from the fault's fields."""
        return f"chaoskit-{self.fault.replace('_', '-')}-{digest(self.about)}"

    def write(self, kube: Kube, content: Object) -> None:
        """Keep `content`, in place of what an earlier injection left."""
        kube.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": self.name,
                    "namespace": self.namespace,
                    "labels": {**OURS, f"{DOMAIN}/fault": self.fault},
                },
                "data": {"about": self.about, "before": json.dumps(content)},
            }
        )

    def read(self, kube: Kube) -> Object | None:
        """What was kept, or None: then nothing was injected, or it is healed."""
        found = kube.find("ConfigMap", self.name, self.namespace)
        if found is None:
            return None
        content: Object = json.loads(found["data"]["before"])
        return content

    def drop(self, kube: Kube) -> None:
        """Forget it; gone already is fine."""
        try:
            kube.delete("ConfigMap", self.name, self.namespace)
        except NotFound:
            return
