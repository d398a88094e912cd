"""ddmin: what is left of a failing sequence fails, in its order, and nothing of it can go."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.run.shortest import shortest
from tests.corpus.examples import examples

#: Whether a part fails, by what is in it: any rule that says that the whole does.
Rule = Callable[[tuple[int, ...]], bool]


def is_part(part: Sequence[int], whole: Sequence[int]) -> bool:
    """Whether it is left of the whole when some are taken out."""
    rest = iter(whole)
    return all(each in rest for each in part)


@given(whole=st.lists(st.integers(0, 9), max_size=24), data=st.data())
@examples(200)
def test_what_is_needed_is_left_and_nothing_else(whole: list[int], data: st.DataObject) -> None:
    wanted = sorted(data.draw(st.sets(st.integers(0, max(len(whole) - 1, 0)), max_size=5)))
    places = list(enumerate(whole))  # alike ones apart
    needed = [places[index] for index in wanted] if whole else []
    found = shortest(places, lambda part: set(needed) <= set(part))
    assert list(found.items) == needed
    assert found.is_minimal


@given(size=st.integers(0, 12), salt=st.integers(0, 2**32))
@examples(300)
def test_no_single_one_can_be_left_out_whatever_fails(size: int, salt: int) -> None:
    whole = tuple(range(size))
    tried: list[tuple[int, ...]] = []

    def fails(part: tuple[int, ...]) -> bool:
        tried.append(part)
        return by_chance(part)

    def by_chance(part: tuple[int, ...]) -> bool:
        """Fails without rhyme or reason, and always the same way."""
        return part == whole or hash((salt, part)) % 3 == 0

    found = shortest(whole, fails)
    left = found.items
    assert by_chance(left)
    assert is_part(left, whole)
    assert found.is_minimal
    assert len(left) == 0 or not any(by_chance(left[:i] + left[i + 1 :]) for i in range(len(left)))
    assert len(tried) == len(set(tried)) == found.tried, "nothing is tried twice"


@given(size=st.integers(0, 20), trials=st.integers(0, 30), salt=st.integers(0, 2**32))
@examples(200)
def test_when_the_time_is_up_what_is_left_so_far_still_fails(
    size: int, trials: int, salt: int
) -> None:
    whole = tuple(range(size))
    done = 0

    def fails(part: tuple[int, ...]) -> bool:
        nonlocal done
        done += 1
        return part == whole or hash((salt, part)) % 3 == 0

    found = shortest(whole, fails, lambda: done >= trials)
    assert found.tried == done <= trials
    assert found.items == whole or hash((salt, found.items)) % 3 == 0
    assert found.is_minimal == (shortest(whole, fails).tried <= trials)


@pytest.mark.parametrize("size, most", [(20, 60), (8, 25)])
def test_two_of_many_take_few_trials(size: int, most: int) -> None:
    worst = max(
        shortest(range(size), lambda part, a=a, b=b: {a, b} <= set(part)).tried  # type: ignore[misc]
        for a in range(size)
        for b in range(a)
    )
    assert worst <= most


def test_what_fails_without_any_step_is_no_matter_of_them() -> None:
    found = shortest("abc", lambda part: True)
    assert (found.items, found.tried) == ((), 1)
