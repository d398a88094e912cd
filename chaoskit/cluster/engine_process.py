"""Starting the container engine without or with systemd, and stopping the one we started."""

import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from chaoskit import clock
from chaoskit.cluster import engine
from chaoskit.cluster.engine_state import Progress, state_folder, system_path, tail
from chaoskit.errors import EngineError, WaitTimeout
from chaoskit.waiting import wait_until

ENDPOINT = "unix:///var/run/docker.sock"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0

# dockerd refuses to start while the process of its pid file lives, and waits in vain for a
# containerd whose pid file names any living process: after a crash or a reboot both numbers may
# belong to somebody else.
_PID_FILES = (
    (Path("/var/run/docker.pid"), "dockerd"),
    (Path("/var/run/docker/containerd/containerd.pid"), "containerd"),
)
# The kernel kills a containerd whose dockerd was killed (its parent-death signal), but not at once:
# a dockerd started in between takes it for running, and fails after the 15 s it waits for it.
_ORPHAN_TIMEOUT_S = 10.0
# dockerd takes a system containerd for running as soon as this file is there.
_SYSTEM_CONTAINERD = Path("/run/containerd/containerd.sock")


@dataclass(frozen=True, kw_only=True)
class StartedEngine:
    """The engine that chaoskit started, written down so that it can be stopped, and only it.

    `started_ticks` is the process's start time from /proc: a pid alone may be reused.
    """

    pid: int
    started_ticks: int
    boot_id: str
    log: str


def start(progress: Progress) -> engine.Engine:
    """Start the engine and wait until it answers.

    Raises `EngineError`, `WaitTimeout`, or `Hopeless` with the end of its log if it ended.
    """
    if Path("/run/systemd/system").is_dir():
        return _start_by_systemd(progress)
    for note in clear_leftovers():
        progress(note)
    log = state_folder() / "dockerd.log"
    with log.open("ab") as output:
        # Its own session: a Ctrl-C or the end of our terminal must not take the engine along.
        process = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd="/", env={**os.environ, "PATH": system_path()},
        )  # fmt: skip
    _write_entry(process.pid, log)
    progress(f"dockerd started, process {process.pid}, log {log}")
    found = _wait_engine_answers(process, log)
    progress("it stays on after this command; `chaoskit doctor --stop-engine` stops it")
    return found


def _start_by_systemd(progress: Progress) -> engine.Engine:
    progress("systemctl start docker")
    done = subprocess.run(
        ["systemctl", "start", "docker"], capture_output=True, text=True, check=False,
        timeout=START_TIMEOUT_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise EngineError(
            "systemd could not start docker.service",
            seen=done.stderr.strip(),
            next_step="journalctl -u docker.service",
        )
    progress("it stays on after this command; `systemctl stop docker` stops it")
    return _wait_engine_answers(None, None)


def _wait_engine_answers(
    process: subprocess.Popen[bytes] | None, log: Path | None
) -> engine.Engine:
    def answering() -> engine.Engine | None:
        found = engine.ask(ENDPOINT)
        return found if isinstance(found, engine.Engine) else None

    def ended() -> str | None:
        if process is None or log is None or process.poll() is None:
            return None
        return f"dockerd ended with status {process.returncode}; the end of {log}:\n{tail(log)}"

    return wait_until(
        answering,
        what=f"the engine to answer at {ENDPOINT}",
        timeout_s=START_TIMEOUT_S,
        seen=lambda: engine.ask(ENDPOINT),
        hopeless=ended,
        next_step=None if log is None else f"read {log}",
    )


def clear_leftovers() -> list[str]:
    """Remove what a dead engine left and a new one would stumble over; says what it removed.

    A pid file whose process lives and is what the file says stays, but a containerd whose dockerd
    is gone is given up to 10 s to follow it.
    """
    notes = []
    _wait_orphaned_containerd_gone()
    for file, name in _PID_FILES:
        if file.exists() and not _is_running(file, name):
            file.unlink()
            notes.append(f"removed {file}: left by a {name} that is gone")
    if _SYSTEM_CONTAINERD.exists() and not _is_listening(_SYSTEM_CONTAINERD):
        _SYSTEM_CONTAINERD.unlink()
        notes.append(f"removed {_SYSTEM_CONTAINERD}: nobody listens there")
    return notes


def _wait_orphaned_containerd_gone() -> None:
    """Wait until no containerd is left over from a dockerd that is gone, at most 10 s.

    One that outlives that has no parent-death signal, and dockerd takes it over.
    """
    (docker_file, docker), (file, name) = _PID_FILES
    if _is_running(docker_file, docker):
        return
    with suppress(WaitTimeout):
        wait_until(
            lambda: not _is_running(file, name),
            what=f"the {name} of a {docker} that is gone to end",
            timeout_s=_ORPHAN_TIMEOUT_S,
        )


def _is_running(pid_file: Path, name: str) -> bool:
    """Whether the process of a pid file lives and has that name."""
    try:
        process = psutil.Process(int(pid_file.read_text()))
        return process.name() == name and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, NotADirectoryError, ValueError, psutil.NoSuchProcess):
        return False


def _is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def started_engine() -> StartedEngine | None:
    """The engine that chaoskit started, if it still runs."""
    file = state_folder() / "engine.json"
    if not file.exists():
        return None
    entry = StartedEngine(**json.loads(file.read_text()))
    same_boot = entry.boot_id == clock.boot_id()
    return entry if same_boot and _started_ticks(entry.pid) == entry.started_ticks else None


def stop(progress: Progress) -> None:
    """Stop the engine that chaoskit started, and no other; `EngineError` if there is none."""
    entry = started_engine()
    if entry is None:
        raise EngineError(
            "no engine that chaoskit started is running",
            seen=f"no living entry in {state_folder() / 'engine.json'}",
            next_step="an engine that was started otherwise is stopped the way it was started",
        )
    handle = os.pidfd_open(entry.pid)
    try:
        # Asked again now that the handle pins the process: from here it cannot become another.
        if _started_ticks(entry.pid) == entry.started_ticks:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        progress(f"dockerd {entry.pid} was told to end")
        wait_until(
            lambda: started_engine() is None,
            what=f"dockerd {entry.pid} to end",
            timeout_s=STOP_TIMEOUT_S,
            next_step=f"read {entry.log}",
        )
    finally:
        os.close(handle)
    (state_folder() / "engine.json").unlink()
    progress("stopped; its containers and images stay where they are")


def _write_entry(pid: int, log: Path) -> None:
    ticks = _started_ticks(pid)
    if ticks is None:
        return  # it ended at once; waiting for its answer says so with the end of its log
    entry = StartedEngine(pid=pid, started_ticks=ticks, boot_id=clock.boot_id(), log=str(log))
    draft = state_folder() / "engine.json.new"
    draft.write_text(json.dumps(asdict(entry)))
    draft.replace(state_folder() / "engine.json")


def _started_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat (proc(5)), None if the process is gone or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
