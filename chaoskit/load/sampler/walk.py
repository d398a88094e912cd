"""Walks the sampler's schedule: each slot is sent when it is due, whatever became of the others."""

import asyncio
import contextlib
from collections.abc import Callable

from chaoskit import clock
from chaoskit.history.requests import RequestRow
from chaoskit.load.outcome import (
    EFFECT_HEADER,
    Broken,
    Judged,
    judge_answer,
    judge_broken,
    judge_cut_off,
)
from chaoskit.load.profile import LoadPlan
from chaoskit.load.sampler.channel import Channel, connection_numbers
from chaoskit.load.sampler.exchange import Answer, exchange
from chaoskit.load.schedule import Slot, slots
from chaoskit.load.slot_row import Attempt, row_of
from chaoskit.load.source_ports import SourcePorts

_LEAD_NS = 20_000_000


class Walk:
    """One sampling under way; `record` takes each request as it ends."""

    def __init__(
        self, plan: LoadPlan, record: Callable[[RequestRow], None], stopping: asyncio.Event
    ) -> None:
        numbers = connection_numbers()
        ports = SourcePorts.of_the_sampler()
        self._plan = plan
        self._record = record
        self._stopping = stopping
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._channels = {
            stream.name: Channel(
                stream,
                ports,
                numbers,
                connect_timeout_s=plan.connect_timeout_s,
                kept=plan.kept_by(stream),
            )
            for stream in plan.streams
        }
        self.planned = 0

    async def run(self) -> None:
        """Send until told to stop or `max_run_s` is over; then wait for the answers in flight.

        Re-raises what a request could not account for.
        """
        origin_ns = clock.now_ns() + _LEAD_NS
        last_ns = origin_ns + int(self._plan.max_run_s * 1e9)
        for slot in slots(self._plan):
            planned_ns = origin_ns + slot.offset_ns
            if planned_ns > last_ns or await self._stopped_before(planned_ns):
                break
            self._dispatch(slot, planned_ns)
        await self._drain()
        if self._failure is not None:
            raise self._failure

    async def _stopped_before(self, planned_ns: int) -> bool:
        ahead_s = (planned_ns - clock.now_ns()) / 1e9
        if ahead_s > 0:
            with contextlib.suppress(TimeoutError):  # the slot's time has come
                async with asyncio.timeout(ahead_s):
                    await self._stopping.wait()
        return self._stopping.is_set()

    def _dispatch(self, slot: Slot, planned_ns: int) -> None:
        self.planned += 1
        if len(self._tasks) >= self._plan.in_flight_limit:
            self._end(slot, planned_ns, Judged("unsent", "in_flight_limit"), None, None)
            return
        task = asyncio.create_task(self._send(slot, planned_ns))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._stopping.set()

    async def _send(self, slot: Slot, planned_ns: int) -> None:
        attempt = Attempt(clock.now_ns())
        answer = None
        write = slot.operation.name == "write"
        try:
            answer = await self._ask(slot, attempt)
            judged = judge_answer(answer.status, answer.text(EFFECT_HEADER), write=write)
        except Broken as broken:
            judged = judge_broken(broken, write=write)
        except asyncio.CancelledError:
            judged = judge_cut_off(attempt.phase)
        self._end(slot, planned_ns, judged, attempt, answer)

    async def _ask(self, slot: Slot, attempt: Attempt) -> Answer:
        channel = self._channels[slot.stream.name]
        connection = await channel.take(attempt)
        reusable = False
        try:
            answer = await exchange(
                connection, slot, attempt, answer_timeout_s=self._plan.answer_timeout_s
            )
            reusable = answer.reusable
            return answer
        finally:
            if reusable:
                channel.give_back(connection)
            else:
                channel.drop(connection)

    async def _drain(self) -> None:
        if self._tasks:
            allowed_s = self._plan.connect_timeout_s + self._plan.answer_timeout_s
            _, pending = await asyncio.wait(self._tasks, timeout=allowed_s)
            for task in pending:
                task.cancel()
            if pending:
                await asyncio.wait(pending)
        for channel in self._channels.values():
            channel.close()

    def _end(
        self,
        slot: Slot,
        planned_ns: int,
        judged: Judged,
        attempt: Attempt | None,
        answer: Answer | None,
    ) -> None:
        self._record(
            row_of(
                slot,
                judged,
                load_id=self._plan.load_id,
                planned_ns=planned_ns,
                end_ns=clock.now_ns(),
                attempt=attempt,
                status=answer.status if answer else None,
                headers=answer,
            )
        )
