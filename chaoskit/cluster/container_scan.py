"""The container scan's own process: `python -m chaoskit.cluster.container_scan ORDERS`.

Reads every node's pod cgroups 20 times a second and writes what came and went. A process of its
own, because the scan must keep its pace while the harness is busy, blocked or killed. It ends
when its stdin ends, on SIGTERM, or when its parent dies.
"""

import os
import resource
import select
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chaoskit import clock
from chaoskit.cluster.pod_cgroups import PodCgroups
from chaoskit.cluster.processor_waits import ProcessorWaits
from chaoskit.history.events import ContainerScan, ContainerSeen, ProcessorWait
from chaoskit.history.writer import EventWriter
from chaoskit.priority import prefer_this_process

PERIOD_S = 0.05
_REPORT_NS = 1_000_000_000
#: Containers that waited for a smaller part of the time are not told: they are many.
_TOLD_SHARE = 0.25


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Which cgroup of the host is which node's, and where to write what is seen.

    `cpu_cgroups`: the same where processors are limited, as far as it can be seen.
    """

    cgroups: dict[str, str]
    cpu_cgroups: dict[str, str]
    events_file: str
    parent_pid: int


@dataclass(kw_only=True)
class _Node:
    name: str
    containers: PodCgroups
    waits: ProcessorWaits | None
    scanned_ns: int
    reported_ns: int
    scans: int = 0
    longest_gap_ns: int = 0


class Scan:
    """The process's main loop."""

    def __init__(self, orders: Orders) -> None:
        self._parent = os.pidfd_open(orders.parent_pid)
        self._told_to_stop = False
        now_ns = clock.now_ns()
        self._nodes = [
            _Node(
                name=name,
                containers=PodCgroups(Path(cgroup)),
                waits=_waits(orders.cpu_cgroups.get(name)),
                scanned_ns=now_ns,
                reported_ns=now_ns,
            )
            for name, cgroup in orders.cgroups.items()
        ]
        self._events_file = Path(orders.events_file)

    def run(self) -> None:
        """Scan until told to stop, or until the parent is gone."""
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with EventWriter(self._events_file) as writer:
            print("scanning", flush=True)
            period_ns = int(PERIOD_S * 1e9)
            due_ns = clock.now_ns()
            while not self._ended(due_ns):
                for node in self._nodes:
                    self._scan(node, writer)
                # Missed turns are not made up for: the longest gap says that they were missed.
                due_ns = max(due_ns + period_ns, clock.now_ns())
            for node in self._nodes:
                self._report(node, clock.now_ns(), writer)
                node.containers.close()

    def _scan(self, node: _Node, writer: EventWriter) -> None:
        # The moment after reading: nothing is dated earlier than it can have been seen.
        before_ns = node.scanned_ns
        changes = node.containers.scan()
        now_ns = clock.now_ns()
        for change in changes:
            writer.append(
                ContainerSeen(
                    time_ns=now_ns,
                    node=node.name,
                    pod_uid=change.pod_uid,
                    container_id=change.container_id,
                    state=change.state,
                    before_ns=before_ns,
                )
            )
        node.scans += 1
        node.longest_gap_ns = max(node.longest_gap_ns, now_ns - before_ns)
        node.scanned_ns = now_ns
        if now_ns - node.reported_ns >= _REPORT_NS:
            self._report(node, now_ns, writer)

    def _report(self, node: _Node, now_ns: int, writer: EventWriter) -> None:
        writer.append(
            ContainerScan(
                time_ns=now_ns,
                node=node.name,
                since_ns=node.reported_ns,
                scans=node.scans,
                longest_gap_ns=max(node.longest_gap_ns, now_ns - node.scanned_ns),
                waits=_long_waits(node, now_ns),
            )
        )
        node.reported_ns = now_ns
        node.scans = node.longest_gap_ns = 0

    def _ended(self, due_ns: int) -> bool:
        """Wait for the next turn; True if there is to be none."""
        left_s = max(0.0, (due_ns - clock.now_ns()) / 1e9)
        readable, _, _ = select.select([self._parent, sys.stdin.fileno()], [], [], left_s)
        return self._told_to_stop or bool(readable)

    def _on_term(self, number: int, frame: object) -> None:
        self._told_to_stop = True


def _waits(cpu_cgroup: str | None) -> ProcessorWaits | None:
    if cpu_cgroup is None:
        return None
    waits = ProcessorWaits(Path(cpu_cgroup))
    return waits if waits.can_tell else None


def _long_waits(node: _Node, now_ns: int) -> list[ProcessorWait] | None:
    if node.waits is None:
        return None
    told_ns = _TOLD_SHARE * (now_ns - node.reported_ns)
    waits = node.waits.look(node.containers.running())
    return [wait for wait in waits if wait.waited_ns >= told_ns]


def main(arguments: list[str]) -> None:
    """Raise the limit of open files (one per container) and scan."""
    prefer_this_process()  # without the right to it, the gaps between scans say how late it was
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    Scan(msgspec.json.decode(arguments[0], type=Orders)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
