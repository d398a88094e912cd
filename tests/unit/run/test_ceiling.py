"""A driver that was measured on a busy machine gets another chance before a load needs it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaoskit.history.events import Calibration, Note
from chaoskit.history.folder import RecordFolder
from chaoskit.history.reader import History
from chaoskit.history.writer import EventWriter
from chaoskit.load.profile import LoadPlan, Stream
from chaoskit.run.ceiling import Ceiling
from chaoskit.run.marks import Marks
from chaoskit.run.warm_driver import WarmDriver
from tests.unit.load.loads import history_of, stream


def calibration(kept_per_s: float, new_per_s: float, *, reached_top: bool = False) -> Calibration:
    return Calibration(
        time_ns=1,
        kept_per_s=kept_per_s,
        new_per_s=new_per_s,
        lag_limit_ms=25.0,
        cores=2,
        reached_top=reached_top,
    )


@dataclass
class Readings:
    """A driver of which these measurements are made, one after the other."""

    left: list[Calibration]

    def calibration(self) -> Calibration:
        return self.left.pop(0)

    def calibrate_again(self) -> Calibration | None:
        return self.left.pop(0) if self.left else None


def load_of(rate_per_s: float, *connections: str) -> LoadPlan:
    streams: Sequence[Stream] = [stream(9, each) for each in connections]
    return LoadPlan(load_id="load-1", streams=tuple(streams), rate_per_s=rate_per_s, seed=1)


@pytest.fixture
def writer(tmp_path: Path) -> EventWriter:
    return EventWriter(RecordFolder(tmp_path).new_events_file("run"))


def recorded(writer: EventWriter, folder: Path) -> History:
    writer.close()
    return history_of(folder)


@pytest.mark.parametrize(
    "first, load, again",
    [
        ((200.0, 200.0), load_of(100.0, "kept"), False),
        ((200.0, 200.0), load_of(101.0, "kept"), True),
        ((200.0, 100.0), load_of(101.0, "new"), True),
        ((400.0, 100.0), load_of(80.0, "kept", "new"), False),  # a tenth and four
        ((400.0, 100.0), load_of(81.0, "kept", "new"), True),
        ((0.0, 100.0), load_of(1.0, "kept"), True),
        ((0.0, 100.0), load_of(1.0, "new"), False),
    ],
)
def test_it_is_measured_again_only_for_a_load_that_asks_for_more_than_half(
    first: tuple[float, float], load: LoadPlan, again: bool, writer: EventWriter, tmp_path: Path
) -> None:
    found = [calibration(*first), calibration(2000.0, 800.0)]
    ceiling = Ceiling(Readings(list(found)), Marks(writer), writer.append)
    ceiling.begin()
    ceiling.allow_for(load)
    ceiling.allow_for(load)  # what was found then is enough
    history = recorded(writer, tmp_path)
    assert history.of(Calibration) == (found if again else found[:1])
    assert len(history.of(Note)) == int(again)


def test_where_it_was_measured_often_enough_the_last_one_stands(
    writer: EventWriter, tmp_path: Path
) -> None:
    ceiling = Ceiling(Readings([calibration(20.0, 20.0)]), Marks(writer), writer.append)
    ceiling.begin()
    ceiling.allow_for(load_of(100.0, "kept"))
    history = recorded(writer, tmp_path)
    assert [each.kept_per_s for each in history.of(Calibration)] == [20.0]
    assert history.of(Note) == []


def test_without_a_measurement_nothing_is_on_record(writer: EventWriter, tmp_path: Path) -> None:
    ceiling = Ceiling(None, Marks(writer), writer.append)
    ceiling.begin()
    ceiling.allow_for(load_of(100.0, "kept"))
    assert recorded(writer, tmp_path).of(Calibration) == []


def test_what_was_held_once_counts_and_what_cannot_get_better_is_left_alone() -> None:
    said: list[str] = []
    with closing(WarmDriver(said.append)) as driver:
        driver.adopt(calibration(9000.0, 0.0))  # more than is tried, and less
        again = driver.calibrate_again()
        assert again is not None
        assert (again.kept_per_s, driver.calibration()) == (9000.0, again)
        driver.adopt(calibration(2000.0, 800.0, reached_top=True))
        assert driver.calibrate_again() is None
        driver.adopt(calibration(20.0, 20.0))
        driver._measured = 3
        assert driver.calibrate_again() is None
    assert len(said) == 1  # it takes seconds, so a person is told
