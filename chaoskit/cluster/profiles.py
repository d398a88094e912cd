"""Node-loss profiles: how fast Kubernetes gives a node up, and the bounds that follow.

All constants are Kubernetes' own defaults unless said otherwise: node lifecycle controller
(monitor period 5 s, grace 40 s up to v1.31 and 50 s from v1.32), kubelet lease of 40 s renewed
each quarter of it, tolerations of 300 s set by admission.
"""

import math
import re
from dataclasses import dataclass

from chaoskit.errors import UsageError

_GRACE_BEFORE_1_32_S = 40.0
_GRACE_SINCE_1_32_S = 50.0
# A kubelet looks each 10 s whether its status is to be posted.
_STATUS_PERIOD_S = 10.0
# Nodes are tainted by a queue of 0.1 nodes a second (--node-eviction-rate).
_TAINT_RATE_S = 10.0
# A renewal period (10 s), a retry (7 s), and 3 s: what kubelets need to be heard after an absence.
_HEARD_AGAIN_S = 20.0
# Back-off of watches: client-go's tools/cache/reflector.go.
_WATCH_RETRY_S = 0.8
_WATCH_RETRY_AT_MOST_S = 30.0
# From its process to its first answer; measured in this project's node image, on a busy machine.
_API_STARTS_WITHIN_S = 5.0
# Pod garbage collection: pkg/controller/podgc/gc_controller.go (quarantineTime, gcCheckPeriod).
_MISSED_S = 40.0
_COLLECTED_EACH_S = 20.0
# What a scenario is given to look at what has become of a node that was given up.
_SEEN_FOR_S = 300.0
# What a busy host adds to any of these: API writes, watches, scheduling of the controllers.
_SLACK_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Timing of node loss. `None` leaves the value to Kubernetes' default of that version."""

    name: str
    grace_s: float | None
    monitor_period_s: float
    lease_s: float
    toleration_s: float

    @property
    def renew_s(self) -> float:
        """The kubelet renews its lease each quarter of the lease's duration."""
        return self.lease_s / 4


FAST = Profile(name="fast", grace_s=16.0, monitor_period_s=1.0, lease_s=12.0, toleration_s=20.0)
DEFAULT = Profile(
    name="default", grace_s=None, monitor_period_s=5.0, lease_s=40.0, toleration_s=300.0
)
PROFILES = {profile.name: profile for profile in (FAST, DEFAULT)}


def profile_named(name: str) -> Profile:
    """The profile of that name; raises `UsageError`."""
    if name not in PROFILES:
        raise UsageError(
            "unknown node-loss profile", seen=name, next_step=f"one of {', '.join(PROFILES)}"
        )
    return PROFILES[name]


def fault_may_last_s(profile: str) -> float:
    """How long a fault may last where nobody says more: until pods left its node, and 5 min.

    A cluster whose profile is not one of ours is taken to have Kubernetes' own tolerations.
    """
    return _SEEN_FOR_S + PROFILES.get(profile, DEFAULT).toleration_s


def version_pair(version: str) -> tuple[int, int]:
    """("v1.36.3", "v1.33.1+k3s1", "1.30") → (1, 36), (1, 33), (1, 30); raises `UsageError`."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if match is None:
        raise UsageError("not a Kubernetes version", seen=version, next_step="like v1.36.3")
    return int(match[1]), int(match[2])


def grace_s(profile: Profile, version: str) -> float:
    """Seconds without a lease renewal after which a node counts as lost."""
    if profile.grace_s is not None:
        return profile.grace_s
    return _GRACE_SINCE_1_32_S if version_pair(version) >= (1, 32) else _GRACE_BEFORE_1_32_S


def not_ready_after_s(profile: Profile, version: str) -> float:
    """Earliest moment after a cut at which the node may be NotReady.

    The last renewal may be one period old when the cut comes.
    """
    return max(0.0, grace_s(profile, version) - profile.renew_s - profile.monitor_period_s)


def not_ready_within_s(profile: Profile, version: str) -> float:
    """Latest moment after a cut at which the node must be NotReady.

    The controller dates a renewal by when it looked (one period late) and looks again one
    period after the grace has run out.
    """
    return grace_s(profile, version) + 2 * profile.monitor_period_s + _SLACK_S


def evicted_after_s(profile: Profile, version: str) -> float:
    """Earliest deletion of the lost node's pods."""
    return not_ready_after_s(profile, version) + profile.toleration_s


