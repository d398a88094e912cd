"""What network faults do against what was asked of them: `python -m benchmarks.fault_accuracy`.

On a real cluster, node to node, with datagrams that the node agents send and receive: added delay
and its spread, jitter, lost shares with their binomial intervals, rates, late shares, and what
another pair of nodes notices meanwhile. And for every fault how long it takes from the command to
the effect, and from the heal's command to its return. `--write` puts the tables into docs/results.
"""

import argparse
import itertools
import math
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaoskit import clock
from chaoskit.cluster import images
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.faults import (
    ApiLatency,
    Bandwidth,
    DnsOutage,
    Latency,
    Loss,
    NicDown,
    Partition,
    ProbesBlocked,
    Reorder,
    WatchCut,
)
from chaoskit.faults.fault import Fault
from chaoskit.faults.network._flows import Flow, connects, flows
from chaoskit.faults.network._places import CONTROL_PLANE, places
from chaoskit.guarantees.proportions import lower_bound, upper_bound
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace

PAGE = Path(__file__).parents[1] / "docs" / "results" / "fault-accuracy.md"
_REPEATS = 10
_DATAGRAMS = 4000
_HEAL_AFTER_S = 120.0
_ON_WIRE_BITS = (1400 + 42) * 8
#: Two limits of 97.5 % make an interval of 95 %.
_LIMIT = 0.975

_DIRECTIONS: tuple[Literal["sending", "receiving"], ...] = ("sending", "receiving")

Row = tuple[str, ...]


@dataclass(frozen=True)
class Bench:
    """A cluster, and the two nodes that packets go between."""

    cluster: K3sCluster

    @property
    def one(self) -> str:
        """The node that packets leave."""
        return self.cluster.agents[0].name

    @property
    def other(self) -> str:
        """The node that they go to."""
        return self.cluster.agents[1].name

    def flow(self, source: str, destination: str, *, count: int, **how: float) -> Flow:
        """Datagrams between two nodes."""
        ends = [(places(self.cluster, [source])[0], places(self.cluster, [destination])[0])]
        size_bytes = int(how.pop("size_bytes", 64))
        (flow,) = flows(self.cluster, ends, count=count, size_bytes=size_bytes, **how)
        return flow

    @contextmanager
    def injected(self, fault: Fault) -> Iterator[None]:
        """The fault in effect."""
        try:
            fault.inject(self.cluster, heal_after_s=_HEAL_AFTER_S)
            yield
        finally:
            fault.heal(self.cluster)


