"""Run Kubernetes' own end-to-end tests: `python -m tests.conformance [--all]`."""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from chaoskit.cli.cluster import Steps
from chaoskit.cluster import images as own_images
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.k3s_provider import K3sProvider
from chaoskit.cluster.launch.interrupts import sigterm_raises
from chaoskit.cluster.provider import ClusterSpec
from tests.conformance import images, programs, results, selection

_OUTPUT = Path("reports/conformance")
# Tests mostly wait for pods; two cores carry four of them.
_AT_ONCE = 4
_HOURS = 2


def main() -> int:
    """Build, start a cluster, run, print the table; 1 when a test failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="the whole selection, not five tests")
    parser.add_argument("--focus", action="append", default=[], help="tests by name (a pattern)")
    parser.add_argument("--at-once", type=int, default=_AT_ONCE, help="tests side by side")
    parser.add_argument("--page", type=Path, help="write the table to this file, too")
    given = parser.parse_args()
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    with (
        Steps() as steps,
        sigterm_raises(),
        tempfile.TemporaryDirectory(prefix="chaoskit-conformance-") as folder,
        closing(K3sProvider(progress=steps)) as provider,
    ):
        progress = own_images.Lines(steps)
        built = programs.build(Path(folder), progress)
        own_images.ensure(provider.client, ("node",), progress)
        made = images.ensure(provider.client, built, progress)
        cluster = provider.start(ClusterSpec(images=made))
        try:
            begun = time.monotonic()
            _run(built, cluster, selection.flags(given.all, given.focus), given.at_once)
            took_s = time.monotonic() - begun
        finally:
            provider.stop(cluster)
    found = results.read(_OUTPUT / "junit.xml")
    page = results.page(found, cluster.facts, took_s)
    print(page)
    if given.page:
        given.page.write_text(page)
    return 1 if any(one.outcome == "failed" for one in found) or not found else 0


def _run(built: programs.Programs, cluster: K3sCluster, selected: list[str], at_once: int) -> None:
    (_OUTPUT / "junit.xml").unlink(missing_ok=True)
    command = [
        str(built.ginkgo),
        f"--procs={at_once}",
        f"--timeout={_HOURS}h",
        "--no-color",
        "--silence-skips",
        f"--output-dir={_OUTPUT.resolve()}",
        "--junit-report=junit.xml",
        *selected,
        str(built.e2e),
        "--",
        f"--kubeconfig={cluster.kubeconfig}",
        "--provider=local",
        f"--num-nodes={len(cluster.nodes)}",
        "--dump-logs-on-failure=false",
        "--disable-log-dump",
    ]
    # Its status says that a test failed, which the table says better; a crash leaves no report.
    subprocess.run(command, stdout=sys.stderr, check=False)


if __name__ == "__main__":
    sys.exit(main())
