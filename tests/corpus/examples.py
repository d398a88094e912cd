"""How many examples a property test sees: few by default, many in a long run."""

import os

from hypothesis import HealthCheck, settings

#: So many for each property test, whatever it says itself: `CHAOSKIT_EXAMPLES=10000`.
ASKED = "CHAOSKIT_EXAMPLES"


def examples(count: int, *, slow_to_make: bool = False) -> settings:
    """So many examples, enough to find a plain mistake in about a second; or as many as asked for.

    `slow_to_make`: making them takes most of the time, which Hypothesis would complain of.
    """
    asked = os.environ.get(ASKED)
    count = int(asked) if asked else count
    if slow_to_make:
        return settings(max_examples=count, suppress_health_check=[HealthCheck.too_slow])
    return settings(max_examples=count)  # all else is as in the profile that conftest.py loaded
