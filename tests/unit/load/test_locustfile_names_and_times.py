"""What users of a locustfile report: names that are too many, times that cannot be."""

from pathlib import Path

from chaoskit.history.events import Note
from chaoskit.load.driver import Driver
from tests.unit.load.loads import ServerProcess, history_of
from tests.unit.load.locustfiles import driven, planned, written

MANY = """
    import itertools
    from locust import HttpUser, constant, task

    class Collector(HttpUser):
        wait_time = constant(0)
        numbers = itertools.count()

        @task
        def ask(self):
            self.client.get(f"/item/{next(self.numbers)}")
"""


def test_names_without_number_are_one_stream(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    many = planned(written(tmp_path, MANY), server.port, users=2)
    rows = driven(warm_driver, many, tmp_path, 130)
    streams = {row["stream"] for row in rows}
    assert len(streams) == 101
    assert "other" in streams
    assert any(
        "give requests that belong together" in n.text for n in history_of(tmp_path).of(Note)
    )


OWN_CLIENT = """
    from locust import User, constant, task

    class Own(User):
        wait_time = constant(0.02)

        @task
        def ask(self):
            for name, spent_ms in (("back", -5.0), ("none", float("nan")), ("right", 7.0)):
                self.environment.events.request.fire(
                    request_type="RPC", name=name, response_time=spent_ms, response_length=0
                )
"""


def test_a_time_that_an_own_client_cannot_have_taken_is_none_and_said_once(
    server: ServerProcess, warm_driver: Driver, tmp_path: Path
) -> None:
    own = planned(written(tmp_path, OWN_CLIENT), server.port, users=1)
    rows = driven(warm_driver, own, tmp_path, 30)
    spent = {(row["stream"], row["end_ns"] - row["sent_ns"]) for row in rows}
    assert spent == {("RPC back", 0), ("RPC none", 0), ("RPC right", 7_000_000)}
    said = [note.text for note in history_of(tmp_path).of(Note) if "response_time" in note.text]
    assert said == ["RPC back was reported with a response_time of -5.0 ms: taken for 0"]
