"""The running counts of a load: by outcome, by stream, and how late slots were sent."""

import time
from collections import Counter
from collections.abc import Iterable

from chaoskit import clock
from chaoskit.history.events import DriverHealth
from chaoskit.load.child.meter import Meter
from chaoskit.load.lag import LagHistogram
from chaoskit.load.messages import Health, LoadSummary, StreamHealth
from chaoskit.load.outcome import Judged
from chaoskit.load.steady import Gate, Tally


class Tallies:
    """Counts for the messages to the driver; the record itself is written request by request.

    `streams` are those that are looked for from the beginning; others join as they are seen.
    """

    def __init__(self, turn: int, load_id: str, streams: Iterable[str], gate: Gate) -> None:
        self._turn = turn
        self._load_id = load_id
        self._gate = gate
        self._started_ns = clock.now_ns()
        self._cpu_at_start_s = time.process_time()
        self._outcomes: Counter[str] = Counter()
        self._planned = dict.fromkeys(streams, 0)
        self._ok: Counter[str] = Counter()
        self._last_error: dict[str, str] = {}
        self._lags = LagHistogram()
        self._told = Meter()
        self._written = Meter()
        self.steady = False

    @property
    def planned(self) -> int:
        """Slots that came due so far."""
        return sum(self._planned.values())

    @property
    def streams(self) -> list[str]:
        """The streams seen or looked for so far."""
        return list(self._planned)

    def plan_slot(self, stream: str) -> None:
        """A slot of this stream came due."""
        self._planned[stream] = self._planned.get(stream, 0) + 1

    def end_slot(self, stream: str, judged: Judged, lag_ns: int | None) -> None:
        """A slot ended; `lag_ns` None if nothing was sent for it."""
        self._outcomes[judged.outcome] += 1
        if judged.outcome == "ok":
            self._ok[stream] += 1
        else:
            self._last_error[stream] = f"{judged.error} in {judged.error_phase}"
        if lag_ns is not None:
            self._lags.add(lag_ns)
            self.late(lag_ns)

    def late(self, lag_ns: int) -> None:
        """This process was so late."""
        self._told.late(lag_ns)
        self._written.late(lag_ns)

    def update_steady(self) -> bool:
        """Ask the gate again; True if its answer changed."""
        tallies = {name: Tally(self._planned[name], self._ok[name]) for name in self._planned}
        before, self.steady = self.steady, self._gate.update(clock.now_ns(), tallies)
        return self.steady != before

    def health(self, *, in_flight: int, unserved: int) -> Health:
        """The totals so far, with the greatest lag and CPU share since the last call."""
        reading = self._told.read()
        return Health(
            time_ns=reading.time_ns,
            turn=self._turn,
            steady=self.steady,
            planned=self.planned,
            sent=self._sent(),
            ok=self._outcomes["ok"],
            fail=self._outcomes["fail"],
            unknown=self._outcomes["unknown"],
            unsent=self._outcomes["unsent"],
            in_flight=in_flight,
            lag_max_ms=reading.lag_max_ms,
            cpu_share=reading.cpu_share,
            streams={
                name: StreamHealth(
                    planned=planned, ok=self._ok[name], last_error=self._last_error.get(name, "")
                )
                for name, planned in self._planned.items()
            },
            unserved=unserved,
        )

    def event(self, *, in_flight: int) -> DriverHealth:
        """For the record: what was used, and how late it was, since the last call."""
        reading = self._written.read()
        return DriverHealth(
            time_ns=reading.time_ns,
            load_id=self._load_id,
            since_ns=reading.since_ns,
            cpu_share=reading.cpu_share,
            lag_max_ms=reading.lag_max_ms,
            in_flight=in_flight,
            planned=self.planned,
        )

    def summary(self, load_id: str, ended_by: str) -> LoadSummary:
        """What became of all slots; called after the drain."""
        duration_s = (clock.now_ns() - self._started_ns) / 1e9
        return LoadSummary(
            turn=self._turn,
            load_id=load_id,
            planned=self.planned,
            sent=self._sent(),
            ok=self._outcomes["ok"],
            fail=self._outcomes["fail"],
            unknown=self._outcomes["unknown"],
            unsent=self._outcomes["unsent"],
            lag_p50_ms=self._lags.quantile_ms(0.5),
            lag_p99_ms=self._lags.quantile_ms(0.99),
            lag_max_ms=self._lags.highest_ms,
            duration_s=duration_s,
            cpu_share=(time.process_time() - self._cpu_at_start_s) / duration_s,
            ended_by=ended_by,
            lags=self._lags.counts,
        )

    def _sent(self) -> int:
        return sum(self._outcomes[outcome] for outcome in ("ok", "fail", "unknown"))
