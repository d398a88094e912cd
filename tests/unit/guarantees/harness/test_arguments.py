"""What is claimed is what was asked for, and what cannot be claimed is refused: harness."""

from chaoskit.guarantees import load_was_enough, nothing_left, sampler_agrees


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            load_was_enough(),
            load_was_enough(
                minimum_requests=7, unsent_at_most=0.2, lag_at_most_s=0.3, suspect_at_most=0.4
            ),
            nothing_left(),
            nothing_left(faults=3),
            sampler_agrees(),
        )
    ] == [
        (
            "LoadWasEnough(minimum_requests=100, unsent_at_most=0.001,"
            " lag_at_most_s=0.025, suspect_at_most=0.01)"
        ),
        (
            "LoadWasEnough(minimum_requests=7, unsent_at_most=0.2, lag_at_most_s=0.3,"
            " suspect_at_most=0.4)"
        ),
        "NothingLeft(faults=1)",
        "NothingLeft(faults=3)",
        "SamplerAgrees()",
    ]
