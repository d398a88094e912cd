"""Starts, finds again and ends clusters of node containers."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import docker

from chaoskit import clock
from chaoskit.cluster import engine as engines
from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.engine import Engine
from chaoskit.cluster.k3s import IMAGES_FOLDER, NodeContainers, NodeFile
from chaoskit.cluster.k3s_cluster import K3sCluster, spec_as_text
from chaoskit.cluster.launch import (
    component_logs,
    labels,
    leftovers,
    node_image,
    plan,
    private_registry,
    resident_agent,
    tarballs,
)
from chaoskit.cluster.launch.agent_binary import agent_binary
from chaoskit.cluster.launch.engine_errors import engine_errors
from chaoskit.cluster.launch.interrupts import interrupts_held
from chaoskit.cluster.launch.leftovers import Found
from chaoskit.cluster.launch.node_image import NodeImage
from chaoskit.cluster.launch.readiness import Readiness
from chaoskit.cluster.launch.state import state_folder
from chaoskit.cluster.provider import Cluster, ClusterSpec
from chaoskit.errors import ChaoskitError, ClusterError, UsageError

#: The name of a kept cluster that nobody named: one per engine, so that the next run finds it.
KEPT_NAME = "chaoskit"
START_TIMEOUT_S = 120.0
_CLIENT_TIMEOUT_S = 60.0
_CONNECTIONS = 32
_STARTED_AT_ONCE = 4


#: Told what the launcher begins to do, in a few words.
Progress = Callable[[str], None]


def silent(step: str) -> None:
    """For callers who want no progress."""


def connect(engine: Engine) -> docker.DockerClient:
    """A client of the engine; raises `EngineError`."""
    with engine_errors(f"engine at {engine.endpoint}"):
        return docker.DockerClient(
            base_url=engine.endpoint,
            version="auto",
            timeout=_CLIENT_TIMEOUT_S,
            max_pool_size=_CONNECTIONS,
        )


class K3sProvider:
    """k3s in containers; `timeout_s` bounds each step of a start."""

    name = "k3s"

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        progress: Progress = silent,
        timeout_s: float = START_TIMEOUT_S,
        owner: labels.Owner | None = None,
    ) -> None:
        """`owner`: the process whose end makes its clusters leftovers; None: this one."""
        self._owner = labels.this_process() if owner is None else owner
        self._engine = engine
        self._client: docker.DockerClient | None = None
        self._progress = progress
        self._timeout_s = timeout_s

    @property
    def engine(self) -> Engine:
        """The engine in use; raises `EngineError` if none answers."""
        if self._engine is None:
            self._engine = engines.require()
        return self._engine

    @property
    def client(self) -> docker.DockerClient:
        """The client of the engine in use."""
        if self._client is None:
            self._client = connect(self.engine)
        return self._client

    @property
    def engine_id(self) -> str:
        """The engine's own name for itself, which stays the same when it is started again."""
        with engine_errors(f"engine at {self.engine.endpoint}"):
            return str(self.client.info()["ID"])

    def capabilities(self, spec: ClusterSpec) -> frozenset[str]:
        """What clusters of this spec will be able to do, as far as is known before one runs.

        What only some kernels have ("netem") the node agents find out. Raises `ImageError`.
        """
        return self._capabilities(self._image(plan.checked(spec).image))

    def start(self, spec: ClusterSpec) -> K3sCluster:
        """Start a cluster, or take up the kept one of that name; returns when it is ready.

        On any exception, Ctrl-C and SIGTERM among them, nothing of it stays behind. Raises
        `UsageError`, `EngineError`, `ImageError`, `ClusterError`, `WaitTimeout`, `Hopeless`.
        """
        plan.checked(spec)
        for said in leftovers.sweep(self.client):
            self._progress(said)
        name = spec.name or (KEPT_NAME if spec.keep else labels.random_name())
        for found in leftovers.found(self.client, name):
            return self._taken_up(found, spec)
        image = self._image(spec.image)
        node_image.require_size(image, spec)
        begun_ns = clock.now_ns()
        pool = ThreadPoolExecutor(_STARTED_AT_ONCE, thread_name_prefix="chaoskit-start")
        try:
            cluster = self._started(name, spec, image, pool)
            cluster.facts["started_s"] = f"{(clock.now_ns() - begun_ns) / 1e9:.1f}"
            self._watch_over(cluster)
            tags = labels.labels(cluster=name, owner=self._owner, keep=spec.keep)
            leftovers.write_facts(self.client, name, tags, cluster.facts)
        except BaseException as error:
            self._clean_up(name, pool, error)
            raise
        pool.shutdown()
        return cluster

    def stop(self, cluster: Cluster) -> None:
        """End the cluster and remove all of it; a kept one is only let go, and that is said."""
        if not isinstance(cluster, K3sCluster):
            raise UsageError("not a cluster of this provider", seen=type(cluster).__name__)
        if cluster.spec.keep:
            cluster.close()
            self._progress(f"kept cluster {cluster.name}: chaoskit cluster down {cluster.name}")
            return
        with interrupts_held():
            self._progress(f"removing cluster {cluster.name}")
            cluster.remove()
            for said in leftovers.sweep(self.client):
                self._progress(said)

    def close(self) -> None:
        """Let go of the engine. Clusters stay as they are; what is used again connects again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def find(self, name: str) -> K3sCluster:
        """The cluster of that name, connected; raises `ClusterError`."""
        for found in leftovers.found(self.client, name):
            return self._connected(found, keep=found.keep)
        names = ", ".join(found.cluster for found in leftovers.found(self.client))
        raise ClusterError(
            "no such cluster",
            subject=name,
            seen=f"there are: {names or 'none'}",
            next_step=f"chaoskit cluster up --name {name}",
        )

    # starting

    def _started(
        self, name: str, spec: ClusterSpec, image: NodeImage, pool: ThreadPoolExecutor
    ) -> K3sCluster:
        containers = NodeContainers(self.client, self.engine, image, keep=spec.keep)
        containers.require_room(name, spec)
        tags = labels.labels(cluster=name, owner=self._owner, keep=spec.keep)
        self._progress(
            f"starting {name}: {spec.servers} + {spec.agents} nodes of {image.reference}"
        )
        files = [
            NodeFile(source=tarball, target=f"{IMAGES_FOLDER}/{tarball.name}")
            for tarball in tarballs.saved(self.client, spec.images)
        ]
        subnet = containers.create_network(name, tags)
        files.append(
            NodeFile(
                source=private_registry.registries_yaml(subnet),
                target=private_registry.FILE,
                mode=0o600,
            )
        )
        if not image.built:
            files.append(NodeFile(source=agent_binary(), target=resident_agent.PATH, mode=0o755))
        made = plan.make(
            spec,
            name=name,
            subnet=subnet,
            cgroup_v1=self.engine.cgroup_version == "1",
        )
        containers.create_shared_volume(made, tags)
        cluster = self._cluster(made.name, spec, image, made.nodes)
        starts = [pool.submit(containers.start, made, node, tags, files) for node in made.nodes]
        for start in starts:
            start.result()
        hellos = [
            pool.submit(node.agent.wait_hello, timeout_s=self._timeout_s) for node in cluster.nodes
        ]
        self._wait_ready(cluster, port=containers.api_port, hellos=hellos)
        cluster.facts = self._facts(cluster, image, privileged=containers.rights.privileged)
        cluster.learn_abilities([hello.result() for hello in hellos])
        return cluster

    def _wait_ready(
        self, cluster: K3sCluster, *, port: int, hellos: list[Future[dict[str, Any]]]
    ) -> None:
        readiness = Readiness(self.client, cluster.name, timeout_s=self._timeout_s)
        self._progress("waiting for the API server")
        text = readiness.wait_kubeconfig(cluster.nodes[0].name)
        cluster.state.write_kubeconfig(text, port=port)
        readiness.wait_api_ready(cluster.kube)
        self._progress(f"waiting for {len(cluster.nodes)} nodes")
        readiness.wait_nodes_ready(cluster.kube, [node.name for node in cluster.nodes])
        self._progress("waiting for DNS, storage and node agents")
        readiness.wait_defaults(cluster.kube)
        for hello in hellos:
            hello.result()
        readiness.wait_dns(cluster.kube, cluster.nodes)

    def _watch_over(self, cluster: K3sCluster) -> None:
        """Let the nodes know that they are needed, or that they are kept on purpose."""
        if not cluster.spec.keep:
            cluster.heartbeat.beat()
            cluster.heartbeat.start()
            return
        for node in cluster.nodes:
            node.agent.keep = True
            node.agent.call("heartbeat", keep=True)
        self._progress(
            f"cluster {cluster.name} is kept until: chaoskit cluster down {cluster.name}"
        )

    def _clean_up(self, name: str, pool: ThreadPoolExecutor, error: BaseException) -> None:
        """Remove what a failed start made; what cannot be removed is said with the error."""
        with interrupts_held():
            pool.shutdown(wait=False, cancel_futures=True)
            try:
                if isinstance(error, ChaoskitError):
                    self._save_logs(name, error)
                self._progress(f"removing what was made of {name}")
                leftovers.remove(self.client, name)
                pool.shutdown(wait=True)
                # A node that was being created in a thread may have come after the first look.
                leftovers.remove(self.client, name)
            except ChaoskitError as second:
                error.add_note(f"and {name} could not be removed: {second}")
                self._progress(f"{name} could not be removed; chaoskit cluster sweep does it")

    def _save_logs(self, name: str, error: ChaoskitError) -> None:
        into = state_folder() / "failures" / name
        names = [node.name for found in leftovers.found(self.client, name) for node in found.nodes]
        component_logs.collect(self.client, names, into)
        error.add_note(f"the nodes' logs are in {into}")

    # finding again

    def _taken_up(self, found: Found, spec: ClusterSpec) -> K3sCluster:
        """The kept cluster, if it is of the same make; raises `ClusterError` otherwise."""
        if not (found.keep and spec.keep):
            raise ClusterError(
                "a cluster of that name exists",
                subject=found.cluster,
                seen=f"kept: {found.keep}, its owner: {found.owner}",
                next_step=f"another name, or chaoskit cluster down {found.cluster}",
            )
        wanted = spec_as_text(spec)
        if found.spec_text != wanted:
            raise ClusterError(
                "the kept cluster is of another make",
                subject=found.cluster,
                seen=f"{found.spec_text}, wanted {wanted}",
                next_step=f"chaoskit cluster down {found.cluster}, or another name",
            )
        self._progress(f"taking up kept cluster {found.cluster}")
        for ended in leftovers.ended(found.nodes):
            self._progress(f"starting node {ended.name} again")
            with engine_errors(f"node {ended.name}"):
                self.client.api.start(ended.id)
        cluster = self._connected(found, keep=True)
        readiness = Readiness(self.client, cluster.name, timeout_s=self._timeout_s)
        readiness.wait_api_ready(cluster.kube)
        readiness.wait_nodes_ready(cluster.kube, [node.name for node in cluster.nodes])
        for node in cluster.nodes:
            node.agent.wait_hello(timeout_s=self._timeout_s)
        readiness.wait_defaults(cluster.kube)
        readiness.wait_dns(cluster.kube, cluster.nodes)
        for reference in spec.images:
            cluster.load_image(reference)
        self._watch_over(cluster)
        return cluster

    def _connected(self, found: Found, *, keep: bool) -> K3sCluster:
        facts = found.facts
        if facts is None:
            raise ClusterError(
                "it never became ready",
                subject=found.cluster,
                seen="it is starting, or its start was killed",
                next_step=f"chaoskit cluster down {found.cluster}",
            )
        nodes = sorted(
            found.nodes, key=lambda node: (node.labels[labels.ROLE] != "server", node.name)
        )
        made = [
            plan.NodePlan(
                name=node.name,
                role="server" if node.labels[labels.ROLE] == "server" else "agent",
                address=node.labels[labels.ADDRESS],
                command=(),
                environment={},
            )
            for node in nodes
        ]
        spec = ClusterSpec(
            name=found.cluster,
            keep=keep,
            servers=sum(node.role == "server" for node in made),
            agents=sum(node.role == "agent" for node in made),
            image=facts["image"],
            profile="fast" if facts["profile"] == "fast" else "default",
        )
        image = self._image(facts["image"])
        cluster = self._cluster(found.cluster, spec, image, made)
        cluster.facts = facts
        cluster.capabilities |= set(facts.get("abilities", "").split())
        for joined in cluster.nodes:
            joined.agent.keep = keep
        if not cluster.kubeconfig.exists():
            server = cluster.nodes[0]
            readiness = Readiness(self.client, cluster.name, timeout_s=self._timeout_s)
            text = readiness.wait_kubeconfig(server.name)
            cluster.state.write_kubeconfig(text, port=server.published_port(plan.API_PORT))
        return cluster

    def _cluster(
        self,
        name: str,
        spec: ClusterSpec,
        image: NodeImage,
        nodes: "list[plan.NodePlan] | tuple[plan.NodePlan, ...]",
    ) -> K3sCluster:
        cluster: K3sCluster

        cluster = K3sCluster(
            self.client,
            name=name,
            spec=spec,
            capabilities=self._capabilities(image),
            owner=self._owner,
            nodes=[
                ContainerNode(
                    self.client,
                    name=node.name,
                    role=node.role,
                    address=node.address,
                    kube=lambda: cluster.kube,
                )
                for node in nodes
            ],
        )
        return cluster

    def _image(self, reference: str) -> NodeImage:
        return node_image.resolve(self.client, reference, self._progress)

    def _capabilities(self, image: NodeImage) -> frozenset[str]:
        always = {"nodes", "node_agent", "node_faults", "shared_storage", "load_image", "registry"}
        if image.built:
            always.add("separate_components")
        if self.engine.endpoint.startswith("unix://"):
            always |= {"node_addresses", "container_scan"}
        return frozenset(always)

    def _facts(self, cluster: K3sCluster, image: NodeImage, *, privileged: bool) -> dict[str, str]:
        engine = self.engine
        return {
            "provider": self.name,
            "image": image.reference,
            "image_id": image.id,
            "kubernetes": str(cluster.kube.version()["gitVersion"]),
            "profile": cluster.spec.profile,
            "servers": str(cluster.spec.servers),
            "agents": str(cluster.spec.agents),
            "engine": engine.version,
            "rights": "privileged" if privileged else "capabilities",
            "cgroup": f"v{engine.cgroup_version}, {engine.cgroup_driver}",
        }
