"""Loads of other kinds than a constant rate, against a real Service."""

import textwrap
from pathlib import Path

import pytest

from chaoskit.guarantees import availability, load_was_enough
from chaoskit.history.events import LoadMark
from chaoskit.load.rates import Ramp
from tests.cluster.planting import Planting

pytestmark = pytest.mark.long

LOCUSTFILE = """
    from locust import HttpUser, constant, task

    class Visitor(HttpUser):
        wait_time = constant(0.05)

        @task
        def front(self):
            self.client.get("/", name="front page")
"""


def loops(planting: Planting) -> dict[str, str]:
    """By load: whether it was an open or a closed loop."""
    return {mark.load_id: mark.loop for mark in planting.run.history().of(LoadMark)}


def test_a_ramp_sends_more_and_more(planting: Planting) -> None:
    web = planting.web(replicas=1)
    ramp = Ramp(from_per_s=10, to_per_s=110, over_s=8)
    entry = planting.cluster.servers[0]
    with planting.run.load(web.service, via=entry, shape=ramp) as load:
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=7)
    history = planting.run.history()
    rows = history.columns("load", "planned_ns").to_pylist()
    planned = [row["planned_ns"] for row in rows if row["load"] == "load-1"]
    half_ns = (planned[0] + planned[-1]) // 2
    early = sum(at <= half_ns for at in planned)
    assert len(planned) - early > 1.5 * early
    assert loops(planting)["load-1"] == "open"
    planting.run.check(availability(at_least=0.9))


def test_a_closed_loop_names_its_users(planting: Planting) -> None:
    web = planting.web(replicas=1)
    entry = planting.cluster.servers[0]
    with planting.run.closed_load(web.service, via=entry, users=5) as load:
        load.wait_steady(timeout_s=30)
        load.run_for(seconds=4)
    rows = planting.run.history().columns("load", "user").to_pylist()
    users = {row["user"] for row in rows if row["load"] == "load-1"}
    assert len(users) == 5
    assert loops(planting)["load-1"] == "closed"
    planting.run.check(availability(at_least=0.9), load_was_enough(minimum_requests=20))


def test_a_users_own_locustfile_is_recorded(planting: Planting, tmp_path: Path) -> None:
    path = tmp_path / "locustfile.py"
    path.write_text(textwrap.dedent(LOCUSTFILE))
    web = planting.web(replicas=1)
    entry = planting.cluster.servers[0]
    with planting.run.locustfile(path, web.service, via=entry, users=3) as load:
        load.wait_steady(timeout_s=60)
        load.run_for(seconds=4)
    table = planting.run.history().columns("load", "stream", "outcome", "user", "pod")
    rows = [row for row in table.to_pylist() if row["load"] == "load-1"]
    assert len(rows) > 50
    assert {row["outcome"] for row in rows} == {"ok"}
    assert all("front page" in row["stream"] for row in rows)
    assert len({row["user"] for row in rows}) == 3
    assert {row["pod"] for row in rows} == {web.deployment.pods()[0].name}
    assert loops(planting)["load-1"] == "closed"
    planting.run.check(availability(at_least=0.9))
