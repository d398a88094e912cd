"""How fast faults come and go: `python -m benchmarks.fault_times [FAULT …]`.

Each fault of the catalogue is injected and healed by its sample, as the contract's tests do, in a
namespace of its own: command to measured effect, and command to verified heal. Each run is a line
below `reports/`, so runs add up; `docs/results/fault-times.md` is made from all of them, and keeps
what it says of faults that were not measured here.
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chaoskit import clock
from chaoskit.cluster import images
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.provider import ClusterSpec
from chaoskit.errors import UsageError
from chaoskit.waiting import wait_until
from chaoskit.workloads.namespace import Namespace
from tests.cluster.faults import SAMPLES
from tests.cluster.faults.stage import Sample, Stage

_LINES = Path("reports/fault-times.jsonl")
_TABLE = Path("docs/results/fault-times.md")
_RUNS = 5
_HEAL_AFTER_S = 120.0
_KEPT_FOR_S = 1.0
_NODE_READY_WITHIN_S = 120.0
_HEAD = """# How fast faults come and go

Made by `python -m benchmarks.fault_times` from all runs so far, on a machine of {cores} cores \
with other work on it. Effect: from the command to the first measurement that shows it, by another \
path than the injection; where Kubernetes has to notice, that is included. Heal: from the \
command to its return, after it was seen to be mended; of what is over in a moment (1), the wait \
until what it hit works again. With few runs p95 is nearly the longest.

| fault | runs | effect p50 | p95 | heal p50 | p95 |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Measure what is named, or every fault; then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="by name; default: all")
    parser.add_argument("--runs", type=int, default=_RUNS)
    parser.add_argument("--cluster", help="one that runs, by name; default: one of its own")
    arguments = parser.parse_args()
    names = arguments.faults or sorted(SAMPLES)
    if unknown := set(names) - SAMPLES.keys():
        raise UsageError("no such fault", subject=", ".join(sorted(unknown)))
    with _cluster(arguments.cluster) as cluster:
        for name in names:
            for _ in range(arguments.runs):
                if not _measured(name, SAMPLES[name], cluster):
                    break
    _write_table()


@contextmanager
def _cluster(name: str | None) -> Iterator[K3sCluster]:
    provider = K3sProvider()
    specimens = images.ensure(provider.client, ("specimen",))["specimen"]
    if name is not None:
        cluster = provider.find(name)
        cluster.load_image(specimens[0])
        yield cluster
        cluster.close()
    else:
        cluster = provider.start(ClusterSpec(images=specimens))
        try:
            yield cluster
        finally:
            provider.stop(cluster)
    provider.close()


def _measured(name: str, sample: Sample, cluster: K3sCluster) -> bool:
    """One run, written down; False if this cluster cannot have the fault."""
    namespace = Namespace.create(cluster.kube, "times")
    fault = sample.make(Stage(cluster, namespace))
    if lacking := fault.requires - cluster.capabilities:
        print(f"{name}: not here, this cluster lacks {', '.join(sorted(lacking))}")
        return False
    begun_ns = clock.now_ns()
    try:
        fault.inject(cluster, heal_after_s=_HEAL_AFTER_S)
        injected_s = (clock.now_ns() - begun_ns) / 1e9
        wait_until(
            lambda: fault.is_effective(cluster),
            what=f"{name} to be in effect",
            timeout_s=sample.effective_within_s,
            interval_s=0.01,
        )
        effective_s = (clock.now_ns() - begun_ns) / 1e9
        if not fault.one_shot:
            over_ns = clock.now_ns() + int(_KEPT_FOR_S * 1e9)
            wait_until(
                lambda: clock.now_ns() > over_ns, what="the fault's time", timeout_s=_KEPT_FOR_S + 5
            )
    finally:
        asked_ns = clock.now_ns()
        fault.heal(cluster)
    row = {
        "fault": name,
        "one_shot": fault.one_shot,
        "injected_s": injected_s,
        "effective_s": effective_s,
        "healed_s": (clock.now_ns() - asked_ns) / 1e9,
        "load_average": os.getloadavg()[0],
        "image": cluster.facts["image"],
    }
    _LINES.parent.mkdir(exist_ok=True)
    with _LINES.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(f"{name}: effect {effective_s:.2f} s, heal {row['healed_s']:.2f} s", flush=True)
    if sample.whole_node:
        cluster.agents[-1].wait_ready(timeout_s=_NODE_READY_WITHIN_S)
    namespace.delete()
    return True


def _write_table() -> None:
    """From the runs of this machine; what only others have measured stays as it stands there."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in _LINES.read_text().splitlines():
        row = json.loads(line)
        runs[row["fault"]].append(row)
    lines = _lines_of_the_page()
    for name, rows in runs.items():
        mark = " (1)" if rows[-1]["one_shot"] else ""
        effect = _two([row["effective_s"] for row in rows])
        heal = _two([row["healed_s"] for row in rows])
        lines[name] = f"| {name}{mark} | {len(rows)} | {effect} | {heal} |"
    table = "\n".join(line for _, line in sorted(lines.items()))
    _TABLE.write_text(f"{_HEAD.format(cores=os.cpu_count())}{table}\n")
    print(f"{_TABLE}: {len(lines)} faults, {len(runs)} of them from {_LINES}")


def _lines_of_the_page() -> dict[str, str]:
    """The table's lines by fault, as far as the catalogue still has it."""
    if not _TABLE.exists():
        return {}
    lines = {line.split()[1]: line for line in _TABLE.read_text().splitlines() if line[:2] == "| "}
    return {name: line for name, line in lines.items() if name in SAMPLES}


def _two(seconds: Sequence[float]) -> str:
    p50, p95 = np.percentile(seconds, [50, 95])
    return f"{p50:.2f} s | {p95:.2f} s"


if __name__ == "__main__":
    main()
