"""In which order workers that share a cluster take the tests, so that they seldom wait.

pytest-xdist gives each worker a piece of the list, cut where the count says, and lets whoever is
done take half of what the slowest has left, from its end. So each piece begins with its part of
the tests that share the cluster, and those that need it for themselves are at the end of the last
piece: as long as some share it, all do. What needs no cluster fills the pieces up in between.
"""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def for_workers(
    sharing: Sequence[Item], quiet: Sequence[Item], alone: Sequence[Item], workers: int
) -> list[Item]:
    """All of them, in one list for so many workers.

    Those that are `sharing` the cluster are dealt out one by one, as neighbours take about as long.
    """
    everything = len(sharing) + len(quiet) + len(alone)
    parts = [sharing[worker::workers] for worker in range(workers)]
    quiet_left, order = list(quiet), list[Item]()
    for part, size in zip(parts, _sizes(everything, workers), strict=True):
        between = max(size - len(part), 0)
        order += [*part, *quiet_left[:between]]
        del quiet_left[:between]
    return [*order, *alone]


def _sizes(count: int, workers: int) -> list[int]:
    """How xdist's scheduler `worksteal` cuts a list of so many tests."""
    sizes = []
    for left in range(workers, 0, -1):
        sizes.append(count // left)
        count -= sizes[-1]
    return sizes
