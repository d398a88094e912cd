"""The users of a `ClosedPlan`: each asks, waits for the answer, thinks, and asks again."""

import itertools
import random
from collections.abc import Callable

import gevent
from locust import User, task
from locust.env import Environment

from chaoskit import clock
from chaoskit.load.child.asking import ask
from chaoskit.load.child.connections import Channel, connection_numbers
from chaoskit.load.child.locust_events import fire_request
from chaoskit.load.child.open_loop import Recorder
from chaoskit.load.child.tallies import Tallies
from chaoskit.load.child.users import Users
from chaoskit.load.closed import ClosedPlan
from chaoskit.load.part import Part
from chaoskit.load.profile import Stream
from chaoskit.load.schedule import Slot, key_and_value
from chaoskit.load.source_ports import SOURCE_PORTS
from chaoskit.load.steady import UserGate


def planned_users(
    plan: ClosedPlan,
    part: Part,
    tallies: Tallies,
    gate: UserGate,
    record: Recorder,
    on_stopping: Callable[[], None],
) -> Users:
    """One part of the users of `plan`. Every request is recorded and fires Locust's event."""
    crowd = _Crowd(plan, part, tallies, gate, record)
    count = part.number_of(plan.users)
    return Users(
        Environment(user_classes=[_user_class(crowd)], catch_exceptions=False),
        count=count,
        spawn_rate_per_s=count,
        drain_s=plan.drain_s,
        max_run_s=plan.max_run_s,
        in_flight=lambda: crowd.asking,
        unserved=lambda: gate.unserved(clock.now_ns()),
        on_stopping=on_stopping,
    )


class _Crowd:
    """What the users of one process share."""

    def __init__(
        self, plan: ClosedPlan, part: Part, tallies: Tallies, gate: UserGate, record: Recorder
    ) -> None:
        self.plan = plan
        self.tallies = tallies
        self.gate = gate
        self.record = record
        self.user_numbers = itertools.count(part.index, part.count)
        self.slot_numbers = itertools.count(part.index, part.count)
        self.connection_numbers = connection_numbers()
        self.ports = SOURCE_PORTS.part(part.index, part.count)
        self.shares = [stream.share for stream in plan.streams]
        self.asking = 0


class _Sender:
    """What one user does; its choices are drawn from a seed of its own."""

    def __init__(self, crowd: _Crowd) -> None:
        number = next(crowd.user_numbers)
        self._name = f"user-{number}"
        self._crowd = crowd
        self._chance = random.Random(f"{crowd.plan.load_id}/{crowd.plan.seed}/{number}")
        self._channels: dict[str, Channel] = {}
        self._planned_ns: int | None = None

    def think_s(self) -> float:
        """How long to wait from now; the next request is planned for its end.

        The first ones are spread over the longest wait: users do not arrive in step.
        """
        shortest_s, longest_s = self._crowd.plan.wait_s
        if self._planned_ns is None:
            shortest_s = 0.0
        wait_s = self._chance.uniform(shortest_s, longest_s)
        self._planned_ns = clock.now_ns() + int(wait_s * 1e9)
        return wait_s

    def ask(self, environment: Environment) -> None:
        """Send the next request, if its time has come, and wait for the answer."""
        if self._planned_ns is None:
            return
        crowd, slot = self._crowd, self._next_slot()
        stream = slot.stream.name
        crowd.tallies.plan_slot(stream)
        crowd.asking += 1
        ended = ask(
            slot,
            self._planned_ns,
            self._channel(slot.stream),
            answer_timeout_s=crowd.plan.answer_timeout_s,
            user=self._name,
        )
        crowd.asking -= 1
        crowd.tallies.end_slot(stream, ended.judged, ended.lag_ns)
        crowd.gate.answered(self._name, ended.end_ns, ok=ended.judged.outcome == "ok")
        crowd.record(ended)
        fire_request(environment, ended)
        if ended.cut_off:
            raise gevent.GreenletExit

    def _next_slot(self) -> Slot:
        plan, chance = self._crowd.plan, self._chance
        stream = chance.choices(plan.streams, weights=self._crowd.shares)[0]
        weights = [operation.weight for operation in stream.operations]
        operation = chance.choices(stream.operations, weights=weights)[0]
        number = next(self._crowd.slot_numbers)
        key, value = key_and_value(plan.load_id, number, operation, chance)
        return Slot(number, 0, stream, operation, key, value)

    def close(self) -> None:
        """Close this user's connections."""
        for channel in self._channels.values():
            channel.close()

    def _channel(self, stream: Stream) -> Channel:
        if stream.name not in self._channels:
            self._channels[stream.name] = Channel(
                stream,
                self._crowd.connection_numbers,
                self._crowd.ports,
                connect_timeout_s=self._crowd.plan.connect_timeout_s,
                kept=1 if stream.connection == "kept" else 0,
            )
        return self._channels[stream.name]


def _user_class(crowd: _Crowd) -> type[User]:
    class PlannedUser(User):
        """One user; Locust calls `wait_time` after every task."""

        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            self._sender = _Sender(crowd)

        def wait_time(self) -> float:
            return self._sender.think_s()

        @task
        def go_on(self) -> None:
            """Ask; the first time, just arrive."""
            self._sender.ask(self.environment)

        def on_stop(self) -> None:
            self._sender.close()

    return PlannedUser
