"""Requests of a locustfile's users on record: Locust reports those that ended, by its event.

It says nothing of a request that was cut off with its user, or by a gevent timeout in the
locustfile. So the sessions of HttpUser and FastHttpUser are watched as well.
"""

import functools
import inspect
import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from chaoskit import clock
from chaoskit.history.requests import RequestRow
from chaoskit.load.child.tallies import Tallies
from chaoskit.load.outcome import EFFECT_HEADER, Broken, Judged, judge_broken, judge_cut_off
from chaoskit.load.profile import MAX_STREAMS
from chaoskit.load.reported import is_write, judge_reported
from chaoskit.load.steady import UserGate

#: Under this name the sender's label travels in the context of Locust's event.
_USER = "chaoskit_user"
#: The stream of all requests beyond the first so many names: a name for each URL is no stream.
OTHER_STREAM = "other"
#: Names longer than this are cut: they may hold whole URLs.
_LONGEST_NAME = 200


class LocustRequests:
    """Takes in what the users of one load report, and hands on rows."""

    def __init__(
        self,
        *,
        load_id: str,
        entry: str,
        tallies: Tallies,
        gate: UserGate,
        record: Callable[[RequestRow], None],
        warn: Callable[[str], None],
    ) -> None:
        self._load_id = load_id
        self._entry = entry
        self._tallies = tallies
        self._gate = gate
        self._record = record
        self._warn = warn
        self._started_ns = clock.now_ns()
        self._slots = itertools.count()
        self._users: Counter[str] = Counter()
        self._labels: WeakKeyDictionary[User, str] = WeakKeyDictionary()
        self._names: set[str] = set()
        self._told_of_time = False
        self.in_flight = 0

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response: object = None,
        exception: BaseException | None = None,
        context: Mapping[str, Any] | None = None,
        start_time: float | None = None,
        **_: object,
    ) -> None:
        """A listener of Locust's request event. `response_time` is in ms, `start_time` is wall
        time in s, which some clients leave out.
        """
        spent_ns = self._spent_ns(f"{request_type} {name}", response_time or 0.0)
        sent_ns = self._sent_ns(spent_ns, start_time)
        status = getattr(response, "status_code", None) or None
        effect = _header(response, EFFECT_HEADER)
        judged = judge_reported(str(request_type), status, effect, exception)
        user = (context or {}).get(_USER) or self._label(_user_of(gevent.getcurrent()))
        self._write(
            str(request_type), str(name), user, sent_ns, sent_ns + spent_ns, judged, response
        )

    def watch(self, session: type[HttpSession] | type[FastHttpSession]) -> None:
        """Let requests of this kind of session be counted while they are in flight, and be put on
        record when they are broken off.
        """
        original = session.request
        signature = inspect.signature(original)

        @functools.wraps(original)
        def request(self_: Any, *args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(self_, *args, **kwargs)
            user = self._label(self_.user)
            bound.arguments["context"] = {**(bound.arguments.get("context") or {}), _USER: user}
            sent_ns = clock.now_ns()
            self.in_flight += 1
            try:
                return original(*bound.args, **bound.kwargs)
            except (gevent.GreenletExit, gevent.Timeout) as error:
                method, url = bound.arguments["method"], bound.arguments["url"]
                name = bound.arguments.get("name") or self_.request_name or url
                judged = _broken_off(method, error)
                self._write(method, str(name), user, sent_ns, clock.now_ns(), judged, None)
                raise
            finally:
                self.in_flight -= 1

        session.request = request  # type: ignore[assignment]

    def _write(
        self,
        method: str,
        name: str,
        user: str | None,
        sent_ns: int,
        end_ns: int,
        judged: Judged,
        response: object,
    ) -> None:
        stream = self._stream(f"{method} {name}"[:_LONGEST_NAME])
        self._tallies.plan_slot(stream)
        self._tallies.end_slot(stream, judged, None)
        self._gate.answered(user, clock.now_ns(), ok=judged.outcome == "ok")
        sequence = _header(response, "x-chaoskit-sequence") or ""
        self._record(
            RequestRow(
                load=self._load_id,
                stream=stream,
                connection=_connection(response),
                entry=self._entry,
                slot=next(self._slots),
                operation="write" if is_write(method) else "read",
                planned_ns=sent_ns,
                sent_ns=None if judged.outcome == "unsent" else sent_ns,
                connected_ns=None,
                end_ns=end_ns,
                outcome=judged.outcome,
                status=getattr(response, "status_code", None) or None,
                error=judged.error,
                error_phase=judged.error_phase,
                pod=_header(response, "x-chaoskit-pod"),
                pod_uid=_header(response, "x-chaoskit-pod-uid"),
                node=_header(response, "x-chaoskit-node"),
                revision=_header(response, "x-chaoskit-revision"),
                boot=_header(response, "x-chaoskit-boot"),
                sequence=int(sequence) if sequence.isascii() and sequence.isdigit() else None,
                user=user,
            )
        )

    def _stream(self, name: str) -> str:
        if name not in self._names:
            if len(self._names) >= MAX_STREAMS:
                return self._other(name)
            self._names.add(name)
        return name

    def _other(self, name: str) -> str:
        if OTHER_STREAM not in self._names:
            self._names.add(OTHER_STREAM)
            self._warn(
                f"more than {MAX_STREAMS} names of requests: {name} and later ones are on record "
                f'as "{OTHER_STREAM}"; give requests that belong together one name='
            )
        return OTHER_STREAM

    def _spent_ns(self, what: str, spent_ms: float) -> int:
        """An own client may measure with a clock that is set back, or not at all."""
        if math.isfinite(spent_ms) and spent_ms >= 0:
            return int(spent_ms * 1e6)
        if not self._told_of_time:
            self._told_of_time = True
            self._warn(f"{what} was reported with a response_time of {spent_ms} ms: taken for 0")
        return 0

    def _sent_ns(self, spent_ns: int, start_time_s: float | None) -> int:
        """When the request was sent: by Locust's start, through a pair of clocks read now.

        A locustfile may look at the answer for long before Locust reports it, so that counting
        back from now would be late. But the wall clock may have been set meanwhile: the result
        lies neither before the load nor later than counting back.
        """
        latest_ns = clock.now_ns() - spent_ns
        if start_time_s is None:
            return latest_ns
        sent_ns = clock.now_ns() - (clock.wall_ns() - int(start_time_s * 1e9))
        return max(min(sent_ns, latest_ns), min(self._started_ns, latest_ns))

    def _label(self, user: User | None) -> str | None:
        """Class and number of a user, numbered as they are first heard of."""
        if user is None:
            return None
        if user not in self._labels:
            kind = type(user).__name__
            self._users[kind] += 1
            self._labels[user] = f"{kind}-{self._users[kind]}"
        return self._labels[user]


def _user_of(greenlet: object) -> User | None:
    """The user whose own greenlet this is: Locust starts it with the user as its argument."""
    arguments = getattr(greenlet, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], User) else None


def _broken_off(method: str, error: BaseException) -> Judged:
    if isinstance(error, gevent.Timeout):
        judged = judge_broken(Broken("timeout", "wait", sent=True), write=is_write(method))
    else:
        judged = judge_cut_off("wait")
    return judged._replace(error_phase=None)  # nobody knows how far it had come


def _header(response: object, name: str) -> str | None:
    headers = getattr(response, "headers", None)
    value = headers.get(name) if headers is not None else None
    return value if isinstance(value, str) and value else None


def _connection(response: object) -> str:
    """HttpUser and FastHttpUser keep their connections unless the request asks for its end."""
    request = getattr(response, "request", None)
    if request is None:
        return "unknown"
    asked = _header(request, "Connection")
    return "new" if asked is not None and asked.lower() == "close" else "kept"
