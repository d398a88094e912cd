"""The observer's own lag, measured on what carries its own time: the leases that kubelets renew."""

from datetime import UTC, datetime
from typing import Protocol

from chaoskit import clock
from chaoskit.history.events import AnyEvent, Watched, WatchLag

#: Every kubelet renews its lease here every few seconds, with the time to the microsecond.
LEASE_KIND = "Lease"
LEASE_NAMESPACE = "kube-node-lease"


class Appender(Protocol):
    """Where the measurements go."""

    def append(self, event: AnyEvent) -> None: ...


class LeaseLag:
    """The sink of a watch of the nodes' leases: writes how late each renewal came.

    A renewal's own time and this process's wall clock are the same clock where nodes are
    containers of this host; elsewhere the difference means nothing, and nothing should be watched
    through this.
    """

    def __init__(self, into: Appender) -> None:
        self._into = into

    def append(self, event: AnyEvent) -> None:
        """Take one event of the watch; what was listed is of old and tells nothing."""
        if not isinstance(event, Watched) or event.change != "MODIFIED":
            return
        renewed = (event.object.get("spec") or {}).get("renewTime")
        if renewed is None:
            return
        lag_ns = clock.wall_ns() - _wall_ns(renewed)
        self._into.append(
            WatchLag(time_ns=event.time_ns, kind=event.kind, name=event.name, lag_ns=lag_ns)
        )

    def first_listed(self, kind: str, resource_version: int) -> None:
        """Nobody waits for it."""


def _wall_ns(text: str) -> int:
    """A Kubernetes MicroTime ("2026-11-20T10:11:12.123456Z") in nanoseconds since the epoch."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    since = moment - epoch
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
