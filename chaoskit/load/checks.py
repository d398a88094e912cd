"""Arguments of loads are checked where they are made: how a value is refused, and ranges."""

import math

from chaoskit.errors import UsageError


def refused(subject: str, seen: object, next_step: str) -> UsageError:
    """The error for a value that no load is driven with."""
    return UsageError("this load cannot be driven", subject=subject, seen=seen, next_step=next_step)


def check_range(subject: str, field: str, value: float, lowest: float, highest: float) -> None:
    """Raises `UsageError` unless `value` is finite and between the two."""
    if not (math.isfinite(value) and lowest <= value <= highest):
        raise refused(subject, f"{field}={value}", f"choose {field} from {lowest:g} to {highest:g}")
