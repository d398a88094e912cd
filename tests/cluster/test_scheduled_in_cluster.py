"""A printed CronJob, applied by kubectl, really runs in its cluster: from the runner's image."""

import json
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from chaoskit import cli
from chaoskit.cluster import engine, images
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import Refused
from chaoskit.waiting import wait_until
from chaoskit.workloads import specimen, specimen_manifests
from chaoskit.workloads.deployment import Deployment
from chaoskit.workloads.namespace import Namespace
from chaoskit.workloads.specimen_manifests import SpecimenPod

pytestmark = pytest.mark.long

_JOB_WITHIN_S = 240.0
_READ_WITHIN_S = 60.0
#: The next minute is taken where so many seconds of this one are left.
_APPLIED_WITHIN_S = 15
#: What is left of this minute, the next, and what the controller takes.
_FIRED_WITHIN_S = 150.0
#: Prints what the claim holds, a document a line, by the command that a person would use.
_READ = """
chaoskit runs ls --json | tr -d '\\n'; echo
chaoskit runs show latest --json | tr -d '\\n'; echo
cat /var/lib/chaoskit/trend/trend.json | tr -d '\\n'; echo
ls /var/lib/chaoskit/trend /var/lib/chaoskit/reports/*/report.html
echo tokens:
grep -rlaE 'eyJ[A-Za-z0-9_-]+\\.eyJ' /var/lib/chaoskit
grep -cE 'eyJ[A-Za-z0-9_-]+\\.eyJ' /var/run/secrets/kubernetes.io/serviceaccount/token
"""


@dataclass(frozen=True)
class Scheduled:
    """A schedule for one workload's namespace, with a namespace of its own."""

    cluster: K3sCluster
    shop: Namespace
    own: Namespace
    capsys: pytest.CaptureFixture[str]

    def apply(self, *rollout: str, at: str = "03:00") -> list[Object]:
        """Print it and apply it, as the how-to says."""
        schedule = ["schedule", "cronjob", "--in-cluster", "--namespace", self.own.name, "--at", at]
        status = cli.run([*schedule, "--", *rollout, "-n", self.shop.name])
        assert status == 0
        text = self.capsys.readouterr().out
        self._kubectl("apply --validate=strict -f -", text)
        return list(yaml.safe_load_all(text))

    def start(self) -> None:
        """Have Kubernetes make a Job of the CronJob."""
        self._kubectl(f"create job now --from=cronjob/chaoskit -n {self.own.name}")

    def run_now(self) -> int:
        """Start one and wait for its end; the exit status."""
        self.start()
        return self._ended("now", _JOB_WITHIN_S)

    def run_at_its_time(self) -> int:
        """Wait until Kubernetes makes a Job by the schedule, and for its end; the exit status."""
        (job,) = wait_until(
            lambda: self.cluster.kube.list("Job", self.own.name),
            what="the CronJob to come to its time",
            timeout_s=_FIRED_WITHIN_S,
            interval_s=0.5,
        )
        return self._ended(job["metadata"]["name"], _JOB_WITHIN_S)

    def wait_said(self, text: str) -> None:
        """Wait until the pod of the started Job has written that."""
        wait_until(
            lambda: text in self._said_so_far(),
            what=f"the job to say {text!r}",
            timeout_s=_JOB_WITHIN_S,
            interval_s=0.5,
            seen=self._said_so_far,
        )

    def end_pod(self) -> None:
        """Delete the started Job's pod as a drain does, and wait until it is gone."""
        name = self._pod("now")["metadata"]["name"]
        self.cluster.kube.delete("Pod", name, self.own.name)
        wait_until(
            lambda: self.cluster.kube.find("Pod", name, self.own.name) is None,
            what=f"pod {name} to be gone",
            timeout_s=60.0,
            interval_s=0.5,
        )

    def _said_so_far(self) -> str:
        try:
            return self.said()
        except (ValueError, Refused):  # no pod yet, or no container of it
            return ""

    def said(self, job: str = "now") -> str:
        """What its pod wrote."""
        pod = self._pod(job)
        lines = self.cluster.kube.logs(pod["metadata"]["name"], self.own.name).splitlines()
        return "\n".join(line.partition(" ")[2] for line in lines)

    def read_claim(self, cron_job: Object) -> list[str]:
        """What a pod of the same kind reads on the claim, line by line."""
        job = cron_job["spec"]["jobTemplate"]
        job["spec"]["template"]["spec"]["containers"][0]["args"] = ["/bin/sh", "-c", _READ]
        kind = {"apiVersion": "batch/v1", "kind": "Job"}
        metadata = {"name": "read", "namespace": self.own.name}
        self.cluster.kube.create({**kind, **job, "metadata": metadata})
        assert self._ended("read", _READ_WITHIN_S) == 0, self.said("read")
        return self.said("read").splitlines()

    def _ended(self, job: str, timeout_s: float) -> int:
        def state() -> Object | None:
            conditions = self.cluster.kube.get("Job", job, self.own.name)["status"].get(
                "conditions", []
            )
            over = [each for each in conditions if each["type"] in ("Complete", "Failed")]
            return over[0] if over else None

        wait_until(
            state,
            what=f"job {job} to end",
            timeout_s=timeout_s,
            interval_s=0.5,
            seen=lambda: self._pod(job).get("status"),
        )
        (container,) = self._pod(job)["status"]["containerStatuses"]
        return int(container["state"]["terminated"]["exitCode"])

    def _pod(self, job: str) -> Object:
        (pod,) = self.cluster.kube.list("Pod", self.own.name, labels={"job-name": job})
        return pod

    def _kubectl(self, command: str, given: str = "") -> None:
        argv = ["sh", "-c", f'printf "%s" "$0" | kubectl {command}', given]
        done = self.cluster.servers[0].execute(argv, timeout_s=30)
        assert done.exit_code == 0, done.stderr


