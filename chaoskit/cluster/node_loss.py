"""Bounds of what follows the loss of a node, computed from profile and version of its cluster."""

from dataclasses import dataclass
from typing import Protocol

from chaoskit.cluster import profiles
from chaoskit.cluster.profiles import Profile

#: kube-proxy gathers changes for 1 s (iptables.minSyncPeriod), and needs some time to write them.
_PROXY_S = 2.0
#: What the kubelet may need for a KILL after the grace.
_KILL_S = 2.0
#: Scheduling, volumes and the start of a container whose image is there.
_START_S = 15.0
#: A kubelet that was cut off tries the API again after at most 7 s (its back-off's limit), and a
#: busy host adds some seconds.
_HEARD_AGAIN_S = 12.0
#: Specimen pods have Kubernetes' own default grace.
_GRACE_S = 30.0


class Timed(Protocol):
    """A cluster, as far as its timing goes."""

    @property
    def profile(self) -> Profile: ...

    @property
    def version(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class NodeLossBounds:
    """In seconds after the cut, or after the heal, as each says."""

    profile: Profile
    version: str

    @property
    def not_ready_s(self) -> float:
        """Cut: the node is NotReady."""
        return profiles.not_ready_within_s(self.profile, self.version)

    @property
    def stays_s(self) -> float:
        """Cut: until then its pods are surely not told to end."""
        return profiles.evicted_after_s(self.profile, self.version)

    @property
    def tolerated_s(self) -> float:
        """NotReady: how long its pods tolerate that."""
        return self.profile.toleration_s

    @property
    def evicted_s(self) -> float:
        """Cut: its pods are told to end."""
        return profiles.evicted_within_s(self.profile, self.version)

    @property
    def moved_s(self) -> float:
        """Cut: pods with the default tolerations are Ready elsewhere."""
        return self.evicted_s + _START_S

    @property
    def ready_again_s(self) -> float:
        """Heal: the node is Ready and untainted, and pods that stayed are Ready."""
        return profiles.ready_again_within_s(self.profile)

    @property
    def restarted_s(self) -> float:
        """Heal: pods whose containers died with their node are Ready again in place."""
        return self.ready_again_s + _START_S

    @property
    def settled_s(self) -> float:
        """Heal: pods that were told to end meanwhile are gone, those in their place Ready."""
        return self.ready_again_s + _GRACE_S + _KILL_S + _START_S

    @property
    def stray_s(self) -> float:
        """Heal: a process whose pod was deleted meanwhile has ended."""
        return max(self.profile.renew_s, _HEARD_AGAIN_S) + _GRACE_S + _KILL_S

    @property
    def released_s(self) -> float:
        """Out-of-service taint: pods of the node are gone, and made anew elsewhere."""
        return profiles.collected_within_s() + _START_S

    @property
    def programmed_s(self) -> float:
        """A pod that is Ready again has another address: by then every kube-proxy sends there."""
        return _PROXY_S

    def unnoticed_s(self, *, deadline_s: float) -> float:
        """Cut: requests are still sent to the node's pods, each of which fails by its deadline.

        Until the node is NotReady, so that its pods leave the endpoints, and until kube-proxy has
        followed.
        """
        grace_s = profiles.grace_s(self.profile, self.version)
        return grace_s + self.profile.monitor_period_s + _PROXY_S + deadline_s


def bounds_of(cluster: Timed) -> NodeLossBounds:
    """Those of a cluster."""
    return NodeLossBounds(profile=cluster.profile, version=cluster.version)
