"""A session without an engine."""

import pytest

from chaoskit.errors import EngineError, UsageError
from chaoskit.run.book import SessionBook
from chaoskit.run.session import ChaosSession


def test_a_cluster_that_does_not_start_is_not_tried_again_for_each_scenario(
    book: SessionBook,
) -> None:
    session = ChaosSession(book, lambda text: None)
    try:
        with pytest.raises(EngineError) as first:
            session.cluster()
        with pytest.raises(EngineError) as second:
            session.cluster()
        assert second.value is first.value
    finally:
        session.stop_cluster()
    assert session.book.troubles == []


def test_a_size_that_cannot_be_is_refused_and_one_that_does_not_start_says_nothing_of_the_usual(
    book: SessionBook,
) -> None:
    session = ChaosSession(book, lambda text: None)
    try:
        with (
            pytest.raises(UsageError, match="marker nodes"),
            session.using(alone=True, nodes="9+9"),
        ):
            pass
        with pytest.raises(EngineError) as sized, session.using(alone=True, nodes="1+3"):
            pass
        with pytest.raises(EngineError) as usual:
            session.cluster()
        assert usual.value is not sized.value
    finally:
        session.stop_cluster()
