"""Ready definitions, checked by those who are to keep them: systemd itself, and an API server."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaoskit import cli
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.workloads.namespace import Namespace

AWKWARD = ["scenarios", "-m", "demo and not soak", "-k", "100% 'of' \"all\" $HOME \\"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["schedule", *arguments]) == 0
    return capsys.readouterr().out


def units(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[Path]:
    paths = [folder / "chaoskit.service", folder / "chaoskit.timer"]
    for path in paths:
        unit = ["--unit", path.suffix[1:], "--on", "sun", "--at", "3:30"]
        path.write_text(printed(capsys, "systemd", *unit, "--", *AWKWARD))
    return paths


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_systemd_takes_both_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = analyze("verify", "--man=no", *units(tmp_path, capsys))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_have_complained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service, timer = units(tmp_path, capsys)
    service.write_text(service.read_text().replace("Type=oneshot", "Type=once"))
    timer.write_text(timer.read_text().replace("Sun ", "Sonntag "))
    done = analyze("verify", "--man=no", service, timer)
    assert "once" in done.stderr
    assert "Sonntag" in done.stderr


@pytest.mark.long
def test_an_api_server_takes_the_cron_job(
    cluster: K3sCluster, namespace: Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run on the server, with every check that a real one meets; unknown fields refused."""
    text = printed(
        capsys,
        *("cronjob", "--image", "here/chaoskit:1", "--node-label", "engine=docker"),
        *("--namespace", namespace.name, "--", *AWKWARD),
    )
    for manifest in yaml.safe_load_all(text):
        assert dry_run(cluster, manifest)["kind"] == manifest["kind"]
    job: dict[str, Any] = list(yaml.safe_load_all(text))[-1]
    job["spec"]["schedule"] = "61 3 * * *"
    with pytest.raises(AssertionError, match="schedule"):
        dry_run(cluster, job)


def dry_run(cluster: K3sCluster, manifest: dict[str, Any]) -> dict[str, Any]:
    """`kubectl apply --dry-run=server` in the server node."""
    done = cluster.servers[0].execute(
        [
            *(
                "sh",
                "-c",
                'echo "$0" | kubectl apply --dry-run=server --validate=strict -o json -f -',
            ),
            json.dumps(manifest),
        ],
        timeout_s=30,
    )
    assert done.exit_code == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
