"""What became of a request, and what may be concluded of its effect. Pure.

`ok`: answered with 2xx, completely and in time. `fail`: surely no effect. `unknown`: it may have
had one. `unsent`: the driver could not try. A read has no effect, so a read without a good answer
is always `fail`; only one that was cut off when the load stopped stays `unknown`.
"""

import errno
from typing import Literal, NamedTuple

Outcome = Literal["ok", "fail", "unknown", "unsent"]
#: How far the request had come: nothing sent yet, partly or wholly sent, answer begun.
Phase = Literal["connect", "send", "wait", "body"]

#: Header by which the specimen says of an answered write that it had no effect.
EFFECT_HEADER = "x-chaoskit-effect"
NO_EFFECT = "none"
#: The error class of a request that was still in flight when the drain ended.
CUT_OFF_ERROR = "cut_off"

_CLASSES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "no_route",
    errno.ENETUNREACH: "no_route",
    errno.EHOSTDOWN: "no_route",
    errno.ENETDOWN: "no_route",
}
#: The driver's own machine ran out of something: the service was not even asked.
_DRIVER_ERRORS = {
    errno.EADDRNOTAVAIL: "no_port",
    errno.EADDRINUSE: "no_port",
    errno.EMFILE: "no_descriptor",
    errno.ENFILE: "no_descriptor",
    errno.ENOBUFS: "no_memory",
    errno.ENOMEM: "no_memory",
}


class Broken(Exception):
    """An exchange without a complete answer: its error class, how far it came, and whether any
    byte of the request may have left. `unsent` marks a failure of the driver itself.
    """

    def __init__(self, error: str, phase: Phase, *, sent: bool, unsent: bool = False) -> None:
        super().__init__(f"{error} in {phase}")
        self.error = error
        self.phase = phase
        self.sent = sent
        self.unsent = unsent


class Judged(NamedTuple):
    """The columns outcome, error and error_phase of a request."""

    outcome: Outcome
    error: str | None = None
    error_phase: Phase | None = None


def broken_by(error: OSError, phase: Phase, *, sent: bool) -> Broken:
    """The `Broken` for an operating system's error; a timeout has no number and is one too."""
    if isinstance(error, TimeoutError):
        return Broken("timeout", phase, sent=sent)
    number = error.errno or 0
    if phase == "connect" and number in _DRIVER_ERRORS:
        return Broken(_DRIVER_ERRORS[number], phase, sent=False, unsent=True)
    name = _CLASSES.get(number) or errno.errorcode.get(number, "os_error").lower()
    return Broken(name, phase, sent=sent)


def judge_broken(broken: Broken, *, write: bool) -> Judged:
    """A request without a complete answer: a write of which anything was sent is unknown."""
    if broken.unsent:
        return Judged("unsent", broken.error, broken.phase)
    outcome: Outcome = "unknown" if write and broken.sent else "fail"
    return Judged(outcome, broken.error, broken.phase)


def judge_answer(status: int, effect: str | None, *, write: bool) -> Judged:
    """A complete answer by its status and its effect header.

    A write answered with 4xx was refused for the request's own sake (RFC 9110, 15.5): no effect.
    Any other bad status (5xx, or a redirect, which is never followed) leaves a write unknown,
    because a server may fail after the act, unless the answer itself says that nothing was done.
    """
    if 200 <= status < 300:
        return Judged("ok")
    if not write or effect == NO_EFFECT or 400 <= status < 500:
        return Judged("fail", "status")
    return Judged("unknown", "status")


def judge_cut_off(phase: Phase) -> Judged:
    """Still in flight when the drain ended: what would have become of it is not known."""
    return Judged("unknown", CUT_OFF_ERROR, phase)
