"""Kinds of Kubernetes objects and where the API server serves them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from chaoskit.errors import UsageError

#: An object, patch or answer as JSON has it. Aliased so that methods named `list` may use it.
Object = dict[str, Any]
Objects = list[dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """One kind: `api_version` as manifests write it ("apps/v1"), `plural` as paths do."""

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """The request path; without `namespace` it spans all of them (collections only)."""
        if name is not None and self.namespaced and namespace is None:
            raise UsageError(
                "a namespace is needed to name one object of this kind",
                subject=f"{self.name} {name}",
                next_step="give the namespace",
            )
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root, self.api_version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(part, safe=":") for part in (name, subresource) if part is not None]
        return "/".join(parts)


_CORE, _APPS, _BATCH = "v1", "apps/v1", "batch/v1"
_RBAC = "rbac.authorization.k8s.io/v1"

_KNOWN = (
    Kind("Pod", _CORE, "pods"),
    Kind("Node", _CORE, "nodes", namespaced=False),
    Kind("Namespace", _CORE, "namespaces", namespaced=False),
    Kind("Service", _CORE, "services"),
    Kind("Endpoints", _CORE, "endpoints"),
    Kind("Event", _CORE, "events"),
    Kind("ConfigMap", _CORE, "configmaps"),
    Kind("Secret", _CORE, "secrets"),
    Kind("ServiceAccount", _CORE, "serviceaccounts"),
    Kind("ResourceQuota", _CORE, "resourcequotas"),
    Kind("LimitRange", _CORE, "limitranges"),
    Kind("PersistentVolumeClaim", _CORE, "persistentvolumeclaims"),
    Kind("PersistentVolume", _CORE, "persistentvolumes", namespaced=False),
    Kind("ReplicationController", _CORE, "replicationcontrollers"),
    Kind("Deployment", _APPS, "deployments"),
    Kind("ReplicaSet", _APPS, "replicasets"),
    Kind("StatefulSet", _APPS, "statefulsets"),
    Kind("DaemonSet", _APPS, "daemonsets"),
    Kind("ControllerRevision", _APPS, "controllerrevisions"),
    Kind("Job", _BATCH, "jobs"),
    Kind("CronJob", _BATCH, "cronjobs"),
    Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
    Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    Kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
    Kind("Lease", "coordination.k8s.io/v1", "leases"),
    Kind("Ingress", "networking.k8s.io/v1", "ingresses"),
    Kind("IngressClass", "networking.k8s.io/v1", "ingressclasses", namespaced=False),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    Kind("Role", _RBAC, "roles"),
    Kind("RoleBinding", _RBAC, "rolebindings"),
    Kind("ClusterRole", _RBAC, "clusterroles", namespaced=False),
    Kind("ClusterRoleBinding", _RBAC, "clusterrolebindings", namespaced=False),
    Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False),
    Kind("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", namespaced=False),
    Kind("APIService", "apiregistration.k8s.io/v1", "apiservices", namespaced=False),
)
_BY_NAME = {kind.name: kind for kind in _KNOWN}


def known(name: str) -> Kind:
    """The kind of that name; raises `UsageError` for one that is not in the table."""
    kind = _BY_NAME.get(name)
    if kind is None:
        raise UsageError(
            "no such kind is known here",
            subject=name,
            seen=", ".join(sorted(_BY_NAME)),
            next_step="use one of these kinds, or pass the whole object with its apiVersion",
        )
    return kind


def served_as(manifest: Mapping[str, Any]) -> Kind | None:
    """The known kind of this object, or None when only the API server can tell."""
    kind = _BY_NAME.get(str(manifest.get("kind")))
    return kind if kind is not None and kind.api_version == manifest.get("apiVersion") else None


def is_built_in(manifest: Mapping[str, Any]) -> bool:
    """Whether this object is of a kind in the table, in any version: others reuse their names."""
    kind = _BY_NAME.get(str(manifest.get("kind")))
    return kind is not None and _group(kind.api_version) == _group(str(manifest.get("apiVersion")))


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def from_discovery(manifest: Mapping[str, Any], resources: Objects) -> Kind:
    """The kind of this object among the `resources` of its apiVersion; else `UsageError`."""
    for resource in resources:
        if resource["kind"] == manifest["kind"] and "/" not in resource["name"]:
            return Kind(
                resource["kind"], manifest["apiVersion"], resource["name"], resource["namespaced"]
            )
    raise UsageError(
        f"apiVersion {manifest['apiVersion']} serves no such kind",
        subject=manifest["kind"],
        next_step="correct apiVersion or kind, or install its definition first",
    )
