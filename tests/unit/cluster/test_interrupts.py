"""Signals that come while something is cleaned up."""

import signal

import pytest

from chaoskit.cluster.launch.interrupts import Terminated, interrupts_held
from chaoskit.errors import ClusterError

INTERRUPTS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


def clean_up(done: list[str], *, signals: list[signal.Signals], fails: bool) -> None:
    """Get the signals in the middle of it, and fail at the end of it where asked to."""
    with interrupts_held():
        for number in signals:
            signal.raise_signal(number)
        done.append("cleaned up")
        if fails:
            raise ClusterError("cannot be removed", subject="cluster one")


@pytest.mark.parametrize("number, raised", INTERRUPTS)
def test_the_first_one_waits_for_the_end(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    done: list[str] = []
    with pytest.raises(raised):
        clean_up(done, signals=[number], fails=False)
    assert done == ["cleaned up"]


@pytest.mark.parametrize("number, raised", INTERRUPTS)
def test_it_is_not_lost_behind_what_goes_wrong_and_tells_that(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    with pytest.raises(raised) as caught:
        clean_up([], signals=[number], fails=True)
    assert isinstance(caught.value.__cause__, ClusterError)
    assert caught.value.__notes__ == ["and cluster one: cannot be removed"]


def test_the_second_one_breaks_it() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        clean_up(done, signals=[signal.SIGINT, signal.SIGINT], fails=False)
    assert done == []


def test_what_goes_wrong_without_one_is_raised_as_it_is() -> None:
    with pytest.raises(ClusterError, match="cannot be removed"):
        clean_up([], signals=[], fails=True)
