"""Locust around the open loop: an environment, one user that walks the schedule, its events."""

from collections.abc import Callable

import gevent
import gevent.event
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from chaoskit.load.child.asking import Ended
from chaoskit.load.child.locust_events import fire_request, log_totals
from chaoskit.load.child.open_loop import OpenLoop, Recorder
from chaoskit.load.child.tallies import Tallies
from chaoskit.load.part import Part
from chaoskit.load.profile import LoadPlan


class LocustLoad:
    """One load driven by Locust. Every request is recorded and fires Locust's request event."""

    unserved = 0

    def __init__(
        self,
        plan: LoadPlan,
        part: Part,
        tallies: Tallies,
        record: Recorder,
        on_stopping: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._record = record
        self._result: gevent.event.AsyncResult[str] = gevent.event.AsyncResult()
        self._loop = OpenLoop(plan, part, tallies, self._report, on_stopping)
        self._environment = Environment(
            user_classes=[_user_class(self._loop, self._result)], catch_exceptions=False
        )
        self._runner = self._environment.create_local_runner()

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended."""
        return self._loop.in_flight

    def start(self) -> None:
        """Let Locust spawn the user."""
        self._runner.start(user_count=1, spawn_rate=1)

    def run_to_end(self) -> str:
        """Wait for the end of the walk; it is bounded by the plan's max_run_s and timeouts.

        Returns what ended it, re-raises what broke it.
        """
        try:
            ended_by = self._result.get(timeout=self._plan.max_run_s + self._plan.drain_s + 30.0)
        finally:
            self._runner.quit()
        log_totals(self._environment)
        assert ended_by is not None  # the walk always says what ended it
        return ended_by

    def stop(self, *, until_ns: int = 0, drain_s: float | None = None) -> None:
        """Send what is planned until then, and wait for answers at most `drain_s`."""
        self._loop.stop(until_ns=until_ns, drain_s=drain_s)

    def fail(self, error: BaseException) -> None:
        """End the load because of something that it cannot account for."""
        self._loop.fail(error)

    def _report(self, ended: Ended) -> None:
        # The record first, and not as one of Locust's listeners: those may fail unheard.
        self._record(ended)
        fire_request(self._environment, ended)


def _user_class(loop: OpenLoop, result: "gevent.event.AsyncResult[str]") -> type[User]:
    class ScheduleUser(User):
        """The one user of a load; its wait times play no part, the schedule sets the pace."""

        @task
        def walk_schedule(self) -> None:
            """Walk the whole schedule, then leave."""
            try:
                result.set(loop.walk())
            except BaseException as error:
                result.set_exception(error)
            raise StopUser

    return ScheduleUser
