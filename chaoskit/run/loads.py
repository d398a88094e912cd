"""The loads of one run: what a scenario asks for is driven, with a sampler beside it."""

import random
from collections.abc import Sequence
from pathlib import Path

from chaoskit.history.folder import RecordFolder
from chaoskit.load.closed import ClosedPlan, LocustfilePlan
from chaoskit.load.driver import Driver
from chaoskit.load.messages import Plan
from chaoskit.load.profile import LoadPlan, Stream
from chaoskit.load.rates import Shape
from chaoskit.load.running import stop_at_exit
from chaoskit.load.sampling import ControlTarget, Sampler, sampled
from chaoskit.run.ceiling import Ceiling
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.run.streams import Way, service_streams, store_streams
from chaoskit.workloads.service import Service
from chaoskit.workloads.specimen import KeyValue

Entries = Way | Sequence[Way]


class Loads:
    """Starts loads one after the other and numbers them; `running` holds all that were started."""

    def __init__(
        self,
        driver: Driver,
        record: RecordFolder,
        logs: Path,
        chance: random.Random,
        control: ControlTarget | None,
        ceiling: Ceiling,
    ) -> None:
        self.running: list[SampledLoad] = []
        self._driver = driver
        self._record = record
        self._logs = logs
        self._chance = chance
        self._control = control
        self._ceiling = ceiling
        # Prepared early: its imports take longer than a load may wait for its second witness.
        self._next_sampler: Sampler | None = Sampler(logs / "sampler.log")

    def open(
        self,
        target: Service | KeyValue,
        *,
        via: Entries,
        rate_per_s: float,
        shape: Shape | None,
        connections: Sequence[str],
        connect_timeout_s: float,
        answer_timeout_s: float,
        path: str = "/",
    ) -> SampledLoad:
        """An open loop at a constant rate, or at that of `shape`."""
        streams = _streams(target, via, connections, path)
        plan = LoadPlan(
            load_id=self._next_id(),
            streams=streams,
            rate_per_s=rate_per_s,
            shape=shape,
            seed=self._chance.getrandbits(63),
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=answer_timeout_s,
        )
        if all(load.ended for load in self.running):
            self._ceiling.allow_for(plan)  # beside another load it would measure what is left
        return self._start(plan, streams, via, connect_timeout_s, answer_timeout_s)

    def closed(
        self,
        target: Service | KeyValue,
        *,
        via: Entries,
        users: int,
        wait_s: tuple[float, float],
        connections: Sequence[str],
        connect_timeout_s: float,
        answer_timeout_s: float,
    ) -> SampledLoad:
        """A closed loop of so many users."""
        streams = _streams(target, via, connections)
        plan = ClosedPlan(
            load_id=self._next_id(),
            streams=streams,
            users=users,
            wait_s=wait_s,
            seed=self._chance.getrandbits(63),
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=answer_timeout_s,
        )
        return self._start(plan, streams, via, connect_timeout_s, answer_timeout_s)

    def locustfile(
        self,
        path: Path,
        target: Service,
        *,
        via: Way,
        users: int,
        spawn_rate_per_s: float,
        user_classes: Sequence[str],
        sampled_path: str = "/",
    ) -> SampledLoad:
        """The users of a locustfile, sent to the Service by one way."""
        host = f"http://{_host(via.address)}:{target.client_port}"
        plan = LocustfilePlan(
            load_id=self._next_id(),
            path=str(path.absolute()),
            users=users,
            host=host,
            seed=self._chance.getrandbits(63),
            spawn_rate_per_s=spawn_rate_per_s,
            user_classes=tuple(user_classes),
        )
        streams = service_streams(target, [via], ("new", "kept"), path=sampled_path)
        return self._start(plan, streams, via, 2.0, 2.0)

    @property
    def entries(self) -> frozenset[str]:
        """The nodes through which loads come in that have not ended."""
        return frozenset(name for load in self.running if not load.ended for name in load.entries)

    def close(self) -> None:
        """End a sampler that no load came for; loads are stopped by whoever holds them."""
        if self._next_sampler is not None:
            self._next_sampler.stop()
            self._next_sampler = None

    def _next_id(self) -> str:
        return f"load-{len(self.running) + 1}"

    def _start(
        self,
        plan: Plan,
        streams: Sequence[Stream],
        via: Entries,
        connect_timeout_s: float,
        answer_timeout_s: float,
    ) -> SampledLoad:
        beside = sampled(
            plan.load_id,
            streams,
            control=self._control,
            seed=self._chance.getrandbits(63),
            connect_timeout_s=connect_timeout_s,
            answer_timeout_s=answer_timeout_s,
        )
        sampler = self._next_sampler or Sampler(self._logs / f"{beside.load_id}.log")
        self._next_sampler = None
        try:
            log = self._logs / f"{plan.load_id}.log"
            load = self._driver.start(plan, self._record.path, log)
        except BaseException:
            sampler.stop()
            raise
        running = SampledLoad(load, sampler, frozenset(node.name for node in _nodes(via)))
        self.running.append(running)
        try:
            sampler.begin(beside, self._record.path)
        except BaseException as error:
            stop_at_exit(running.stop, error)
            raise
        return running


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _nodes(via: Entries) -> list[Way]:
    return list(via) if isinstance(via, Sequence) else [via]


def _streams(
    target: Service | KeyValue, via: Entries, connections: Sequence[str], path: str = "/"
) -> tuple[Stream, ...]:
    """Reads of a Service; of a key-value store acknowledged writes to each member besides."""
    nodes = _nodes(via)
    if isinstance(target, KeyValue):
        return store_streams(target, nodes, connections)
    return service_streams(target, nodes, connections, path=path)
