"""Signals that come while something is cleaned up."""

import signal

import pytest

from chaoskit.cluster.launch.interrupts import Terminated, interrupts_held
from chaoskit.errors import ClusterError

INTERRUPTS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


@pytest.mark.parametrize(("number", "raised"), INTERRUPTS)
def test_the_first_one_waits_for_the_end_of_the_block(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    done = []
    with pytest.raises(raised), interrupts_held():
        signal.raise_signal(number)
        done.append("cleaned up")
    assert done == ["cleaned up"]


@pytest.mark.parametrize(("number", "raised"), INTERRUPTS)
def test_it_is_not_lost_behind_what_goes_wrong_in_the_block_and_tells_that(
    number: signal.Signals, raised: type[BaseException]
) -> None:
    with pytest.raises(raised) as caught, interrupts_held():
        signal.raise_signal(number)
        raise ClusterError("cannot be removed", subject="cluster one")
    assert isinstance(caught.value.__cause__, ClusterError)
    assert caught.value.__notes__ == ["and cluster one: cannot be removed"]


def test_the_second_one_breaks_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on")


def test_what_goes_wrong_without_one_is_raised_as_it_is() -> None:
    with pytest.raises(ClusterError, match="cannot be removed"), interrupts_held():
        raise ClusterError("cannot be removed", subject="cluster one")
