"""Ready definitions: each is read by a parser of its own kind, and its command by a real shell."""

import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cronsim import CronSim

from chaoskit import cli
from chaoskit.cli import statuses
from chaoskit.cluster import runner_image

#: What each form has to carry through: blanks, quotes, and what cron, systemd and shells expand.
AWKWARD = ["scenarios", "-m", "demo and not soak", "-k", "100% 'of' \"all\" $HOME \\ `id`"]
SUNDAY = datetime(2026, 3, 1, 3, 30, tzinfo=UTC)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["schedule", *arguments]) == statuses.EXIT_HELD
    return capsys.readouterr().out


def test_the_crontab_is_due_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "cron", "--at", "3:30", "--on", "sun")
    comment, line = text.splitlines()
    assert comment.startswith("#")
    due = CronSim(" ".join(line.split()[:5]), datetime(2026, 2, 25, tzinfo=UTC))
    assert next(due) == SUNDAY
    daily = printed(capsys, "cron", "--at", "23:59").splitlines()[1]
    assert next(CronSim(" ".join(daily.split()[:5]), SUNDAY)) == SUNDAY.replace(hour=23, minute=59)


ECHO = """#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/asked-$3"
[ "$2" = pytest ] && exit 7
exit 0
"""


def test_the_crontab_line_runs_what_was_asked_and_ends_as_the_run_does(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As cron runs it: an escaped "%" is itself, and the rest goes to /bin/sh."""
    python = tmp_path / "bin dir" / "python"
    python.parent.mkdir()
    python.write_text(ECHO)
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    public = tmp_path / "pub 100%"
    options = ["--project", str(tmp_path), "--publish", str(public), "--store", "kept.sqlite"]
    line = printed(capsys, "cron", *options, "--", *AWKWARD).splitlines()[1]
    command = line.split(maxsplit=5)[5]
    assert command.replace("\\%", "").count("%") == 0  # cron would end the command there
    done = subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], check=False, timeout=30)
    assert done.returncode == 7
    kept = str(Path("kept.sqlite").resolve())
    asked = {path.name: path.read_text().splitlines() for path in python.parent.glob("asked-*")}
    assert asked["asked-scenarios"] == ["-m", "pytest", *AWKWARD, f"--chaos-store={kept}"]
    assert asked["asked-report"][2:] == [
        *("report", "--since", "30d", "--into", str(public), "--store", kept)
    ]
    assert asked["asked-runs"][2:6] == ["runs", "prune", "--older-than", "90d"]


def test_a_line_too_long_for_cron_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schedule", "cron", "--", "x" * 1000]) == statuses.EXIT_USAGE
    assert "cron takes 998" in capsys.readouterr().err


def test_the_cron_job_is_yaml_that_carries_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(
        capsys,
        *("cronjob", "--image", "here/chaoskit:1", "--node-label", "engine=docker"),
        *("--on", "sun", "--at", "3:30", "--namespace", "night", "--", *AWKWARD),
    )
    namespace, claim, job = list(yaml.safe_load_all(text))
    assert namespace["metadata"]["name"] == "night"
    assert job["spec"]["schedule"] == "30 3 * * 0"
    spec: dict[str, Any] = job["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    assert spec["backoffLimit"] == 0
    assert pod["nodeSelector"] == {"engine": "docker"}
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounts["engine"] == pod["volumes"][1]["hostPath"]["path"] == "/var/run/docker.sock"
    assert pod["hostNetwork"]
    shell = pod["containers"][0]["command"]
    assert shell[:2] == ["/bin/sh", "-c"]
    assert shlex.split(shell[2].partition("; status=")[0]) == ["python3", "-m", "pytest", *AWKWARD]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "&id" not in text


ROLLOUT = ["deployment/web", "--image", "web=web:v2", "--path", "/'100%' $HOME", "-n", "shop"]


def in_cluster(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The objects that are printed, by kind."""
    text = printed(capsys, "cronjob", "--in-cluster", *arguments)
    assert "&id" not in text
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def allowed(role: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_cron_job_inside_runs_a_rollout_without_engine_or_host(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = ("--image", "here/runner:1", "--namespace", "night", "--node-label", "disk=fast")
    made = in_cluster(capsys, *chosen, "--", *ROLLOUT)
    pod = made["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "here/runner:1"
    run = container["args"][2].removeprefix("trap : TERM; ").partition("; status=")[0]
    place = ["--in-cluster", "--report-dir", "/var/lib/chaoskit/reports"]
    assert shlex.split(run) == ["python3", "-m", "chaoskit.cli", "rollout", *place, *ROLLOUT]
    assert {"hostNetwork", "hostPID"}.isdisjoint(pod)
    assert not [each for each in pod["volumes"] if "hostPath" in each]
    assert pod["nodeSelector"] == {"disk": "fast"}
    assert pod["serviceAccountName"] == made["ServiceAccount"]["metadata"]["name"]
    assert made["CronJob"]["metadata"]["namespace"] == "night"


def test_its_account_may_do_what_the_rollout_asks_for_there_and_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = in_cluster(capsys, "--namespace", "night", "--name", "web", "--", *ROLLOUT)
    role, binding = made["Role"], made["RoleBinding"]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "shop"
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == "web"
    account = {"kind": "ServiceAccount", "name": "web", "namespace": "night"}
    assert binding["subjects"] == [account]
    looked_at = {
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("", "pods"),
        ("discovery.k8s.io", "endpointslices"),
    }
    assert allowed(role) == {
        *((*each, verb) for each in looked_at for verb in ("get", "list", "watch")),
        ("apps", "deployments", "patch"),
        ("", "services", "get"),
        ("", "services", "list"),
        ("policy", "poddisruptionbudgets", "list"),
        ("autoscaling", "horizontalpodautoscalers", "list"),
    }


def test_a_twin_needs_the_rights_to_make_it(capsys: pytest.CaptureFixture[str]) -> None:
    made = in_cluster(capsys, "--", "sts/kv", "--restart", "--allow-twin")
    assert made["Role"]["metadata"]["namespace"] == "default"
    assert ("", "services", "create") in allowed(made["Role"])
    assert ("apps", "statefulsets", "patch") in allowed(made["Role"])
    assert ("apps", "deployments", "get") not in allowed(made["Role"])


def test_a_set_needs_the_rights_to_see_what_becomes_of_claims(
    capsys: pytest.CaptureFixture[str],
) -> None:
    claims = {("", "persistentvolumeclaims", verb) for verb in ("list", "watch")}
    assert claims <= allowed(in_cluster(capsys, "--", "sts/kv", "--restart")["Role"])
    assert not claims & allowed(in_cluster(capsys, "--", *ROLLOUT)["Role"])


def test_the_image_of_the_runner_is_what_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    made = in_cluster(capsys, "--", *ROLLOUT)
    pod = made["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == runner_image.reference()


@pytest.mark.parametrize(
    "arguments",
    [
        ["cron", "--at", "25:00"],
        ["cron", "--at", "noon"],
        ["systemd", "--on", "someday"],
        ["systemd", "--keep", "forever"],
        ["cron", "--", "two\nlines"],
        ["cronjob"],
        ["cronjob", "--image", "x", "--node-label", "docker"],
        ["cronjob", "--image", "x", "--name", "Nightly Runs"],
        ["cronjob", "--image", "x", "--name", "n" * 53],
        ["cronjob", "--image", "x", "--namespace", "shop/chaos"],
        ["cronjob", "--image", "x", "--namespace", ""],
        ["cronjob", "--image", "x", "--storage", "much"],
        ["cronjob", "--image", "x", "--storage", "0Gi"],
        ["cronjob", "--in-cluster"],
        ["cronjob", "--in-cluster", "--", "deployment/web"],
        ["cronjob", "--in-cluster", "--", *ROLLOUT, "--context", "staging"],
        ["cronjob", "--in-cluster", "--project", "/work", "--", *ROLLOUT],
        [],
        ["at"],
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: list[str]) -> None:
    assert cli.run(["schedule", *arguments]) == statuses.EXIT_USAGE
