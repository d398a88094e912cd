"""How far one request has come, and the row of the record that it ends as.

The driver and the sampler share this, so that their rows compare; what sends and parses is theirs.
"""

from dataclasses import dataclass
from typing import Protocol

from chaoskit.history.requests import RequestRow
from chaoskit.load.outcome import Judged, Phase
from chaoskit.load.schedule import Slot


@dataclass(slots=True)
class Attempt:
    """How far one request has come, with the columns that become known on the way.

    `sent_ns` is when the slot was taken in hand: before connecting, on a new connection.
    `connected_ns` stays None where a kept connection was used again.
    """

    sent_ns: int
    phase: Phase = "connect"
    request_sent: bool = False
    connected_ns: int | None = None
    local_port: int | None = None
    connection_id: int | None = None


class Headers(Protocol):
    """The headers of a complete answer, by lower-case name."""

    def text(self, header: str) -> str | None: ...

    def number(self, header: str) -> int | None: ...


def row_of(
    slot: Slot,
    judged: Judged,
    *,
    load_id: str,
    planned_ns: int,
    end_ns: int,
    attempt: Attempt | None,
    status: int | None,
    headers: Headers | None,
    user: str | None = None,
) -> RequestRow:
    """The row of one slot. One that was never tried has no end, one unsent was not sent."""
    is_sent = attempt is not None and judged.outcome != "unsent"
    return RequestRow(
        load=load_id,
        stream=slot.stream.name,
        connection=slot.stream.connection,
        entry=slot.stream.entry,
        slot=slot.number,
        operation=slot.operation.name,
        planned_ns=planned_ns,
        sent_ns=attempt.sent_ns if attempt and is_sent else None,
        connected_ns=attempt.connected_ns if attempt else None,
        end_ns=end_ns if attempt else None,
        outcome=judged.outcome,
        status=status,
        error=judged.error,
        error_phase=judged.error_phase,
        local_port=attempt.local_port if attempt else None,
        connection_id=attempt.connection_id if attempt else None,
        pod=headers.text("x-chaoskit-pod") if headers else None,
        pod_uid=headers.text("x-chaoskit-pod-uid") if headers else None,
        node=headers.text("x-chaoskit-node") if headers else None,
        revision=headers.text("x-chaoskit-revision") if headers else None,
        boot=headers.text("x-chaoskit-boot") if headers else None,
        sequence=headers.number("x-chaoskit-sequence") if headers else None,
        user=user,
        key=slot.key,
        value=slot.value,
    )
