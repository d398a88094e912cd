"""The schedule of a load: which slot is due when, on which stream, doing what. Pure and seeded."""

import math
import random
from collections.abc import Iterator
from itertools import accumulate, count
from typing import NamedTuple

from chaoskit.load.part import Part
from chaoskit.load.profile import LoadPlan, Operation, Stream
from chaoskit.load.rates import Replay

#: A cell is the time in which the rate amounts to one slot. A uniform slot starts somewhere in the
#: first half of its cell: a fault with the period of the load cannot hide between the slots, and
#: two neighbours are 0.5 to 1.5 cells apart.
JITTER_CELLS = 0.5


class Slot(NamedTuple):
    """One planned request. `offset_ns` counts from the start of the load; `key` and `value` are
    None unless the operation has a use for them, and unique in the load where they are set.
    """

    number: int
    offset_ns: int
    stream: Stream
    operation: Operation
    key: str | None
    value: str | None


def slots(plan: LoadPlan) -> Iterator[Slot]:
    """The schedule of `plan`; the same plan gives the same slots, in order of offset.

    It has no end, unless the rate comes down to 0 for good or a replay is over. Streams take turns
    in proportion to their shares (smooth weighted round robin), so that each stream's own slots
    are evenly spaced too.
    """
    chance = random.Random(f"{plan.load_id}/{plan.seed}")
    turns = turns_of(plan.streams)
    weights = [list(accumulate(op.weight for op in stream.operations)) for stream in plan.streams]
    for number, offset_ns in enumerate(_offsets(plan, chance)):
        index = turns[number % len(turns)]
        stream = plan.streams[index]
        operation = stream.operations[0]
        if len(stream.operations) > 1:
            operation = chance.choices(stream.operations, cum_weights=weights[index])[0]
        key, value = key_and_value(plan.load_id, number, operation, chance)
        yield Slot(number, offset_ns, stream, operation, key, value)


def key_and_value(
    load_id: str, number: int, operation: Operation, chance: random.Random
) -> tuple[str | None, str | None]:
    """What the slot of this number writes, or where it reads, if that has a key of its own."""
    writes = operation.name == "write"
    key = f"{load_id}-{number}" if writes or "{key}" in operation.path else None
    value = f"{load_id}-{number}-{chance.getrandbits(64):016x}" if writes else None
    return key, value


def turns_of(streams: tuple[Stream, ...]) -> list[int]:
    """Indices of the streams in the order in which they take slots, one round of all shares.

    Smooth weighted round robin, as nginx does it for its upstreams: each turn everybody gains its
    share, the richest goes and pays the sum.
    """
    total = sum(stream.share for stream in streams)
    credit = [0] * len(streams)
    turns = []
    for _ in range(total):
        credit = [have + stream.share for have, stream in zip(credit, streams, strict=True)]
        richest = max(range(len(streams)), key=credit.__getitem__)
        credit[richest] -= total
        turns.append(richest)
    return turns


def streams_of(plan: LoadPlan, part: Part) -> tuple[Stream, ...]:
    """The streams that have slots in a part: with few of them, not all come round to each."""
    turns = turns_of(plan.streams)
    step = math.gcd(len(turns), part.count)
    present = {turns[turn] for turn in range(part.index % step, len(turns), step)}
    return tuple(plan.streams[index] for index in sorted(present))


def _offsets(plan: LoadPlan, chance: random.Random) -> Iterator[int]:
    if isinstance(plan.rates, Replay):
        yield from plan.rates.offsets_ns
        return
    course = plan.rates.course
    reached = 0.0
    for number in count():
        if plan.arrivals == "uniform":
            reached = number + JITTER_CELLS * chance.random()
        else:
            reached += chance.expovariate(1.0)
        at_s = course.time_of(reached)
        if at_s is None:
            return
        yield int(at_s * 1e9)
