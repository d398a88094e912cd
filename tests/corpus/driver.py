"""What the driver of a hand-made history says of itself."""

from chaoskit.history.events import Calibration, DriverHealth, LoadMark
from tests.corpus.times import at


def calibrated(kept_per_s: float, new_per_s: float) -> Calibration:
    """What it can send at most, measured before the story."""
    return Calibration(
        time_ns=at(-10), kept_per_s=kept_per_s, new_per_s=new_per_s, lag_limit_ms=5, cores=2
    )


def health(
    since_s: float, until_s: float, cpu_share: float, *, load: str = "load-1"
) -> DriverHealth:
    """The part of a core that it used for a while."""
    return DriverHealth(
        time_ns=at(until_s),
        load_id=load,
        since_ns=at(since_s),
        cpu_share=cpu_share,
        lag_max_ms=1.0,
        in_flight=1,
        planned=100,
    )


def closed(load: str = "load-1") -> LoadMark:
    """The load is a closed loop."""
    return LoadMark(
        time_ns=at(0),
        load_id=load,
        mark="steady",
        rate_per_s=0,
        streams=["kept via n1"],
        loop="closed",
    )
