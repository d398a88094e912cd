"""Shared by all tests: pytester for tests of the plugin, and how Hypothesis searches."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.corpus.examples import ASKED

pytest_plugins = ["pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the long forms of scenarios go on."""
    parser.addoption(
        "--soak-minutes",
        type=float,
        default=30.0,
        help="how long a scenario of the marker soak goes on [30]",
    )


# On CI a failure must be the change's doing, so the examples there are the same every time.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None, print_blob=True)
# A long run has the machine's spare time only, so it does not complain of slowness, and searches
# anew each time. Its seed is chosen by who starts it.
settings.register_profile(
    "long",
    deadline=None,
    print_blob=True,
    max_examples=int(os.environ.get(ASKED) or 100),
    suppress_health_check=[HealthCheck.too_slow],
)
_kind = "ci" if os.environ.get("CI") else "local"
settings.load_profile("long" if os.environ.get(ASKED) else _kind)
