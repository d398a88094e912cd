"""Asking for names all the time, from pods, beside whatever a scenario does."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chaoskit import clock
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import ChaoskitError
from chaoskit.history.events import LookedUp
from chaoskit.workloads.pod import Pod

#: A healthy cluster answers in milliseconds; a lookup that fails takes this long.
_ANSWER_WITHIN_S = 0.5
#: Askers beside one another in each pod, and how long each rests after an answer.
_ASKERS = 4
_REST_S = 0.25
_ENDS_WITHIN_S = 15.0


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One pod that asks: what is asked is sent from its own network, by its node's agent."""

    pod: str
    uid: str
    node: str
    namespace: str


@contextmanager
def names_asked(
    cluster: K3sCluster, pods: Sequence[Pod], record: Callable[[LookedUp], None]
) -> Iterator[None]:
    """A context in which each of these pods looks up one new name after the other.

    Each name is asked for once only, so no cache has it: "10-1-2-3.NAMESPACE.pod.cluster.local",
    which the cluster's name server answers with that address.
    """
    server = str(cluster.kube.get("Service", "kube-dns", "kube-system")["spec"]["clusterIP"])
    numbers, over = itertools.count(), threading.Event()
    asked = [_asked(pod) for pod in pods]

    def ask(one: _Asked) -> None:
        while not over.is_set():
            number = next(numbers)
            name = f"10-{number >> 16 & 255}-{number >> 8 & 255}-{number & 255}"
            record(_looked_up(cluster, one, server, f"{name}.{one.namespace}.pod.cluster.local"))
            over.wait(_REST_S)

    threads = [
        threading.Thread(target=ask, args=(one,), name=f"names for {one.pod}", daemon=True)
        for one in asked
        for _ in range(_ASKERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(_ENDS_WITHIN_S)


def _asked(pod: Pod) -> _Asked:
    item = pod.read()
    return _Asked(
        pod=pod.name,
        uid=str(item["metadata"]["uid"]),
        node=str(item["spec"]["nodeName"]),
        namespace=str(item["metadata"]["namespace"]),
    )


def _looked_up(cluster: K3sCluster, one: _Asked, server: str, name: str) -> LookedUp:
    """One lookup; what keeps the agent from asking is a problem on record, too."""
    asked_ns = clock.now_ns()
    answers: list[str] = []
    try:
        answer = cluster.node(one.node).agent.call(
            "resolve", pod=one.uid, server=server, name=name, timeout_ms=_ANSWER_WITHIN_S * 1e3
        )
    except ChaoskitError as error:
        problem = str(error)
    else:
        answers = list(answer["addresses"] or ())
        problem = str(answer["error"])
    return LookedUp(
        time_ns=clock.now_ns(),
        asked_ns=asked_ns,
        pod=one.pod,
        pod_uid=one.uid,
        name=name,
        record="A",
        answers=answers,
        problem=problem,
    )
