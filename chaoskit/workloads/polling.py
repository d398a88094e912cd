"""Waiting on objects of an API that may be away for moments, as it is under test."""

from collections.abc import Callable
from typing import TypeVar

from chaoskit.kube.refusal import Transient
from chaoskit.waiting import wait_until

T = TypeVar("T")

INTERVAL_S = 0.2


def wait_seen(
    condition: Callable[[], T | None],
    *,
    what: str,
    timeout_s: float,
    seen: Callable[[], object],
    hopeless: Callable[[], str | None] | None = None,
    next_step: str | None = None,
) -> T:
    """`wait_until`, where a `Transient` error of the API means "not yet".

    At the deadline such an error is what was seen; all other errors pass through at once.
    """
    trouble: Transient | None = None

    def tolerant() -> T | None:
        nonlocal trouble
        try:
            value = condition()
        except Transient as error:
            trouble = error
            return None
        trouble = None
        return value

    def last_seen() -> object:
        try:
            return trouble or seen()
        except Transient as error:  # looking closer failed too: say that rather than nothing
            return error

    return wait_until(
        tolerant,
        what=what,
        timeout_s=timeout_s,
        interval_s=INTERVAL_S,
        seen=last_seen,
        hopeless=None if hopeless is None else (lambda: None if trouble else hopeless()),
        next_step=next_step,
    )
