"""What became of a command run in a container, read from the server's closing word."""

import json
from dataclasses import dataclass

from chaoskit.kube import refusal
from chaoskit.kube.refusal import Call


@dataclass(frozen=True, kw_only=True)
class Executed:
    """A command that ended in a container."""

    exit_code: int
    stdout: str
    stderr: str


def exit_code(call: Call, closing: str) -> int:
    """The exit code in `closing`, the Status on the stream's error channel.

    Raises `Transient` when there is none (the connection was cut before the command's end) and
    `Refused` when the command could not be started.
    """
    if not closing:
        raise refusal.Transient(
            call,
            status=0,
            reason="the connection ended before the command",
            message="",
            next_step="see whether the pod, its node and the API server are up; "
            "the command may have run",
        )
    status = json.loads(closing)
    if status.get("status") == "Success":
        return 0
    for cause in status.get("details", {}).get("causes", []):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise refusal.Refused(
        call,
        status=status.get("code", 0),
        reason=status.get("reason", "Failure"),
        message=status.get("message", ""),
        next_step="see that the container runs and holds this command",
    )
