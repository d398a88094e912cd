"""What recording costs the load, and how big a record gets: `python -m benchmarks.recording`.

First pairs of short loads on one cluster, each once with all recorders (observer, scan of the
nodes, sampler) and once without, the order changing from pair to pair: the ratios within a pair
hold although the machine's speed drifts. Then one long load, for the bytes on disk and what the
report of it takes.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chaoskit import clock
from chaoskit.cluster import images
from chaoskit.cluster.container_scanner import ContainerScanner
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.reader import History
from chaoskit.history.session import Session, SessionScenario, write_session
from chaoskit.kube.observer import Observer
from chaoskit.load.driver import Driver
from chaoskit.load.profile import LoadPlan
from chaoskit.load.sampling import Sampler, sampled
from chaoskit.report.report import write_all
from chaoskit.run.streams import service_streams
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen import Web

_PAIRS = 5
_PAIR_S = 15.0
_RATE_PER_S = 300.0
_LONG_S = 600.0
_LONG_RATE_PER_S = 500.0


@dataclass(frozen=True)
class Bench:
    """The cluster, the service on it, and the one driver of all loads."""

    cluster: K3sCluster
    namespace: str
    web: Web
    driver: Driver

    def load(self, folder: Path, *, rate_per_s: float, seconds: float, recorded: bool) -> History:
        """Drive so long, with all recorders or with the driver's own record alone."""
        RecordFolder.create(folder, _info(self.namespace))
        streams = service_streams(self.web.service, self.cluster.nodes, ("new", "kept"))
        plan = LoadPlan(load_id="load-1", streams=streams, rate_per_s=rate_per_s, seed=1)
        beside = self._recorders(folder, plan) if recorded else _nothing()
        with beside, self.driver.start(plan, folder, folder / "load.log") as load:
            load.wait_steady(timeout_s=30)
            load.run_for(seconds=seconds)
        return History.open(folder)

    @contextmanager
    def _recorders(self, folder: Path, plan: LoadPlan) -> Iterator[None]:
        sampler = Sampler(folder / "sampler.log")
        observer = Observer.start(
            self.cluster.kubeconfig, [self.namespace], folder, folder / "observer.log"
        )
        scanner = ContainerScanner.start(self.cluster, folder, folder / "scan.log")
        try:
            observer.wait_synced(30.0)
            sampler.begin(sampled(plan.load_id, plan.streams, control=None, seed=2), folder)
            yield
        finally:
            sampler.stop()
            observer.stop()
            scanner.stop()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=_PAIRS, help="0 leaves them out")
    parser.add_argument("--long-s", type=float, default=_LONG_S, help="0 leaves the long load out")
    arguments = parser.parse_args()
    with _bench() as bench, tempfile.TemporaryDirectory(prefix="chaoskit-bench-") as folder:
        if arguments.pairs:
            _pairs(bench, Path(folder), arguments.pairs)
        if arguments.long_s > 0:
            _long(bench, Path(folder) / "long", arguments.long_s)


@contextmanager
def _bench() -> Iterator[Bench]:
    with closing(K3sProvider()) as provider, Driver() as driver:
        specimens = images.ensure(provider.client, ("specimen",))["specimen"]
        cluster = provider.start(ClusterSpec(images=specimens))
        print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
        try:
            namespace = Namespace.create(cluster.kube, "bench")
            namespace.wait_usable(timeout_s=30.0)
            web = specimen.start_web(cluster.kube, specimen_manifests.web(namespace.name, "web"))
            web.deployment.wait_complete(timeout_s=60)
            web.service.wait_answering(timeout_s=15)
            yield Bench(cluster, namespace.name, web, driver)
        finally:
            provider.stop(cluster)


def _pairs(bench: Bench, folder: Path, pairs: int) -> None:
    rows: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for pair in range(pairs):
        for recorded in (pair % 2 == 0, pair % 2 == 1):
            history = bench.load(
                folder / f"{pair}-{recorded}",
                rate_per_s=_RATE_PER_S,
                seconds=_PAIR_S,
                recorded=recorded,
            )
            rows[recorded].append(_figures(history))
    print(f"{pairs} pairs at {_RATE_PER_S:.0f}/s: with recorders, without, ratio pair by pair")
    for name in rows[True][0]:
        with_them = [row[name] for row in rows[True]]
        without = [row[name] for row in rows[False]]
        ratios = [a / b for a, b in zip(with_them, without, strict=True) if b]
        ratio = (
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            if ratios
            else "-"
        )
        print(
            f"  {name:22} {statistics.median(with_them):9.3f} {statistics.median(without):9.3f}"
            f"   {ratio}"
        )


def _figures(history: History) -> dict[str, float]:
    table = history.requests
    own = table.filter(pc.equal(table["load"].cast(pa.string()), pa.scalar("load-1")))
    planned, sent, end = (
        own[name].to_numpy(zero_copy_only=False).astype(float)
        for name in ("planned_ns", "sent_ns", "end_ns")
    )
    lag_ms, service_ms = (sent - planned) / 1e6, (end - sent) / 1e6
    outcomes = own["outcome"].cast(pa.string()).to_numpy(zero_copy_only=False)
    return {
        "lag p50, ms": float(np.nanpercentile(lag_ms, 50)),
        "lag p99, ms": float(np.nanpercentile(lag_ms, 99)),
        "service time p50, ms": float(np.nanpercentile(service_ms, 50)),
        "service time p99, ms": float(np.nanpercentile(service_ms, 99)),
        "not ok": float((outcomes != "ok").sum()),
    }


def _long(bench: Bench, folder: Path, seconds: float) -> None:
    session = folder / "session"
    record = session / "long"
    session.mkdir(parents=True)
    history = bench.load(record, rate_per_s=_LONG_RATE_PER_S, seconds=seconds, recorded=True)
    rows = history.requests.num_rows
    size = sum(file.stat().st_size for file in record.glob("*.ckl"))
    print(
        f"{seconds:.0f} s at {_LONG_RATE_PER_S:.0f}/s: {rows} requests, "
        f"{len(history.events)} events, {size / 1e6:.1f} MB on disk, {size / rows:.0f} B a request"
    )
    write_session(_session(), session)
    begun = time.monotonic()
    written = write_all(session)
    took_s = time.monotonic() - begun
    html = sum(path.stat().st_size for path in written if path.suffix == ".html")
    print(f"  all reports in {took_s:.2f} s, {html / 1e6:.2f} MB of HTML")


def _session() -> Session:
    return Session(
        run_id="bench",
        seed=1,
        started_wall_ns=clock.wall_ns(),
        wall_s=0.0,
        finished=True,
        command="",
        options={},
        facts={},
        scenarios=[
            SessionScenario(
                slug="long", nodeid="long", outcome="HELD", rows=[], reason="", title="", doc=""
            )
        ],
    )


def _info(namespace: str) -> RunInfo:
    return RunInfo(
        run_id="bench",
        scenario="long",
        title="The cost of recording",
        started_wall_ns=clock.wall_ns(),
        started_ns=clock.now_ns(),
        boot_id=clock.boot_id(),
        chaoskit_version="0",
        namespace=namespace,
    )


if __name__ == "__main__":
    main()