@pytest.fixture(scope="module")
def runner() -> str:
    """The image, built by what `chaoskit image build runner` calls; there already, it is quick."""
    with closing(images.connect(engine.require())) as client:
        ((reference,),) = images.ensure(client, ["runner"]).values()
    return reference


@pytest.fixture
def scheduled(
    cluster: K3sCluster, namespace: Namespace, runner: str, capsys: pytest.CaptureFixture[str]
) -> Iterator[Scheduled]:
    cluster.load_image(runner)
    # Enforced, so that a pod that asks for more than the strictest standard is not admitted.
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    own = Namespace.create(cluster.kube, "scheduled", strict)
    yield Scheduled(cluster, namespace, own, capsys)
    own.delete()


def reached_from_inside(objects: list[Object]) -> list[Object]:
    """Them, with Services that no node's port leads to."""
    for service in objects:
        if service["kind"] != "Service" or service["spec"].get("type") != "NodePort":
            continue
        service["spec"] = {key: service["spec"][key] for key in ("selector", "ports")}
        for port in service["spec"]["ports"]:
            port.pop("nodePort", None)
    return objects


def web(scheduled: Scheduled, pod: SpecimenPod, **spec: Any) -> Deployment:
    """A Deployment behind a Service that is reached from inside of the cluster only."""
    objects = specimen_manifests.web(scheduled.shop.name, "web", pod=pod, **spec)
    made = specimen.start_web(scheduled.cluster.kube, reached_from_inside(objects))
    made.deployment.wait_complete(90.0)
    return made.deployment


def test_a_scheduled_rollout_runs_in_the_cluster_and_keeps_what_it_found(
    scheduled: Scheduled,
) -> None:
    deployment = web(scheduled, SpecimenPod())
    before = {pod.name for pod in deployment.pods()}
    soon = datetime.now(UTC) + timedelta(minutes=1, seconds=_APPLIED_WITHIN_S)
    at = f"{soon:%H:%M}"
    objects = scheduled.apply("deployment/web", "--restart", "--zero-failures", at=at)
    assert scheduled.run_at_its_time() == 0
    assert before.isdisjoint(pod.name for pod in deployment.pods())

    listed, shown, trend, *rest = scheduled.read_claim(objects[-1])
    (run,) = json.loads(listed)
    assert run["outcome"] == "HELD"
    kept = json.loads(shown)
    (scenario,) = kept["scenarios"]
    assert scenario["nodeid"] == f"rollout::{scheduled.shop.name}/Deployment-web"
    outcomes = {each["guarantee"]: each["outcome"] for each in scenario["verdicts"]}
    assert set(outcomes.values()) == {"HELD"}
    assert {"no_request_lost", "rollout_bounds", "rollout_completes_within"} <= outcomes.keys()
    assert scenario["measures"]["requests"] > 1000
    assert scenario["measures"]["lost"] == 0
    assert kept["facts"]["context"] == "in-cluster"
    assert scenario["nodes"] == ""  # and not those of an option that it does not follow
    assert "--in-cluster" in shlex.split(kept["command"])
    assert json.loads(trend)["scenarios"][0]["nodeid"] == scenario["nodeid"]
    assert {"trend.html", "trend.md"} <= set(rest)
    assert any(line.endswith("report.html") for line in rest)
    # No file of the claim has one in it, and the pattern does find the pod's own.
    assert rest[rest.index("tokens:") + 1 :] == ["1"]


