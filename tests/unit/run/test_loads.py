"""Loads of one run: what is begun is known to whoever ends the run."""

import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from chaoskit.errors import LoadError
from chaoskit.history.folder import RecordFolder
from chaoskit.load.driver import Driver
from chaoskit.run.ceiling import Ceiling
from chaoskit.run.loads import Loads
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.service import Service
from tests.unit.load.loads import marks_of


@dataclass(frozen=True)
class Loopback:
    """A way in."""

    name: str = "here"
    address: str = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class LocalService(Service):
    """One whose port is known without asking."""

    @property
    def client_port(self) -> int:
        return 9


def test_a_load_whose_sampler_is_dead_does_not_run_on(tmp_path: Path) -> None:
    """Else the driver, which the session's scenarios share, would drive nothing after it."""
    service = LocalService(kube=cast(Any, None), ref=ObjectRef("Service", "shop", "web"))
    with Driver() as driver:
        unmeasured = Ceiling(None, marks=cast(Any, None), append=cast(Any, None))
        loads = Loads(driver, RecordFolder(tmp_path), tmp_path, random.Random(1), None, unmeasured)
        sampler = loads._next_sampler
        assert sampler is not None
        os.kill(sampler.pid, signal.SIGKILL)
        sampler._process.wait()
        with pytest.raises(LoadError, match="sampler ended before it could begin"):
            opened(loads, service)
        (first,) = loads.running
        assert first.ended
        second = opened(loads, service)
        second.stop()
    assert second.plan.load_id != first.plan.load_id
    assert marks_of(tmp_path) == ["started", "stopping", "stopped"]
    assert marks_of(tmp_path, "sampler-load-1") == ["died"]


def opened(loads: Loads, service: Service) -> SampledLoad:
    """A small load; nobody answers it."""
    return loads.open(
        service,
        via=Loopback(),
        rate_per_s=20,
        shape=None,
        connections=["new"],
        connect_timeout_s=1,
        answer_timeout_s=1,
    )
