"""Driving loads from the harness: processes that are started early and stay warm between loads."""

from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from chaoskit import clock
from chaoskit.load.checks import refused
from chaoskit.load.child_process import ChildProcess
from chaoskit.load.closed import LocustfilePlan
from chaoskit.load.driven import parts_of
from chaoskit.load.messages import Plan
from chaoskit.load.part import MAX_PARTS
from chaoskit.load.running import RunningLoad, require_idle

__all__ = ["Driver", "RunningLoad", "prepare", "start"]

P = TypeVar("P", bound=Plan)

#: Importing Locust takes about 1 s, several times that on a busy machine.
READY_TIMEOUT_S = 60.0


class Driver:
    """One process or several that drive loads, one load at a time; they stay warm between them.

    One sends some thousand requests a second (`python -m benchmarks.driver`) and uses one core.
    Raises `LoadError` if they cannot be started. `close` it, or use it as a context.
    """

    def __init__(self, *, processes: int = 1) -> None:
        if not 1 <= processes <= MAX_PARTS:
            raise refused("the driver", f"processes={processes}", f"choose from 1 to {MAX_PARTS}")
        self._children: list[ChildProcess] = []
        self._running: RunningLoad[Plan] | None = None
        self._turn = 0
        self._closed = False
        try:
            for _ in range(processes):
                self._children.append(ChildProcess())
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the child; of the first of several."""
        return self._children[0].pid

    @property
    def alive(self) -> bool:
        """Whether all children still run; a driver with a dead one cannot be used again."""
        return all(child.alive for child in self._children)

    def wait_ready(self, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until Locust is loaded. Raises `WaitTimeout`, or `LoadError` if a child died."""
        deadline_ns = clock.now_ns() + int(timeout_s * 1e9)
        for child in self._children:
            child.wait_ready(max((deadline_ns - clock.now_ns()) / 1e9, 0.0))

    def start(self, plan: P, record_folder: Path, log_path: Path) -> RunningLoad[P]:
        """Begin to drive `plan`, recording into `record_folder`, which exists.

        A locustfile runs in one process, which is not used for anything after it. Raises
        `UsageError` while another load of this driver runs, `WaitTimeout` or `LoadError` if a
        child does not come up or cannot run the locustfile.
        """
        require_idle(plan, self._running)
        foreign = isinstance(plan, LocustfilePlan)
        if isinstance(plan, LocustfilePlan):
            plan.check_resolved()
        self.wait_ready()
        self._turn += 1
        parts = parts_of(
            plan,
            self._children[:1] if foreign else self._children,
            turn=self._turn,
            record_folder=record_folder,
            log_path=log_path,
        )
        running = RunningLoad(plan, parts)
        self._running = running
        if foreign:
            running.at_end(self._replace_first)
        running.begin(begun_within_s=READY_TIMEOUT_S if foreign else None)
        return running

    def close(self) -> None:
        """End the processes; a load that still runs is cut short and its record sealed."""
        self._closed = True
        for child in self._children:
            child.close()

    def _replace_first(self) -> None:
        """What ran a locustfile may still be at it, and is changed by what that has imported."""
        self._children[0].close()
        if not self._closed:
            self._children[0] = ChildProcess()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def prepare(*, processes: int = 1) -> Driver:
    """Start idle children; they import Locust while the caller does something else."""
    return Driver(processes=processes)


def start(
    plan: P, record_folder: Path, log_path: Path, *, driver: Driver | None = None
) -> RunningLoad[P]:
    """Drive `plan` with `driver`, or with a process of its own that ends with the load."""
    if driver is not None:
        return driver.start(plan, record_folder, log_path)
    own = prepare()
    try:
        running = own.start(plan, record_folder, log_path)
    except BaseException:
        own.close()
        raise
    running.at_end(own.close)
    return running
