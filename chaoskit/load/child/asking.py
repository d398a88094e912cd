"""One request from its planned moment to what became of it."""

from typing import NamedTuple

import gevent

from chaoskit import clock
from chaoskit.load.child.connections import Channel
from chaoskit.load.child.exchange import Answer, exchange
from chaoskit.load.outcome import (
    CUT_OFF_ERROR,
    EFFECT_HEADER,
    Broken,
    Judged,
    judge_answer,
    judge_broken,
    judge_cut_off,
)
from chaoskit.load.schedule import Slot
from chaoskit.load.slot_row import Attempt


class Ended(NamedTuple):
    """What became of a slot: no `attempt` if it was never tried, no `answer` if none was whole.

    `user` is who sent it in a closed loop.
    """

    slot: Slot
    planned_ns: int
    end_ns: int
    judged: Judged
    attempt: Attempt | None = None
    answer: Answer | None = None
    user: str | None = None

    @property
    def sent_ns(self) -> int | None:
        """When the driver took it in hand; None for a slot that could not be sent."""
        if self.attempt is None or self.judged.outcome == "unsent":
            return None
        return self.attempt.sent_ns

    @property
    def lag_ns(self) -> int | None:
        """How long after its planned moment the driver took it in hand."""
        return None if self.sent_ns is None else self.sent_ns - self.planned_ns

    @property
    def cut_off(self) -> bool:
        """Whether it was still in flight when the drain ended."""
        return self.judged.error == CUT_OFF_ERROR


def ask(
    slot: Slot,
    planned_ns: int,
    channel: Channel,
    *,
    answer_timeout_s: float,
    user: str | None = None,
) -> Ended:
    """Send the slot's request now, wait for its answer, and judge it.

    A greenlet that is killed meanwhile returns the slot as cut off.
    """
    attempt = Attempt(clock.now_ns())
    write = slot.operation.name == "write"
    answer = None
    try:
        answer = _asked(slot, attempt, channel, answer_timeout_s)
        judged = judge_answer(answer.get_code(), answer.text(EFFECT_HEADER), write=write)
    except Broken as broken:
        judged = judge_broken(broken, write=write)
    except gevent.GreenletExit:
        judged = judge_cut_off(attempt.phase)
    return Ended(slot, planned_ns, clock.now_ns(), judged, attempt, answer, user)


def _asked(slot: Slot, attempt: Attempt, channel: Channel, answer_timeout_s: float) -> Answer:
    connection = channel.take(attempt)
    reusable = False
    try:
        answer = exchange(connection, slot, attempt, answer_timeout_s=answer_timeout_s)
        reusable = not answer.should_close()
        return answer
    finally:
        if reusable:
            channel.give_back(connection)
        else:
            channel.drop(connection)
