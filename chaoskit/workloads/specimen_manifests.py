"""Manifests for the specimen, chaoskit's own application under test."""

from dataclasses import dataclass, field

from chaoskit.kube.kinds import Object, Objects
from chaoskit.workloads.namespace import MANAGED_BY

PORT = 8080
CONTAINER = "specimen"
DATA = "/data"


def image(version: str) -> str:
    """The specimen's image of that version ("v1", "v2", "v3", or a defective one)."""
    return f"chaoskit/specimen:{version}"


@dataclass(frozen=True, kw_only=True)
class SpecimenPod:
    """How one specimen pod is built.

    `pre_stop_s` of waiting before TERM lets the endpoint be taken out everywhere (0: no hook);
    `drain_s` is how long it serves on after TERM, asking kept connections to leave. Both together
    must stay below `grace_s`. Without `readiness` it counts as ready as soon as it runs.
    `settings` are further SPECIMEN_ variables (defects). `requests` is what a node must have free
    for it. `reference` names an image from elsewhere in place of the one of `version`.
    """

    version: str = "v1"
    reference: str | None = None
    pull_policy: str = "IfNotPresent"
    pre_stop_s: int = 3
    drain_s: float = 1.0
    grace_s: int = 30
    readiness: bool = True
    ready_period_s: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    pod_spec: Object = field(default_factory=dict)

    def template(self, labels: dict[str, str], *, data: bool = False) -> Object:
        """The pod template; with `data` the key-value store is kept on the volume "data"."""
        spec: Object = {
            "terminationGracePeriodSeconds": self.grace_s,
            "containers": [self._container(data)],
            **self.pod_spec,
        }
        return {"metadata": {"labels": labels}, "spec": spec}

    def _container(self, data: bool) -> Object:
        environment = {"SPECIMEN_DRAIN_S": f"{self.drain_s:g}", **self.settings}
        if data:
            environment["SPECIMEN_DATA"] = DATA
        container: Object = {
            "name": CONTAINER,
            "image": self.reference or image(self.version),
            "imagePullPolicy": self.pull_policy,
            "ports": [{"name": "http", "containerPort": PORT}],
            "env": [
                _from_field("POD_NAME", "metadata.name"),
                _from_field("POD_UID", "metadata.uid"),
                _from_field("NODE_NAME", "spec.nodeName"),
                *({"name": name, "value": value} for name, value in sorted(environment.items())),
            ],
        }
        if self.readiness:
            container["readinessProbe"] = {
                "httpGet": {"path": "/ready", "port": "http"},
                "periodSeconds": self.ready_period_s,
                "failureThreshold": 1,
            }
        if self.pre_stop_s:
            command = ["/specimen", "sleep", str(self.pre_stop_s)]
            container["lifecycle"] = {"preStop": {"exec": {"command": command}}}
        if self.requests:
            container["resources"] = {"requests": self.requests}
        if data:
            container["volumeMounts"] = [{"name": "data", "mountPath": DATA}]
        return container


def _from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def labels_of(name: str) -> dict[str, str]:
    """The labels of a specimen workload and its pods."""
    return {"app": name, **MANAGED_BY}


def one_a_node(app: str) -> Object:
    """Of a pod's spec: pods of `app` each on a node of its own, as far as nodes go round."""
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": app}},
    }
    return {"topologySpreadConstraints": [constraint]}


def web(
    namespace: str,
    name: str,
    *,
    replicas: int = 3,
    max_surge: int | str = 1,
    max_unavailable: int | str = 0,
    min_ready_s: int = 0,
    progress_deadline_s: int = 60,
    revision_history_limit: int | None = 10,
    strategy: Object | None = None,
    pod: SpecimenPod | None = None,
    labels: dict[str, str] | None = None,
) -> Objects:
    """A Deployment and its NodePort Service.

    `strategy` replaces surge and unavailable whole; what is left to Kubernetes' defaults: {} for
    the strategy, None for the limit. `labels`: more of them for its pods, which its selector does
    not name: what another Service may select them by.
    """
    if strategy is None:
        rolling = {"maxSurge": max_surge, "maxUnavailable": max_unavailable}
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    limit = (
        {} if revision_history_limit is None else {"revisionHistoryLimit": revision_history_limit}
    )
    deployment: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(namespace, name, labels_of(name)),
        "spec": {
            "replicas": replicas,
            "minReadySeconds": min_ready_s,
            "progressDeadlineSeconds": progress_deadline_s,
            **limit,
            "strategy": strategy,
            "selector": {"matchLabels": {"app": name}},
            "template": (pod or SpecimenPod()).template({**labels_of(name), **(labels or {})}),
        },
    }
    return [node_port_service(namespace, name, {"app": name}), deployment]


