"""A static pod: a file in a node's manifest folder, which its kubelet runs without the API."""

import json
from dataclasses import dataclass, field

from chaoskit.cluster.node import Node
from chaoskit.errors import ClusterError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.ref import ObjectRef
from chaoskit.workloads.steps import UNRECORDED, StepLog

#: Where k3s and our node image have the kubelet look (staticPodPath).
FOLDER = "/var/lib/rancher/k3s/agent/pod-manifests"
_COMMAND_S = 10.0

# The kubelet leaves out files that begin with a dot: it never reads half a file.
_PUT = 'printf %s "$2" >"$1/.new" && mv "$1/.new" "$1/$3.json"'
_REMOVE = 'rm -f "$1/$2.json"'


@dataclass(frozen=True, kw_only=True)
class StaticPod:
    """The static pod `ref` on `node`. What the API shows of it is its mirror, named NAME-NODE."""

    kube: Kube = field(repr=False)
    node: Node
    ref: ObjectRef
    steps: StepLog = field(default=UNRECORDED, repr=False)

    @property
    def mirror(self) -> Pod:
        """The pod by which the API shows it."""
        ref = ObjectRef("Pod", self.ref.namespace, f"{self.ref.name}-{self.node.name}")
        return Pod(kube=self.kube, ref=ref, steps=self.steps)

    def put(self, manifest: Object) -> None:
        """Write its file. Raises `ClusterError`."""
        with self.steps.step("put_static_pod", self.mirror.ref):
            self._run(_PUT, json.dumps(manifest), self._file)

    def remove(self) -> None:
        """Take its file away, if it is there; its kubelet then ends it. Raises `ClusterError`."""
        with self.steps.step("remove_static_pod", self.mirror.ref):
            self._run(_REMOVE, self._file)

    @property
    def _file(self) -> str:
        return f"{self.ref.namespace}-{self.ref.name}"

    def _run(self, script: str, *arguments: str) -> None:
        argv = ["sh", "-c", script, "sh", FOLDER, *arguments]
        done = self.node.execute(argv, timeout_s=_COMMAND_S)
        if done.exit_code != 0:
            raise ClusterError(
                "its manifest folder could not be changed",
                subject=f"static pod {self.ref.name} on node {self.node.name}",
                seen=f"{done.stdout}{done.stderr}".strip(),
                next_step=f"chaoskit cluster shell {self.node.name}, then: ls -la {FOLDER}",
            )
