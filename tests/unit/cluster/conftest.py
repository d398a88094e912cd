"""What tests of the kernel's own accounts share. They need root, as nodes do."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest


@pytest.fixture
def cgroup_of() -> Iterator[Callable[[str], Path]]:
    """Makes a cgroup of a controller that stands for a node's own; removed afterwards."""
    with ExitStack() as made:
        yield lambda controller: made.enter_context(_own(controller))


@contextmanager
def _own(controller: str) -> Iterator[Path]:
    root = Path("/sys/fs/cgroup")
    under = root / controller if (root / controller).is_dir() else root
    own = under / f"chaoskit-test-{os.getpid()}"
    own.mkdir()
    try:
        yield own
    finally:
        for folder, _, _ in os.walk(own, topdown=False):
            Path(folder).rmdir()
