"""Synthetic records with real writers: what a run would have left, made without a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chaoskit.guarantees.guarantee import Guarantee
from chaoskit.guarantees.judge import encode, judgement
from chaoskit.guarantees.verdict import Evidence, Outcome, Verdict, Witness
from chaoskit.history.events import (
    AnyEvent,
    ContainerSeen,
    PhaseMark,
    Watched,
)
from chaoskit.history.folder import RecordFolder, RunInfo
from chaoskit.history.requests import RequestRow
from chaoskit.history.writer import EventWriter, RequestWriter

START_NS = 5_000_000_000_000
WALL_NS = 1_767_225_600_000_000_000


def at(second: float) -> int:
    """That many seconds after the start of a synthetic record."""
    return START_NS + int(second * 1e9)


def run_info(title: str, **changes: Any) -> RunInfo:
    values: dict[str, Any] = {
        "run_id": "20260101-120000-3f2a",
        "scenario": "scenarios/node/test_nic_down.py::test_member_survives_nic_down",
        "title": title,
        "rows": ["N1"],
        "seed": 4711,
        "started_wall_ns": WALL_NS,
        "started_ns": START_NS,
        "boot_id": "7f9c1a52-0000-4000-8000-000000000001",
        "chaoskit_version": "0.1.0",
        "cluster": {
            "image": "chaoskit/node:1.36.0",
            "image id": "sha256:4be1c7",
            "kubernetes version": "v1.36.0",
            "nodes": "1 server, 2 agents",
            "provider": "k3s",
        },
        "namespace": "chaos-7",
        "profile": "fast",
        "command": "pytest scenarios/node -k nic_down --chaos-seed 4711",
    }
    return RunInfo(**{**values, **changes})


def verdict(
    outcome: str, title: str, summary: str, moments: Sequence[tuple[float, str]] = (), **more: Any
) -> Verdict:
    """A verdict whose first, worst and last witness are at the moments given."""
    witnesses = [Witness(time_ns=at(s), text=text, objects=["kv-1"]) for s, text in moments]
    evidence = Evidence()
    if witnesses:
        evidence = Evidence(
            count=more.pop("count", len(witnesses)),
            first=witnesses[0],
            worst=witnesses[len(witnesses) // 2],
            last=witnesses[-1],
        )
    return Verdict(
        guarantee=title.replace(" ", "_"),
        version=1,
        title=title,
        outcome=Outcome(outcome),
        summary=summary,
        evidence=evidence,
        **more,
    )


@dataclass
class Objects:
    """Watch events of a small cluster, with rising resource versions."""

    events: list[AnyEvent] = field(default_factory=list)
    revision: int = 100

    def _add(self, second: float, change: Any, named: tuple[str, str, str], thing: Any) -> None:
        kind, name, uid = named
        self.revision += 1
        self.events.append(
            Watched(
                time_ns=at(second),
                kind=kind,
                change=change,
                uid=uid,
                namespace="" if kind == "Node" else "chaos-7",
                name=name,
                resource_version=self.revision,
                object=thing,
            )
        )

    def node(self, second: float, name: str, ready: str, change: str = "MODIFIED") -> None:
        condition = {"type": "Ready", "status": ready}
        if ready == "Unknown":
            condition["reason"] = "NodeStatusUnknown"
        self._add(
            second,
            change,
            ("Node", name, f"n-{name}"),
            {"metadata": {"name": name}, "status": {"conditions": [condition]}},
        )

    def pod(
        self,
        second: float,
        name: str,
        uid: str,
        *,
        ready: bool,
        node: str = "agent-0",
        revision: str = "kv-7d4c9f",
        terminating: bool = False,
        change: str = "MODIFIED",
        owner: str = "StatefulSet",
    ) -> None:
        label = "controller-revision-hash" if owner == "StatefulSet" else "pod-template-hash"
        metadata: dict[str, Any] = {
            "labels": {label: revision},
            "ownerReferences": [{"kind": owner}],
        }
        if terminating:
            metadata["deletionTimestamp"] = "2026-01-01T12:00:40Z"
        status = {
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        }
        thing = {"metadata": metadata, "spec": {"nodeName": node}, "status": status}
        self._add(second, change, ("Pod", name, uid), thing)


def container(
    second: float, node: str, pod_uid: str, state: Any, before: float = 0.05
) -> ContainerSeen:
    return ContainerSeen(
        time_ns=at(second),
        node=node,
        pod_uid=pod_uid,
        container_id=f"c-{pod_uid}",
        state=state,
        before_ns=at(second - before),
    )


def phases(*spans: tuple[str, float, float]) -> list[AnyEvent]:
    return [
        event
        for name, begin, end in spans
        for event in (
            PhaseMark(time_ns=at(begin), phase=name, mark="begin"),
            PhaseMark(time_ns=at(end), phase=name, mark="end"),
        )
    ]


def request_row(
    stream: str, slot: int, second: float, *, bad: bool, random: np.random.Generator
) -> RequestRow:
    latency_s = 0.5 if bad else float(random.lognormal(-6.0, 0.6))
    return RequestRow(
        load="l1",
        stream=stream,
        connection="new",
        entry=stream.rpartition(" ")[2],
        slot=slot,
        operation="read",
        planned_ns=at(second),
        sent_ns=at(second + 0.0002),
        connected_ns=None if bad else at(second + 0.0004),
        end_ns=at(second + 0.0005 + latency_s),
        outcome="fail" if bad else "ok",
        status=None if bad else 200,
        error="timeout" if bad else None,
        error_phase="connect" if bad else None,
        revision=None if bad else "7d4c9f",
    )


def write_record(
    folder: Path,
    info: RunInfo,
    *,
    events: Sequence[AnyEvent] = (),
    requests: Sequence[RequestRow] = (),
    verdicts: Sequence[Verdict] | None = None,
    guarantees: Sequence[Guarantee] = (),
) -> RecordFolder:
    """One record folder, judged unless `verdicts` is None."""
    record = RecordFolder.create(folder, info)
    with EventWriter(record.new_events_file("run")) as writer:
        for event in sorted(events, key=lambda e: e.time_ns):
            writer.append(event)
    with RequestWriter(record.new_requests_file("load")) as load:
        for row in requests:
            load.append(row)
    if verdicts is not None:
        record.write_verdicts(judgement(verdicts, chaoskit_version=info.chaoskit_version))
    record.write_guarantees(encode(guarantees))
    return record