def evicted_within_s(profile: Profile, version: str) -> float:
    """Latest moment at which pods with the default tolerations carry a deletion timestamp."""
    return not_ready_within_s(profile, version) + profile.toleration_s + _TAINT_RATE_S


def given_up_within_s(profile: Profile) -> float:
    """Latest moment after NotReady at which pods with the default tolerations are told to end."""
    return profile.toleration_s + _TAINT_RATE_S + _SLACK_S


def ready_again_within_s(profile: Profile) -> float:
    """Latest moment after a heal at which the node must be Ready, its taints gone.

    A kubelet posts what differs from the Node that it last saw. Until its watch of that is back it
    does not see that it counts as lost, so it sends no word of being Ready, though it sends others
    (tryUpdateNodeStatus in pkg/kubelet/kubelet_node_status.go). After an absence of half a minute
    the watch may wait for up to a minute.
    """
    return (
        2 * _WATCH_RETRY_AT_MOST_S
        + _STATUS_PERIOD_S
        + 2 * profile.monitor_period_s
        + _TAINT_RATE_S
        + _SLACK_S
    )


def short_absence_s(profile: Profile, version: str) -> float:
    """How long the control plane may be away without any node being given up for it.

    Half the grace, or all of it but 20 s where that is longer: what kubelets need at most to be
    heard again (a renewal period of 10 s, a retry of 7 s) and 3 s.
    """
    grace = grace_s(profile, version)
    return max(grace / 2, grace - _HEARD_AGAIN_S)


def watches_back_within_s(absence_s: float) -> float:
    """How long after an API server came back, started anew, all that watch it are sure to do so.

    Watches are tried again after 0.8 s, twice as long each time up to 30 s, each up to twice that
    by chance (client-go's reflector). So how long the next try lies ahead depends on how many have
    failed; and one more fails, as a server that has just begun to serve knows no roles yet.
    """
    tries, spent_s = 0, _WATCH_RETRY_S
    while spent_s < absence_s + _API_STARTS_WITHIN_S:
        tries += 1
        spent_s += math.ldexp(_WATCH_RETRY_S, tries)
    next_s = min(math.ldexp(_WATCH_RETRY_S, tries), _WATCH_RETRY_AT_MOST_S)
    last_s = min(2 * next_s, _WATCH_RETRY_AT_MOST_S)
    return 2 * (next_s + last_s)


def garbage_collected_within_s() -> float:
    """Latest moment after a node's object is deleted at which its pods are gone by force.

    The pod garbage collector looks each 20 s, deletes pods of a node that it has missed for 40 s,
    and asks the API once more before; both are constants in Kubernetes' sources.
    """
    return _MISSED_S + _COLLECTED_EACH_S + collected_within_s()


def collected_within_s() -> float:
    """Until the pod garbage collector has looked again, and taken what it need not wait for."""
    return _COLLECTED_EACH_S + _SLACK_S


def garbage_collected_after_s() -> float:
    """Earliest moment after a node's object is deleted at which its pods are gone by force."""
    return _MISSED_S


def controller_manager_arguments(profile: Profile) -> tuple[str, ...]:
    """Flags of kube-controller-manager, without dashes as k3s passes them on."""
    if profile.grace_s is None:
        return ()
    return (
        f"node-monitor-grace-period={profile.grace_s:g}s",
        f"node-monitor-period={profile.monitor_period_s:g}s",
    )


def api_server_arguments(profile: Profile) -> tuple[str, ...]:
    """Flags of kube-apiserver: the tolerations that admission gives to every pod."""
    if profile.grace_s is None:
        return ()
    return (
        f"default-not-ready-toleration-seconds={profile.toleration_s:g}",
        f"default-unreachable-toleration-seconds={profile.toleration_s:g}",
    )


def kubelet_fields(profile: Profile) -> dict[str, object]:
    """Fields of KubeletConfiguration; the lease has no command-line flag."""
    if profile.grace_s is None:
        return {}
    return {"nodeLeaseDurationSeconds": int(profile.lease_s)}
