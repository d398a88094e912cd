"""The observer: a process of its own that writes every change of the watched objects down."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from chaoskit import clock
from chaoskit.errors import ClusterError, RecordError, WaitTimeout
from chaoskit.history.events import Note, WatchGap
from chaoskit.history.folder import RecordFolder
from chaoskit.history.writer import EventWriter
from chaoskit.kube.collection import ANY_OBJECT
from chaoskit.kube.observing import Orders, Status

#: Never Secrets (a record must not hold them) nor ConfigMaps (nor what users keep in those).
KINDS = (
    "Pod",
    "Node",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
    "ControllerRevision",
    "DaemonSet",
    "Job",
    "Service",
    "EndpointSlice",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "PodDisruptionBudget",
    "Event",
)

#: What a killed writer may have seen and not yet sealed.
_UNSEALED_NS = 1_500_000_000

#: At the end it lists once more what it watched, and asks a server that refuses for seconds.
_STOP_TIMEOUT_S = 30.0


class Observer:
    """A running observer. Made by `start`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        kinds: Sequence[str],
        record: RecordFolder,
        log: Path,
    ) -> None:
        self._process = process
        self._kinds = tuple(kinds)
        self._record = record
        self._log = log
        self._changed = threading.Condition()
        self._synced = False
        self._ended = False
        self._failure = ""
        self._stopping = False
        self._alive_ns = clock.now_ns()
        self._end_writer: EventWriter | None = None
        self._died_ns = 0
        self._reader = threading.Thread(
            target=self._read_status, name="observer status", daemon=True
        )
        self._reader.start()

    @classmethod
    def start(
        cls,
        kubeconfig: Path,
        namespaces: Sequence[str],
        record_folder: Path,
        log_path: Path,
        *,
        kinds: Sequence[str] = KINDS,
        context: str | None = None,
        is_confined: bool = False,
    ) -> "Observer":
        """Start watching `namespaces` (and all nodes) into `record_folder`; see `wait_synced`.

        Confined, it asks for nothing of any other namespace.
        What the process itself has to say goes to `log_path`.
        """
        record = RecordFolder(record_folder)
        orders = Orders(
            kubeconfig=str(kubeconfig),
            context=context,
            kinds=list(kinds),
            namespaces=list(namespaces),
            events_file=str(record.new_events_file("observer")),
            parent_pid=os.getpid(),
            is_confined=is_confined,
        )
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "chaoskit.kube.observing", msgspec.json.encode(orders)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the harness, which then stops it
            )
        return cls(process, kinds, record, log_path)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still watches."""
        with self._changed:
            return not self._ended

    def wait_synced(self, timeout_s: float) -> None:
        """Wait until every collection was listed: from then on no change goes unseen.

        Raises `ClusterError` when it ended instead, `WaitTimeout` at the deadline.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._synced or self._ended, timeout_s)
            if self._ended:
                raise ClusterError(
                    "the observer ended before it watched anything",
                    subject=f"observer process {self.pid}",
                    seen=self._failure or f"exit code {self._process.poll()}",
                    next_step=f"read {self._log}",
                )
            if not self._synced:
                raise WaitTimeout(
                    "waited for the observer to list everything it watches",
                    subject=f"observer process {self.pid}",
                    spent_s=timeout_s,
                    next_step=f"see whether the API server answers, and read {self._log}",
                )

    def stop(self) -> None:
        """End watching; the record is complete afterwards. A second call does nothing.

        Raises `ClusterError` when the observer had ended by itself before: the record says so
        too, and guarantees over the time since are UNKNOWN.
        """
        with self._changed:
            if self._stopping:
                return
            self._stopping = True
            died = self._ended
        if not died:
            self._close_stdin()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            died = True
        self._reader.join()
        self._record_death_until_now()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if died or self._process.returncode != 0:
            raise ClusterError(
                "the observer ended by itself before the run did",
                subject=f"observer process {self.pid}",
                seen=self._failure or f"exit code {self._process.returncode}",
                next_step=f"read {self._log}; the record names the gap",
            )

    def _close_stdin(self) -> None:
        assert self._process.stdin is not None  # asked for in `start`
        self._process.stdin.close()

    def _read_status(self) -> None:
        assert self._process.stdout is not None  # asked for in `start`
        self._follow(self._process.stdout)
        self._process.wait()
        with self._changed:
            self._ended = True
            unexpected = not self._stopping or self._process.returncode != 0
            self._changed.notify_all()
        if unexpected:
            try:
                self._record_death()
            except RecordError as error:
                # The disk that ended the observer may keep this from being written, too; the
                # observer's file, never closed, tells a reader, and `stop` tells the harness.
                self._failure = f"{self._failure} {error}".strip()

    def _follow(self, stdout: IO[bytes]) -> None:
        for line in stdout:
            status = msgspec.json.decode(line, type=Status)
            with self._changed:
                if status.state != "failed":  # said when its end is over, not when it saw the last
                    self._alive_ns = status.time_ns
                self._synced = self._synced or status.state == "synced"
                self._failure = status.text or self._failure
                self._changed.notify_all()

    def _record_death(self) -> None:
        """Write into the record, from here, that nothing was seen since it last was alive."""
        self._end_writer = EventWriter(self._record.new_events_file("observer-end"))
        now_ns, reason = clock.now_ns(), self._death
        note = Note(time_ns=now_ns, source="observer", level="error", text=reason)
        self._end_writer.append(note)
        self._append_gaps(self._end_writer, self._alive_ns - _UNSEALED_NS, reason)
        self._died_ns = now_ns

    def _record_death_until_now(self) -> None:
        """The same for the time between its death and `stop`."""
        if self._end_writer is not None:
            with suppress(RecordError):  # as above
                self._append_gaps(self._end_writer, self._died_ns, self._death)
                self._end_writer.close()

    @property
    def _death(self) -> str:
        code = self._process.returncode
        return f"the observer ended by itself, exit code {code}: {self._failure or 'no word'}"

    def _append_gaps(self, writer: EventWriter, since_ns: int, reason: str) -> None:
        now_ns = clock.now_ns()
        for kind in self._kinds:
            gap = WatchGap(
                time_ns=now_ns, kind=kind, since_ns=since_ns, uids=[ANY_OBJECT], reason=reason
            )
            writer.append(gap)
