"""The end of a run: everything that it started is ended, whatever becomes of the record."""

from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from chaoskit.cluster.container_scanner import ContainerScanner
from chaoskit.errors import RecordError
from chaoskit.kube.observer import Observer
from chaoskit.run.equipment import Equipment
from chaoskit.run.run import Run
from chaoskit.run.setup import RunSetup
from chaoskit.waiting import wait_until


class Nodeless:
    """A cluster without nodes: there is nothing to scan, and nothing to heal."""

    name = "c"
    facts: ClassVar[dict[str, str]] = {}

    def node_inspections(self) -> list[dict[str, Any]]:
        return []


def test_all_recorders_are_ended_though_nothing_can_be_noted_any_more(tmp_path: Path) -> None:
    """A full disk takes the observer, and then the note that says so."""
    setup = RunSetup(
        folder=tmp_path / "record", run_id="r", scenario="s", title="t", description="", rows=[],
        seed=1, namespace="n", profile="fast", command="",
    )  # fmt: skip
    cluster = Nodeless()
    run = Run(setup, cast(Any, cluster), Equipment(cast(Any, None)))
    absent = tmp_path / "absent"
    observer = Observer.start(absent, ["n"], run.record.path, run.logs / "observer.log")
    scanner = ContainerScanner.start(cluster, run.record.path, run.logs / "scan.log")
    run._observer, run._scanner = observer, scanner
    wait_until(lambda: not observer.is_alive, what="the observer to end", timeout_s=30)
    run._writer.close()  # as good as full: it takes nothing more
    with pytest.raises(RecordError, match="is closed"):
        run.close()
    assert not scanner.is_alive
