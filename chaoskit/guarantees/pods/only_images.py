"""Pods of a workload run only the images that were named."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees.conclusion import Findings, conclude
from chaoskit.guarantees.objects.watched import (
    Object,
    Subject,
    kind_of,
    name_of,
    owned_by,
    require_watched,
)
from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import Watched
from chaoskit.history.reader import History


@dataclass(frozen=True, kw_only=True)
class OnlyImages:
    """Only these images run in the pods of a workload.

    Claims: each container and init container of each pod of the workload on record, as far as its
    template has one of that name (what an admission webhook adds is nobody's promise), names one
    of `images` in the pod's spec. It says which versions may run where no answer names its own.
    Violated when: one names another.
    Unknown when: no pod of the workload is on record, or the workload or its pods were not watched
    throughout.
    """

    workload: str
    kind: str
    images: tuple[str, ...]

    name: ClassVar[str] = "only_images"
    version: ClassVar[int] = 1

    def check(self, history: History) -> Verdict:
        """Judge the record."""
        found = Findings(title=f"pods of {self.workload} run only {', '.join(self.images)}")
        owned = owned_by(history, self.kind, self.workload)
        require_watched(found, history, owned.uids, [self.kind, "Pod"])
        named = {
            name
            for event in owned.workload
            for name, _ in _images(event.object["spec"]["template"])
        }
        pods: dict[str, set[str]] = {}
        accused: set[tuple[str, str]] = set()
        for event in owned.pods:
            for name, image in _images(_whole(event)):
                if name not in named:
                    continue
                pods.setdefault(image, set()).add(event.uid)
                if image not in self.images and (event.uid, name) not in accused:
                    accused.add((event.uid, name))
                    text = f"container {name} of {event.name} runs {image}"
                    found.violate(event.time_ns, text, event.name)
        found.coverage |= {f"pods with {image}": len(uids) for image, uids in sorted(pods.items())}
        found.summary = ", ".join(f"{len(uids)} pods with {i}" for i, uids in sorted(pods.items()))
        if not pods:
            found.doubt(f"no pod of {self.workload} is on record")
        return conclude(self, found)


def only_images(images: Iterable[str], workload: Subject, *, kind: str | None = None) -> OnlyImages:
    """Only these images run in the pods of the workload; see `OnlyImages`.

    Raises `UsageError` for none.
    """
    named = tuple(dict.fromkeys(images))
    if not named:
        raise UsageError("names no image", subject="only_images")
    return OnlyImages(
        workload=name_of(workload), kind=kind or kind_of(workload, "Deployment"), images=named
    )


def _images(template: Object) -> list[tuple[str, str]]:
    spec = template.get("spec") or {}
    groups = ("initContainers", "containers")
    return [(c["name"], str(c.get("image"))) for group in groups for c in spec.get(group) or []]


def _whole(event: Watched) -> Object:
    if not (event.object.get("spec") or {}).get("containers"):
        raise RecordError("has no containers", subject=f"watched Pod {event.name}")
    return event.object
