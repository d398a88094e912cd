"""What the driver can send on this machine, measured once a session against a null server."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chaoskit import clock
from chaoskit.history.events import Calibration
from chaoskit.load.driver import Driver
from chaoskit.load.null_server import null_plan, null_server

#: Tried from the top: most machines hold the first, which then costs one step. Twice what any
#: scenario sends is enough, as a load may take half of the ceiling (design D9).
KEPT_RATES_PER_S = (2000.0, 1000.0, 500.0, 250.0, 120.0)
NEW_RATES_PER_S = (800.0, 400.0, 200.0, 100.0)
#: As in the rule for harness-suspect seconds.
LAG_LIMIT_MS = 25.0
_STEP_S = 1.5


def calibrate(
    driver: Driver,
    *,
    kept_rates_per_s: Sequence[float] = KEPT_RATES_PER_S,
    new_rates_per_s: Sequence[float] = NEW_RATES_PER_S,
    step_s: float = _STEP_S,
    lag_limit_ms: float = LAG_LIMIT_MS,
) -> Calibration:
    """The highest of these rates that `driver` holds, for each kind of connection.

    A rate is held when every slot was sent and answered, and 99 % of them at most `lag_limit_ms`
    after they were planned. None held gives 0. Raises `LoadError`, `WaitTimeout`.
    """
    with null_server() as port:
        kept = _highest_held(driver, "kept", kept_rates_per_s, port, step_s, lag_limit_ms)
        new = _highest_held(driver, "new", new_rates_per_s, port, step_s, lag_limit_ms)
    return Calibration(
        time_ns=clock.now_ns(),
        kept_per_s=kept,
        new_per_s=new,
        lag_limit_ms=lag_limit_ms,
        cores=os.cpu_count() or 1,
        reached_top=kept == max(kept_rates_per_s) and new == max(new_rates_per_s),
    )


def _highest_held(
    driver: Driver,
    connection: str,
    rates_per_s: Sequence[float],
    port: int,
    step_s: float,
    lag_limit_ms: float,
) -> float:
    for rate_per_s in sorted(rates_per_s, reverse=True):
        with tempfile.TemporaryDirectory(prefix="chaoskit-calibration-") as folder:
            record = Path(folder)
            plan = null_plan("calibration", connection, rate_per_s, port)
            with driver.start(plan, record, record / "load.log") as load:
                load.run_for(seconds=step_s)
                summary = load.stop()
        if summary.ok == summary.planned and summary.lag_p99_ms <= lag_limit_ms:
            return rate_per_s
    return 0.0
