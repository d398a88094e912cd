"""What the report of a million requests costs, and how soon a browser shows it:
`python -m benchmarks.report_million`.

Ten minutes on ten nodes with two faults: every entry loses its new connections for 20 s, then a
third of all requests is refused for a minute. So there are outages, and hundreds of thousands of
failures to put down to a cause, which is the worst that a report has to do. Writing it runs in a
process of its own, so that time and peak memory are its alone.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.million_requests import _PEAK
from chaoskit.guarantees import availability, no_request_lost, outage
from chaoskit.guarantees.judge import encode, judge, judgement
from chaoskit.history.events import FaultMark, LoadMark
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from chaoskit.history.writer import EventWriter, RequestWriter

_REQUESTS = 1_000_000
_SECOND_NS = 1_000_000_000
_DURATION_S = 600
_START_NS = 10**12
_NODES = 10
_CUT_S = (200.0, 220.0)
_LOSS_S = (400.0, 460.0)

# What is promised (docs/design): seconds to write it, bytes of it, seconds to open it.
_TOOK_S, _SIZE_BYTES, _OPENED_S = 5.0, 2_000_000, 1.0

_WRITE = """
import sys, time
from pathlib import Path
from chaoskit.report.report import write_all
begun = time.perf_counter()
write_all(Path(sys.argv[1]), only=["html"])
print(time.perf_counter() - begun, peak())
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=_REQUESTS)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory(prefix="chaoskit-report-") as folder:
        run = Path(folder) / "run"
        failed = _record(run / "scenario", count)
        command = [sys.executable, "-c", _PEAK + _WRITE, str(run)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        took_s, peak_mb = map(float, done.stdout.split())
        page = run / "report.html"
        size = page.stat().st_size
        print(
            f"report of {count} requests, {failed} failed: {took_s:.2f} s (aim {_TOOK_S:g}), "
            f"{peak_mb:.0f} MB at most; {size / 1e6:.2f} MB (aim {_SIZE_BYTES / 1e6:g})"
        )
        print(_opened(page, Path(folder)))


def _opened(page: Path, folder: Path) -> str:
    """How long a browser takes from asking for the page until all of it is there and painted."""
    browser = shutil.which("chromium")
    if browser is None:
        return "not opened: no chromium here (chaoskit doctor --fix --for test-all)"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=browser,
            headless=True,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        tab = context.new_page()
        times_s = []
        for _ in range(5):
            begun = time.perf_counter()
            tab.goto(page.as_uri())
            tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
            times_s.append(time.perf_counter() - begun)
        context.close()
    return (
        f"opened by Chromium in {min(times_s):.2f} s at best, {max(times_s):.2f} s at worst of"
        f" {len(times_s)} (aim {_OPENED_S:g})"
    )


def _record(path: Path, count: int) -> int:
    """A judged record of so many requests; how many of them failed."""
    info = RunInfo(
        run_id="million",
        scenario="benchmarks/report_million",
        title="A million requests and two faults",
        started_wall_ns=time.time_ns(),
        started_ns=_START_NS,
        boot_id="benchmark",
        chaoskit_version="0",
        seed=1,
        command="python -m benchmarks.report_million",
    )
    record = RecordFolder.create(path, info)
    with EventWriter(record.new_events_file("run")) as events:
        for event in sorted(_events(count), key=lambda one: one.time_ns):
            events.append(event)
    failed = 0
    with RequestWriter(record.new_requests_file("load-1")) as requests:
        for row in _rows(count):
            failed += row.outcome != "ok"
            requests.append(row)
    claims = (availability(at_least=0.99), no_request_lost(), outage(at_most_s=5))
    record.write_guarantees(encode(claims))
    record.write_verdicts(judgement(judge(History.open(path), claims), chaoskit_version="0"))
    return failed


def _at(second: float) -> int:
    return _START_NS + round(second * _SECOND_NS)


def _events(count: int) -> Iterator[FaultMark | LoadMark]:
    streams = [f"{kind} via n{node}" for node in range(_NODES) for kind in ("new", "kept")]
    rate_per_s = count / _DURATION_S
    yield LoadMark(
        time_ns=_at(0), load_id="load-1", mark="started", rate_per_s=rate_per_s, streams=streams
    )
    yield LoadMark(
        time_ns=_at(_DURATION_S),
        load_id="load-1",
        mark="stopped",
        rate_per_s=rate_per_s,
        streams=streams,
        planned=count,
    )
    for name, (start_s, end_s) in (("partition", _CUT_S), ("loss", _LOSS_S)):
        for node in range(_NODES):
            target = f"n{node}"
            yield _mark(name, target, "requested", start_s - 0.1)
            yield _mark(name, target, "injected", start_s)
            for step in range(int(2 * (end_s - start_s))):
                yield _mark(name, target, "effective", start_s + step / 2 + 0.01)
            yield _mark(name, target, "heal_requested", end_s - 0.1)
            yield _mark(name, target, "healed", end_s)


def _mark(name: str, target: str, mark: Any, second: float) -> FaultMark:
    return FaultMark(
        time_ns=_at(second), fault_id=f"{name}-{target}", name=name, target=target, mark=mark
    )


def _rows(count: int) -> Iterator[RequestRow]:
    random = np.random.default_rng(5)
    step_ns = _DURATION_S * _SECOND_NS // count
    lag_ns = random.integers(20_000, 900_000, count).tolist()
    took_ns = random.integers(600_000, 9_000_000, count).tolist()
    chance = random.random(count).tolist()
    for number in range(count):
        second = number * step_ns / _SECOND_NS
        node, is_new = number % _NODES, number // _NODES % 2 == 0
        is_cut = is_new and _CUT_S[0] <= second < _CUT_S[1]
        is_lost = _LOSS_S[0] <= second < _LOSS_S[1] and chance[number] < 1 / 3
        failed = is_cut or is_lost
        planned_ns = _START_NS + number * step_ns
        sent_ns = planned_ns + lag_ns[number]
        kind = "new" if is_new else "kept"
        yield RequestRow(
            load="load-1",
            stream=f"{kind} via n{node}",
            connection=kind,
            entry=f"n{node}",
            slot=number,
            operation="read",
            planned_ns=planned_ns,
            sent_ns=sent_ns,
            connected_ns=sent_ns + 300_000 if is_new and not failed else None,
            end_ns=sent_ns + took_ns[number],
            outcome="fail" if failed else "ok",
            status=None if failed else 200,
            error=("timeout" if is_cut else "refused") if failed else None,
            error_phase="connect" if failed else None,
            connection_id=number if is_new else node,
            pod=None if failed else f"web-7d4b9c6f5-{number % 12:05}",
            pod_uid=None if failed else f"5b0c1d5e-0000-0000-0000-{number % 12:012}",
            revision=None if failed else ("v1" if second < 300 else "v2"),
        )


if __name__ == "__main__":
    main()
