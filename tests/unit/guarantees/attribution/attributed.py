"""Reading an attribution in tests."""

from collections.abc import Sequence

from chaoskit.guarantees.attribution import Attribution, attribution
from chaoskit.history.reader import History
from chaoskit.history.requests import RequestRow
from tests.corpus.story import Story


def causes_of(story: Story, rows: Sequence[RequestRow]) -> Attribution:
    """What the failures among these requests are put down to."""
    return attribution(History.of_parts(events=story.events, requests=rows))


def only(table: Attribution) -> tuple[str, str, str]:
    """The cause, layer and explanation that all failures share."""
    ((cause, _),) = table.counts().items()
    layers = {table.layer_of(place) for place in range(len(table))}
    texts = {getattr(table.explanation_of(place), "text", "") for place in range(len(table))}
    assert len(layers) == len(texts) == 1
    return cause, layers.pop(), texts.pop()
