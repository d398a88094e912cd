"""Chosen requests in words: which they are, what became of one, and who is to blame."""

from collections.abc import Callable

import numpy as np

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.intervals import Codes, Mask, counted
from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.selection import Selected
from chaoskit.guarantees.verdict import Witness
from chaoskit.history.reader import History


def when(choice: Choice) -> str:
    """The time that a guarantee chose, in words."""
    return _told(("outside", choice.outside), ("during", choice.during), ("in phase", choice.phase))


def where(choice: Choice) -> str:
    """All that a guarantee chose, in words."""
    return when(choice) + _told(
        ("on stream", choice.stream),
        ("by connection", choice.connection),
        ("of operation", choice.operation),
        ("of user", choice.user),
    )


def describe_request(history: History, row: int) -> str:
    """One request of the record in words, with what made it fail."""
    text = {
        name: text_column(history, name).at(row)
        for name in ("operation", "stream", "outcome", "error", "error_phase", "pod")
    }
    error = " ".join(part for part in (text["error"], text["error_phase"]) if part)
    answered = f", answered by {text['pod']}" if text["pod"] else ""
    slot = history.columns("slot")["slot"][row].as_py()
    return (
        f"slot {slot}: {text['operation']} on stream {text['stream']}: {text['outcome']}"
        f"{f' ({error})' if error else ''}{answered}"
    )


def blame(
    found: Findings,
    history: History,
    chosen: Selected,
    describe: Callable[[History, int], str] = describe_request,
) -> None:
    """The first, the last and the slowest of the charged requests, in words, as violations."""
    places = np.flatnonzero(chosen.charged)
    took_ns = chosen.end_ns[places] - chosen.planned_ns[places]
    slowest = places[np.argmax(took_ns)]
    witnesses = {
        place: Witness(
            time_ns=int(chosen.planned_ns[place]),
            text=describe(history, int(chosen.rows[place])),
            objects=[str(chosen.stream.at(int(place)))],
        )
        for place in (places[0], slowest, places[-1])
    }
    found.violations = list(witnesses.values())
    found.violation_count = len(places)
    found.worst = witnesses[slowest]
    uncharged = int(np.count_nonzero(chosen.suspicion.uncharged))
    if uncharged:
        found.summary += f"; {uncharged} of these in harness-suspect seconds, not charged"


def share_of_worst_stream(streams: Codes, mask: Mask) -> float:
    """The largest share of requests with `mask` among those of one stream; there are some."""
    size = int(streams.max()) + 1
    totals, counts = counted(streams, size), counted(streams[mask], size)
    return float((counts[totals > 0] / totals[totals > 0]).max())


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{share * 100:.4g} %"


def _told(*words: tuple[str, str | None]) -> str:
    return "".join(f" {word} {value}" for word, value in words if value is not None)
