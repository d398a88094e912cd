"""How master and workers talk over Locust's own channel: one custom message each way."""

from typing import Any, Protocol

#: Locust's names for our messages; the data is one packet (load/messages.py) as text.
TO_WORKER = "chaoskit_to_worker"
FROM_WORKER = "chaoskit_from_worker"
#: What a worker is told when it is no longer needed.
GO = ""


class LocustMessage(Protocol):
    """A message as Locust hands it to a listener."""

    node_id: str
    data: Any
