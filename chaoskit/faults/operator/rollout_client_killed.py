"""The client that drives a rollout from outside is killed."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.cluster.node_process import NodeProcess
from chaoskit.cluster.provider import Cluster
from chaoskit.faults._objects import mend
from chaoskit.faults.fault import Reach

#: What a shell reports of a process that ended by signal 9.
_KILLED = 128 + 9


@dataclass(frozen=True)
class RolloutClientKilled:
    """Kill a client on a node, with its children, by SIGKILL.

    The scenario starts it there as `NodeProcess(node, client)`: a kubectl that waits for a rollout,
    or a script that scales one ReplicationController up and another one down.
    Breaks: whatever the client would have done next.
    Kubernetes answers: what the server drives (a Deployment) completes; what the client drove stays
    half done, for good.
    Heal: nothing to undo, and nothing recovers by itself; waits until no child of it lives.
    Requires: nodes that commands can be run on. A client that ended before is refused.
    """

    node: str
    client: str

    name: ClassVar[str] = "rollout_client_killed"
    requires: ClassVar[frozenset[str]] = frozenset({"nodes"})
    one_shot: ClassVar[bool] = True

    @property
    def target(self) -> str:
        """The client; not its node, on which nothing else is touched."""
        return f"Client {self.client}"

    @property
    def reach(self) -> Reach:
        """The node, of which one process of the scenario's own is ended."""
        return Reach(nodes=frozenset({self.node}), only_own=True)

    def inject(self, cluster: Cluster, *, heal_after_s: float) -> None:
        """Kill it. Raises `ClusterError` when it has ended by itself, or was never started."""
        self._process(cluster).kill("KILL")

    def is_effective(self, cluster: Cluster) -> bool:
        """Its parent saw it end by SIGKILL rather than by itself, and no child of it lives."""
        state = self._process(cluster).state()
        return state is not None and state.exit_code == _KILLED and not state.is_living

    def heal(self, cluster: Cluster) -> None:
        """See that nothing of it goes on. Raises `WaitTimeout`."""
        process = self._process(cluster)

        def step() -> str:
            state = process.state()
            if state is None or state.exit_code != _KILLED or not state.is_living:
                return ""
            return "a child of it lives on"

        mend(step, what=f"the end of all of client {self.client} on {self.node}")

    def _process(self, cluster: Cluster) -> NodeProcess:
        return NodeProcess(cluster.node(self.node), self.client)
