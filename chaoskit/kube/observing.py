"""The observer's own process: `python -m chaoskit.kube.observing ORDERS`.

It watches until it is told to stop (its stdin ends, SIGTERM) or its parent dies, and writes one
line of status per event of its own life to stdout: "synced", "alive", "failed TEXT", "stopped".
A process of its own, because watching must go on while the harness is busy, blocked or killed,
and because a harness that dies must not leave its watches behind.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from chaoskit import clock
from chaoskit.errors import ChaoskitError
from chaoskit.history.events import AnyEvent, ClockPair, Note, WatchGap, WatchStarted
from chaoskit.history.writer import EventWriter
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import known
from chaoskit.kube.request import Timeouts
from chaoskit.kube.watch_lag import LEASE_KIND, LEASE_NAMESPACE, LeaseLag
from chaoskit.kube.watching import CollectionWatch

_CLOCK_PAIR_MS = 1000

#: The server sends a change to its watches within some milliseconds; at the end that much silence
#: means that nothing is on its way any more.
_DRAINED_AFTER_NS = 150_000_000
_DRAIN_TIMEOUT_S = 1.0

#: Connections of their own: whatever silenced a watch may hold older ones, too.
_LAST_LISTS = Timeouts(connect_s=2.0, read_s=4.0)
_LISTED_AT_ONCE = 8


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch, and where to write it. `context` None: the kubeconfig's current one.

    `measure_lag`: the nodes share this host's clock, so their leases tell how late a watch is.
    """

    kubeconfig: str
    context: str | None
    kinds: list[str]
    namespaces: list[str]
    events_file: str
    parent_pid: int
    measure_lag: bool = True
    #: Whether nothing of another namespace may be looked at, nodes' events in `default` included.
    is_confined: bool = False


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One line on stdout."""

    state: str  # synced, alive, failed, stopped
    time_ns: int
    text: str = ""


class Recorder:
    """The sink of all watches: writes events, and knows when every collection was listed."""

    def __init__(self, writer: EventWriter, watches: dict[str, int]) -> None:
        """`watches` says how many collections each kind has (one per namespace)."""
        self._writer = writer
        self._missing = dict(watches)
        self._lowest: dict[str, int] = {}
        self._lock = threading.Lock()
        self._last_ns = 0
        self._never = threading.Event()  # for waiting a moment
        self.synced = threading.Event()

    def append(self, event: AnyEvent) -> None:
        """Write one event."""
        self._writer.append(event)
        self._last_ns = event.time_ns

    def wait_quiet(self, timeout_s: float) -> None:
        """Let what is on its way arrive: until a moment without events, or `timeout_s`."""
        began_ns = clock.now_ns()
        while (now_ns := clock.now_ns()) - began_ns < timeout_s * 1e9:
            if now_ns - max(began_ns, self._last_ns) >= _DRAINED_AFTER_NS:
                return
            self._never.wait(0.02)

    def first_listed(self, kind: str, resource_version: int) -> None:
        """Count one collection; a kind is complete from its last list on."""
        with self._lock:
            self._missing[kind] -= 1
            self._lowest[kind] = max(self._lowest.get(kind, 0), resource_version)
            complete = self._missing[kind] == 0
            everything = complete and not any(self._missing.values())
        if complete:
            started = WatchStarted(
                time_ns=clock.now_ns(), kind=kind, resource_version=self._lowest[kind]
            )
            self._writer.append(started)
        if everything:
            self.synced.set()


class Observing:
    """The child's main loop: starts the watches, reports, and ends with its parent."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._parent = os.pidfd_open(orders.parent_pid)
        self._kube = Kube(Path(orders.kubeconfig), context=orders.context)
        self._failure: BaseException | None = None
        self._told_to_stop = False
        self._said_synced = False

    def run(self) -> int:
        """Watch until told to stop; returns the exit code."""
        signal.signal(signal.SIGTERM, self._on_term)
        places = collections_of(self._orders)
        counts = {kind: sum(1 for other, _ in places if other == kind) for kind, _ in places}
        with EventWriter(Path(self._orders.events_file)) as writer:
            recorder = Recorder(writer, counts)
            watches = [CollectionWatch(self._kube, *place, recorder) for place in places]
            for watch in watches:
                name = f"watch {watch.kind} {watch.namespace or ''}"
                threading.Thread(target=self._guard, args=(watch,), name=name, daemon=True).start()
            if self._orders.measure_lag and not self._orders.is_confined:
                lag = CollectionWatch(self._kube, LEASE_KIND, LEASE_NAMESPACE, LeaseLag(recorder))
                threading.Thread(
                    target=self._measure, args=(lag, recorder), name="watch lag", daemon=True
                ).start()
            self._report_until_end(recorder)
            recorder.wait_quiet(_DRAIN_TIMEOUT_S)
            for gap in self._gaps(watches):
                recorder.append(gap)
            failure = self._failure  # one that comes later met the closed file, and nothing else
        if failure is not None:
            _say("failed", str(failure))
            return 1
        _say("stopped")
        return 0

    def _guard(self, watch: CollectionWatch) -> None:
        try:
            watch.run()
        except Exception as error:  # reported by the main loop, which then ends the process
            self._failure = self._failure or error

    def _measure(self, watch: CollectionWatch, recorder: Recorder) -> None:
        """Measure the lag as long as that goes; what is observed does not hang on it."""
        try:
            watch.run()
        except ChaoskitError as error:
            text = f"the observer's lag is not measured: {error}"
            note = Note(time_ns=clock.now_ns(), source="observer", level="warning", text=text)
            recorder.append(note)

    def _gaps(self, watches: Sequence[CollectionWatch]) -> list[WatchGap]:
        """What the end of watching leaves open; the watches end with it."""
        orders = self._orders
        asking = Kube(Path(orders.kubeconfig), context=orders.context, timeouts=_LAST_LISTS)

        def gap_of(watch: CollectionWatch) -> WatchGap | None:
            return watch.finish() or watch.missed(asking)

        with ThreadPoolExecutor(_LISTED_AT_ONCE) as pool:
            gaps = list(pool.map(gap_of, watches))
        asking.close()
        for watch in watches:
            watch.stop()
        return [gap for gap in gaps if gap is not None]

    def _report_until_end(self, recorder: Recorder) -> None:
        poll = select.poll()
        poll.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
        poll.register(self._parent, select.POLLIN)
        while self._failure is None and not self._told_to_stop:
            now_ns = clock.now_ns()
            pair = ClockPair(time_ns=now_ns, wall_ns=clock.wall_ns(), boot_id=clock.boot_id())
            recorder.append(pair)
            _say("alive")
            if self._ended(poll, recorder):
                return

    def _ended(self, poll: select.poll, recorder: Recorder) -> bool:
        """Wait a second for the end; while not yet synced, look more often."""
        until_ns = clock.now_ns() + _CLOCK_PAIR_MS * 1_000_000
        while (left_ms := (until_ns - clock.now_ns()) / 1e6) > 0:
            if recorder.synced.is_set() and not self._said_synced:
                self._said_synced = True
                _say("synced")
            step_ms = left_ms if self._said_synced else min(left_ms, 20)
            if poll.poll(max(step_ms, 1)) or self._told_to_stop or self._failure is not None:
                return True
        return False

    def _on_term(self, *_: object) -> None:
        self._told_to_stop = True


