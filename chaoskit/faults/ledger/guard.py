"""The harness's side of its guardian: started early, told what to watch, ended in good order."""

import contextlib
import os
import select
import subprocess
import sys
from types import TracebackType
from typing import Self

from chaoskit import clock
from chaoskit.cluster.launch import labels
from chaoskit.cluster.launch.state import state_folder
from chaoskit.errors import FaultError
from chaoskit.faults.ledger import guardian as guardian_module
from chaoskit.faults.ledger.entry import Entry
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.waiting import wait_until

#: Its imports take about a second, several times that on a busy machine.
_READY_WITHIN_S = 60.0
_ENDS_WITHIN_S = guardian_module.TRIED_FOR_S + 30.0


class Guard:
    """Starts a guardian for this process, and another one where that died. `close` it.

    The guardian lives in a session of its own: signals to this one's process group and the end
    of its terminal do not reach it. With an `owner` it guards that process instead, until it ends.
    """

    def __init__(self, owner: labels.Owner | None = None) -> None:
        self._owner = owner or labels.this_process()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: list[str] = []
        self._rest = b""
        self._watched: list[str] = []

    @property
    def pid(self) -> int | None:
        """The guardian's process id, while there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it, unless it runs. It comes up beside whatever is done meanwhile."""
        if self._process is not None and self._process.poll() is None:
            return
        self._drop()
        folder = state_folder() / "guardian"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = folder / f"{self._owner.pid}-{self._owner.started_ticks}.log"
        argv = [sys.executable, "-m", guardian_module.__name__]
        with log.open("ab") as complaints:
            self._process = subprocess.Popen(
                [*argv, "--owner", str(self._owner), "--log", str(log)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        for name in self._watched:
            self._tell(f"watch {name}")

    def watch(self, cluster: str) -> None:
        """Let it connect to that cluster, so that healing needs no time for it."""
        if cluster in self._watched:
            return
        self._watched.append(cluster)
        self._tell(f"watch {cluster}")

    def forget(self, cluster: str) -> None:
        """That cluster is no more; a guardian started later need not look for it."""
        if cluster in self._watched:
            self._watched.remove(cluster)

    def wait_watching(self, cluster: str, *, timeout_s: float = _READY_WITHIN_S) -> None:
        """Wait until a guardian watches that cluster; a dead one is replaced.

        Raises `FaultError` if it cannot run, `WaitTimeout`.
        """
        self.start()
        self.watch(cluster)
        if self._heard(f"watching {cluster}"):
            return
        begun_ns = clock.now_ns()
        replaced = False

        def watching() -> bool:
            nonlocal replaced
            if self._process is None or self._process.poll() is not None:
                if not replaced:  # killed, but not yet seen to be dead when it was started
                    replaced = True
                    self.start()
                    return False
                raise FaultError(
                    "the guardian does not run, so nobody would heal if this process died",
                    subject=f"guardian of process {os.getpid()}",
                    seen=f"exit status {self._process.returncode if self._process else None}",
                    spent_s=(clock.now_ns() - begun_ns) / 1e9,
                    next_step=f"its log: {state_folder() / 'guardian'}",
                )
            return self._heard(f"watching {cluster}")

        wait_until(
            watching,
            what=f"the guardian to watch cluster {cluster}",
            timeout_s=timeout_s,
            interval_s=0.02,
            seen=lambda: self._said,
            next_step=f"its log: {state_folder() / 'guardian'}",
        )

    def close(self) -> None:
        """End it in good order; it first heals what is open still. May be repeated.

        Raises `FaultError` if something stays open.
        """
        if self._process is None:
            return
        begun_ns = clock.now_ns()
        if self._process.poll() is not None and self._open():
            self.start()  # the last one was killed; this one heals what is left
        self._tell("close")
        try:
            status = self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        finally:
            self._drop()
        if status != 0 and (left := self._open()):
            raise FaultError(
                f"{len(left)} faults of this session are still open",
                subject=f"guardian of process {os.getpid()}",
                seen="; ".join(str(entry) for entry in left),
                spent_s=(clock.now_ns() - begun_ns) / 1e9,
                next_step="chaoskit heal",
            )

    def _open(self) -> list[Entry]:
        own = str(self._owner)
        return [entry for entry in Ledger().read().entries if entry.owner == own]

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead: `wait_watching` starts another one, `close` sees its status

    def _heard(self, wanted: str) -> bool:
        """Whether it has said that, without waiting."""
        assert self._process is not None  # only asked after a start
        out = self._process.stdout
        assert out is not None  # a pipe
        while select.select([out], [], [], 0)[0]:
            data = os.read(out.fileno(), 4096)
            if not data:
                break
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._said += [line.decode() for line in lines]
        return wanted in self._said

    def _drop(self) -> None:
        if self._process is not None:
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):  # an unsent word to a dead one
                        pipe.close()
        self._process = None
        self._said = []
        self._rest = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
