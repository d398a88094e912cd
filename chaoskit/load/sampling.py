"""The sampler as the harness sees it: prepared early, begun with a load, ended with it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chaoskit import clock
from chaoskit.errors import LoadError, UsageError
from chaoskit.history.events import LoadMark
from chaoskit.history.folder import RecordFolder
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM
from chaoskit.history.writer import EventWriter
from chaoskit.load.profile import LoadPlan, Operation, Stream
from chaoskit.load.sampler.orders import Orders

#: Requests a second on each stream: an outage of 100 ms takes two of them.
SAMPLES_PER_S = 20.0
_STOP_MARGIN_S = 10.0
_READ = Operation(name="read", method="GET", path="/")


@dataclass(frozen=True)
class ControlTarget:
    """A server that answers and that no fault touches: what fails there is the harness's own."""

    host: str
    port: int


def sampled(
    load_id: str,
    streams: Sequence[Stream],
    *,
    control: ControlTarget | None,
    seed: int,
    connect_timeout_s: float = 2.0,
    answer_timeout_s: float = 2.0,
    samples_per_s: float = SAMPLES_PER_S,
) -> LoadPlan:
    """The sampler's plan beside a load: its reads, each stream on its own, and the control target.

    Raises `UsageError` when the load has no stream with reads.
    """
    chosen = [
        msgspec.structs.replace(
            stream, name=f"{SAMPLER_STREAM} {stream.name}", operations=reads, share=1
        )
        for stream in streams
        if (reads := tuple(op for op in stream.operations if op.name == "read"))
    ]
    if not chosen:
        raise UsageError(
            "has no reads that could be sampled",
            subject=f"load {load_id}",
            seen=[stream.name for stream in streams],
            next_step="give one stream a read operation",
        )
    if control is not None:
        for connection in ("new", "kept"):
            chosen.append(
                Stream(
                    name=f"{CONTROL_STREAM} {connection}",
                    connection="new" if connection == "new" else "kept",
                    entry=CONTROL_STREAM,
                    host=control.host,
                    port=control.port,
                    operations=(_READ,),
                )
            )
    return LoadPlan(
        load_id=f"{SAMPLER_STREAM}-{load_id}",
        streams=tuple(chosen),
        rate_per_s=samples_per_s * len(chosen),
        seed=seed,
        connect_timeout_s=connect_timeout_s,
        answer_timeout_s=answer_timeout_s,
    )


class Sampler:
    """A process that is ready to sample. `begin` once, then `stop`; or only `stop`.

    Raises `LoadError` if it cannot be started.
    """

    def __init__(self, log_path: Path) -> None:
        self._log_path = log_path
        self._plan: LoadPlan | None = None
        self._record_folder: Path | None = None
        self._stopped = False
        # -P: a module in the working folder must not take the place of one that it imports.
        command = [sys.executable, "-P", "-m", "chaoskit.load.sampler", str(os.getpid())]
        try:
            with log_path.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for the harness, which then stops it
                )
        except OSError as error:
            raise LoadError(
                "the sampler could not be started", subject=sys.executable, seen=error
            ) from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def has_begun(self) -> bool:
        """Whether it was given a plan."""
        return self._plan is not None

    def begin(self, plan: LoadPlan, record_folder: Path) -> None:
        """Sample `plan` into the record from now on. Raises `LoadError` if it has died."""
        if self._plan is not None:
            raise UsageError(
                "samples already", subject=f"sampler {self.pid}", next_step="start another"
            )
        self._plan, self._record_folder = plan, record_folder
        orders = Orders(plan=plan, record_folder=str(record_folder.absolute()))
        assert self._process.stdin is not None  # asked for above
        try:
            self._process.stdin.write(msgspec.json.encode(orders) + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._death("ended before it could begin") from error

    def stop(self) -> None:
        """Let the answers in flight come, seal the record, end the process; idempotent.

        Raises `LoadError` when it had ended by itself: the record says so, too.
        """
        if self._stopped:
            return
        self._stopped = True
        assert self._process.stdin is not None  # asked for in the constructor
        assert self._process.stdout is not None
        had_ended = self._process.poll() is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        plan = self._plan
        timeouts_s = plan.connect_timeout_s + plan.answer_timeout_s if plan is not None else 0.0
        try:
            self._process.wait(timeouts_s + _STOP_MARGIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        said = self._process.stdout.read()
        self._process.stdout.close()
        if plan is not None and (had_ended or not said.startswith(b"planned")):
            error = self._death("ended by itself" if had_ended else "did not end in good order")
            self._record_death(plan, error)
            raise error

    def _record_death(self, plan: LoadPlan, error: LoadError) -> None:
        assert self._record_folder is not None  # set with the plan
        path = RecordFolder(self._record_folder).new_events_file(f"{plan.load_id}-end")
        with EventWriter(path) as events:
            events.append(
                LoadMark(
                    time_ns=clock.now_ns(),
                    load_id=plan.load_id,
                    mark="died",
                    rate_per_s=plan.rate_per_s,
                    streams=[stream.name for stream in plan.streams],
                    detail=error.problem,
                )
            )

    def _death(self, problem: str) -> LoadError:
        return LoadError(
            f"the sampler {problem}",
            subject=f"process {self.pid}",
            seen=f"exit code {self._process.poll()}",
            next_step=f"read {self._log_path}; the record holds what was sealed before",
        )
