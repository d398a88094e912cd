"""Spans of what the API server showed: nodes and pods, from watch events."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chaoskit.history.events import Watched
from chaoskit.report.spans import Span

REVISION_LABELS = ("controller-revision-hash", "pod-template-hash")
#: Kubernetes' own namespaces, whose pods are not drawn.
NOT_DRAWN = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})

#: state, title and revision of an object as an event shows it
_StateOf = Callable[[Watched], tuple[str, str, str]]


@dataclass(kw_only=True)
class _Open:
    """A span under construction."""

    start_ns: int
    state: str
    title: str
    revision: str


def node_spans(watched: Iterable[Watched], end_ns: int) -> dict[str, list[Span]]:
    """Per node: `ready`, `not_ready` or `unknown`, as its Ready condition said."""
    nodes = (w for w in watched if w.kind == "Node")
    return states_by_name(nodes, _node_state, end_ns, key=lambda w: w.name)


def pod_spans(watched: Iterable[Watched], end_ns: int) -> dict[str, list[Span]]:
    """Per pod name: `ready`, `not_ready`, `terminating` or `finished`, for each UID it had.

    Kubernetes' own namespaces are left out.
    """
    pods = (w for w in watched if w.kind == "Pod" and w.namespace not in NOT_DRAWN)
    return states_by_name(pods, pod_state, end_ns, key=lambda w: f"{w.namespace}/{w.name}")


def states_by_name(
    watched: Iterable[Watched], state_of: _StateOf, end_ns: int, *, key: Callable[[Watched], str]
) -> dict[str, list[Span]]:
    """The states of objects of one kind by name, one incarnation after the other."""
    return {
        name: [s for uid in by_uid.values() for s in _states(uid, state_of, end_ns)]
        for name, by_uid in sorted(_by_uid(watched, key).items())
    }


def _by_uid(
    watched: Iterable[Watched], key: Callable[[Watched], str]
) -> dict[str, dict[str, list[Watched]]]:
    grouped: dict[str, dict[str, list[Watched]]] = defaultdict(lambda: defaultdict(list))
    for event in watched:
        grouped[key(event)][event.uid].append(event)
    return grouped


def _states(own: Sequence[Watched], state_of: _StateOf, end_ns: int) -> list[Span]:
    """Adjacent equal states joined; an object that is not deleted lasts to the record's end."""
    spans: list[Span] = []
    current: _Open | None = None

    def close(time_ns: int, *, open_end: bool = False) -> None:
        if current is not None:
            spans.append(
                Span(
                    start_ns=current.start_ns,
                    end_ns=time_ns,
                    state=current.state,
                    title=current.title,
                    revision=current.revision,
                    owner=own[0].uid,
                    open_end=open_end,
                )
            )

    for event in sorted(own, key=lambda w: w.time_ns):
        if event.change == "DELETED":
            close(event.time_ns)
            current = None
            continue
        state, title, revision = state_of(event)
        if current is None or (current.state, current.title) != (state, title):
            close(event.time_ns)
            current = _Open(start_ns=event.time_ns, state=state, title=title, revision=revision)
    close(end_ns, open_end=True)
    return spans


def condition_of(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """The condition of that type in an object's status, empty if it has none."""
    conditions = thing.get("status", {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind), {})


def _node_state(event: Watched) -> tuple[str, str, str]:
    ready = condition_of(event.object, "Ready")
    status = ready.get("status", "Unknown")
    state = {"True": "ready", "False": "not_ready"}.get(status, "unknown")
    words = {"ready": "Ready", "not_ready": "NotReady", "unknown": "NotReady (status Unknown)"}
    title = f"node {event.name} {words[state]}"
    if event.object.get("spec", {}).get("unschedulable"):
        title += ", cordoned"
    if state != "ready" and ready.get("reason"):
        title += f", {ready['reason']}"
    return state, title, ""


def revision_of(pod: dict[str, Any]) -> str:
    """The revision of a pod by its label: the template's hash, without the owner's name."""
    labels = pod.get("metadata", {}).get("labels") or {}
    for label in REVISION_LABELS:
        if label in labels:
            return str(labels[label]).rpartition("-")[2]
    return ""


def pod_state(event: Watched) -> tuple[str, str, str]:
    """State, words and revision of a pod."""
    pod, status = event.object, event.object.get("status", {})
    if pod.get("metadata", {}).get("deletionTimestamp"):
        state, word = "terminating", "Terminating"
    elif status.get("phase") in ("Succeeded", "Failed"):
        state, word = "finished", str(status["phase"])
    elif condition_of(pod, "Ready").get("status") == "True":
        state, word = "ready", "Ready"
    else:
        reason, _ = waiting_of(status)
        state, word = "not_ready", reason or status.get("phase", "not Ready")
    node = pod.get("spec", {}).get("nodeName") or "no node yet"
    revision = revision_of(pod)
    on = f", revision {revision}" if revision else ""
    return state, f"{event.name} {word} on {node}{on}, UID {event.uid[:8]}", revision


def waiting_of(status: dict[str, Any]) -> tuple[str, str]:
    """Why a container of a pod waits: reason and message; empty when none does."""
    for part in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(part) or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason"):
                return str(waiting["reason"]), str(waiting.get("message", ""))
    return "", ""
