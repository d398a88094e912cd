"""Where faults are tried: a cluster, a namespace, and workloads for those that need some."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.faults.fault import Fault
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.specimen import KeyValue, Web
from chaoskit.workloads.specimen_manifests import SpecimenPod

#: The volume of `Stage.small`.
SCRATCH = "scratch"
_READY_WITHIN_S = 90.0


@dataclass(frozen=True)
class Stage:
    """What a sample may use; workloads are started when first asked for."""

    cluster: K3sCluster
    namespace: Namespace

    @property
    def agent(self) -> ContainerNode:
        """The node that faults are tried on: the last one without a control plane."""
        return self.cluster.agents[-1]

    @property
    def server(self) -> ContainerNode:
        """The node with the control plane."""
        return self.cluster.servers[0]

    @cached_property
    def web(self) -> Web:
        """Three stateless pods behind a Service."""
        manifests = specimen_manifests.web(self.namespace.name, "web")
        web = specimen.start_web(self.cluster.kube, manifests)
        web.deployment.wait_complete(_READY_WITHIN_S)
        web.service.wait_answering(timeout_s=15)
        return web

    @cached_property
    def kv(self) -> KeyValue:
        """One member of a key-value store."""
        manifests = specimen_manifests.kv(self.namespace.name, "kv", replicas=1)
        kv = specimen.start_kv(self.cluster.kube, manifests)
        kv.stateful_set.wait_complete(_READY_WITHIN_S)
        return kv

    @cached_property
    def small(self) -> Pod:
        """A pod on `agent` with a limit of memory, and a volume of 16 MB in memory."""
        template = SpecimenPod().template({"app": "small"})
        spec = template["spec"]
        spec["nodeName"] = self.agent.name
        spec["volumes"] = [{"name": SCRATCH, "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}]
        spec["containers"][0]["resources"] = {"limits": {"memory": "64Mi"}}
        spec["containers"][0]["volumeMounts"] = [{"name": SCRATCH, "mountPath": "/scratch"}]
        made = self.cluster.kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": "small",
                    "namespace": self.namespace.name,
                    "labels": {"app": "small"},
                },
                "spec": spec,
            }
        )
        pod = Pod(kube=self.cluster.kube, ref=ObjectRef.of(made))
        pod.wait_ready(_READY_WITHIN_S)
        return pod

    def pod(self) -> Pod:
        """A pod of `web`, the first by name."""
        return min(self.web.deployment.pods(), key=lambda pod: pod.name)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One fault to try: how it is made, and how long until its effect shows at the latest.

    `whole_node` says that the node is away meanwhile, so that it has to be Ready again before the
    next sample. `lacking` names capabilities that this machine may lack (netem): without them the
    fault must be refused, and that is what is tried.
    """

    make: Callable[[Stage], Fault]
    effective_within_s: float = 10.0
    whole_node: bool = False
    lacking: frozenset[str] = field(default_factory=frozenset)