def controller(
    namespace: str, name: str, *, replicas: int = 2, pod: SpecimenPod | None = None
) -> Objects:
    """A ReplicationController and its NodePort Service."""
    labels = labels_of(name)
    made: Object = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": _metadata(namespace, name, labels),
        "spec": {
            "replicas": replicas,
            "selector": {"app": name},
            "template": (pod or SpecimenPod()).template(labels),
        },
    }
    return [node_port_service(namespace, name, {"app": name}), made]


def daemon(namespace: str, name: str, *, pod: SpecimenPod | None = None) -> Objects:
    """A DaemonSet and its NodePort Service."""
    made: Object = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": _metadata(namespace, name, labels_of(name)),
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": (pod or SpecimenPod()).template(labels_of(name)),
        },
    }
    return [node_port_service(namespace, name, {"app": name}), made]


def bare(namespace: str, name: str, *, node: str = "", pod: SpecimenPod | None = None) -> Object:
    """A pod of its own, which nobody makes again; with `node` it goes there and nowhere else."""
    made: Object = (pod or SpecimenPod()).template(labels_of(name))
    if node:
        made["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    metadata = _metadata(namespace, name, labels_of(name))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}


def budget(namespace: str, name: str, *, max_unavailable: int = 1) -> Object:
    """A disruption budget of the pods of the workload of that name."""
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(namespace, name, labels_of(name)),
        "spec": {"maxUnavailable": max_unavailable, "selector": selector},
    }


def kv(
    namespace: str,
    name: str,
    *,
    replicas: int = 3,
    storage_class: str | None = "chaoskit-shared",
    size: str = "64Mi",
    pod_management: str = "OrderedReady",
    min_ready_s: int = 0,
    retention: Object | None = None,
    pod: SpecimenPod | None = None,
) -> Objects:
    """A StatefulSet with its headless Service, a Service for all and one for each member.

    `storage_class`: "chaoskit-shared" follows a member to another node, "local-path" ties it to
    one; None: no volumes, and nothing is stored (members start in half the time). `retention`:
    what becomes of claims (whenScaled, whenDeleted: Retain or Delete); None: the API's defaults,
    which retain all.
    """
    headless = f"{name}-members"
    stateful_set: Object = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": _metadata(namespace, name, labels_of(name)),
        "spec": {
            "replicas": replicas,
            "serviceName": headless,
            "podManagementPolicy": pod_management,
            "minReadySeconds": min_ready_s,
            "selector": {"matchLabels": {"app": name}},
            "template": (pod or SpecimenPod()).template(
                labels_of(name), data=storage_class is not None
            ),
        },
    }
    if storage_class is not None:
        stateful_set["spec"]["volumeClaimTemplates"] = [_claim(storage_class, size)]
    if retention is not None:
        stateful_set["spec"]["persistentVolumeClaimRetentionPolicy"] = retention
    members = [member_service(namespace, name, ordinal) for ordinal in range(replicas)]
    return [
        headless_service(namespace, headless, {"app": name}),
        node_port_service(namespace, name, {"app": name}),
        *members,
        stateful_set,
    ]


def _claim(storage_class: str, size: str) -> Object:
    return {
        # Without the label "app": the controller adds the selector's labels by itself.
        "metadata": {"name": "data", "labels": dict(MANAGED_BY)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
    }


def member_service(namespace: str, name: str, ordinal: int) -> Object:
    """The NodePort Service of one member, bearing its name."""
    member = f"{name}-{ordinal}"
    selector = {"app": name, "statefulset.kubernetes.io/pod-name": member}
    return node_port_service(namespace, member, selector, labels=labels_of(name))


def node_port_service(
    namespace: str, name: str, selector: dict[str, str], *, labels: dict[str, str] | None = None
) -> Object:
    """A NodePort Service in front of specimen pods."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(namespace, name, labels or labels_of(name)),
        "spec": {
            "type": "NodePort",
            "selector": selector,
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def headless_service(namespace: str, name: str, selector: dict[str, str]) -> Object:
    """The governing Service of a StatefulSet: a DNS name for each member."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(namespace, name, labels_of(name)),
        "spec": {
            "clusterIP": "None",
            "selector": selector,
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    }


def _metadata(namespace: str, name: str, labels: dict[str, str]) -> Object:
    return {"name": name, "namespace": namespace, "labels": labels}
