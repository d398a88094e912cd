"""Planted defects and their sound twins: what each test needs, and a line of results for each.

A test plants its defect or leaves it out, drives load over it, and expects VIOLATED or HELD. What
came of it is written below reports/, from which `benchmarks/planted_defects.py` makes the table.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.node import Node
from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.verdict import Outcome, Verdict
from chaoskit.run import NotHeld, Run
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue, Web

RESULTS = Path("reports/planted-defects.jsonl")
_WORKLOAD_READY_S = 90.0

#: Each test runs twice: as it should be, and with its defect.
twins = pytest.mark.parametrize("planted", [False, True], ids=["sound", "planted"])


@dataclass(frozen=True, kw_only=True)
class Planting:
    """One test's run, and where its workloads go."""

    run: Run
    cluster: K3sCluster
    namespace: Namespace
    defect: str
    rows: tuple[str, ...] = ()

    def web(self, **parameters: Any) -> Web:
        """A Deployment of the specimen behind its Service, complete and answering."""
        manifests = specimen_manifests.web(self.namespace.name, "web", **parameters)
        web = specimen.start_web(self.cluster.kube, manifests, steps=self.run.steps)
        web.deployment.wait_complete(_WORKLOAD_READY_S)
        web.service.wait_answering(timeout_s=15)
        return web

    def kv(self, *, replicas: int = 1, **parameters: Any) -> KeyValue:
        """A key-value store, complete and answering."""
        manifests = specimen_manifests.kv(
            self.namespace.name, "kv", replicas=replicas, **parameters
        )
        kv = specimen.start_kv(self.cluster.kube, manifests, steps=self.run.steps)
        kv.stateful_set.wait_complete(_WORKLOAD_READY_S)
        kv.wait_answering(timeout_s=15)
        return kv

    def load(
        self,
        target: Service | KeyValue,
        *,
        rate_per_s: float = 100,
        via: Node | Sequence[Node] | None = None,
        **parameters: Any,
    ) -> SampledLoad:
        """Load through the server node, steady."""
        entry = self.cluster.servers[0] if via is None else via
        load = self.run.load(target, via=entry, rate_per_s=rate_per_s, **parameters)
        load.wait_steady(timeout_s=30)
        return load

    def expect(self, planted: bool, *guarantees: Guarantee) -> dict[str, Verdict]:
        """Judge; every one of them is VIOLATED if planted, else HELD. The verdicts by name."""
        try:
            judgement = self.run.check(*guarantees)
        except NotHeld as error:
            judgement = error.judgement
        verdicts = {verdict.guarantee: verdict for verdict in judgement.verdicts}
        RESULTS.parent.mkdir(exist_ok=True)
        with RESULTS.open("a") as file:
            for verdict in verdicts.values():
                first = verdict.evidence.first
                row = {
                    "defect": self.defect,
                    "rows": ", ".join(self.rows),
                    "planted": planted,
                    "guarantee": verdict.guarantee,
                    "outcome": verdict.outcome,
                    "evidence": first.text if first is not None else verdict.summary,
                }
                file.write(json.dumps(row) + "\n")
        wanted = Outcome.VIOLATED if planted else Outcome.HELD
        told = {name: f"{each.outcome}: {each.summary}" for name, each in verdicts.items()}
        assert {each.outcome for each in verdicts.values()} == {wanted}, told
        return verdicts
