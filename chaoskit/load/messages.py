"""What driver and child say to each other: one JSON object a packet over a socket pair.

The pair is of type SEQPACKET: a packet is sent as a whole or not at all, so that neither side
ever has to wait for the other to read.
"""

import msgspec

from chaoskit.load.closed import ClosedPlan, LocustfilePlan
from chaoskit.load.part import Part
from chaoskit.load.profile import LoadPlan

#: What can be driven.
Plan = LoadPlan | ClosedPlan | LocustfilePlan


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag="begin"):
    """To the child: drive this part of the plan, record into this folder, write the log there.

    `turn` counts the loads of one driver; the child repeats it in all it says of this one.
    """

    turn: int
    plan: Plan
    record_folder: str
    log_path: str
    part: Part = Part()


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag="stop"):
    """To the child: plan no further slots, drain, seal the record, say what became of them.

    What is planned until `until_ns` is still sent (0: until the child reads this): processes that
    are told the same moment together leave a whole beginning of the schedule. If that load has
    already ended, its summary is said again.
    """

    turn: int
    until_ns: int = 0


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """From the child: Locust is loaded, a plan may come. `boot_id` tells whose clock it reads."""

    pid: int
    host: str
    boot_id: str


class StreamHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one stream since the start of the load; `last_error` is "class in phase"."""

    planned: int
    ok: int
    last_error: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True, tag="health"):
    """From the child, once a second (at first oftener) and whenever `steady` changes.

    Counts are totals since the start; `lag_max_ms` is the greatest schedule lag since the last
    `Health`, `cpu_share` the part of one core that the child used since then. `unserved` users of
    a closed loop have had no good answer of late.
    """

    time_ns: int
    turn: int
    steady: bool
    planned: int
    sent: int
    ok: int
    fail: int
    unknown: int
    unsent: int
    in_flight: int
    lag_max_ms: float
    cpu_share: float
    streams: dict[str, StreamHealth]
    unserved: int = 0


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """From the child: this load cannot be driven, nothing was sent. `seen` says what it met."""

    turn: int
    problem: str
    seen: str
    next_step: str


class LoadSummary(msgspec.Struct, frozen=True, kw_only=True, tag="stopped"):
    """From the child, at the end of a load, after its record is sealed.

    `planned` slots are `sent` plus `unsent`; `sent` ones are `ok`, `fail` or `unknown`. The lag is
    that of sending behind the plan. `ended_by` is "stop", or "max_run_s" if nobody stopped it.
    """

    turn: int
    load_id: str
    planned: int
    sent: int
    ok: int
    fail: int
    unknown: int
    unsent: int
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    duration_s: float
    cpu_share: float
    ended_by: str
    lags: dict[int, int] = {}


class ToWorker(msgspec.Struct, frozen=True, kw_only=True, tag="to_worker"):
    """To the child that is Locust's master: pass this on to one of its workers."""

    worker: str
    message: Begin | Stop


class Listening(msgspec.Struct, frozen=True, kw_only=True, tag="listening"):
    """From the child that is Locust's master: workers may connect to this port."""

    port: int


class Left(msgspec.Struct, frozen=True, kw_only=True, tag="left"):
    """In place of a worker's word: it has not been heard of for `silent_s`."""

    silent_s: float


class FromWorker(msgspec.Struct, frozen=True, kw_only=True, tag="from_worker"):
    """From the child that is Locust's master: what one of its workers says."""

    worker: str
    message: Ready | Health | Failed | LoadSummary | Left


ToChild = Begin | Stop | ToWorker
FromChild = Ready | Health | Failed | LoadSummary | Listening | FromWorker

#: A message larger than this travels as a file: the kernel bounds a packet, at 208 kB by default.
MAX_PACKET_BYTES = 1 << 17
#: The packet that comes with the descriptor of such a file.
IN_A_FILE = b"in a file"

_to_child = msgspec.json.Decoder(ToChild)
_from_child = msgspec.json.Decoder(FromChild)
_encoder = msgspec.json.Encoder()


def packet_of(message: ToChild | FromChild) -> bytes:
    """The message as one packet."""
    return _encoder.encode(message)


def read_to_child(packet: bytes) -> ToChild:
    """Decode a packet of the driver; raises `msgspec.ValidationError` for anything else."""
    message: ToChild = _to_child.decode(packet)
    return message


def read_from_child(packet: bytes) -> FromChild:
    """Decode a packet of the child; raises `msgspec.ValidationError` for anything else."""
    message: FromChild = _from_child.decode(packet)
    return message
