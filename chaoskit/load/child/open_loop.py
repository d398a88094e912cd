"""Walks the schedule open loop: each slot is sent when it is due, whatever became of the others."""

import math
from collections.abc import Callable

import gevent
import gevent.event
import gevent.pool

from chaoskit import clock
from chaoskit.load.child.asking import Ended, ask
from chaoskit.load.child.connections import Channel, connection_numbers
from chaoskit.load.child.tallies import Tallies
from chaoskit.load.outcome import Judged
from chaoskit.load.part import Part
from chaoskit.load.profile import LoadPlan, Stream
from chaoskit.load.schedule import Slot, slots, streams_of
from chaoskit.load.source_ports import SOURCE_PORTS

#: The first slot lies this far ahead, so that it is not late by the time of setting out.
_LEAD_NS = 50_000_000
#: Late slots are sent at once, but after so many the answers that came meanwhile are read.
_BURST = 16
#: Time for greenlets that were told to go to write down how far they were.
_CUT_OFF_S = 2.0

_NEVER_NS = 1 << 63

#: Takes each slot as it ends.
Recorder = Callable[[Ended], None]


class OpenLoop:
    """One part of a load under way. `walk` is the body of the Locust task; `stop` may be called
    meanwhile.
    """

    def __init__(
        self,
        plan: LoadPlan,
        part: Part,
        tallies: Tallies,
        record: Recorder,
        on_stopping: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._part = part
        self._tallies = tallies
        self._record = record
        self._on_stopping = on_stopping
        self._pool = gevent.pool.Pool(part.limit(plan.in_flight_limit))
        self._stopping = gevent.event.Event()
        self._crash: gevent.event.AsyncResult[None] = gevent.event.AsyncResult()
        self._drain_s = plan.drain_s
        self._last_ns = _NEVER_NS
        numbers = connection_numbers()
        ports = SOURCE_PORTS.part(part.index, part.count)
        self._channels = {
            stream.name: Channel(
                stream,
                numbers,
                ports,
                connect_timeout_s=plan.connect_timeout_s,
                kept=_kept(plan, part, stream),
            )
            for stream in streams_of(plan, part)
        }

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended."""
        return len(self._pool)

    def stop(self, *, until_ns: int = 0, drain_s: float | None = None) -> None:
        """Send what is planned until `until_ns` (0: until now), late slots too, and nothing after
        it; wait for answers at most `drain_s` (by default all time-outs).
        """
        if drain_s is not None:
            self._drain_s = drain_s
        self._last_ns = min(self._last_ns, until_ns or clock.now_ns())
        self._stopping.set()

    def fail(self, error: BaseException) -> None:
        """End the load because of something that it cannot account for; `walk` raises it."""
        self._crash.set_exception(error)
        self._last_ns = 0
        self._stopping.set()

    def walk(self) -> str:
        """Send every slot that comes due, until stopped or `max_run_s` is over; then drain.

        Returns what ended it. Re-raises whatever a request's greenlet could not account for.
        """
        origin_ns = self._part.origin_ns or clock.now_ns() + _LEAD_NS
        self._last_ns = min(self._last_ns, origin_ns + int(self._plan.max_run_s * 1e9))
        self._send_all(origin_ns)
        # A schedule may have an end, or a long pause, before anybody has stopped the load.
        while self._last_ns > clock.now_ns():
            self._wait(self._last_ns)
        self._on_stopping()
        self._drain()
        return "stop" if self._stopping.is_set() else "max_run_s"

    def _send_all(self, origin_ns: int) -> None:
        """Send what is planned until the last moment, which may move nearer meanwhile."""
        taken = 0
        for slot in slots(self._plan):
            if not self._part.holds(slot.number):
                continue
            planned_ns = origin_ns + slot.offset_ns
            while clock.now_ns() < planned_ns <= self._last_ns:
                self._wait(planned_ns)
            if planned_ns > self._last_ns:
                return
            self._dispatch(slot, planned_ns)
            taken += 1
            if taken % _BURST == 0:
                gevent.sleep(0)

    def _wait(self, until_ns: int) -> None:
        """Wait for that moment; return early when the load is told to stop."""
        ahead_s = max(until_ns - clock.now_ns(), 0) / 1e9
        if self._stopping.is_set():
            gevent.sleep(ahead_s)  # only until the last moment, which is known by now
        else:
            self._stopping.wait(ahead_s)

    def _dispatch(self, slot: Slot, planned_ns: int) -> None:
        if self._crash.ready():
            self._crash.get()
        self._tallies.plan_slot(slot.stream.name)
        if self._pool.full():
            judged = Judged("unsent", "in_flight_limit")
            self._end(Ended(slot, planned_ns, clock.now_ns(), judged))
        else:
            self._pool.spawn(self._send, slot, planned_ns)

    def _send(self, slot: Slot, planned_ns: int) -> None:
        try:
            channel = self._channels[slot.stream.name]
            timeout_s = self._plan.answer_timeout_s
            self._end(ask(slot, planned_ns, channel, answer_timeout_s=timeout_s))
        except BaseException as error:
            # A greenlet's exception would only be printed; this one must end the load.
            self.fail(error)

    def _end(self, ended: Ended) -> None:
        self._tallies.end_slot(ended.slot.stream.name, ended.judged, ended.lag_ns)
        self._record(ended)

    def _drain(self) -> None:
        if not self._pool.join(timeout=self._drain_s):
            self._pool.kill(timeout=_CUT_OFF_S)
        for channel in self._channels.values():
            channel.close()
        if self._crash.ready():
            self._crash.get()


def _kept(plan: LoadPlan, part: Part, stream: Stream) -> int:
    """Connections of a stream that this part holds: shared with the others that send it, too."""
    others = (Part(index=index, count=part.count) for index in range(part.count))
    sending = sum(stream in streams_of(plan, other) for other in others)
    return math.ceil(plan.kept_by(stream) / sending)
