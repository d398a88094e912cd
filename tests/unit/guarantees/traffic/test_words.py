"""What was chosen and what became of it, in words."""

import numpy as np

from chaoskit.guarantees.traffic.choice import Choice
from chaoskit.guarantees.traffic.words import percent, share_of_worst_stream, when, where


def test_all_that_was_chosen_is_told_in_order() -> None:
    assert when(Choice()) == where(Choice()) == ""
    chosen = Choice(
        stream="s", connection="kept", operation="read", user="u", during="loss", phase="p"
    )
    assert when(chosen) == " during loss in phase p"
    assert where(chosen) == (
        " during loss in phase p on stream s by connection kept of operation read of user u"
    )
    assert where(Choice(outside="loss", user="u")) == " outside loss of user u"


def test_the_worst_stream_may_have_one_request() -> None:
    streams = np.array([0, 0, 3, 0], dtype=np.int32)
    for mask, share in (
        ([True, False, False, False], 1 / 3),
        ([False, False, True, False], 1.0),
        ([False, False, False, False], 0.0),
    ):
        assert share_of_worst_stream(streams, np.array(mask)) == share


def test_shares_are_told_with_four_digits() -> None:
    assert [percent(share) for share in (0, 1, 1 / 3)] == ["0 %", "100 %", "33.33 %"]