def delays(bench: Bench) -> Iterator[Row]:
    """Delay, its spread, and what the other way notices."""
    for fault, spacing_ms, count in (
        (Latency((bench.one,), (bench.other,), delay_ms=50), 2.0, 1000),
        (Latency((bench.one,), (bench.other,), delay_ms=200), 2.0, 1000),
        (Latency((bench.one,), delay_ms=200), 2.0, 1000),
        (Latency((bench.one,), (bench.other,), delay_ms=100, jitter_ms=40), 85.0, 120),
    ):
        within_s = 1.0
        before = bench.flow(bench.one, bench.other, count=count // 4, spacing_ms=spacing_ms)
        with bench.injected(fault):
            flow = bench.flow(
                bench.one, bench.other, count=count, spacing_ms=spacing_ms, within_s=within_s
            )
            back = bench.flow(bench.other, bench.one, count=250, spacing_ms=1.0)
        added = [delay - statistics.median(before.delays_ms) for delay in flow.delays_ms]
        spread = f", sd {statistics.stdev(added):.1f}"
        jitter_ms = fault.jitter_ms
        even = f" ± {jitter_ms:g}, sd {jitter_ms / math.sqrt(3):.1f}" if jitter_ms else ""
        hundredths = statistics.quantiles(added, n=100)
        yield (
            f"latency to {'one node' if fault.destinations else 'everywhere'}",
            f"{fault.delay_ms:g} ms{even}",
            f"mean {statistics.fmean(added):.1f} ms{spread}; "
            f"p1 {hundredths[0]:.1f}, p50 {hundredths[49]:.1f}, p99 {hundredths[98]:.1f}; "
            f"{flow.sent - len(flow.numbers)} lost, {flow.late} late of {flow.sent}",
            f"back: mean {back.mean_ms:.2f} ms, {back.sent - len(back.numbers)} lost",
        )


def losses(bench: Bench) -> Iterator[Row]:
    """Lost shares, with the interval of 95 % that the count has, and what another pair notices."""
    server = bench.cluster.servers[0].name
    for share in (0.1, 0.3, 0.5):
        with bench.injected(Loss((bench.one,), (bench.other,), share=share)):
            flow = bench.flow(bench.one, bench.other, count=_DATAGRAMS, spacing_ms=0.2)
            apart = bench.flow(bench.one, server, count=500, spacing_ms=0.2)
        lost = flow.sent - len(flow.numbers)
        low = lower_bound(lost, flow.sent, confidence=_LIMIT)
        high = upper_bound(lost, flow.sent, confidence=_LIMIT)
        yield (
            "loss",
            f"{share:.0%}",
            f"{lost / flow.sent:.2%} of {flow.sent} ({low:.2%} to {high:.2%})",
            f"to the third node: {apart.sent - len(apart.numbers)} of {apart.sent} lost",
        )


def orders(bench: Bench) -> Iterator[Row]:
    """Late shares."""
    fault = Reorder((bench.one,), (bench.other,), share=0.25, held_ms=20)
    with bench.injected(fault):
        flow = bench.flow(bench.one, bench.other, count=_DATAGRAMS, spacing_ms=0.5)
        back = bench.flow(bench.other, bench.one, count=500, spacing_ms=0.5)
    low = lower_bound(flow.late, flow.sent, confidence=_LIMIT)
    high = upper_bound(flow.late, flow.sent, confidence=_LIMIT)
    yield (
        "reorder",
        "25% held 20 ms",
        f"{flow.late / flow.sent:.2%} late of {flow.sent} ({low:.2%} to {high:.2%}); "
        f"{flow.sent - len(flow.numbers)} lost",
        f"back: {back.late} of {back.sent} late",
    )


def rates(bench: Bench) -> Iterator[Row]:
    """Rates over some seconds, after what passes at once."""
    for direction, rate_mbit in itertools.product(_DIRECTIONS, (1.0, 10.0)):
        fault = Bandwidth(bench.one, rate_mbit, direction)
        ends = (bench.one, bench.other) if direction == "sending" else (bench.other, bench.one)
        count = math.ceil(rate_mbit * 1e6 * 4 / _ON_WIRE_BITS)
        # a little faster than the rate, so that its queue is never empty
        spacing_ms = _ON_WIRE_BITS / (rate_mbit * 1.1) / 1e3
        with bench.injected(fault):
            flow = bench.flow(*ends, count=count, spacing_ms=spacing_ms, size_bytes=1400)
            back = bench.flow(*ends[::-1], count=200, spacing_ms=0.1, size_bytes=1400)
        yield (
            f"bandwidth, {direction}",
            f"{rate_mbit:g} Mbit/s",
            f"{flow.rate_mbit(skipping=20):.3f} Mbit/s over {count * spacing_ms / 1e3:.1f} s",
            f"the other way: {back.sent - len(back.numbers)} of {back.sent} lost",
        )


def cuts(bench: Bench) -> Iterator[Row]:
    """A partition one way, and a delayed API server."""
    with bench.injected(Partition((bench.one,), (bench.other,), one_way=True)):
        there = bench.flow(bench.one, bench.other, count=500, spacing_ms=0.2)
        back = bench.flow(bench.other, bench.one, count=500, spacing_ms=0.2)
    yield (
        "partition, one way",
        "0 arrive",
        f"{len(there.numbers)} of {there.sent} arrive",
        f"back: {len(back.numbers)} of {back.sent} arrive",
    )
    (source,) = places(bench.cluster, [bench.one])
    (server,) = places(bench.cluster, [CONTROL_PLANE])
    before = connects(bench.cluster, source, server, 6443, count=5, within_s=2.0)
    with bench.injected(ApiLatency(delay_ms=100)):
        during = connects(bench.cluster, source, server, 6443, count=5, within_s=2.0)
    yield (
        "API latency",
        "100 ms",
        f"a connection takes {during.mean_ms - before.mean_ms:.1f} ms longer, mean of 5",
        f"{during.answered} of 5 answered",
    )


def speeds(bench: Bench, repeats: int) -> Iterator[Row]:
    """From the command to the effect, and from the heal's command to its end."""
    namespace = Namespace.create(bench.cluster.kube, "accuracy")
    namespace.wait_usable(timeout_s=30.0)
    web = specimen.start_web(bench.cluster.kube, specimen_manifests.web(namespace.name, "web"))
    web.deployment.wait_complete(90.0)
    pod = min(web.deployment.pods(), key=lambda each: each.name).name
    one, other = (bench.one,), (bench.other,)
    for fault in (
        Partition(one, other),
        Partition(one, (f"{namespace.name}/{pod}",)),
        Loss(one, other, share=0.3),
        Latency(one, other, delay_ms=50),
        Reorder(one, other),
        Bandwidth(bench.one, 1.0),
        Bandwidth(bench.one, 1.0, direction="receiving"),
        DnsOutage(one),
        ProbesBlocked(namespace.name, pod),
        ApiLatency(delay_ms=50),
        WatchCut(),
        NicDown(bench.one),
    ):
        yield _speed(bench.cluster, fault, repeats)
    namespace.delete()


def _speed(cluster: K3sCluster, fault: Fault, repeats: int) -> Row:
    injected_ms, effect_ms, heal_ms = [], [], []
    for _ in range(repeats):
        begun_ns = clock.now_ns()
        fault.inject(cluster, heal_after_s=_HEAL_AFTER_S)
        injected_ms.append((clock.now_ns() - begun_ns) / 1e6)
        wait_until(
            lambda: fault.is_effective(cluster),
            what=f"{fault.name} to be in effect",
            timeout_s=15.0,
            interval_s=0.01,
        )
        effect_ms.append((clock.now_ns() - begun_ns) / 1e6)
        begun_ns = clock.now_ns()
        fault.heal(cluster)
        heal_ms.append((clock.now_ns() - begun_ns) / 1e6)
        if not fault.one_shot:
            assert not fault.is_effective(cluster), f"{fault.name} is not healed"
    return (
        fault.name,
        fault.target.replace(f"{cluster.name}-", ""),
        *(_span(some) for some in (injected_ms, effect_ms, heal_ms)),
    )


def _span(some_ms: Sequence[float]) -> str:
    return f"{statistics.median(some_ms):.0f} / {max(some_ms):.0f}"


def table(heads: Row, rows: Sequence[Row]) -> str:
    """Rows as Markdown."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure and print; write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    provider = K3sProvider(progress=print)
    specimens = images.ensure(provider.client, ("specimen",))["specimen"]
    cluster = provider.start(ClusterSpec(images=specimens))
    try:
        bench = Bench(cluster)
        accuracy: list[Row] = []
        measures: tuple[Callable[[Bench], Iterator[Row]], ...] = (
            delays,
            losses,
            orders,
            rates,
            cuts,
        )
        for measure in measures:
            for row in measure(bench):
                print(" | ".join(row), flush=True)
                accuracy.append(row)
        quick: list[Row] = []
        for row in speeds(bench, asked.repeats):
            print(" | ".join(row), flush=True)
            quick.append(row)
        facts = cluster.facts
    finally:
        provider.stop(cluster)
        provider.close()
    machine = (
        f"{os.cpu_count()} cores, load average {load:.1f} at the start, "
        f"Linux {os.uname().release.partition('-')[0]}, "
        f"Kubernetes {facts['kubernetes']}, {facts['servers']} + {facts['agents']} nodes"
    )
    if asked.write:
        PAGE.write_text(page(machine, accuracy, quick, asked.repeats))
        print(f"written: {PAGE}")


def page(machine: str, accuracy: Sequence[Row], quick: Sequence[Row], repeats: int) -> str:
    """The page of docs/results."""
    return f"""# How accurate network faults are

Measured by `python -m benchmarks.fault_accuracy --write` with numbered datagrams between nodes, \
sent and received by the node agents: another path than the injection. Nodes share one clock, so \
each direction is measured alone. Delays are what was added to the median before the fault. \
Machine: {machine}.

{table(("fault", "asked for", "seen", "beside it"), accuracy)}

Intervals are exact binomial ones of 95 %. Rates are those on the wire, after what passes at once.

## From command to effect
Medians and maxima in ms of {repeats} times each. "Injected" is when the command has returned; \
"seen" when the fault's own measurement has first shown the effect, which takes most of the time; \
"healed" when the heal has returned, which it does when it has looked that nothing is left.

{table(("fault", "target", "injected", "seen", "healed"), quick)}
"""


if __name__ == "__main__":
    main()
