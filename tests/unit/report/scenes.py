"""Synthetic runs: a node cut under a StatefulSet, a rollout, and a session of all outcomes."""

from pathlib import Path
from typing import Any

import numpy as np

from chaoskit.guarantees.verdict import Verdict
from chaoskit.history.events import AnyEvent, FaultMark, LoadMark, Note, StepMark
from chaoskit.history.requests import RequestRow
from chaoskit.history.session import Session, SessionScenario
from tests.unit.report.synthetic import (
    WALL_NS,
    Objects,
    at,
    container,
    phases,
    request_row,
    run_info,
    verdict,
    write_record,
)


def nic_down_events() -> list[AnyEvent]:
    """A member's node is cut at 20 s, the member force-deleted at 40 s, healed at 62 s."""
    objects = Objects()
    for name in ("server-0", "agent-0", "agent-1"):
        objects.node(0.1, name, "True", "LISTED")
    for number, node in enumerate(("agent-0", "agent-1", "server-0")):
        uid = f"{number}aaa1111-0000"
        objects.pod(0.2, f"kv-{number}", uid, ready=True, node=node, change="LISTED")
    objects.node(36.4, "agent-1", "Unknown")
    objects.pod(36.6, "kv-1", "1aaa1111-0000", ready=False, node="agent-1")
    objects.pod(40.0, "kv-1", "1aaa1111-0000", ready=False, node="agent-1", terminating=True)
    objects.pod(40.1, "kv-1", "1aaa1111-0000", ready=False, node="agent-1", change="DELETED")
    objects.pod(40.2, "kv-1", "1bbb2222-0000", ready=False, node="agent-0", change="ADDED")
    objects.pod(43.9, "kv-1", "1bbb2222-0000", ready=True, node="agent-0")
    objects.node(65.3, "agent-1", "True")
    return [*objects.events, *_nic_down_processes(), *_nic_down_marks()]


def _nic_down_processes() -> list[AnyEvent]:
    running = [
        container(0.3 + n / 10, node, uid, "running")
        for n, (node, uid) in enumerate(
            (
                ("agent-0", "0aaa1111-0000"),
                ("agent-1", "1aaa1111-0000"),
                ("server-0", "2aaa1111-0000"),
            )
        )
    ]
    return [
        *running,
        container(42.8, "agent-0", "1bbb2222-0000", "running"),
        container(66.1, "agent-1", "1aaa1111-0000", "gone"),
    ]


def _nic_down_marks() -> list[AnyEvent]:
    fault = {"fault_id": "f1", "name": "nic_down", "target": "agent-1"}
    marks: list[tuple[Any, float]] = [
        ("requested", 19.8),
        ("injected", 20.0),
        ("heal_requested", 61.8),
        ("healed", 62.0),
    ]
    marks += [("effective", 20.5 + n) for n in range(41)]
    return [
        *(FaultMark(time_ns=at(second), mark=mark, **fault) for mark, second in marks),
        *phases(("baseline", 2, 20), ("cut", 20, 62), ("recovery", 62, 85)),
        StepMark(
            time_ns=at(39.9), step_id="s1", name="delete", target="kv-1", mark="started", force=True
        ),
        StepMark(
            time_ns=at(40.1), step_id="s1", name="delete", target="kv-1", mark="done", force=True
        ),
        LoadMark(time_ns=at(0.5), load_id="l1", mark="started", rate_per_s=30, streams=["kept"]),
        LoadMark(time_ns=at(3), load_id="l1", mark="steady", rate_per_s=30, streams=["kept"]),
        LoadMark(
            time_ns=at(84),
            load_id="l1",
            mark="stopped",
            rate_per_s=30,
            streams=["kept"],
            planned=2500,
        ),
        Note(time_ns=at(21), source="observer", level="warning", text="watch of Pod was slow"),
    ]


def nic_down_requests(rate_per_s: int = 10) -> list[RequestRow]:
    """Three streams, one of them through the node that is cut."""
    random = np.random.default_rng(7)
    rows = []
    for slot in range(int(83 * rate_per_s)):
        for stream in ("new via agent-0", "new via agent-1", "control"):
            second = 1 + slot / rate_per_s
            cut = stream == "new via agent-1" and 20 <= second <= 62
            part = stream == "new via agent-0" and 20 <= second <= 38 and random.random() < 1 / 3
            rows.append(request_row(stream, slot, second, bad=cut or part, random=random))
    return rows


def rollout_events() -> list[AnyEvent]:
    """Three pods replaced one by one from 10 s on."""
    objects = Objects()
    events: list[AnyEvent] = []
    for n in range(3):
        old, new = f"web-6f-{n}", f"web-8b-{n}"
        web: dict[str, Any] = {"owner": "ReplicaSet"}
        begin = 10 + 9 * n
        objects.pod(0.2, old, f"{n}old", ready=True, revision="6f5d", change="LISTED", **web)
        objects.pod(begin, new, f"{n}new", ready=False, revision="8b7e", change="ADDED", **web)
        objects.pod(begin + 4, new, f"{n}new", ready=True, revision="8b7e", **web)
        objects.pod(begin + 5, old, f"{n}old", ready=True, revision="6f5d", terminating=True, **web)
        objects.pod(
            begin + 8, old, f"{n}old", ready=False, revision="6f5d", change="DELETED", **web
        )
    events += objects.events
    marks: list[tuple[float, Any]] = [(10.0, "started"), (33.5, "done")]
    for second, mark in marks:
        events.append(
            StepMark(time_ns=at(second), step_id="s1", name="set_image", target="web", mark=mark)
        )
    return events + phases(("baseline", 1, 10), ("rollout", 10, 35), ("after", 35, 45))


