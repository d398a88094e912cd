"""The life of each pod as the watch saw it: where it ran, when it was ready, how it ended."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from chaoskit.guarantees.intervals import FOREVER_NS, Span
from chaoskit.guarantees.objects.watched import (
    Object,
    changes,
    condition,
    container_statuses,
    in_namespace,
    is_finished,
    is_leaving,
    is_ready,
)
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_HASH_LABELS = ("controller-revision-hash", "pod-template-hash")

#: Kubernetes' defaults for a probe (core/v1 Probe): how often, how many failures, how long.
_PROBE_DEFAULTS = {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}


@dataclass(frozen=True, kw_only=True)
class ContainerEnd:
    """A run of a container was seen to have ended, for Kubernetes' `reason` ("OOMKilled")."""

    time_ns: int
    container: str
    reason: str
    exit_code: int | None


@dataclass(frozen=True, kw_only=True)
class PodLife:
    """One pod, from when it was first seen until it was gone (`FOREVER_NS`: never).

    `revision` is its template's hash, `image` that of its first container. `unready`: the spans in
    which it was not Ready after it had been, but for its end. `leaving_ns`: when a
    deletionTimestamp was seen; `finished_ns`: when it was seen to have ended for good, say evicted
    (`ended_by`).
    `readiness_ns`, `liveness_ns`: how long a failing probe takes to be acted upon, 0 without one.
    """

    uid: str
    name: str
    node: str
    revision: str
    image: str
    seen_ns: int
    gone_ns: int
    leaving_ns: int | None
    finished_ns: int | None
    ended_by: str
    ready: tuple[Span, ...]
    unready: tuple[Span, ...]
    container_ends: tuple[ContainerEnd, ...]
    readiness_ns: int
    liveness_ns: int

    def in_words(self) -> str:
        """Its name, with its revision."""
        return f"{self.name} (revision {self.revision})" if self.revision else self.name


def pod_lives(history: History) -> dict[str, PodLife]:
    """The lives of the pods of the run's namespace, by uid."""
    tellings: dict[str, _Telling] = {}
    for event in in_namespace(changes(history, "Pod"), history):
        tellings.setdefault(event.uid, _Telling(event)).add(event)
    return {uid: telling.life() for uid, telling in tellings.items()}


@dataclass
class _Telling:
    """What is known of one pod so far."""

    first: Watched
    last: Watched = field(init=False)
    gone_ns: int = FOREVER_NS
    leaving_ns: int | None = None
    finished_ns: int | None = None
    ready_ns: int | None = None
    unready_ns: int | None = None
    ready: list[Span] = field(default_factory=list)
    unready: list[Span] = field(default_factory=list)
    ends: list[ContainerEnd] = field(default_factory=list)
    ended_runs: set[tuple[str, int]] = field(default_factory=set)
    runs: dict[str, int] = field(default_factory=dict)

    def add(self, event: Watched) -> None:
        """Take in its next change."""
        self.last = event
        pod = event.object
        if self.leaving_ns is None and is_leaving(pod):
            self.leaving_ns = event.time_ns
        if self.finished_ns is None and is_finished(pod):
            self.finished_ns = event.time_ns
        is_gone = event.change == "DELETED"
        is_ending = is_gone or is_leaving(pod) or is_finished(pod)
        ready = is_ready(pod) and not is_gone
        self._note_readiness(event.time_ns, ready=ready, is_ending=is_ending)
        self._note_container_ends(event)
        if is_gone:
            self.gone_ns = event.time_ns

    def life(self) -> PodLife:
        """All that was told."""
        metadata, spec = self.last.object["metadata"], self.last.object.get("spec") or {}
        labels = metadata.get("labels") or {}
        containers: list[Object] = spec.get("containers") or []
        end_ns = self.gone_ns
        ready = [*self.ready, *([] if self.ready_ns is None else [(self.ready_ns, end_ns)])]
        unready = [*self.unready, *([] if self.unready_ns is None else [(self.unready_ns, end_ns)])]
        return PodLife(
            uid=self.last.uid,
            name=self.last.name,
            node=str(spec.get("nodeName") or ""),
            revision=next((str(labels[name]) for name in _HASH_LABELS if name in labels), ""),
            image=str(containers[0].get("image", "")) if containers else "",
            seen_ns=self.first.time_ns,
            gone_ns=self.gone_ns,
            leaving_ns=self.leaving_ns,
            finished_ns=self.finished_ns,
            ended_by=_ended_by(self.last.object),
            ready=tuple(ready),
            unready=tuple(unready),
            container_ends=tuple(self.ends),
            readiness_ns=_probe_ns(containers, "readinessProbe"),
            liveness_ns=_probe_ns(containers, "livenessProbe"),
        )

    def _note_readiness(self, time_ns: int, *, ready: bool, is_ending: bool) -> None:
        if ready and self.ready_ns is None:
            self.ready_ns = time_ns
            if self.unready_ns is not None:
                self.unready.append((self.unready_ns, time_ns))
                self.unready_ns = None
        elif not ready and self.ready_ns is not None:
            self.ready.append((self.ready_ns, time_ns))
            self.ready_ns = None
            if not is_ending:
                self.unready_ns = time_ns

    def _note_container_ends(self, event: Watched) -> None:
        """The n-th run of a container ends once: seen as its state, or as its last one's."""
        for status in container_statuses(event.object):
            name, count = str(status.get("name")), int(status.get("restartCount") or 0)
            now = (status.get("state") or {}).get("terminated")
            before = (status.get("lastState") or {}).get("terminated")
            known = self.runs.get(name)
            if now is not None:
                self._end(event, name, count, now)
            if known is not None and count > known:
                self._end(event, name, count - 1, before or {})
            self.runs[name] = count

    def _end(self, event: Watched, container: str, run: int, terminated: Object) -> None:
        if (container, run) in self.ended_runs:
            return
        self.ended_runs.add((container, run))
        code = terminated.get("exitCode")
        self.ends.append(
            ContainerEnd(
                time_ns=event.time_ns,
                container=container,
                reason=str(terminated.get("reason") or "no reason given"),
                exit_code=int(code) if code is not None else None,
            )
        )


def names_in(target: str) -> set[str]:
    """The words of a target that may be names of Kubernetes objects."""
    return set(re.findall(r"(?<![A-Za-z])[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?", target))


def _ended_by(pod: Object) -> str:
    """Why it is being disrupted, or has ended: a condition's or the status' reason, if it has one.

    Evictions, taints and garbage collection leave the condition DisruptionTarget.
    """
    disruption = condition(pod, "DisruptionTarget").get("reason")
    return str(disruption or (pod.get("status") or {}).get("reason") or "")


def _probe_ns(containers: Iterable[Object], name: str) -> int:
    probes = [{**_PROBE_DEFAULTS, **(container.get(name) or {})} for container in containers]
    seconds = [
        probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
        for container, probe in zip(containers, probes, strict=True)
        if container.get(name)
    ]
    return round(max(seconds, default=0) * 1e9)
