"""A driver whose processes somebody else starts, wherever load is to come from.

One process here is Locust's master, used for its channel only; each worker
(`python -m chaoskit.load.child.worker HOST PORT RECORD_FOLDER`) drives a part of each load
and records it into a folder of its own. The folders' files, put together, are the record.

Planned times are moments of CLOCK_MONOTONIC, so workers must share this host's kernel: processes
in other network namespaces, containers, pods on a node that is a container here. One on another
machine is refused. The channel is neither secret nor authenticated: whoever can connect to it sees
the plans and can pose as a worker. It is bound to 127.0.0.1 unless told otherwise.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from chaoskit import clock
from chaoskit.errors import LoadError, UsageError, WaitTimeout
from chaoskit.load.checks import check_range, refused
from chaoskit.load.child_process import ChildProcess
from chaoskit.load.closed import ClosedPlan
from chaoskit.load.driven import parts_of
from chaoskit.load.messages import (
    Begin,
    Failed,
    FromChild,
    FromWorker,
    Health,
    Left,
    Listening,
    LoadSummary,
    Ready,
    Stop,
    ToWorker,
)
from chaoskit.load.part import MAX_PARTS
from chaoskit.load.profile import LoadPlan, check_address
from chaoskit.load.running import RunningLoad, require_idle

P = TypeVar("P", LoadPlan, ClosedPlan)

_READY_TIMEOUT_S = 60.0
_STEP_S = 0.1
#: Workers say that they are there each second; a busy machine holds that up for some.
_SILENT_S = 10.0


class Workers:
    """Locust's master here and `count` workers elsewhere: a driver like `Driver`.

    Raises `UsageError` for an address that is neither loopback nor private, `LoadError` if the
    master cannot be started. `close` it, or use it as a context: the workers end with it.
    """

    def __init__(
        self, *, count: int, host: str = "127.0.0.1", port: int = 0, silent_s: float = _SILENT_S
    ) -> None:
        """`port` 0 takes a free one; `wait_listening` says which. A worker that is not heard of
        for `silent_s` is taken for lost.
        """
        check_range("the workers", "count", count, 1, MAX_PARTS)
        check_range("the workers", "silent_s", silent_s, 3.0, 60.0)
        check_address("the workers' master", host)
        self._count = count
        self._running: RunningLoad[LoadPlan] | RunningLoad[ClosedPlan] | None = None
        self._turn = 0
        self._workers: dict[str, _Worker] = {}
        self._master = ChildProcess(master=(host, port, silent_s))

    @property
    def pid(self) -> int:
        """Process id of the master."""
        return self._master.pid

    @property
    def alive(self) -> bool:
        """Whether the master runs and no worker was lost."""
        return self._master.alive and not any(each.lost for each in self._workers.values())

    def wait_listening(self, *, timeout_s: float = _READY_TIMEOUT_S) -> int:
        """Wait until workers may connect; the port. Raises `WaitTimeout`, `LoadError`."""
        message = self._master.wait_ready(timeout_s)
        assert isinstance(message, Listening)  # what a master says when it is ready
        return message.port

    def wait_ready(self, *, timeout_s: float = _READY_TIMEOUT_S) -> None:
        """Wait until all workers have connected.

        Raises `WaitTimeout`, `LoadError` if the master died, `UsageError` for a worker with
        another clock.
        """
        port = self.wait_listening(timeout_s=timeout_s)
        started_ns = clock.now_ns()
        while len(self._workers) < self._count:
            spent_s = (clock.now_ns() - started_ns) / 1e9
            if spent_s > timeout_s:
                raise WaitTimeout(
                    f"waited for {self._count} workers",
                    subject=f"Locust's master on port {port}",
                    seen=f"{len(self._workers)} have connected",
                    spent_s=spent_s,
                    next_step="start: python -m chaoskit.load.child.worker HOST PORT FOLDER",
                )
            self._read(_STEP_S)

    def start(self, plan: P, record_folder: Path, log_path: Path) -> RunningLoad[P]:
        """Begin to drive `plan`. Workers record and log into their own folders; `record_folder` is
        where a worker's death is marked.

        Raises `UsageError` while another load runs, `WaitTimeout`, `LoadError`.
        """
        if not isinstance(plan, LoadPlan | ClosedPlan):
            raise refused("workers", plan, "let a Driver run the locustfile")
        require_idle(plan, self._running)
        self.wait_ready()
        self._turn += 1
        parts = parts_of(
            plan,
            list(self._workers.values()),
            turn=self._turn,
            record_folder=record_folder,
            log_path=log_path,
        )
        running = RunningLoad(plan, parts)
        self._running = running
        running.begin(begun_within_s=None)
        return running

    def close(self) -> None:
        """End the master and, by its word, the workers."""
        self._master.close()

    def _read(self, timeout_s: float) -> bool:
        """Take in one message of the master; False if there was none."""
        message = self._master.receive(timeout_s)
        if not isinstance(message, FromWorker):
            return message is not None
        said = message.message
        if isinstance(said, Ready):
            self._join(message.worker, said)
        elif message.worker in self._workers:
            self._workers[message.worker].said.append(said)
        return True

    def _join(self, name: str, ready: Ready) -> None:
        if ready.boot_id != clock.boot_id():
            raise UsageError(
                "cannot drive a part of a load: its clock is not this host's",
                subject=f"worker on {ready.host}",
                seen=f"boot id {ready.boot_id}, here {clock.boot_id()}",
                next_step="start workers on this machine, in containers or pods of it",
            )
        if len(self._workers) < self._count:
            self._workers[name] = _Worker(name, ready, self._master, self._read)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Worker:
    """One worker, as a `Child`."""

    def __init__(
        self, name: str, ready: Ready, master: ChildProcess, read: Callable[[float], bool]
    ) -> None:
        self.log_path: Path | None = None
        self.said: deque[Health | Failed | LoadSummary | Left] = deque()
        self.lost = False
        self._name = name
        self._ready = ready
        self._master = master
        self._read = read

    @property
    def pid(self) -> int:
        """Its process id, where it runs."""
        return self._ready.pid

    def fileno(self) -> int:
        """The master's: all workers speak through it."""
        return self._master.fileno()

    def send(self, message: Begin | Stop) -> None:
        """Let the master pass on a message. Raises `LoadError` if the master cannot take it."""
        self._master.send(ToWorker(worker=self._name, message=message))

    def receive(self, timeout_s: float) -> FromChild | None:
        """Its next message, if any came in time. Raises `LoadError` once it or the master died."""
        while not self.said and self._read(timeout_s):
            pass
        if not self.said:
            return None
        message = self.said.popleft()
        if isinstance(message, Left):
            raise self.death(f"has not been heard of for {message.silent_s:.0f} s")
        return message

    def death(self, problem: str) -> LoadError:
        """The error that tells how it went away; it cannot be used any more."""
        self.lost = True
        return LoadError(
            f"the load's worker {problem}",
            subject=f"process {self.pid} on {self._ready.host}",
            next_step="read the log in its record folder, which holds what was sealed before",
        )

    def close(self) -> None:
        """It is not ours to end: it goes when the master does."""
