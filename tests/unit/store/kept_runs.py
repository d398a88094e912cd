"""Kept runs for tests of the store and of trends, written down by hand."""

from typing import Any

from chaoskit.store.kept import KeptRun, KeptScenario, KeptVerdict, Measures

WALL_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00 UTC
DAY_NS = 86_400 * 10**9
NODEID = "scenarios/test_one.py::test_it"


def verdict(outcome: Any = "HELD", guarantee: str = "outage", **changes: Any) -> KeptVerdict:
    values: dict[str, Any] = {
        "guarantee": guarantee,
        "version": 4,
        "parameters": {"at_most_s": 2.0, "phase": None},
        "title": "no outage longer than 2 s",
        "outcome": outcome,
        "summary": "longest outage 0.010 s",
        "figures": {"outage_at_least_s": 0.01},
    }
    return KeptVerdict(**{**values, **changes})


def scenario(outcome: Any = "HELD", **changes: Any) -> KeptScenario:
    values: dict[str, Any] = {
        "slug": "test_one-test_it-aa11bb",
        "nodeid": NODEID,
        "title": "It goes on",
        "rows": ["R1"],
        "outcome": outcome,
        "reason": "",
        "wall_s": 21.5,
        "record": "/records/one",
        "kubernetes": "v1.36.3",
        "nodes": "1+2",
        "profile": "fast",
        "image": "chaoskit/node:v1.36.3-1",
        "machine": "x86_64 2 cores 8 GiB",
        "measures": Measures(
            requests=1000, lost=0, downtime_s=0.01, recovery_s=4.0, response_p99_s=0.02
        ),
        "verdicts": [verdict(outcome)],
    }
    return KeptScenario(**{**values, **changes})


def run(number: int = 0, outcome: Any = "HELD", **changes: Any) -> KeptRun:
    """The run of that day."""
    values: dict[str, Any] = {
        "run_id": f"202601{number + 1:02}-000000-77",
        "started_wall_ns": WALL_NS + number * DAY_NS,
        "wall_s": 30.25,
        "outcome": outcome,
        "finished": True,
        "seed": 77,
        "command": "pytest scenarios",
        "chaoskit": "0.1.0",
        "folder": f"/records/{number}",
        "report": f"/records/{number}/report.html",
        "options": {"nodes": "1+2"},
        "facts": {"kubernetes": "v1.36.3"},
        "scenarios": [scenario(outcome)],
    }
    return KeptRun(**{**values, **changes})
