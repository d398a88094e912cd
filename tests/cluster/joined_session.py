"""A plugin for a pytest that an outer one starts: it uses that one's cluster, and leaves it there.

`pytest -p tests.cluster.joined_session`, with the folder of what is shared in the environment. All
else is what any user's session has: fixtures, seed, folder, reports, exit status.
"""

import os
from pathlib import Path

import pytest

import chaoskit.plugin
from chaoskit.cluster.launch.labels import parent_process
from chaoskit.plugin.session import sayer
from chaoskit.run.shared import SharedRun

FOLDER = "CHAOSKIT_TEST_SHARED"


def _shared_with_the_outer_one(config: pytest.Config) -> SharedRun:
    """As a worker of pytest-xdist would have it from its controller."""
    return SharedRun(Path(os.environ[FOLDER]), parent_process(), sayer(config))


def pytest_configure() -> None:
    """For the session that has this plugin, and not for whoever only imports it."""
    # The fixture `chaos_session` asks for it by this name.
    vars(chaoskit.plugin)["shared_run"] = _shared_with_the_outer_one
