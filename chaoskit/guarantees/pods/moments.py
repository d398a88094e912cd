"""Moments from which recovery is due: heals of faults, and steps that put something right."""

from collections.abc import Iterable

from chaoskit.guarantees.conclusion import Findings
from chaoskit.guarantees.fault_windows import fault_doubts, fault_windows
from chaoskit.guarantees.objects.watched import steps
from chaoskit.history.reader import History

#: In place of a step's name: the heals of faults.
HEALED = "healed"


def recovery_moments(
    history: History,
    found: Findings,
    *,
    after: str,
    fault: str | None,
    targets: Iterable[str],
    at_most_s: float,
) -> list[int]:
    """Each heal of `fault` (None: of all), or the end of each step `after` on one of `targets`.

    A heal counts when none of these faults was in effect within `at_most_s` of it.
    """
    if after != HEALED:
        done = (step.done_ns for target in targets for step in steps(history, after, target))
        return sorted(moment for moment in done if moment is not None)
    windows = fault_windows(history, fault)
    found.doubt(*fault_doubts(windows, fault or "to heal"))
    limit_ns = int(at_most_s * 1e9)
    return [
        window.healed_ns
        for window in windows
        if window.healed_ns is not None
        and not any(
            window is not other
            and window.healed_ns <= other.end_ns
            and other.requested_ns <= window.healed_ns + limit_ns
            for other in windows
        )
    ]
