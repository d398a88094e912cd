"""The child that owns Locust, seen from outside: a process, a socket pair to it, its log."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import chaoskit
from chaoskit import clock
from chaoskit.errors import LoadError, WaitTimeout
from chaoskit.load.messages import (
    IN_A_FILE,
    MAX_PACKET_BYTES,
    FromChild,
    Listening,
    Ready,
    ToChild,
    packet_of,
    read_from_child,
)

_LOG_LINES = 20
_LOG_BYTES = 1 << 20
_EXIT_TIMEOUT_S = 5.0
_STEP_S = 0.1
_PACKAGE_ROOT = Path(chaoskit.__file__).parent.parent


class ChildProcess:
    """Started by exec, because importing Locust patches the process that does it.

    It ends by itself within 2 s of this process's death: it sees the end of the socket, and that
    it has another parent. Raises `LoadError` where the operating system refuses to start it.
    """

    def __init__(self, *, master: tuple[str, int, float] | None = None) -> None:
        """`master`: it drives nothing itself, but is Locust's master on this host and port, and
        takes workers for lost that are silent for so many seconds."""
        #: Where it logs once it drives a load; before that, into a file without a name.
        self.log_path: Path | None = None
        self._ready: Ready | Listening | None = None
        self._first_log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        try:
            self._process = subprocess.Popen(
                _command(theirs.fileno(), master),
                stdin=subprocess.DEVNULL,
                stdout=self._first_log,
                stderr=self._first_log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=_environment(),
            )
        except OSError as error:
            self._socket.close()
            self._first_log.close()
            raise LoadError(
                "the load's process could not be started", subject=sys.executable, seen=error
            ) from error
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Its process id, also the id of its process group and session."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    def fileno(self) -> int:
        """What `select` looks at to see whether it has said something."""
        return self._socket.fileno()

    def wait_ready(self, timeout_s: float) -> Ready | Listening:
        """Wait until Locust is loaded. Raises `WaitTimeout`, or `LoadError` if it died."""
        started_ns = clock.now_ns()
        while self._ready is None:
            spent_s = (clock.now_ns() - started_ns) / 1e9
            if spent_s > timeout_s:
                raise WaitTimeout(
                    "waited for the load's process to have imported Locust",
                    subject=f"process {self.pid}",
                    spent_s=spent_s,
                    seen=self.log_tail(),
                    next_step="the machine may be overloaded",
                )
            message = self.receive(_STEP_S)
            self._ready = message if isinstance(message, Ready | Listening) else None
        return self._ready

    def send(self, message: ToChild) -> None:
        """Hand it a message without waiting. Raises `LoadError` if it cannot take it."""
        packet = packet_of(message)
        try:
            if len(packet) <= MAX_PACKET_BYTES:
                self._socket.send(packet)
                return
            with tempfile.TemporaryFile() as file:  # it has no name, and lives on in the child
                file.write(packet)
                file.flush()
                socket.send_fds(self._socket, [IN_A_FILE], [file.fileno()])
        except OSError as error:
            raise self.death(f"could not be told to {type(message).__name__.lower()}") from error

    def receive(self, timeout_s: float) -> FromChild | None:
        """Its next message; None if none came within `timeout_s`.

        Raises `LoadError` with exit code and last log lines once it is dead and has said all.
        """
        if self._socket.fileno() < 0:
            raise self.death("was closed")
        if not select.select([self._socket], [], [], timeout_s)[0]:
            if self.alive:
                return None
            raise self.death("died")
        try:
            packet = self._socket.recv(MAX_PACKET_BYTES)
        except ConnectionResetError:
            packet = b""
        if packet:
            return read_from_child(packet)
        raise self.death("died")

    def death(self, problem: str) -> LoadError:
        """The error that tells how it ended and what it wrote last; gives it a moment to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_TIMEOUT_S)
        exit_code = self._process.returncode
        return LoadError(
            f"the load's process {problem}",
            subject=f"process {self.pid}",
            seen=f"exit code {exit_code}, last lines of its log:\n{self.log_tail()}",
            next_step=f"read {self.log_path}; the record holds what was sealed before"
            if self.log_path
            else "see that the same interpreter can import locust",
        )

    def close(self) -> None:
        """Let it go; kill it if it does not. A second call does nothing."""
        self._socket.close()
        if self._ready is None:
            self._process.kill()  # it is still importing, and has nothing to seal
        try:
            self._process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(_EXIT_TIMEOUT_S)
        self._first_log.close()

    def log_tail(self) -> str:
        """The last lines of its log."""
        try:
            if self.log_path is not None:
                log = self.log_path.read_bytes()
            elif self._first_log.closed:
                return "(closed)"
            else:
                log = os.pread(self._first_log.fileno(), _LOG_BYTES, 0)
        except OSError as error:
            return f"(unreadable: {error})"
        return "\n".join(log.decode(errors="replace").splitlines()[-_LOG_LINES:]) or "(empty)"


def _command(descriptor: int, master: tuple[str, int, float] | None) -> list[str]:
    # -P: a module in the working folder must not take the place of one that the child imports.
    module = "chaoskit.load.child"
    arguments = [descriptor, os.getpid(), *(master or ())]
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def _environment() -> dict[str, str]:
    """This process's environment, without what would change how Locust is imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    paths = [str(_PACKAGE_ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