def collections_of(orders: Orders) -> list[tuple[str, str | None]]:
    """(kind, namespace) of every collection to watch; events of nodes stand in `default`."""
    places: list[tuple[str, str | None]] = []
    for kind in orders.kinds:
        if not known(kind).namespaced:
            places.append((kind, None))
            continue
        names = list(dict.fromkeys(orders.namespaces))
        if kind == "Event" and "default" not in names and not orders.is_confined:
            names.append("default")
        places += [(kind, name) for name in names]
    return places


def _say(state: str, text: str = "") -> None:
    status = Status(state=state, time_ns=clock.now_ns(), text=text)
    sys.stdout.buffer.write(msgspec.json.encode(status) + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Start from the command line; an unusable kubeconfig is reported like any failure."""
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    try:
        observing = Observing(orders)
        if os.getppid() != orders.parent_pid:
            return 0  # the parent ended before we could watch it
        return observing.run()
    except BrokenPipeError:
        return 0  # the parent ended while we were telling it something
    except ProcessLookupError:
        return 0  # the parent ended before we began
    except ChaoskitError as error:
        _say("failed", str(error))
        return 1


if __name__ == "__main__":
    # Threads may still be blocked in reads; everything they saw is written and closed by now.
    code = main()
    sys.stdout.flush()
    os._exit(code)
