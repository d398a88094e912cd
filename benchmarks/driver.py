"""How fast the load driver can go: `python -m benchmarks.driver`.

Drives a server that does nothing but answer, at rising rates, and prints for each what was
planned and sent, the schedule lag and the CPU that the driver used. The ceiling is the highest
rate whose slots were all sent, with a lag p99 of at most 25 ms. On a busy machine the figures are
those of what is left of it: the table says how fast a plain loop ran beside it.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from chaoskit.load.driver import Driver
from chaoskit.load.messages import LoadSummary
from chaoskit.load.null_server import null_plan, null_server

RATES_PER_S = (250, 500, 1000, 1500, 2000, 3000, 4000, 5000)
LAG_LIMIT_MS = 25.0
LOOP_STEPS = 2_000_000


@dataclass(frozen=True)
class Measured:
    """One row of the table."""

    connection: str
    rate_per_s: float
    summary: LoadSummary
    loop_share: float

    @property
    def held(self) -> bool:
        """Everything was sent, in time and answered."""
        summary = self.summary
        return summary.ok == summary.planned and summary.lag_p99_ms <= LAG_LIMIT_MS


def loop_seconds() -> float:
    """How long a plain loop takes just now."""
    began = time.perf_counter()
    for _ in range(LOOP_STEPS):
        pass
    return time.perf_counter() - began


def measure(
    driver: Driver, connection: str, rate_per_s: float, port: int, seconds: float
) -> Measured:
    """Drive one rate for so long."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder)
        loop_before_s = loop_seconds()
        plan = null_plan("benchmark", connection, rate_per_s, port)
        with driver.start(plan, record, record / "load.log") as load:
            load.run_for(seconds=seconds)
            summary = load.stop()
    return Measured(connection, rate_per_s, summary, loop_before_s)


def print_row(row: Measured) -> None:
    """One line of the table."""
    s = row.summary
    per_cpu_s = s.sent / (s.cpu_share * s.duration_s)
    print(
        f"{row.connection:5} {row.rate_per_s:8.0f} {s.sent / s.duration_s:8.0f} {s.ok:7} "
        f"{s.fail + s.unknown:5} {s.unsent:6} {s.lag_p50_ms:8.2f} {s.lag_p99_ms:8.2f} "
        f"{s.lag_max_ms:8.1f} {s.cpu_share:6.0%} {per_cpu_s:9.0f} "
        f"{row.loop_share * 1e9 / LOOP_STEPS:8.1f}",
        flush=True,
    )


def print_ceiling(rows: list[Measured]) -> None:
    """The ceiling, and the lag nearest to half of it."""
    held = [row for row in rows if row.held]
    if not held:
        print(f"{rows[0].connection}: no rate was held")
        return
    ceiling = max(held, key=lambda row: row.rate_per_s)
    half = min(rows, key=lambda row: abs(row.rate_per_s - ceiling.rate_per_s / 2))
    print(
        f"{ceiling.connection}: ceiling {ceiling.rate_per_s:.0f}/s; at {half.rate_per_s:.0f}/s "
        f"lag p99 {half.summary.lag_p99_ms:.1f} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each rate")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES_PER_S)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print(
        "kind   planned/s   sent/s      ok   bad unsent   lag p50  lag p99  lag max    cpu"
        "  req/cpu-s  ns/loop"
    )
    with null_server() as port, Driver() as driver:
        for connection in ("kept", "new"):
            rows = []
            for rate_per_s in arguments.rates:
                rows.append(measure(driver, connection, rate_per_s, port, arguments.seconds))
                print_row(rows[-1])
            print_ceiling(rows)


if __name__ == "__main__":
    main()
