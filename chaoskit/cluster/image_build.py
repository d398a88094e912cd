"""Building images: each step has inputs, and is left out where its result is at hand."""

import shutil
from pathlib import Path

import docker

from chaoskit.cluster import debian_base, engine_build, go_toolchain, runner_image
from chaoskit.cluster.engine_build import Progress
from chaoskit.cluster.image_sources import FOLDER, digest, versions

SPECIMEN_VERSIONS = ("v1", "v2", "v3")
_CONTAINERD = "github.com/containerd/containerd/v2/cmd"
_GO_PACKAGES = (
    "./cmd/k3s",
    "./cmd/coredns",
    f"{_CONTAINERD}/containerd",
    f"{_CONTAINERD}/containerd-shim-runc-v2",
    f"{_CONTAINERD}/ctr",
)
_BASE_INPUTS = ("versions.toml",)
_CORE_INPUTS = ("versions.toml", "node", "addon", "go")
_AGENT_INPUTS = ("apps/go.mod", "apps/go.sum", "apps/internal", "apps/nodeagent")
_SPECIMEN_INPUTS = ("apps", "specimen")
_REGISTRY_INPUTS = ("registry",)
_EXTRA_INPUTS = ("extras/go.mod", "extras/go.sum", "extras/Dockerfile")
REGISTRY = "chaoskit/registry:1"
#: What `chaoskit.cluster.extras` runs in a cluster: kinds of images, and which program each holds.
EXTRA_PROGRAMS = {
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server",
}


