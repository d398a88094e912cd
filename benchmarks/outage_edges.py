"""How short an outage is found, and how well its edges: `python -m benchmarks.outage_edges`.

The specimen itself, as a process of this host, is stopped (SIGSTOP) for known times while the
driver sends to it; what is found in the record is compared with what was planted. Beside it, in
the same run, two polls ask as people do by hand: once a second, and every two seconds.
"""

import argparse
import io
import os
import random
import re
import signal
import statistics
import subprocess
import tarfile
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaoskit import clock
from chaoskit.cluster import engine, images
from chaoskit.guarantees.requests.availability import availability
from chaoskit.guarantees.traffic.gaps import gaps_in, longest_of, streams_of
from chaoskit.guarantees.traffic.selection import select
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.reader import History
from chaoskit.load import driver
from chaoskit.load.profile import LoadPlan, Operation, Stream

_LENGTHS_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_REPEATS = 5
_RATE_PER_S = 200.0  # of each of the two streams
#: An answer later than this counts as none: the stopped process answers once it goes on.
_DEADLINE_S = 0.01
_QUIET_S = 2.2
_POLLS_S = (1.0, 2.0)


@dataclass
class Poll:
    """Asks in an even rhythm, one request at a time, and counts as down what takes over 1 s."""

    period_s: float
    url: str
    bad_ns: list[int] = field(default_factory=list)

    def run(self, ended: threading.Event) -> None:
        """Ask until told to end."""
        while not ended.wait(self.period_s):
            asked_ns = clock.now_ns()
            try:
                with urllib.request.urlopen(self.url, timeout=1.0) as answer:
                    answer.read()
            except OSError:
                self.bad_ns.append(asked_ns)


@dataclass(frozen=True)
class Planted:
    """One pause: from the moment the process was stopped until it went on."""

    length_s: float
    start_ns: int
    end_ns: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    repeats = parser.parse_args().repeats
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="chaoskit-edges-") as folder:
        with _specimen(Path(folder)) as (process, port):
            history, planted, polls = _run(Path(folder) / "record", process, port, repeats)
        _print(history, planted, polls)


@contextmanager
def _specimen(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The specimen from its image, as a process of this host."""
    client = images.connect(engine.require())
    reference = images.ensure(client, ("specimen",))["specimen"][0]
    made = client.containers.create(reference)
    try:
        pieces, _ = made.get_archive("/specimen")
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            archive.extractall(folder, filter="data")
    finally:
        made.remove()
        client.close()
    process = subprocess.Popen(
        [folder / "specimen"],
        env={"SPECIMEN_PORT": "0"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None  # asked for above
        for line in process.stderr:
            if (found := re.search(r":(\d{4,5})\b", line)) is not None:
                yield process, int(found[1])
                break
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def _run(
    path: Path, process: "subprocess.Popen[str]", port: int, repeats: int
) -> tuple[History, list[Planted], list[Poll]]:
    info = RunInfo(
        run_id="edges",
        scenario="benchmarks/edges",
        title="Outages of known length",
        started_wall_ns=clock.wall_ns(),
        started_ns=clock.now_ns(),
        boot_id=clock.boot_id(),
        chaoskit_version="0",
    )
    RecordFolder.create(path, info)
    read = (Operation(name="read", method="GET", path="/"),)
    streams = tuple(
        Stream(
            name=name,
            connection="new" if name == "new" else "kept",
            entry="here",
            host="127.0.0.1",
            port=port,
            operations=read,
        )
        for name in ("new", "kept")
    )
    plan = LoadPlan(load_id="load-1", streams=streams, rate_per_s=2 * _RATE_PER_S, seed=1)
    polls = [Poll(period_s, f"http://127.0.0.1:{port}/") for period_s in _POLLS_S]
    ended = threading.Event()
    threads = [threading.Thread(target=poll.run, args=(ended,)) for poll in polls]
    chance = random.Random(1)
    planted = []
    with driver.start(plan, path, path / "load.log") as load:
        load.wait_steady(timeout_s=30)
        for thread in threads:
            thread.start()
        for length_s in sorted(_LENGTHS_S * repeats, key=lambda _: chance.random()):
            load.run_for(seconds=_QUIET_S + chance.random())
            planted.append(_pause(process, length_s))
        load.run_for(seconds=_QUIET_S)
    ended.set()
    for thread in threads:
        thread.join()
    return History.open(path), planted, polls


def _pause(process: "subprocess.Popen[str]", length_s: float) -> Planted:
    process.send_signal(signal.SIGSTOP)
    start_ns = clock.now_ns()
    end_ns = start_ns + int(length_s * 1e9)
    never = threading.Event()
    while (left_s := (end_ns - clock.now_ns()) / 1e9) > 0:
        never.wait(left_s)
    process.send_signal(signal.SIGCONT)
    return Planted(length_s, start_ns, clock.now_ns())


def _print(history: History, planted: Sequence[Planted], polls: Sequence[Poll]) -> None:
    chosen = select(history, availability(at_least=0.5), deadline_s=_DEADLINE_S)
    streams = streams_of(chosen)
    print(
        "planted  found  length found  edge error p50/max  | "
        + "  ".join(f"poll each {poll.period_s:g} s: found" for poll in polls)
    )
    for length_s in _LENGTHS_S:
        found_ms, errors_ms, seen = [], [], [0] * len(polls)
        of_length = [one for one in planted if one.length_s == length_s]
        for one in of_length:
            span = (one.start_ns, one.end_ns)
            gaps = [
                gap
                for stream in streams
                for gap in gaps_in(stream, span, longer_than_ns=0, cut_at_edges=False)
                if gap.lower is not None and gap.lower_ns > 0
            ]
            if gaps:
                lower = longest_of(gaps).lower
                assert lower is not None  # chosen by it
                found_ms.append((lower[1] - lower[0]) / 1e6)
                errors_ms += [abs(lower[0] - one.start_ns) / 1e6, abs(lower[1] - one.end_ns) / 1e6]
            for number, poll in enumerate(polls):
                seen[number] += any(one.start_ns - 1e9 <= at <= one.end_ns for at in poll.bad_ns)
        errors = (
            f"{statistics.median(errors_ms):6.1f} / {max(errors_ms):.1f} ms" if errors_ms else "-"
        )
        length = f"{statistics.median(found_ms):8.1f} ms" if found_ms else "-"
        print(
            f"{length_s * 1e3:5.0f} ms  {len(found_ms)}/{len(of_length)}  {length:>12}  "
            f"{errors:>18}  | " + "  ".join(f"{count}/{len(of_length)}".rjust(19) for count in seen)
        )


if __name__ == "__main__":
    main()
