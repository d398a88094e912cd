"""What a million requests cost on disk, to judge and to report:
`python -m benchmarks.million_requests`.

The record is written by the driver's own writer, as a load of 1,667 requests/s over ten minutes
leaves it, with 1 of 500 failing. Judging and reporting run in processes of their own, so that time
and peak memory are theirs alone.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chaoskit.history.events import LoadMark
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.requests import RequestRow
from chaoskit.history.writer import EventWriter, RequestWriter

_REQUESTS = 1_000_000
_DURATION_NS = 600 * 1_000_000_000
_START_NS = 10**12
_FAILS_ONE_OF = 500
_STREAMS = ("new via n1", "kept via n1", "new via n2", "kept via n2")

# Not getrusage: what it says of a child begins with the memory of the process that started it.
_PEAK = """
def peak():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3
"""
_JUDGE = """
import sys, time
from pathlib import Path
from chaoskit.guarantees import availability, latency, load_was_enough, no_request_lost, outage
from chaoskit.guarantees import degradation, only_versions
from chaoskit.guarantees.judge import judge
from chaoskit.history.reader import History
begun = time.perf_counter()
claims = (
    availability(at_least=0.99), no_request_lost(), outage(at_most_s=5),
    degradation(below=0.5, at_most_s=5), latency(at_most_s=1.0, quantile=0.99),
    only_versions(["v1"]), load_was_enough(),
)
verdicts = judge(History.open(Path(sys.argv[1])), claims)
took_s = time.perf_counter() - begun
peak_mb = peak()
print(f"{len(verdicts)} guarantees: {took_s:.2f} s, {peak_mb:.0f} MB at most;", end=" ")
print(", ".join(f"{v.guarantee} {v.outcome}" for v in verdicts))
"""
_REPORT = """
import sys, time
from pathlib import Path
from chaoskit.report.report import write_all
begun = time.perf_counter()
paths = write_all(Path(sys.argv[1]), into=Path(sys.argv[2]))
took_s = time.perf_counter() - begun
peak_mb = peak()
sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.2f} MB" for path in paths)
print(f"reports: {took_s:.2f} s, {peak_mb:.0f} MB at most; {sizes}")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=_REQUESTS)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory(prefix="chaoskit-million-") as folder:
        run = Path(folder) / "run"
        record = run / "scenario"
        took_s = _write(record, count)
        size = sum(path.stat().st_size for path in record.glob("requests-*.ckl"))
        print(
            f"{count} requests: {took_s / count * 1e6:.1f} µs each to write, "
            f"{size / count:.0f} bytes each on disk"
        )
        for program, arguments in ((_JUDGE, [record]), (_REPORT, [run, Path(folder)])):
            command = [sys.executable, "-c", _PEAK + program, *map(str, arguments)]
            print(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout, end=""
            )


def _write(path: Path, count: int) -> float:
    """A record of so many requests; the seconds that writing the requests took."""
    info = RunInfo(
        run_id="million",
        scenario="benchmarks/million",
        title="A million requests",
        started_wall_ns=time.time_ns(),
        started_ns=_START_NS,
        boot_id="benchmark",
        chaoskit_version="0",
    )
    record = RecordFolder.create(path, info)
    step_ns = _DURATION_NS // count
    with EventWriter(record.new_events_file("load")) as events:
        for mark, at_ns, planned in (
            ("started", _START_NS, 0),
            ("stopped", _START_NS + _DURATION_NS, count),
        ):
            events.append(
                LoadMark(
                    time_ns=at_ns,
                    load_id="load-1",
                    mark="started" if mark == "started" else "stopped",
                    rate_per_s=1e9 / step_ns,
                    streams=list(_STREAMS),
                    planned=planned,
                )
            )
    rows = [_row(number, step_ns) for number in range(count)]
    begun = time.perf_counter()
    with RequestWriter(record.new_requests_file("load-1")) as requests:
        for row in rows:
            requests.append(row)
    return time.perf_counter() - begun


def _row(number: int, step_ns: int) -> RequestRow:
    chance = random.Random(number)
    planned_ns = _START_NS + number * step_ns
    stream = _STREAMS[number % len(_STREAMS)]
    kind, _, entry = stream.split()
    failed = chance.randrange(_FAILS_ONE_OF) == 0
    pod = number % 3
    sent_ns = planned_ns + chance.randrange(20_000, 900_000)
    return RequestRow(
        load="load-1",
        stream=stream,
        connection=kind,
        entry=entry,
        slot=number,
        operation="read",
        planned_ns=planned_ns,
        sent_ns=sent_ns,
        connected_ns=sent_ns + 300_000 if kind == "new" else None,
        end_ns=sent_ns + chance.randrange(600_000, 9_000_000),
        outcome="fail" if failed else "ok",
        status=None if failed else 200,
        error="refused" if failed else None,
        error_phase="connect" if failed else None,
        local_port=30_000 + chance.randrange(28_000),
        connection_id=number if kind == "new" else number % 64,
        pod=None if failed else f"web-7d4b9c6f5-{pod:05}",
        pod_uid=None if failed else f"5b0c1d5e-0000-0000-0000-{pod:012}",
        node=None if failed else entry,
        revision=None if failed else "v1",
        boot=None if failed else f"00112233aabbccdd-{pod}",
        sequence=None if failed else number // 3,
    )


if __name__ == "__main__":
    main()
