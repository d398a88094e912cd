"""What an observer put on record, and an object that changes for it."""

from pathlib import Path

from chaoskit.history.events import AnyEvent, Watched
from chaoskit.kube.kinds import Object
from chaoskit.waiting import wait_until
from tests.records import events_in


def service(namespace: str, name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 80}]},
    }


def changes(events: list[AnyEvent], kind: str, name: str) -> list[Watched]:
    return [
        event
        for event in events
        if isinstance(event, Watched) and (event.kind, event.name) == (kind, name)
    ]


def wait_changes(folder: Path, kind: str, name: str, wanted: list[str]) -> list[Watched]:
    """Wait until the record shows exactly these changes of an object."""

    def seen() -> list[str]:
        return [event.change for event in changes(events_in(folder), kind, name)]

    wait_until(lambda: seen() == wanted, what=f"{kind} {name} {wanted}", timeout_s=20, seen=seen)
    return changes(events_in(folder), kind, name)
