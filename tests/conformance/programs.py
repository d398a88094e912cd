"""Upstream's test program, the runner that splits it over processes, and the image it starts."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from chaoskit.cluster import go_toolchain
from chaoskit.cluster.engine_build import Progress
from chaoskit.cluster.image_sources import versions
from chaoskit.errors import ImageError

_MODULE = Path(__file__).parent / "go"
_E2E = "k8s.io/kubernetes/test/e2e"
_AGNHOST = "k8s.io/kubernetes/test/images/agnhost"
_NONEWPRIVS = "k8s.io/kubernetes/test/images/nonewprivs"
_GINKGO = "github.com/onsi/ginkgo/v2/ginkgo"


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The compiled programs, and the folder of agnhost's own files."""

    e2e: Path
    ginkgo: Path
    agnhost: Path
    agnhost_files: Path
    nonewprivs: Path

    def images(self) -> list[str]:
        """The names of the images that upstream's tests start."""
        listed = subprocess.run(
            [self.e2e, "--list-images"], capture_output=True, text=True, check=True
        )
        return listed.stdout.split()


def build(into: Path, progress: Progress) -> Programs:
    """Compile what is not in Go's cache; raises `ImageError`.

    Upstream's tests are ten minutes of compiling on two cores, once.
    """
    go = go_toolchain.find(versions().go)
    progress.begin("compiling Kubernetes' end-to-end tests")
    note = go_toolchain.build(
        go,
        _MODULE,
        (_AGNHOST, _NONEWPRIVS, _GINKGO, _E2E),
        into,
        flags=go_toolchain.STRIPPED,
        advance=progress.advance,
    )
    e2e = into / "e2e.test"
    go_toolchain.run(
        go,
        ("test", "-c", "-mod=readonly", "-ldflags", go_toolchain.STRIPPED, "-o", str(e2e), _E2E),
        module=_MODULE,
        environment={},
        each_package=lambda _package: None,
    )
    progress.end(note)
    return Programs(
        e2e=e2e,
        ginkgo=into / "ginkgo",
        agnhost=into / "agnhost",
        nonewprivs=into / "nonewprivs",
        agnhost_files=_module_folder(go) / "test" / "images" / "agnhost",
    )


def _module_folder(go: go_toolchain.Go) -> Path:
    listed = subprocess.run(
        [go.program, "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"],
        cwd=_MODULE,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        raise ImageError(
            "Go does not say where it keeps Kubernetes", subject=str(_MODULE), seen=listed.stderr
        )
    return Path(listed.stdout.strip())
