"""What is left of faults: the cluster compared with what it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from chaoskit import clock
from chaoskit.cluster.fingerprint import difference, fingerprint
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.errors import WaitTimeout
from chaoskit.history.events import TracesCompared
from chaoskit.waiting import wait_until

#: What Kubernetes itself puts back after a heal (conditions, taints) takes up to so long.
_SETTLED_WITHIN_S = 30.0


@contextmanager
def traces_compared(
    cluster: K3sCluster, record: Callable[[TracesCompared], None]
) -> Iterator[None]:
    """A context at whose end the cluster is compared with its beginning, as soon as it is the same.

    What still differs after half a minute is on record.
    """
    since_ns, before = clock.now_ns(), fingerprint(cluster)
    yield
    last: list[str] = []

    def is_the_same() -> bool:
        last[:] = difference(before, fingerprint(cluster))
        return not last

    with suppress(WaitTimeout):
        wait_until(is_the_same, what="nothing to be left", timeout_s=_SETTLED_WITHIN_S)
    record(TracesCompared(time_ns=clock.now_ns(), since_ns=since_ns, lines=list(last)))
