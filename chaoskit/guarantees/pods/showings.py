"""What Kubernetes says of why a pod does not run or is not ready, and where it says it."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from chaoskit.guarantees.objects.watched import Object, changes, condition
from chaoskit.history.events import Watched
from chaoskit.history.reader import History

_LONGEST_MESSAGE = 300
_STATUSES = ("initContainerStatuses", "containerStatuses")


@dataclass(frozen=True)
class Showing:
    """An object shows a reason, and says more about it in its message (which may be empty)."""

    time_ns: int
    object: str
    reason: str
    message: str

    def says(self, words: tuple[str, ...]) -> bool:
        """Whether the message has one of these words (none: whatever it says)."""
        return not words or any(word in self.message for word in words)

    def __str__(self) -> str:
        text = " ".join(self.message.split())
        if len(text) > _LONGEST_MESSAGE:
            text = f"{text[: _LONGEST_MESSAGE // 2]} … {text[-_LONGEST_MESSAGE // 2 :]}"
        return f"{self.object} shows {self.reason}" + (f": {text}" if text else "")


def of_pods(history: History, pods: Iterable[Watched]) -> list[Showing]:
    """All showings of these pods in their statuses and in Kubernetes' events of them, by time."""
    seen = list(pods)
    found = [showing for pod in seen for showing in _of_pod(pod)]
    for event in events_of(history, {pod.uid for pod in seen}):
        said = event.object
        name = f"Pod {said['involvedObject'].get('name', '')}"
        reason, message = said.get("reason") or "", said.get("message") or ""
        found.append(Showing(event.time_ns, name, reason, message))
    return sorted(found, key=lambda showing: showing.time_ns)


def events_of(history: History, uids: Set[str]) -> list[Watched]:
    """Kubernetes' events of these objects, as they came and were counted up."""
    return [
        event
        for event in changes(history, "Event")
        if event.change != "DELETED" and _concerns(event.object, uids)
    ]


def of_condition(event: Watched, name: str) -> Showing:
    """What one condition of an object says; nothing where it does not have it."""
    return _showing(event, condition(event.object, name))


def of_conditions(event: Watched) -> list[Showing]:
    """What an object's conditions that are not True say."""
    conditions = (event.object.get("status") or {}).get("conditions") or []
    return [_showing(event, each) for each in conditions if each.get("status") != "True"]


def told(shown: Iterable[Showing]) -> str:
    """Each reason that was shown, with its first message."""
    first: dict[str, Showing] = {}
    for each in shown:
        if each.reason:
            first.setdefault(each.reason, each)
    return "; ".join(map(str, first.values())) or "nothing"


def words_of(message: str | Iterable[str]) -> tuple[str, ...]:
    """The words of a claim about messages; one text is one of them."""
    return (message,) if isinstance(message, str) else tuple(message)


def _concerns(event: Object, uids: Set[str]) -> bool:
    return (event.get("involvedObject") or {}).get("uid") in uids


def _of_pod(pod: Watched) -> Iterator[Showing]:
    status = pod.object.get("status") or {}
    yield from of_conditions(pod)
    for container in (each for group in _STATUSES for each in status.get(group) or []):
        for field in ("state", "lastState"):
            for name, state in (container.get(field) or {}).items():
                if name != "running":
                    yield _showing(pod, state)


def _showing(event: Watched, said: Object) -> Showing:
    name = f"{event.kind} {event.name}"
    return Showing(event.time_ns, name, said.get("reason") or "", said.get("message") or "")
