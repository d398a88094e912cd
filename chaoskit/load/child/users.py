"""Locust users under way: spawned, watched, and stopped so that what they are at can end."""

from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_STOPPED
from locust.user.task import (
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
)

from chaoskit import clock
from chaoskit.load.child.locust_events import log_totals

_LOOK_S = 0.1


class Users:
    """The users of one environment, as a `Load`.

    When they are stopped each may end its task, but is cut off after `drain_s`. `on_late` is told,
    ten times a second, how many ns this process was late at looking. An exception in a task ends
    the load, unless `on_user_error` takes it.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        count: int,
        spawn_rate_per_s: float,
        drain_s: float,
        max_run_s: float,
        in_flight: Callable[[], int],
        unserved: Callable[[], int],
        on_stopping: Callable[[], None],
        on_late: Callable[[int], None] | None = None,
        on_user_error: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._environment = environment
        self._count = count
        self._spawn_rate_per_s = spawn_rate_per_s
        self._max_run_s = max_run_s
        self._in_flight = in_flight
        self._unserved = unserved
        self._on_stopping = on_stopping
        self._on_late = on_late
        self._on_user_error = on_user_error or self.fail
        self._stopping = gevent.event.Event()
        self._crash: gevent.event.AsyncResult[None] = gevent.event.AsyncResult()
        environment.stop_timeout = drain_s
        environment.events.user_error.add_listener(self._user_error)  # type: ignore[no-untyped-call]
        self._runner = environment.create_local_runner()

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended, as far as it is known."""
        return self._in_flight()

    @property
    def unserved(self) -> int:
        """Users that have had no good answer of late."""
        return self._unserved()

    def start(self) -> None:
        """Let Locust spawn them."""
        self._runner.start(user_count=self._count, spawn_rate=self._spawn_rate_per_s)

    def stop(self, *, until_ns: int = 0, drain_s: float | None = None) -> None:
        """Let none of them begin another task; users have no plan to be followed until then."""
        if drain_s is not None:
            self._environment.stop_timeout = drain_s
        self._stopping.set()

    def fail(self, error: BaseException) -> None:
        """End them because of something that nobody can account for."""
        self._crash.set_exception(error)
        self._stopping.set()

    def run_to_end(self) -> str:
        """Wait until they are stopped or end by themselves; what ended them.

        Re-raises what broke them.
        """
        try:
            ended_by = self._watch()
            self._on_stopping()
        finally:
            self._end_waits()
            self._runner.quit()
        if self._crash.ready():
            self._crash.get()
        log_totals(self._environment)
        return ended_by

    def _end_waits(self) -> None:
        """Let no user whose wait runs out just now begin a task.

        Locust kills users that wait, and a moment passes until each is dead. One whose wait ran out
        in it would send a request and be killed over it. A user that is told to stop ends instead.
        """
        for greenlet in list(self._runner.user_greenlets):
            user = greenlet.args[0]
            is_waiting = user._state == LOCUST_STATE_WAITING
            if is_waiting or user._state == LOCUST_STATE_RUNNING:
                user._state = LOCUST_STATE_STOPPING
            if is_waiting:
                user.group.killone(greenlet, block=False)

    def _watch(self) -> str:
        now_ns = clock.now_ns()
        last_ns = now_ns + int(self._max_run_s * 1e9)
        due_ns = now_ns + int(_LOOK_S * 1e9)
        while not self._stopping.wait(max(due_ns - clock.now_ns(), 0) / 1e9):
            now_ns = clock.now_ns()
            if self._on_late is not None:
                self._on_late(now_ns - due_ns)
            due_ns = now_ns + int(_LOOK_S * 1e9)
            spawning = self._runner.spawning_greenlet
            if spawning is not None and spawning.exception is not None:
                raise spawning.exception
            if self._runner.state == STATE_STOPPED:
                return "the locustfile"
            if self._runner.state == STATE_RUNNING and not self._runner.user_count:
                return "its users"
            if now_ns >= last_ns:
                return "max_run_s"
        return "stop"

    def _user_error(self, exception: BaseException, **_: Any) -> None:
        self._on_user_error(exception)
