"""What went wrong with one request to the API server, and whether it can pass by itself."""

import json
import re
import ssl
from dataclasses import dataclass

from chaoskit.errors import ClusterError, KubernetesError

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

#: How server-side apply reports a field that the kind does not have.
_UNKNOWN_FIELD = "failed to create typed patch object"

_NEXT_STEPS = {
    400: "correct the request: the API server could not read it",
    401: "renew the credentials of this kubeconfig",
    403: "grant this user the right, or use another kubeconfig",
    404: "check kind, namespace and name, and whether the object was deleted meanwhile",
    409: "read the object again and repeat the change on what it is now",
    410: "list again: the server no longer holds this resourceVersion",
    422: "correct the named fields; nothing was changed",
}


@dataclass(frozen=True)
class Call:
    """One request, in words of the field: verb, kind, namespace and name."""

    verb: str
    kind: str
    namespace: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.name) if part)
        return " ".join(part for part in (self.verb, self.kind, where) if part)


class Refused(KubernetesError):
    """The API server answered, and the answer was no; repeating the request will not help.

    `status` is the HTTP status (0: it never answered), `reason` Kubernetes' own ("NotFound",
    "Invalid", …), `message` what it says about it.
    """

    transient = False

    def __init__(
        self, call: Call, *, status: int, reason: str, message: str, next_step: str | None = None
    ) -> None:
        self.call = call
        self.status = status
        self.reason = reason
        self.message = message
        super().__init__(
            f"failed with {status} {reason}" if status else f"got no answer: {reason}",
            subject=str(call),
            seen=message or None,
            next_step=next_step or _NEXT_STEPS.get(status),
        )


class NotFound(Refused):
    """404: there is no such object."""


class AlreadyExists(Refused):
    """409 AlreadyExists: an object of that name is there."""


class Conflict(Refused):
    """409: the object changed meanwhile, or a field belongs to another manager."""


class Gone(Refused):
    """410: this resourceVersion is older than the server's history; list again."""


class Transient(Refused):
    """429, 5xx or a lost connection: it may pass. A write may nevertheless have happened."""

    transient = True


class Unreachable(Transient, ClusterError):
    """No connection to the API server could be made at all."""


def from_answer(call: Call, status: int, http_reason: str, body: bytes) -> Refused:
    """The error for an HTTP answer with this `status`; `body` is Kubernetes' Status, or text."""
    reason, message = http_reason, body.decode(errors="replace").strip()[:2000]
    try:
        said = json.loads(body)
    except ValueError:
        said = None  # not a Status: a proxy's page, or plain text; `message` shows it as it is
    if isinstance(said, dict) and said.get("kind") == "Status":
        reason = said.get("reason") or reason
        message = said.get("message") or message
    if _UNKNOWN_FIELD in message:  # a 500 to Kubernetes, but never to pass by itself
        return Refused(
            call, status=status, reason=reason, message=message, next_step=_NEXT_STEPS[422]
        )
    return _class_for(status, reason)(call, status=status, reason=reason, message=message)


def _class_for(status: int, reason: str) -> type[Refused]:
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists
    if status in _TRANSIENT:
        return Transient
    return {404: NotFound, 409: Conflict, 410: Gone}.get(status, Refused)


def from_handshake(call: Call, text: str) -> Refused:
    """The error for a refused WebSocket: `text` is "Handshake status 404 Not Found -+-+- …"."""
    found = re.match(r"Handshake status (\d{3}) ?([^-]*)", text)
    if found is None:
        return lost(call, text)
    body = text.rsplit("-+-+- ", 1)[-1]  # after the status and the headers
    return from_answer(call, int(found[1]), found[2].strip(), body.encode())


def unreachable(call: Call, server: str, error: Exception) -> Unreachable:
    """No connection: nothing was sent."""
    return Unreachable(
        call,
        status=0,
        reason=f"no connection to {server}",
        message=str(error),
        next_step="see whether the cluster runs and this kubeconfig is its own",
    )


def lost(call: Call, message: str) -> Transient:
    """The connection was cut or fell silent after it had stood."""
    return Transient(
        call,
        status=0,
        reason="the connection was lost or silent",
        message=message,
        next_step="see whether the API server is up; a write may have happened",
    )


def distrusted(call: Call, server: str, error: Exception) -> Refused:
    """The other side could not prove who it is; `lost` when it let go before it had said so."""
    if _was_cut(error):
        return lost(call, f"cut in the middle of TLS with {server}: {error}")
    return Refused(
        call,
        status=0,
        reason=f"no TLS with {server}",
        message=str(error),
        next_step="fetch the kubeconfig again: another cluster may listen there now",
    )


def _was_cut(error: BaseException | None) -> bool:
    """Whether a TLS error, or one under it, is the end of the connection and nothing else."""
    while error is not None:
        if any(isinstance(each, ssl.SSLEOFError) for each in (error, *error.args)):
            return True
        error = error.__cause__ or error.__context__
    return False
