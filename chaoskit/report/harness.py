"""Spans of the seconds that accuse nobody: the load driver was in trouble, or a pod did not run."""

from chaoskit.guarantees.intervals import united
from chaoskit.guarantees.traffic.columns import text_column
from chaoskit.guarantees.traffic.starved import doubtful_seconds_of
from chaoskit.history.reader import History
from chaoskit.report.spans import Span


def suspect_spans(history: History) -> list[Span]:
    """The suspect seconds of all loads, those in a row as one.

    Raises `RecordError` for measurements of the driver that cannot be.
    """
    seconds = doubtful_seconds_of(history)
    loads = range(len(text_column(history, "load").values))
    whole = united(span for load in loads for span in seconds.spans_of(load))
    return [
        Span(
            start_ns=start_ns,
            end_ns=end_ns + 1,
            state="suspect",
            title=f"{seconds.between(start_ns, end_ns).in_words()}: failures here accuse nobody",
        )
        for start_ns, end_ns in whole
    ]
