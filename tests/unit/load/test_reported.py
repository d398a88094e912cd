"""Judging what other people's clients report: real exceptions of requests and geventhttpclient.

The exceptions are rebuilt here by name and chain, as they were seen with each of the server's
misdeeds; the clients themselves run in the load's process only (test_locustfile.py).
"""

import errno
import http.client
import socket
import ssl

import pytest

from chaoskit.load.reported import is_write, judge_reported


class HTTPError(OSError):
    """As requests has it: an OSError without a number."""


class ConnectTimeout(OSError):
    """Of requests."""


class ReadTimeout(OSError):
    """Of requests."""


class ChunkedEncodingError(OSError):
    """Of requests."""


class HTTPConnectionClosed(Exception):
    """Of geventhttpclient."""


class HTTPParseError(Exception):
    """Of geventhttpclient."""


class CatchResponseError(Exception):
    """Of Locust: response.failure("…")."""


class RetriesExceeded(Exception):
    """Of geventhttpclient; holds what happened in `original`."""

    def __init__(self, original: BaseException) -> None:
        self.original = original


def _within(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__context__ = inner
    return outer


BROKEN = [
    (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused", True),
    (ConnectTimeout(), "timeout", True),
    (_within(ConnectTimeout(), TimeoutError("timed out")), "timeout", True),
    (socket.gaierror(socket.EAI_NONAME, "x"), "no_name", True),
    (ConnectionResetError(errno.ECONNRESET, "x"), "reset", False),
    (_within(HTTPConnectionClosed(), ConnectionResetError(errno.ECONNRESET, "x")), "reset", False),
    (HTTPConnectionClosed(), "closed", False),
    (http.client.RemoteDisconnected("x"), "closed", False),
    (_within(ReadTimeout(), TimeoutError("timed out")), "timeout", False),
    (RetriesExceeded(TimeoutError("timed out")), "timeout", False),
    (OSError(errno.EHOSTUNREACH, "x"), "no_route", False),
    (ChunkedEncodingError(), "truncated", False),
    (http.client.BadStatusLine("x"), "protocol", False),
    (HTTPParseError(), "protocol", False),
    (ssl.SSLError(1, "x"), "tls", False),
]


@pytest.mark.parametrize("exception, error, surely_unsent", BROKEN, ids=repr)
def test_broken_exchange(exception: BaseException, error: str, surely_unsent: bool) -> None:
    phase = "connect" if surely_unsent else None
    assert judge_reported("GET", None, None, exception) == ("fail", error, phase)
    outcome = "fail" if surely_unsent else "unknown"
    assert judge_reported("POST", None, None, exception) == (outcome, error, phase)


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EMFILE])
def test_shortage_of_the_driver_is_unsent(number: int) -> None:
    assert judge_reported("PUT", None, None, OSError(number, "x")).outcome == "unsent"


@pytest.mark.parametrize(
    "method, status, effect, outcome",
    [
        ("GET", 404, None, "fail"),
        ("GET", 500, None, "fail"),
        ("PUT", 404, None, "fail"),
        ("PUT", 500, None, "unknown"),
        ("PUT", 503, "none", "fail"),
    ],
)
def test_bad_status(method: str, status: int, effect: str | None, outcome: str) -> None:
    judged = judge_reported(method, status, effect, HTTPError("x"))
    assert judged == (outcome, "status", None)


def test_an_answer_that_was_accepted_is_ok_whatever_its_status() -> None:
    assert judge_reported("GET", 404, None, None) == ("ok", None, None)


def test_an_answer_that_was_not_accepted_may_have_had_an_effect() -> None:
    for exception in (CatchResponseError("no"), ValueError("no")):
        assert judge_reported("GET", 200, None, exception) == ("fail", "check", None)
        assert judge_reported("PUT", 200, None, exception) == ("unknown", "check", None)
    # a bad status says more than the locustfile's word
    assert judge_reported("PUT", 404, None, CatchResponseError("no")) == ("fail", "status", None)
    # what lies behind the locustfile's own word plays no part
    behind = _within(CatchResponseError("no"), ConnectionRefusedError(errno.ECONNREFUSED, "x"))
    assert judge_reported("PUT", 200, None, behind) == ("unknown", "check", None)


def test_what_nobody_knows_is_called_by_its_class() -> None:
    assert judge_reported("rpc", None, None, ArithmeticError()) == (
        "unknown", "arithmeticerror", None,
    )  # fmt: skip


def test_a_ring_of_causes_has_an_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    assert judge_reported("GET", None, None, one).outcome == "fail"


def test_unknown_methods_count_as_writes() -> None:
    assert not any(is_write(method) for method in ("GET", "get", "HEAD", "OPTIONS"))
    assert all(is_write(method) for method in ("POST", "PUT", "PATCH", "DELETE", "grpc"))
