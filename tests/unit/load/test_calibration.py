"""Calibration finds the highest rate that the driver holds."""

import socket

import pytest

from chaoskit.load.calibration import calibrate
from chaoskit.load.driver import Driver
from chaoskit.load.null_server import null_server

#: So late no slot is, however busy the machine that runs the tests.
_PATIENT_MS = 10_000.0


def test_the_highest_rate_that_is_held_is_found(warm_driver: Driver) -> None:
    found = calibrate(
        warm_driver,
        kept_rates_per_s=(20.0, 50.0),
        new_rates_per_s=(20.0,),
        step_s=0.5,
        lag_limit_ms=_PATIENT_MS,
    )
    assert (found.kept_per_s, found.new_per_s) == (50.0, 20.0)
    assert found.reached_top
    assert found.lag_limit_ms == _PATIENT_MS
    assert found.cores >= 1


def test_a_rate_whose_slots_are_late_is_not_held(warm_driver: Driver) -> None:
    """Later than a millionth of a millisecond every slot is, on any machine."""
    found = calibrate(
        warm_driver,
        kept_rates_per_s=(50.0, 20.0),
        new_rates_per_s=(20.0,),
        step_s=0.5,
        lag_limit_ms=1e-6,
    )
    assert (found.kept_per_s, found.new_per_s) == (0.0, 0.0)
    assert not found.reached_top


def test_the_null_server_ends_with_its_context() -> None:
    with null_server() as port:
        assert 1024 < port < 65_536
    with pytest.raises(ConnectionRefusedError):
        _connect(port)


def _connect(port: int) -> None:
    socket.create_connection(("127.0.0.2", port), timeout=2).close()
