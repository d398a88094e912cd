"""What became of a request that somebody else's client sent and reported, as far as it says. Pure.

The clients of Locust's users report a response, an exception, or both. Exceptions are known by
the names of their classes, so that none of those clients need be imported here.
"""

import ssl
from collections.abc import Iterator

from chaoskit.load.outcome import (
    Broken,
    Judged,
    Phase,
    broken_by,
    judge_answer,
    judge_broken,
)

#: Methods without an effect (RFC 9110, 9.2.1). Whatever else is reported counts as a write, for
#: which "cannot tell" is never a failure.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: The error class of an answer that the locustfile itself did not accept.
CHECK = "check"
_CHECKS = frozenset({"CatchResponseError", "ResponseError"})
#: Failures before anything was sent: of requests, urllib3, and the resolver.
_CONNECTING = frozenset(
    {"ConnectTimeout", "ConnectTimeoutError", "NewConnectionError", "ConnectionRefusedError",
     "NameResolutionError", "gaierror"}
)  # fmt: skip
_CLASSES = {
    "gaierror": "no_name",
    "ConnectTimeout": "timeout",
    "ConnectTimeoutError": "timeout",
    "ReadTimeout": "timeout",
    "TimeoutError": "timeout",
    "RemoteDisconnected": "closed",
    "HTTPConnectionClosed": "closed",
    "IncompleteRead": "truncated",
    "ChunkedEncodingError": "truncated",
    "BadStatusLine": "protocol",
    "HTTPParseError": "protocol",
}
#: How deep causes are followed; they may form rings.
_DEEPEST = 8


def is_write(method: str) -> bool:
    """Whether a request of this method may have an effect."""
    return method.upper() not in _SAFE


def judge_reported(
    method: str, status: int | None, effect: str | None, exception: BaseException | None
) -> Judged:
    """By the status and effect header of the response, and by the exception.

    Without an exception the locustfile took the answer for good, whatever its status. One that it
    did not accept although it came whole may have had an effect all the same.
    """
    if exception is None:
        return Judged("ok")
    write = is_write(method)
    causes = list(_causes(exception))
    if not _CHECKS & _names(exception):
        broken = _broken(causes)
        if broken is not None:
            judged = judge_broken(broken, write=write)
            # How far the request had come is known only where it did not leave at all.
            return judged if broken.phase == "connect" else judged._replace(error_phase=None)
    if status is not None and not 200 <= status < 300:
        return judge_answer(status, effect, write=write)
    error = CHECK if status is not None else type(exception).__name__.lower()
    return Judged("unknown" if write else "fail", error)


def _broken(causes: list[BaseException]) -> Broken | None:
    """How the exchange broke; None if it was not the exchange that failed."""
    connecting = any(_CONNECTING & _names(cause) for cause in causes)
    phase: Phase = "connect" if connecting else "wait"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return Broken("tls", phase, sent=not connecting)
        # Many clients' own exceptions are OSErrors too, but without a number.
        if isinstance(cause, OSError) and cause.errno and "gaierror" not in _names(cause):
            of_driver = broken_by(cause, "connect", sent=False)
            if of_driver.unsent:
                return of_driver
            return broken_by(cause, phase, sent=not connecting)
    for cause in causes:
        for name, error in _CLASSES.items():
            if name in _names(cause):
                return Broken(error, phase, sent=not connecting)
    return None


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception and what lies behind it: causes, contexts, and what clients wrap."""
    level: list[BaseException] = [exception]
    seen: set[int] = set()
    for _ in range(_DEEPEST):
        level = [each for each in level if id(each) not in seen]
        seen.update(map(id, level))
        yield from level
        behind = [
            getattr(each, name, None)
            for each in level
            for name in ("__cause__", "__context__", "reason", "original")
        ]
        level = [each for each in behind if isinstance(each, BaseException)]


def _names(exception: BaseException) -> set[str]:
    return {each.__name__ for each in type(exception).__mro__}
