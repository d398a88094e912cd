"""How long the containers of a node were ready to run and did not, by the kernel's own account.

/proc/PID/task/TID/schedstat has for each thread how long it ran and how long it waited in a run
queue, in nanoseconds (Linux: Documentation/scheduler/sched-stats.rst). What a limit of its cgroup
held back counts as waiting there too, so that is read beside it (cpu.stat).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chaoskit.cluster.pod_cgroups import Running
from chaoskit.history.events import ProcessorWait

#: What cpu.stat calls the time, by the version of the control groups, and its unit in ns.
_THROTTLED = {"throttled_time": 1, "throttled_usec": 1000}


@dataclass(frozen=True)
class _Spent:
    ran_ns: int = 0
    waited_ns: int = 0

    def since(self, before: "_Spent") -> "_Spent":
        """What came since then; all of it where another thread had the number then."""
        if self.ran_ns < before.ran_ns or self.waited_ns < before.waited_ns:
            return self
        return _Spent(self.ran_ns - before.ran_ns, self.waited_ns - before.waited_ns)


class ProcessorWaits:
    """The waits of one node's containers, from look to look."""

    def __init__(self, cpu_cgroup: Path, *, proc: Path = Path("/proc")) -> None:
        """`cpu_cgroup` is the node's own cgroup, where its processors are limited."""
        self._cpu_cgroup = cpu_cgroup
        self._proc = proc
        self._spent: Mapping[str, Mapping[str, _Spent]] = {}
        self._throttled_ns: Mapping[str, int] = {}

    @property
    def can_tell(self) -> bool:
        """Whether this kernel keeps the account, and the limits can be read."""
        return (self._proc / "self/schedstat").exists() and _stat_file(self._cpu_cgroup).exists()

    def look(self, containers: Iterable[Running]) -> list[ProcessorWait]:
        """What each of them waited since the look before; nothing of one that is new since."""
        before, was_throttled_ns = self._spent, self._throttled_ns
        looked_at = list(containers)
        self._spent = {one.container_id: dict(self._threads(one)) for one in looked_at}
        places = {place for one in looked_at for place in _places(one)}
        self._throttled_ns = {place: _throttled_ns(self._cpu_cgroup / place) for place in places}
        waits = []
        for one in looked_at:
            if one.container_id not in before:
                continue
            earlier = before[one.container_id]
            spent = [
                thread.since(earlier.get(tid, _Spent()))
                for tid, thread in self._spent[one.container_id].items()
            ]
            held_ns = [
                self._throttled_ns[place] - was_throttled_ns[place]
                for place in _places(one)
                if place in was_throttled_ns
            ]
            waits.append(
                ProcessorWait(
                    pod_uid=one.pod_uid,
                    container_id=one.container_id,
                    waited_ns=max((each.waited_ns for each in spent), default=0),
                    ran_ns=sum(each.ran_ns for each in spent),
                    throttled_ns=max(0, *held_ns) if held_ns else 0,
                )
            )
        return waits

    def _threads(self, one: Running) -> Iterator[tuple[str, _Spent]]:
        for pid in one.pids:
            tasks = self._proc / pid / "task"
            try:
                for tid in os.listdir(tasks):
                    ran, waited, _ = (tasks / tid / "schedstat").read_text().split()
                    yield tid, _Spent(int(ran), int(waited))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile


def _places(one: Running) -> tuple[str, str, str]:
    """The cgroups whose limits hold it: its own, its pod's, its node's."""
    return one.place, os.path.dirname(one.place), "."


def _stat_file(cgroup: Path) -> Path:
    return cgroup / "cpu.stat"


def _throttled_ns(cgroup: Path) -> int:
    """How long its limit has held it back so far; 0 without one, and when it is gone."""
    try:
        rows = _stat_file(cgroup).read_text().splitlines()
    except OSError:
        return 0
    for row in rows:
        name, _, value = row.partition(" ")
        if name in _THROTTLED:
            return int(value) * _THROTTLED[name]
    return 0
