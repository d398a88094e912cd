"""The client of a node's resident agent, over any two-way stream of bytes."""

import itertools
import json
import threading
from concurrent.futures import Future
from typing import Any, Protocol

from chaoskit import clock
from chaoskit.errors import ChaoskitError, ClusterError, UsageError


class ByteStream(Protocol):
    """Both directions of `nodeagent connect`, as an exec of the container runtime gives them."""

    def send(self, data: bytes) -> None:
        """Send all of `data`; raises `OSError` or `ClusterError` when the other side is gone."""
        ...

    def recv(self) -> bytes:
        """The next bytes, as soon as there are any; empty once the other side has ended."""
        ...

    def close(self) -> None:
        """End both directions and wake a `recv` that waits; harmless when called again."""
        ...


class AgentClient:
    """Calls operations of one node agent; any number of threads may call at once.

    The protocol is JSON lines: a request `{"id", "op", …}` is answered by `{"id", "ok",
    "time_ns", …}`, in the order in which the agent is done. `subject` names the agent in errors
    ("agent of node chaoskit-3f2a-agent-1"). The client owns the stream.
    """

    def __init__(self, stream: ByteStream, *, subject: str = "node agent") -> None:
        self._stream = stream
        self._subject = subject
        self._ids = itertools.count(1)
        self._sending = threading.Lock()
        self._lock = threading.Lock()  # guards the two below
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._ended: str | None = None
        self._reader = threading.Thread(target=self._read, name=subject, daemon=True)
        self._reader.start()

    def call(self, operation: str, *, timeout_s: float = 10.0, **arguments: Any) -> dict[str, Any]:
        """One operation: the answer's fields, among them `time_ns`, the node's monotonic time.

        Raises `ClusterError` with the agent's own words if it refuses, if no answer came within
        `timeout_s` (it may have been carried out none the less), or if the stream has ended.
        Raises `UsageError` for arguments that JSON or the protocol cannot carry.
        """
        number = next(self._ids)
        line = self._request(number, operation, arguments)
        answer: Future[dict[str, Any]] = Future()
        started_ns = clock.now_ns()
        with self._lock:
            if self._ended is not None:
                raise self._lost(operation, self._ended)
            self._waiting[number] = answer
        try:
            with self._sending:
                self._stream.send(line)
            result = answer.result(timeout_s)
        except TimeoutError:
            raise ClusterError(
                f"{operation} was not answered",
                subject=self._subject,
                spent_s=(clock.now_ns() - started_ns) / 1e9,
                next_step="is the node paused or overloaded? its agent logs what it does",
            ) from None
        except OSError as error:
            raise self._lost(operation, str(error)) from error
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if not result.pop("ok"):
            raise ClusterError(str(result.get("error")), subject=self._subject)
        return result

    def close(self) -> None:
        """End the stream; calls that still wait raise `ClusterError`."""
        self._end("closed by us")
        self._stream.close()
        if self._reader is not threading.current_thread():
            self._reader.join(timeout=5.0)

    def _request(self, number: int, operation: str, arguments: dict[str, Any]) -> bytes:
        if taken := {"id", "op"} & arguments.keys():
            raise UsageError("the protocol owns these arguments", seen=sorted(taken))
        try:
            text = json.dumps({**arguments, "id": number, "op": operation}, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"arguments of {operation} do not fit into JSON: {error}", seen=arguments
            ) from error
        return text.encode() + b"\n"

    def _read(self) -> None:
        reason = "our reader ended"
        try:
            reason = self._read_answers()
        except (OSError, ChaoskitError, ValueError) as error:  # a broken stream, or odd answers
            reason = f"{type(error).__name__}: {error}"
        finally:
            self._end(reason)

    def _read_answers(self) -> str:
        """Hand out answers until the stream ends; returns why it did."""
        rest = b""
        while data := self._stream.recv():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._hand_out(line)
        return f"ended in the middle of {rest[:80]!r}" if rest else "ended by the other side"

    def _hand_out(self, line: bytes) -> None:
        answer = json.loads(line)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
            raise ValueError(f"not an answer to us: {line[:200]!r}")
        number = answer.pop("id")
        if not isinstance(answer.get("ok"), bool):
            raise ValueError(f"an answer without ok: {line[:200]!r}")
        with self._lock:
            waiting = self._waiting.pop(number, None)
        if waiting is not None:  # else its caller's time was up
            waiting.set_result(answer)

    def _end(self, reason: str) -> None:
        with self._lock:
            if self._ended is None:
                self._ended = reason
            waiting = list(self._waiting.values())
            self._waiting.clear()
        for answer in waiting:
            answer.set_exception(_StreamEndedError(reason))

    def _lost(self, operation: str, reason: str) -> ClusterError:
        return ClusterError(
            f"{operation} got no answer: the stream to the agent has ended",
            subject=self._subject,
            seen=reason,
            next_step="connect anew; if the agent is gone, start it again: it takes up its faults",
        )


class _StreamEndedError(OSError):
    """Set on the calls that wait when the stream ends."""