class Builder:
    """Builds images into the engine that `client` speaks to."""

    def __init__(self, client: docker.DockerClient, progress: Progress) -> None:
        self._client = client
        self._progress = progress
        self._versions = versions()

    @property
    def node_reference(self) -> str:
        """The name of the node image that today's sources make."""
        inputs = digest((*_CORE_INPUTS, *_AGENT_INPUTS))
        return f"chaoskit/node:v{self._versions.kubernetes}-{inputs}"

    @property
    def _core_reference(self) -> str:
        return f"chaoskit/node-core:v{self._versions.kubernetes}-{digest(_CORE_INPUTS)}"

    @property
    def _base_reference(self) -> str:
        return f"chaoskit/base:{self._versions.debian_suite}-{digest(_BASE_INPUTS)}"

    def is_current(self, reference: str, kind: str, labels: dict[str, str]) -> bool:
        """Whether today's sources would make the image of that name and those labels."""
        if kind == "node":
            return reference == self.node_reference
        if kind == "core":
            return reference == self._core_reference
        if kind == "base":
            return reference in (self._base_reference, runner_image.base_reference())
        if kind == runner_image.KIND:
            return reference == runner_image.reference()
        extras = dict.fromkeys(EXTRA_PROGRAMS, _EXTRA_INPUTS)
        of_kind = {"specimen": _SPECIMEN_INPUTS, "registry": _REGISTRY_INPUTS, **extras}
        inputs = of_kind.get(kind)
        return inputs is None or engine_build.inputs_of(labels) == digest(inputs)

    def ensure_node(self) -> str:
        """Build the node image unless it is there; the reference. Raises `ImageError`.

        It is its core with the node agent on top: the agent changes often, the core takes minutes.
        """
        reference = self.node_reference
        if engine_build.has(self._client, reference):
            return reference
        go = go_toolchain.find(self._versions.go)
        core = self._ensure_core(go)
        with engine_build.workspace() as work:
            self._go(go, "node agent", "apps", ("./nodeagent",), work)
            self._step(f"image {reference}")
            shutil.copy(FOLDER / "node" / "Dockerfile", work / "Dockerfile")
            self._image(work, reference, "node", {"CORE": core})
            self._progress.end("")
        return reference

    def _ensure_core(self, go: go_toolchain.Go) -> str:
        """The node image without its agent: Kubernetes, containerd, and the add-ons' images."""
        reference = self._core_reference
        if engine_build.has(self._client, reference):
            return reference
        base = self._ensure_base()
        with engine_build.workspace() as work:
            binaries = work / "bin"
            binaries.mkdir()
            self._compile(go, binaries)
            images = work / "images"
            images.mkdir()
            self._addons(binaries, images, base)
            self._step(f"image {reference}")
            shutil.copy(FOLDER / "node" / "core.Dockerfile", work / "Dockerfile")
            self._image(work, reference, "core", {"BASE": base})
            self._progress.end("")
        return reference

    def ensure_specimens(self) -> tuple[str, ...]:
        """Build the specimen's versions unless they are there; their references."""
        references = tuple(f"chaoskit/specimen:{version}" for version in SPECIMEN_VERSIONS)
        wanted = digest(_SPECIMEN_INPUTS)
        if all(engine_build.has(self._client, reference, wanted) for reference in references):
            return references
        go = go_toolchain.find(self._versions.go)
        with engine_build.workspace() as work:
            self._go(go, "specimen", "apps", ("./specimen",), work)
            shutil.copy(FOLDER / "specimen" / "Dockerfile", work / "Dockerfile")
            for version, reference in zip(SPECIMEN_VERSIONS, references, strict=True):
                self._step(f"image {reference}")
                self._image(work, reference, "specimen", {"SPECIMEN_VERSION": version}, wanted)
                self._progress.end("")
        return references

    def ensure_registry(self) -> str:
        """Build the private registry unless it is there; its reference."""
        wanted = digest(_REGISTRY_INPUTS)
        if engine_build.has(self._client, REGISTRY, wanted):
            return REGISTRY
        go = go_toolchain.find(self._versions.go)
        with engine_build.workspace() as work:
            self._go(go, "registry", "registry", (".",), work)
            self._step(f"image {REGISTRY}")
            shutil.copy(FOLDER / "registry" / "Dockerfile", work / "Dockerfile")
            self._image(work, REGISTRY, "registry", {}, wanted)
            self._progress.end("")
        return REGISTRY

    def ensure_extra(self, name: str) -> str:
        """Build one of `EXTRA_PROGRAMS` unless it is there; its reference."""
        reference, wanted = f"chaoskit/{name}:1", digest(_EXTRA_INPUTS)
        if engine_build.has(self._client, reference, wanted):
            return reference
        go = go_toolchain.find(self._versions.go)
        with engine_build.workspace() as work:
            self._go(go, name, "extras", (EXTRA_PROGRAMS[name],), work)
            self._step(f"image {reference}")
            shutil.copy(FOLDER / "extras" / "Dockerfile", work / "Dockerfile")
            self._image(work, reference, name, {"PROGRAM": name}, wanted)
            self._progress.end("")
        return reference

    def ensure_runner(self) -> str:
        """Build the image that runs chaoskit in a pod unless it is there; its reference."""
        reference = runner_image.reference()
        if engine_build.has(self._client, reference):
            return reference
        pins = runner_image.pins()
        base = debian_base.ensure(
            self._client,
            self._progress,
            reference=runner_image.base_reference(),
            suite=self._versions.debian_suite,
            packages=pins.packages,
        )
        with engine_build.workspace() as work:
            self._step(f"libraries for Python {pins.python}")
            runner_image.assemble(work, self._client.version()["Arch"])
            self._progress.end(f"{len(runner_image.libraries())} packages")
            self._step(f"image {reference}")
            arguments = {"BASE": base, "PYTHON": pins.python}
            self._image(work, reference, runner_image.KIND, arguments)
            self._progress.end("")
        return reference

    def _ensure_base(self) -> str:
        pins = self._versions
        return debian_base.ensure(
            self._client,
            self._progress,
            reference=self._base_reference,
            suite=pins.debian_suite,
            packages=pins.debian_packages,
        )

    def _compile(self, go: go_toolchain.Go, binaries: Path) -> None:
        pins = self._versions
        kubernetes = f"v{pins.kubernetes}"
        major, minor, _ = pins.kubernetes.split(".")
        version = "k8s.io/component-base/version"
        flags = (
            f"-s -w -X {version}.gitVersion={kubernetes} -X {version}.gitMajor={major} "
            f"-X {version}.gitMinor={minor} -X {version}.gitTreeState=clean"
        )
        self._go(go, f"Kubernetes {kubernetes}", "go", _GO_PACKAGES, binaries, flags)
        self._step(f"local-path-provisioner {pins.local_path_version}")
        compiled = 0

        def counted(_package: str) -> None:
            nonlocal compiled
            compiled += 1
            self._progress.advance(compiled, 0)

        module = f"{pins.local_path_module}@{pins.local_path_version}"
        go_toolchain.run(
            go,
            ("install", "-v", "-ldflags", "-s -w", module),
            module=binaries,
            environment={"GOBIN": str(binaries)},
            each_package=counted,
        )
        self._progress.end(f"{compiled} packages compiled")

    def _addons(self, binaries: Path, into: Path, base: str) -> None:
        """The images every cluster needs, as tarballs that the nodes import at their start."""
        self._step("images for DNS, storage and pause")
        server = into / "server"
        server.mkdir()
        tarballs = {}
        for program in ("coredns", "local-path-provisioner"):
            with engine_build.workspace() as work:
                shutil.move(binaries / program, work / program)
                entry = f'ENTRYPOINT ["/{program}"]\n'
                dockerfile = (FOLDER / "addon" / "Dockerfile").read_text() + entry
                (work / "Dockerfile").write_text(dockerfile)
                reference = f"chaoskit/{program}:1"
                self._image(work, reference, "addon", {"PROGRAM": program})
                tarballs[reference] = server / f"{program}.tar"
        for name, source, entry in (
            ("pause", "/usr/bin/catatonit", 'ENTRYPOINT ["/catatonit", "-P"]'),
            ("busybox", "/bin/busybox", 'RUN ["/busybox", "--install", "-s", "/bin"]'),
        ):
            with engine_build.workspace() as work:
                program = Path(source).name
                parts = [f"FROM {base} AS base", "FROM scratch"]
                parts += [f"COPY --from=base {source} /{program}"]
                if name == "busybox":
                    # `--install` needs the folder, which an empty image does not have.
                    parts += ["WORKDIR /bin", "WORKDIR /tmp", "WORKDIR /"]
                parts += [entry, 'ENV PATH="/bin"', ""]
                (work / "Dockerfile").write_text("\n".join(parts))
                reference = f"chaoskit/{name}:1"
                self._image(work, reference, "addon", {})
                tarballs[reference] = into / f"{name}.tar"
        for reference, tarball in tarballs.items():
            with tarball.open("wb") as out:
                out.writelines(self._client.images.get(reference).save(named=reference))
        self._progress.end("")

    def _go(
        self,
        go: go_toolchain.Go,
        what: str,
        module: str,
        packages: tuple[str, ...],
        into: Path,
        flags: str = go_toolchain.STRIPPED,
    ) -> None:
        self._step(f"compiling {what}")
        note = go_toolchain.build(
            go, FOLDER / module, packages, into, flags=flags, advance=self._progress.advance
        )
        self._progress.end(note)

    def _step(self, what: str) -> None:
        self._progress.begin(what)

    def _image(
        self, context: Path, reference: str, kind: str, arguments: dict[str, str], inputs: str = ""
    ) -> None:
        engine_build.build(
            self._client, context, reference, kind=kind, arguments=arguments, inputs=inputs
        )
