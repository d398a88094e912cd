"""A DaemonSet with kubectl's verbs."""

from dataclasses import dataclass
from typing import ClassVar

from chaoskit.kube.kinds import Object
from chaoskit.workloads import rollout_status
from chaoskit.workloads.controller_revisions import RevisedWorkload
from chaoskit.workloads.rollout_status import RolloutStatus


@dataclass(frozen=True, kw_only=True)
class DaemonSet(RevisedWorkload):
    """One DaemonSet."""

    KIND: ClassVar[str] = "DaemonSet"

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until every node that is to have a pod has an available one, of whatever revision.

        A set that no node is to have a pod of has nothing to wait for, and never becomes ready.
        """

        def is_available(item: Object) -> bool:
            status = item.get("status", {})
            wanted: int = status.get("desiredNumberScheduled", 0)
            available: int = status.get("numberAvailable", 0)
            return rollout_status.is_observed(item) and 0 < wanted <= available

        what = f"{self.ref} to have an available pod on each of its nodes"
        self._wait(is_available, what, timeout_s)

    def _status_of(self, item: Object) -> RolloutStatus:
        return rollout_status.of_daemon_set(item)
