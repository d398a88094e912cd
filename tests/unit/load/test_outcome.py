"""What may be concluded of a request's effect: cannot tell is never fail for a write."""

import errno

import pytest

from chaoskit.load.outcome import (
    Broken,
    Phase,
    broken_by,
    judge_answer,
    judge_broken,
    judge_cut_off,
)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize("write", [True, False])
def test_success_is_ok(status: int, write: bool) -> None:
    assert judge_answer(status, None, write=write) == ("ok", None, None)


@pytest.mark.parametrize("status", [301, 303, 500, 502, 503, 504, 599])
def test_write_answered_badly_is_unknown_unless_the_answer_denies_an_effect(status: int) -> None:
    assert judge_answer(status, None, write=True).outcome == "unknown"
    assert judge_answer(status, "some", write=True).outcome == "unknown"
    assert judge_answer(status, "none", write=True).outcome == "fail"


@pytest.mark.parametrize("status", [400, 404, 409, 413, 429])
def test_refused_write_is_fail(status: int) -> None:
    assert judge_answer(status, None, write=True) == ("fail", "status", None)


@pytest.mark.parametrize("status", [301, 404, 500])
def test_read_answered_badly_is_fail(status: int) -> None:
    assert judge_answer(status, None, write=False) == ("fail", "status", None)


@pytest.mark.parametrize("phase", ["send", "wait", "body"])
def test_write_that_left_in_part_is_unknown(phase: Phase) -> None:
    broken = Broken("reset", phase, sent=True)
    assert judge_broken(broken, write=True) == ("unknown", "reset", phase)
    assert judge_broken(broken, write=False) == ("fail", "reset", phase)


@pytest.mark.parametrize("phase", ["connect", "send"])
def test_write_that_did_not_leave_is_fail(phase: Phase) -> None:
    assert judge_broken(Broken("reset", phase, sent=False), write=True).outcome == "fail"


def test_cut_off_is_unknown_for_all() -> None:
    assert judge_cut_off("wait") == ("unknown", "cut_off", "wait")


@pytest.mark.parametrize(
    "number, name",
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.ECONNRESET, "reset"),
        (errno.EPIPE, "reset"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.EHOSTUNREACH, "no_route"),
        (errno.ENETUNREACH, "no_route"),
        (errno.EPROTO, "eproto"),
    ],
)
def test_classes_of_errors(number: int, name: str) -> None:
    broken = broken_by(OSError(number, "text"), "wait", sent=True)
    assert (broken.error, broken.phase, broken.sent) == (name, "wait", True)


def test_timeout_without_a_number_is_a_timeout() -> None:
    assert broken_by(TimeoutError("timed out"), "connect", sent=False).error == "timeout"


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENOBUFS])
@pytest.mark.parametrize("write", [True, False])
def test_shortage_of_the_driver_is_unsent(number: int, write: bool) -> None:
    broken = broken_by(OSError(number, "text"), "connect", sent=False)
    assert judge_broken(broken, write=write).outcome == "unsent"
