"""A load and the sampler beside it, through one entry to the same pods."""

from collections.abc import Callable, Sequence

from chaoskit.history.requests import RequestRow
from tests.corpus.requests import load_marks, steady
from tests.corpus.story import Story


def always_ok(_second: float) -> str:
    """An outcome for `sampled`."""
    return "ok"


def sampled(
    *,
    outcome: Callable[[float], str] = always_ok,
    sampler_outcome: Callable[[float], str] | None = None,
    connection: str = "new",
    seconds: float = 30,
    rate_per_s: float = 100,
    connections: int = 4,
    load: str = "load-1",
) -> list[RequestRow]:
    """The load's stream and the sampler's, 20 a second; `outcome` says what became of both.

    Kept streams use their `connections` in turn.
    """
    streams = (
        (load, f"{connection} via n1", rate_per_s, outcome),
        (f"sampler-{load}", f"sampler {connection} via n1", 20.0, sampler_outcome or outcome),
    )
    return [
        row._replace(connection_id=row.slot if connection == "new" else row.slot % connections)
        for load_id, stream, rate, of in streams
        for row in steady(
            seconds=seconds,
            rate_per_s=rate,
            load=load_id,
            stream=stream,
            connection=connection,
            outcome=of,
        )
    ]


def beside(rows: Sequence[RequestRow], story: Story | None = None) -> Story:
    """The story with the marks of both loads, from start to end."""
    story = story or Story()
    for load in sorted({row.load for row in rows}):
        story.events += load_marks([row for row in rows if row.load == load])
    return story
