"""Asking a pod from its own node, where no cut of the node keeps the answer back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from chaoskit import clock
from chaoskit.cluster.node import Node
from chaoskit.errors import ChaoskitError
from chaoskit.history.events import AnsweredOnNode

_ASKED_EVERY_S = 0.3
_ANSWER_WITHIN_S = 1
_COMMAND_S = 5.0
_ENDS_WITHIN_S = 15.0

#: bash opens the connection: a node has no HTTP client of its own.
_ASK = 'exec 3<>"/dev/tcp/$1/$2" && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3'


class _Identity(msgspec.Struct, frozen=True):
    pod: str
    pod_uid: str
    boot: str


def answer_on_node(node: Node, address: str, port: int) -> AnsweredOnNode | None:
    """What answers at `address` to a request from the node; None where nothing does.

    Raises what the node's engine raises, as while the node is paused.
    """
    argv = ["timeout", str(_ANSWER_WITHIN_S), "bash", "-c", _ASK, "ask", address, str(port)]
    done = node.execute(argv, timeout_s=_COMMAND_S)
    body = done.stdout.splitlines()[-1:]  # behind the header, if anything answered
    try:
        said = msgspec.json.decode("".join(body), type=_Identity)
    except msgspec.DecodeError:
        return None
    return AnsweredOnNode(
        time_ns=clock.now_ns(),
        node=node.name,
        address=address,
        pod=said.pod,
        pod_uid=said.pod_uid,
        boot=said.boot,
    )


@contextmanager
def asking_on_node(
    node: Node, address: str, port: int, record: Callable[[AnsweredOnNode], None]
) -> Iterator[None]:
    """A context in which it is asked some times a second; each answer is recorded."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                answer = answer_on_node(node, address, port)
            except ChaoskitError:
                answer = None  # a paused node runs no command: silence is what is to be seen
            if answer is not None:
                record(answer)
            over.wait(_ASKED_EVERY_S)

    thread = threading.Thread(target=ask, name=f"asking {address} on {node.name}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_ENDS_WITHIN_S)
