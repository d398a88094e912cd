"""What several processes say of their parts of one load, as if one had said it. Pure."""

from collections.abc import Sequence

from chaoskit.load.lag import LagHistogram
from chaoskit.load.messages import Health, LoadSummary, StreamHealth


def merged_health(parts: Sequence[Health | None]) -> Health | None:
    """Counts and CPU in sum, the greatest lag, the oldest time; steady when all are.

    None while one of them is missing.
    """
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if len(known) == 1:
        return known[0]
    streams: dict[str, StreamHealth] = {}
    for part in known:
        for name, stream in part.streams.items():
            streams[name] = _both(streams.get(name), stream)
    return Health(
        time_ns=min(part.time_ns for part in known),
        turn=known[0].turn,
        steady=all(part.steady for part in known),
        planned=sum(part.planned for part in known),
        sent=sum(part.sent for part in known),
        ok=sum(part.ok for part in known),
        fail=sum(part.fail for part in known),
        unknown=sum(part.unknown for part in known),
        unsent=sum(part.unsent for part in known),
        in_flight=sum(part.in_flight for part in known),
        lag_max_ms=max(part.lag_max_ms for part in known),
        cpu_share=sum(part.cpu_share for part in known),
        streams=streams,
        unserved=sum(part.unserved for part in known),
    )


def merged_summary(parts: Sequence[LoadSummary | None]) -> LoadSummary | None:
    """Counts and CPU in sum, the quantiles of all lags; None while one of them is missing."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if len(known) == 1:
        return known[0]
    lags = LagHistogram.of_counts([part.lags for part in known])
    return LoadSummary(
        turn=known[0].turn,
        load_id=known[0].load_id,
        planned=sum(part.planned for part in known),
        sent=sum(part.sent for part in known),
        ok=sum(part.ok for part in known),
        fail=sum(part.fail for part in known),
        unknown=sum(part.unknown for part in known),
        unsent=sum(part.unsent for part in known),
        lag_p50_ms=lags.quantile_ms(0.5),
        lag_p99_ms=lags.quantile_ms(0.99),
        lag_max_ms=max(part.lag_max_ms for part in known),
        duration_s=max(part.duration_s for part in known),
        cpu_share=sum(part.cpu_share for part in known),
        ended_by=", ".join(sorted({part.ended_by for part in known})),
        lags=lags.counts,
    )


def _both(one: StreamHealth | None, other: StreamHealth) -> StreamHealth:
    if one is None:
        return other
    return StreamHealth(
        planned=one.planned + other.planned,
        ok=one.ok + other.ok,
        last_error=other.last_error or one.last_error,
    )
