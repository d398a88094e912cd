"""Kubernetes objects that words name, as they were at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chaoskit.guarantees.attribution.pods import names_in
from chaoskit.history.events import Watched
from chaoskit.report.objects import NOT_DRAWN, condition_of, pod_state, revision_of, waiting_of

_KINDS = ("Pod", "Node", "Deployment", "StatefulSet", "DaemonSet", "Job", "Service")
_AT_MOST = 3
_UID_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An object at a moment: its state, revision and image, and the reason it gives, if any."""

    kind: str
    name: str
    state: str
    revision: str = ""
    image: str = ""
    reason: str = ""


class Things:
    """The objects of a record, to be found by the names and UIDs that words hold."""

    def __init__(self, watched: Iterable[Watched]) -> None:
        self._by_word: dict[str, list[Watched]] = {}
        for event in watched:
            if event.kind in _KINDS and event.namespace not in NOT_DRAWN:
                self._by_word.setdefault(event.name, []).append(event)
                if event.uid:
                    self._by_word.setdefault(event.uid[:_UID_LENGTH], []).append(event)

    def named(self, texts: Iterable[str], time_ns: int) -> tuple[Thing, ...]:
        """Those that the texts name, the first texts first, each as it was at that moment."""
        found: dict[tuple[str, str], Thing] = {}
        for text in texts:
            for word in sorted(names_in(text), key=text.find):
                for kind in _KINDS:
                    own = [w for w in self._by_word.get(word, ()) if w.kind == kind]
                    if own:
                        shown = _at(own, time_ns)
                        found.setdefault((kind, shown.uid), _thing(shown))
        return tuple(found.values())[:_AT_MOST]


def _at(events: list[Watched], time_ns: int) -> Watched:
    """As it was then: an object that went a moment before is better than the next of its name."""
    before = [event for event in events if event.time_ns <= time_ns]
    return before[-1] if before else events[0]


def _thing(event: Watched) -> Thing:
    thing = event.object
    status = thing.get("status") or {}
    gone = " (deleted)" if event.change == "DELETED" else ""
    if event.kind == "Pod":
        _, title, revision = pod_state(event)
        reason, message = waiting_of(status)
        ended = reason or _ended(status)
        return Thing(
            kind="Pod",
            name=event.name,
            state=title.removeprefix(f"{event.name} ") + gone,
            revision=revision or revision_of(thing),
            image=", ".join(_images(thing)),
            reason=f"{ended}: {message}" if message else ended,
        )
    ready = condition_of(thing, "Ready" if event.kind == "Node" else "Progressing")
    words = [str(ready[key]) for key in ("reason", "message") if ready.get(key)]
    return Thing(
        kind=event.kind,
        name=event.name,
        state=_state(event) + gone,
        revision=str(status.get("updateRevision") or "").rpartition("-")[2],
        image=", ".join(_images((thing.get("spec") or {}).get("template") or {})),
        reason=": ".join(words),
    )


def _state(event: Watched) -> str:
    status = event.object.get("status") or {}
    if event.kind == "Node":
        ready = condition_of(event.object, "Ready").get("status", "Unknown")
        cordoned = ", cordoned" if event.object.get("spec", {}).get("unschedulable") else ""
        return {"True": "Ready", "False": "NotReady"}.get(ready, "NotReady (Unknown)") + cordoned
    names = {"replicas": "pods", "updatedReplicas": "updated", "availableReplicas": "available"}
    told = [f"{status[key]} {word}" for key, word in names.items() if key in status]
    generation = event.object.get("metadata", {}).get("generation")
    return ", ".join([*told, *([f"generation {generation}"] if generation else [])])


def _images(thing: dict[str, Any]) -> list[str]:
    containers = (thing.get("spec") or {}).get("containers") or []
    return [str(one["image"]) for one in containers if one.get("image")]


def _ended(status: dict[str, Any]) -> str:
    """How a container of the pod last ended, if one did."""
    for container in status.get("containerStatuses") or []:
        for part in ("state", "lastState"):
            ended = (container.get(part) or {}).get("terminated") or {}
            if ended:
                restarts = container.get("restartCount", 0)
                return f"{ended.get('reason', 'ended')} ({restarts} restarts)"
    return ""
