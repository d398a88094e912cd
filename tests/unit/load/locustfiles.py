"""Locustfiles of tests: written, planned and driven."""

import textwrap
from pathlib import Path
from typing import Any

from chaoskit.load.closed import LocustfilePlan
from chaoskit.load.driver import Driver
from tests.unit.load.loads import rows_of, run_slots

Row = dict[str, Any]


def written(folder: Path, text: str, name: str = "shop.py") -> str:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return str(path)


def planned(path: str, port: int, **changes: Any) -> LocustfilePlan:
    values: dict[str, Any] = {
        "load_id": "load-1",
        "path": path,
        "users": 4,
        "host": f"http://127.0.0.1:{port}",
        "seed": 7,
        "spawn_rate_per_s": 50.0,
    }
    return LocustfilePlan(**(values | changes))


def driven(driver: Driver, plan: LocustfilePlan, folder: Path, slots: int) -> list[Row]:
    with driver.start(plan, folder, folder / "load.log") as load:
        load.wait_steady(timeout_s=30)
        run_slots(load, slots)
    return rows_of(folder)
