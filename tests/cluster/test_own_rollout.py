"""`chaoskit rollout` on manifests that were not written for it, on clusters of its own."""

import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import docker
import msgspec
import pytest
import yaml

from chaoskit.cluster import engine
from chaoskit.history.events import Watched
from chaoskit.history.reader import History
from chaoskit.store.store import LATEST, Store
from chaoskit.workloads import specimen_manifests
from chaoskit.workloads.specimen_manifests import image
from tests.cluster.rollouts import Told, specimen_deployment, written
from tests.unit.rollout.manifests import Object, changed, service

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parents[2] / "docs" / "how-to" / "rollout-examples"
SECRET = "not-for-any-record-0b5f"


def test_sound_manifests_hold_and_secrets_are_nowhere(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token"},
        "stringData": {"token": SECRET},
    }
    file = written(tmp_path, specimen_deployment(), service(), secret)
    told = rollout("deployment/web", "-n", "shop", "--image", f"web={image('v2')}", "-f", file)
    assert told.status == 0, told.output
    assert "at most 4 pods, at least 3 available" in told.output
    assert set(told.outcomes.values()) == {"HELD"}
    assert "no_request_lost" in told.outcomes
    with Store(tmp_path / "runs.sqlite") as store:
        (scenario,) = store.find(LATEST).scenarios
    assert (scenario.nodeid, scenario.outcome) == ("rollout::shop/Deployment-web", "HELD")
    history = History.open(told.record.path)
    kinds = {event.kind for event in history.of(Watched)}
    assert "Deployment" in kinds
    assert "Secret" not in kinds
    whole = b"".join(msgspec.json.encode(event) for event in history.events)
    assert SECRET.encode() not in whole
    for path in told.folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def rolled_out_to(
    after: Object, before: Object, rollout: Callable[..., Told], folder: Path
) -> Told:
    """A Deployment changed to what breaks its promises, to be undone then."""
    file, to = written(folder, before, service()), folder / "after.json"
    to.write_text(json.dumps(after))
    return rollout("deployment/web", "-n", "shop", "--to", str(to), "-f", file, "--undo")


def test_a_version_that_never_gets_ready_is_violated_and_undone(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    before = specimen_deployment(spec__progressDeadlineSeconds=15)
    sick = {"exec": {"command": ["/specimen", "exit", "1"]}}
    after = changed(before, "spec.template.spec.containers.0.readinessProbe", sick)
    told = rolled_out_to(after, before, rollout, tmp_path)
    assert told.status == 1, told.output
    assert told.outcomes_of("rollout_completes_within") == ["VIOLATED", "HELD"]  # then undone
    assert told.outcomes["undo_restores"] == "HELD"
    assert told.outcomes["progress_deadline_reported"] == "HELD"
    assert told.outcomes["no_request_lost"] == "HELD"
    assert "The change was undone." in told.output


def test_a_version_whose_requests_fail_is_undone_before_it_is_complete(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    """Its pods say that they are ready a minute before they are: nothing stalls, clients fail."""
    before = specimen_deployment(spec__minReadySeconds=10)
    settings = {"SPECIMEN_STARTUP_S": "60", "SPECIMEN_DEFECTS": "lie-ready"}
    env = [{"name": name, "value": value} for name, value in settings.items()]
    after = changed(before, "spec.template.spec.containers.0.env", env)
    told = rolled_out_to(after, before, rollout, tmp_path)
    assert told.status == 1, told.output
    assert "requests fail: not waited for any longer" in told.output
    # Undoing takes its pods away one by one, and until then they answer clients.
    assert told.outcomes_of("no_request_lost") == ["VIOLATED", "VIOLATED"]
    assert told.outcomes_of("rollout_completes_within") == ["HELD"]  # the undo's
    assert told.outcomes["undo_restores"] == "HELD"


def test_members_are_rolled_out_in_order_each_with_its_claim(
    rollout: Callable[..., Told], tmp_path: Path
) -> None:
    file = written(tmp_path, *specimen_manifests.kv("shop", "kv"))
    told = rollout("sts/kv", "-n", "shop", "--image", image("v2"), "-f", file)
    assert told.status == 0, told.output
    judged = {"ordinals_in_order", "one_process_per_identity", "claims_stay", "no_request_lost"}
    assert judged <= told.outcomes.keys()


def test_a_daemon_on_each_node_from_standard_input(
    rollout: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemons = specimen_deployment(kind="DaemonSet", spec__progressDeadlineSeconds=None)
    for field in ("strategy", "replicas"):
        daemons = changed(daemons, f"spec.{field}", None)
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump_all([daemons, service()])))
    told = rollout("ds/web", "-n", "shop", "--restart", "-f", "-")
    assert told.status == 0, told.output
    assert told.outcomes["daemon_set_bounds"] == "HELD"
    assert told.outcomes["no_request_lost"] == "HELD"


@pytest.mark.parametrize("name, workload", [("guestbook-frontend", "frontend"), ("podinfo",) * 2])
def test_manifests_that_were_not_written_for_chaoskit(
    rollout: Callable[..., Told], name: str, workload: str
) -> None:
    file = str(EXAMPLES / f"{name}.yaml")
    told = rollout(f"deployment/{workload}", "--image", image("v2"), "-f", file)
    assert told.status == 0, told.output
    assert "that no request fails is not promised" in told.output
    assert "no_request_lost" not in told.outcomes
    assert "measured no request lost in phase rollout by connection new" in told.output


SHOPPERS = """
from locust import FastHttpUser, constant, task

class Shopper(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def look(self):
        self.client.get("/")
"""
ARCHIVED = "shop.example/web:next"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An image of version 2 by a name of the user's own, in a tar and not in the engine."""
    file = tmp_path / "web.tar"
    with closing(docker.DockerClient(base_url=engine.require().endpoint)) as client:
        client.images.get(image("v2")).tag(ARCHIVED)
        try:
            with file.open("wb") as into:
                for piece in client.images.get(ARCHIVED).save(named=ARCHIVED):
                    into.write(piece)
        finally:
            client.images.remove(ARCHIVED, noprune=True)
    return file


def test_an_image_from_an_archive_under_the_users_own_load(
    rollout: Callable[..., Told], archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "locustfile.py").write_text(SHOPPERS)
    file = written(tmp_path, specimen_deployment(), service())
    change = ("--image", f"web={ARCHIVED}", "--image-archive", str(archive))
    load = ("--locustfile", str(tmp_path / "locustfile.py"), "--users", "4")
    claims = ("--at-least", "0.99", "--versions", "v1,v2")
    told = rollout("deployment/web", "-n", "shop", "-f", file, *change, *load, *claims)
    assert told.status == 0, told.output
    assert "closed loop" in told.output
    assert told.outcomes["availability"] == "HELD"
    assert told.outcomes["only_versions"] == "HELD"
    told = rollout("deployment/web", "-n", "shop", "-f", file, *change, *load, "--versions", "v1")
    assert told.status == 1, told.output
    assert told.outcomes["only_versions"] == "VIOLATED"
