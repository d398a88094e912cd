"""What an account needs for the faults that go through the API alone: asked before anything."""

from chaoskit.faults.fault import Fault
from chaoskit.kube.rights import Right

# Verbs, kind, subresource. A pod's owner is noted in a ConfigMap before the pod is taken away.
_NOTED = (
    ("get patch create delete", "ConfigMap", ""),
    ("get list", "Pod", ""),
    ("get list", "ReplicaSet", ""),
    ("list", "EndpointSlice", ""),
    ("get", "Namespace", ""),  # whether it is ending, when something does not come back
)
_SWITCHED = (*_NOTED, ("get create", "Pod", "proxy"))
_NEEDED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "pod_deleted": (*_NOTED, ("delete", "Pod", "")),
    "pod_force_deleted": (*_NOTED, ("delete", "Pod", "")),
    "pod_evicted": (*_NOTED, ("create", "Pod", "eviction")),
    "readiness_failing": _SWITCHED,
    "liveness_failing": _SWITCHED,
    "config_map_withdrawn": (("get list create delete", "ConfigMap", ""),),
    "secret_withdrawn": (("get list create delete", "Secret", ""),),
    "quota_lowered": (("get list create patch delete", "ResourceQuota", ""),),
}


def rights_needed(fault: Fault) -> list[Right]:
    """The rights that it needs in its namespaces; none are known of other faults."""
    return [
        Right(verb, kind, namespace, subresource)
        for namespace in sorted(fault.reach.namespaces)
        for verbs, kind, subresource in _NEEDED.get(fault.name, ())
        for verb in verbs.split()
    ]
