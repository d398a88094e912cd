"""A cluster's part of a hand-made history, told in order of time."""

from datetime import UTC, datetime
from typing import Any, Literal

from chaoskit.history.events import (
    AnyEvent,
    ClockPair,
    ContainerScan,
    ContainerSeen,
    FaultMark,
    Note,
    ProcessorWait,
    StepMark,
    StoreContents,
    Watched,
    WatchGap,
    WatchStarted,
)
from tests.corpus.requests import phase_marks
from tests.corpus.times import START_NS, WALL_START_NS, at

NAMESPACE = "chaos"


class Story:
    """Collects events; resourceVersions rise in the order of telling."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.version = 100

    def clock(self) -> "Story":
        """The pair of wall and monotonic time."""
        self.events.append(ClockPair(time_ns=START_NS, wall_ns=WALL_START_NS, boot_id="boot"))
        return self

    def watching(self, *kinds: str, second: float = 0.0) -> "Story":
        """The watches of these kinds are complete from here on."""
        self.version += 1
        for kind in kinds:
            self.events.append(
                WatchStarted(time_ns=at(second), kind=kind, resource_version=self.version)
            )
        return self

    def gap(self, kind: str, second: float, *uids: str) -> "Story":
        """The watch of a kind missed something about these objects."""
        self.events.append(
            WatchGap(
                time_ns=at(second),
                kind=kind,
                since_ns=at(second - 1),
                uids=list(uids),
                reason="410 Gone",
            )
        )
        return self

    def watched(
        self,
        second: float,
        kind: str,
        obj: dict[str, Any],
        change: Literal["LISTED", "ADDED", "MODIFIED", "DELETED"] = "MODIFIED",
    ) -> "Story":
        """An object as the API server showed it."""
        self.version += 1
        metadata = obj["metadata"]
        self.events.append(
            Watched(
                time_ns=at(second),
                kind=kind,
                change=change,
                uid=metadata["uid"],
                namespace=metadata.get("namespace", ""),
                name=metadata["name"],
                resource_version=self.version,
                object=obj,
            )
        )
        return self

    def fault(
        self,
        name: str,
        target: str,
        start_s: float,
        heal_s: float,
        *,
        proved: bool = True,
        ineffective_at: float | None = None,
        healed: bool = True,
    ) -> "Story":
        """A fault measured twice a second from its injection to its heal."""

        def mark(second: float, what: Any) -> None:
            self.events.append(
                FaultMark(
                    time_ns=at(second),
                    fault_id=f"{name}-{start_s}",
                    name=name,
                    target=target,
                    mark=what,
                )
            )

        mark(start_s, "requested")
        mark(start_s + 0.1, "injected")
        second = start_s + 0.2
        while proved and second < heal_s:
            mark(second, "effective")
            second += 0.5
        if ineffective_at is not None:
            mark(ineffective_at, "ineffective")
        mark(heal_s, "heal_requested")
        if healed:
            mark(heal_s + 0.3, "healed")
        return self

    def step(
        self,
        name: str,
        target: str,
        second: float,
        *,
        took_s: float = 0.1,
        force: bool = False,
        end: Literal["done", "failed"] | None = "done",
    ) -> "Story":
        """An operator's action."""
        step_id = f"{name}-{second}"
        self.events.append(
            StepMark(
                time_ns=at(second),
                step_id=step_id,
                name=name,
                target=target,
                mark="started",
                force=force,
            )
        )
        if end is not None:
            self.events.append(
                StepMark(
                    time_ns=at(second + took_s),
                    step_id=step_id,
                    name=name,
                    target=target,
                    mark=end,
                    force=force,
                )
            )
        return self

    def phase(self, name: str, start_s: float, end_s: float | None) -> "Story":
        """A named span of the run; None: its end is not on record."""
        self.events.extend(phase_marks(name, start_s, end_s))
        return self

    def scans(self, node: str, until_s: float, *, silent: tuple[float, float] = (0, 0)) -> "Story":
        """A node scanned 20 times a second, reported each second, except in `silent`."""
        for second in range(round(until_s)):
            if silent[0] <= second < silent[1]:
                continue
            self.events.append(
                ContainerScan(
                    time_ns=at(second + 1),
                    node=node,
                    since_ns=at(second),
                    scans=20,
                    longest_gap_ns=60_000_000,
                )
            )
        return self

    def starving(
        self,
        pod_uid: str,
        until_s: float,
        waited_s: float,
        *,
        ran_s: float = 0.05,
        throttled_s: float = 0.0,
        node: str = "n1",
        over_s: float = 1.0,
    ) -> "Story":
        """A scan's report, over the last second, of a container that waited for a processor."""
        wait = ProcessorWait(
            pod_uid=pod_uid,
            container_id=f"of {pod_uid}",
            waited_ns=round(waited_s * 1e9),
            ran_ns=round(ran_s * 1e9),
            throttled_ns=round(throttled_s * 1e9),
        )
        self.events.append(
            ContainerScan(
                time_ns=at(until_s),
                node=node,
                since_ns=at(until_s - over_s),
                scans=20,
                longest_gap_ns=60_000_000,
                waits=[wait],
            )
        )
        return self

    def container(
        self, node: str, pod_uid: str, container_id: str, start_s: float, gone_s: float | None
    ) -> "Story":
        """A container seen on a node from one moment to another (None: to the end)."""
        moments: list[tuple[float, Literal["running", "gone"]]] = [(start_s, "running")]
        if gone_s is not None:
            moments.append((gone_s, "gone"))
        for second, state in moments:
            self.events.append(
                ContainerSeen(
                    time_ns=at(second),
                    node=node,
                    pod_uid=pod_uid,
                    container_id=container_id,
                    state=state,
                    before_ns=at(second) - 50_000_000,
                )
            )
        return self

    def store(self, second: float, member: str, *entries: tuple[str, str, int]) -> "Story":
        """All that a key-value member held, written by one process."""
        return self.store_of_boots(second, member, *((*entry, "boot-1") for entry in entries))

    def store_of_boots(
        self, second: float, member: str, *entries: tuple[str, str, int, str]
    ) -> "Story":
        """All that a key-value member held, each entry with the process that wrote it."""
        self.events.append(
            StoreContents(
                time_ns=at(second),
                member=member,
                pod_uid=f"uid-{member}",
                entries=list(entries),
            )
        )
        return self

    def ended(self, second: float) -> "Story":
        """Recording went on until then."""
        self.events.append(note_of_end(second))
        return self


def note_of_end(second: float) -> Note:
    """An event that means nothing but that recording went on until then."""
    return Note(time_ns=at(second), source="test", level="info", text="end")


def stamp(second: float) -> str:
    """The moment as Kubernetes writes it: wall time in whole seconds."""
    wall_s = (WALL_START_NS + round(second * 1e9)) // 1_000_000_000
    return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
