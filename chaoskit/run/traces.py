"""What is left of faults: the cluster compared with what it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chaoskit import clock
from chaoskit.cluster.fingerprint import fingerprint, left_after
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.history.events import TracesCompared

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
    lines = left_after(cluster, before, timeout_s=_SETTLED_WITHIN_S)
    record(TracesCompared(time_ns=clock.now_ns(), since_ns=since_ns, lines=lines))
