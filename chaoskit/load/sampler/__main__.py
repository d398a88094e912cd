"""The sampler's entry: `python -m chaoskit.load.sampler PARENT_PID`, its orders on stdin.

The first line of stdin is the plan; the end of stdin, or of the parent, ends the sampling. The
last line of stdout says what was sent. Exit codes: 0 told to stop, 1 broken (stderr says how).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Literal

import msgspec

from chaoskit import clock
from chaoskit.history.events import ClockPair, LoadMark
from chaoskit.history.folder import RecordFolder
from chaoskit.history.writer import EventWriter, RequestWriter
from chaoskit.load.profile import LoadPlan
from chaoskit.load.sampler.orders import Orders
from chaoskit.load.sampler.walk import Walk
from chaoskit.priority import before_all_others, prefer_this_process

_SEAL_EVERY_S = 0.25


def main(argv: list[str]) -> int:
    """Sample until told to stop."""
    # A terminal's Ctrl-C reaches the harness, which then ends its recorders in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prefer_this_process()
    line = sys.stdin.buffer.readline()
    if not line:
        return 0  # let go before it was given anything to do
    orders = msgspec.json.decode(line, type=Orders)
    with before_all_others():
        planned = asyncio.run(_sample(orders, os.pidfd_open(int(argv[1]))))
    print(f"planned {planned}", flush=True)
    return 0


async def _sample(orders: Orders, parent: int) -> int:
    record = RecordFolder(Path(orders.record_folder))
    name = orders.plan.load_id
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_reader(parent, stopping.set)
    loop.add_reader(sys.stdin.fileno(), stopping.set)
    with (
        EventWriter(record.new_events_file(name)) as events,
        RequestWriter(record.new_requests_file(name), seal_interval_s=_SEAL_EVERY_S) as requests,
    ):
        events.append(
            ClockPair(time_ns=clock.now_ns(), wall_ns=clock.wall_ns(), boot_id=clock.boot_id())
        )
        events.append(_mark(orders.plan, "started", 0))
        walk = Walk(orders.plan, requests.append, stopping)
        sealing = asyncio.create_task(_seal(requests))
        try:
            await walk.run()
        finally:
            sealing.cancel()
        events.append(_mark(orders.plan, "stopped", walk.planned))
    return walk.planned


def _mark(plan: LoadPlan, mark: Literal["started", "stopped"], planned: int) -> LoadMark:
    return LoadMark(
        time_ns=clock.now_ns(),
        load_id=plan.load_id,
        mark=mark,
        rate_per_s=plan.rate_per_s,
        streams=[stream.name for stream in plan.streams],
        planned=planned,
    )


async def _seal(requests: RequestWriter) -> None:
    while True:
        await asyncio.sleep(_SEAL_EVERY_S)
        requests.seal_if_due()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