def test_members_of_a_set_are_rolled_out_in_the_cluster(scheduled: Scheduled) -> None:
    objects = specimen_manifests.kv(scheduled.shop.name, "kv")
    made = specimen.start_kv(scheduled.cluster.kube, reached_from_inside(objects))
    made.stateful_set.wait_complete(120.0)
    printed = scheduled.apply("statefulset/kv", "--restart", "--zero-failures")
    assert scheduled.run_now() == 0, scheduled.said()
    outcomes = outcomes_of(scheduled, printed[-1])
    assert {"ordinals_in_order", "claims_stay", "no_request_lost"} <= outcomes.keys()
    assert "one_process_per_identity" not in outcomes  # what runs on nodes is not seen from a pod
    assert set(outcomes.values()) == {"HELD"}


def test_a_daemon_on_each_node_is_rolled_out_in_the_cluster(scheduled: Scheduled) -> None:
    objects = specimen_manifests.daemon(scheduled.shop.name, "agent")
    made = specimen.start_daemon(scheduled.cluster.kube, reached_from_inside(objects))
    made.daemon_set.wait_complete(90.0)
    printed = scheduled.apply("daemonset/agent", "--restart")
    assert scheduled.run_now() == 0, scheduled.said()
    outcomes = outcomes_of(scheduled, printed[-1])
    assert {"daemon_set_bounds", "rollout_completes_within"} <= outcomes.keys()
    assert set(outcomes.values()) == {"HELD"}


def outcomes_of(scheduled: Scheduled, cron_job: Object) -> dict[str, str]:
    """Of each guarantee that the last run judged, as the claim has them."""
    _, shown, *_ = scheduled.read_claim(cron_job)
    (scenario,) = json.loads(shown)["scenarios"]
    return {each["guarantee"]: each["outcome"] for each in scenario["verdicts"]}


def test_a_rollout_that_clients_notice_fails_the_job(scheduled: Scheduled) -> None:
    """Without a readiness probe a pod that starts slowly counts before it can answer."""
    late = SpecimenPod(readiness=False, settings={"SPECIMEN_STARTUP_S": "4"})
    web(scheduled, late, replicas=1)
    objects = scheduled.apply("deployment/web", "--restart", "--zero-failures")
    assert scheduled.run_now() == 1, scheduled.said()
    assert "VIOLATED no request lost in phase rollout" in scheduled.said()
    listed, shown, *_ = scheduled.read_claim(objects[-1])
    assert json.loads(listed)[0]["outcome"] == "VIOLATED"
    verdicts = json.loads(shown)["scenarios"][0]["verdicts"]
    assert "VIOLATED" in {each["outcome"] for each in verdicts}


def test_a_pod_that_is_told_to_end_keeps_what_it_had(scheduled: Scheduled) -> None:
    web(scheduled, SpecimenPod())
    objects = scheduled.apply("deployment/web", "--restart", "--baseline", "10m")
    scheduled.start()
    scheduled.wait_said("baseline: 600 s")
    scheduled.end_pod()
    listed, shown, *_ = scheduled.read_claim(objects[-1])
    assert [run["outcome"] for run in json.loads(listed)] == ["UNKNOWN"]
    assert "interrupted" in json.loads(shown)["scenarios"][0]["reason"]


def test_an_account_with_less_touches_nothing(scheduled: Scheduled) -> None:
    deployment = web(scheduled, SpecimenPod())
    before = deployment.read()["metadata"]["generation"]
    objects = scheduled.apply("deployment/web", "--restart")
    (role,) = [each for each in objects if each["kind"] == "Role"]
    for rule in role["rules"]:
        rule["verbs"] = [verb for verb in rule["verbs"] if verb != "patch"]
    scheduled.cluster.kube.apply(role)
    assert scheduled.run_now() == 4, scheduled.said()
    assert f"patch deployments in namespace {scheduled.shop.name}" in scheduled.said()
    assert deployment.read()["metadata"]["generation"] == before
