"""What is claimed is what was asked for, and what cannot be claimed is refused: harness."""

from collections.abc import Callable

from chaoskit.guarantees import load_was_enough, nothing_left, sampler_agrees

#: Claims, made only when they are tested: else by no mutant of what makes them.
CLAIMED: list[tuple[Callable[[], object], str]] = [
    (
        load_was_enough,
        (
            "LoadWasEnough(minimum_requests=100, unsent_at_most=0.001, lag_at_most_s=0.025,"
            " suspect_at_most=0.01)"
        ),
    ),
    (
        lambda: load_was_enough(
            minimum_requests=7, unsent_at_most=0.2, lag_at_most_s=0.3, suspect_at_most=0.4
        ),
        (
            "LoadWasEnough(minimum_requests=7, unsent_at_most=0.2, lag_at_most_s=0.3,"
            " suspect_at_most=0.4)"
        ),
    ),
    (nothing_left, "NothingLeft(faults=1)"),
    (lambda: nothing_left(faults=3), "NothingLeft(faults=3)"),
    (sampler_agrees, "SamplerAgrees()"),
]


def test_what_is_claimed_is_what_was_asked_for() -> None:
    for make, claimed in CLAIMED:
        assert repr(make()) == claimed
