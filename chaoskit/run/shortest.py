"""The shortest part of a sequence that still fails: delta debugging.

The algorithm is ddmin of Zeller and Hildebrandt, "Simplifying and isolating failure-inducing
input" (IEEE Transactions on Software Engineering 28, 2002). It stands here and is not a library's,
as each trial takes a minute on a cluster: no trial is made twice, and all end at a deadline.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Shortest(Generic[T]):
    """A part of a sequence that fails, in the sequence's order.

    `is_minimal`: without any single one of `items` it was tried and does not fail; False: the time
    was up before. `tried`: how many parts were tried.
    """

    items: tuple[T, ...]
    is_minimal: bool
    tried: int


def shortest(
    items: Sequence[T],
    fails: Callable[[tuple[T, ...]], bool],
    is_time_up: Callable[[], bool] = lambda: False,
) -> Shortest[T]:
    """The shortest failing part that ddmin finds; `items` is known to fail as a whole.

    Nothing at all is tried first: what fails without any of them is no matter of them. `fails`
    answers False also where it cannot tell. `is_time_up` is asked before each trial.
    """
    search = _Search(items, fails, is_time_up)
    is_minimal = True
    try:
        search.run()
    except _TimeIsUpError:
        is_minimal = False
    kept = tuple(items[index] for index in search.kept)
    return Shortest(items=kept, is_minimal=is_minimal, tried=len(search.answers))


class _TimeIsUpError(Exception):
    """No further trial may begin."""


class _Search(Generic[T]):
    """`kept`: the indices of the shortest part known to fail."""

    def __init__(
        self,
        items: Sequence[T],
        fails: Callable[[tuple[T, ...]], bool],
        is_time_up: Callable[[], bool],
    ) -> None:
        self._items = items
        self._fails = fails
        self._is_time_up = is_time_up
        self.kept = tuple(range(len(items)))
        self.answers: dict[tuple[int, ...], bool] = {}

    def run(self) -> None:
        """Cut it down until no single one can be left out. Raises `_TimeIsUpError`."""
        if self.kept and self._does_fail(()):
            self.kept = ()
        parts = 2
        while len(self.kept) > 1:
            for smaller, parts_of_it in self._candidates(parts):
                if self._does_fail(smaller):
                    self.kept, parts = smaller, parts_of_it
                    break
            else:
                if parts >= len(self.kept):
                    return
                parts = min(2 * parts, len(self.kept))

    def _candidates(self, parts: int) -> Iterator[tuple[tuple[int, ...], int]]:
        """Each part alone, then all but each; and into how many that one would be cut next."""
        size = len(self.kept)
        edges = [size * number // parts for number in range(parts + 1)]
        cuts = list(pairwise(edges))
        for start, end in cuts:
            yield self.kept[start:end], 2
        if parts > 2:  # of two parts, all but one is the other
            for start, end in cuts:
                yield self.kept[:start] + self.kept[end:], max(parts - 1, 2)

    def _does_fail(self, indices: tuple[int, ...]) -> bool:
        if indices not in self.answers:
            if self._is_time_up():
                raise _TimeIsUpError
            self.answers[indices] = self._fails(tuple(self._items[index] for index in indices))
        return self.answers[indices]
