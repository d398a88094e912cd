"""Periods of time as they are written: 12h, 30d, 8w."""

import re

from chaoskit.errors import UsageError

_LONGEST_S = 100 * 366 * 86400.0
_UNITS_S = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def period_s(text: str, *, subject: str) -> float:
    """Seconds of a period; raises `UsageError` naming `subject`, the option it was given for."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    seconds = float(match[1]) * _UNITS_S[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise UsageError(
            "is no period",
            subject=subject,
            seen=text,
            next_step="a number and its unit: minutes, hours, days or weeks, as 90m, 12h, 30d, 8w;"
            " at most a hundred years",
        )
    return seconds