def rollout_requests(rate_per_s: int = 10) -> list[RequestRow]:
    random = np.random.default_rng(8)
    rows = []
    for slot in range(44 * rate_per_s):
        second = 0.5 + slot / rate_per_s
        fresh = random.random() < min(max((second - 12) / 22, 0), 1)
        for stream in ("new via agent-0", "kept via agent-1"):
            row = request_row(stream, slot, second, bad=False, random=random)
            rows.append(row._replace(revision="8b7e" if fresh else "6f5d"))
    return rows


def nic_down_verdicts() -> list[Verdict]:
    return [
        verdict(
            "VIOLATED",
            "one process per identity",
            "kv-1 had two processes for 23.2 s, allowed were 22.0 s.",
            [(42.8, "1aaa1111 on agent-1 and 1bbb2222 on agent-0 both alive")],
            figures={"overlap_s": 23.2, "allowed_s": 22.0},
            coverage={"containers": 4},
        ),
        verdict(
            "HELD",
            "outage during nic_down",
            "The longest outage on new connections took 42.0 s, allowed were 60 s.",
            [(20.1, "first planned slot without an answer"), (62.0, "answered again")],
            figures={"longest_outage_s": 42.0, "allowed_s": 60.0},
            coverage={"requests during nic_down": 1260},
        ),
        verdict(
            "UNKNOWN",
            "availability outside nic_down",
            "1,240 requests are too few for a claim of 0.999, which needs 3,000.",
            coverage={"requests outside nic_down": 1240},
        ),
    ]


DOC = """The member of a cut node comes back elsewhere, under its name and only once.

Goal: a StatefulSet member whose node loses its network is replaced.
Method: the NIC of its node goes down, the pod is deleted by force, the NIC comes back
  after 42 s.
Expectation: other members answer throughout; two processes of one name live at most 22 s.
"""


def write_run(folder: Path) -> Path:
    """A session of four: violated, held, ended without verdicts, not run."""
    broken = run_info(
        "A member comes back after nic_down",
        description=DOC,
    )
    write_record(
        folder / "nic-down",
        broken,
        events=nic_down_events(),
        requests=nic_down_requests(),
        verdicts=nic_down_verdicts(),
    )
    rolled = run_info(
        "A rollout loses no request",
        scenario="scenarios/rollout/test_set_image.py::test_no_request_is_lost",
        rows=["R1", "R2"],
        description="Goal: nobody notices.\nMethod: set image.\nExpectation: zero failures.",
    )
    held = verdict(
        "HELD",
        "availability",
        "880 of 880 requests were ok; with 95 % confidence at most 0.34 % fail.",
        figures={"ratio": 1.0, "fail_at_most": 0.0034},
        coverage={"requests": 880},
    )
    write_record(
        folder / "set-image",
        rolled,
        events=rollout_events(),
        requests=rollout_requests(),
        verdicts=[held],
    )
    crashed = run_info("A drained node", scenario="scenarios/node/test_drain.py::test_drain")
    write_record(folder / "drain", crashed, events=rollout_events()[:4])
    return folder


SCENARIOS = [
    SessionScenario(
        slug="nic-down",
        nodeid="scenarios/node/test_nic_down.py::test_member_survives_nic_down",
        outcome="VIOLATED",
        rows=["N1"],
        wall_s=88.2,
    ),
    SessionScenario(
        slug="set-image",
        nodeid="scenarios/rollout/test_set_image.py::test_no_request_is_lost",
        outcome="HELD",
        rows=["R1", "R2"],
        wall_s=47.0,
    ),
    SessionScenario(
        slug="drain",
        nodeid="scenarios/node/test_drain.py::test_drain",
        outcome="UNKNOWN",
        rows=["N7"],
        reason="WaitTimeout: waited for node agent-0 to be empty (after 60.0 s)",
        wall_s=61.3,
    ),
    SessionScenario(
        slug="netem",
        nodeid="scenarios/node/test_loss.py::test_loss",
        outcome="NOT_RUN",
        title="A third of the packets is lost",
        rows=["N10"],
        reason="the cluster lacks the capability netem: the kernel has no sch_netem",
    ),
]


def session_of(**changes: Any) -> Session:
    values: dict[str, Any] = {
        "run_id": "20260101-120000-3f2a",
        "seed": 4711,
        "started_wall_ns": WALL_NS,
        "wall_s": 201.7,
        "finished": True,
        "command": "pytest scenarios --chaos-seed 4711",
        "options": {"profile": "fast"},
        "facts": {"chaoskit": "0.1.0", "machine": "Linux 6.1, 2 cores, 8 GB"},
        "scenarios": SCENARIOS,
    }
    return Session(**{**values, **changes})
