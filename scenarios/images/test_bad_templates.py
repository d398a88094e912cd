"""Templates that can never run: they say why, harm nobody, and are undone or replaced."""

from typing import Any

import pytest

from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.guarantees import (
    no_needless_restart,
    no_request_lost,
    only_versions,
    reason_shown,
    rollout_bounds,
    rollout_completes_within,
    rollout_stalled,
    template_restored,
)
from chaoskit.run import Run
from chaoskit.workloads.specimen import Web
from chaoskit.workloads.specimen_manifests import CONTAINER, image

NO_DEFECTS = {"name": "SPECIMEN_DEFECTS", "value": ""}
FAILED = ["/specimen", "exit", "3"]


def container(*, volumes: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The change of the specimen's container in the template, and of the pod's volumes."""
    spec: dict[str, Any] = {"containers": [{"name": CONTAINER, **fields}]}
    if volumes is not None:
        spec["volumes"] = volumes
    return {"spec": {"template": {"spec": spec}}}


BAD_MOUNT = container(
    volumes=[{"name": "bad", "hostPath": {"path": "/proc/no/such"}}],
    volumeMounts=[{"name": "bad", "mountPath": "/bad"}],
)
NAME = container(image="Chaoskit/Specimen:v2")
NEVER = container(image=image("not-on-the-node"), imagePullPolicy="Never")
COMMAND = container(command=["/no-such-command"])
HOOK = container(lifecycle={"postStart": {"exec": {"command": FAILED}}})


@pytest.mark.row("I2", "I3", "I7", "I9")
@pytest.mark.parametrize(
    "change, reasons, message",
    [
        pytest.param(NAME, ["InvalidImageName"], "must be lowercase", id="name"),
        pytest.param(NEVER, ["ErrImageNeverPull"], "not present with pull policy", id="never"),
        pytest.param(COMMAND, ["RunContainerError", "StartError"], "no such file", id="command"),
        pytest.param(BAD_MOUNT, ["CreateContainerError"], "/proc/no/such", id="mount"),
        pytest.param(HOOK, ["PostStartHookError"], "exited with 3", id="hook"),
    ],
)
def test_what_can_never_run_says_why_and_is_undone(
    change: Any, reasons: list[str], message: str, cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """A name that cannot be parsed, an image that may not be pulled, a bad command, mount, hook.

    Goal: a template that can never run says why at once, and harms nobody.
    Method: edit the template so, wait for the reason, undo.
    Expectation: the new pod shows the reason and a message that names the cause within 30 s; the
    old ones are left alone and answer everything; undone, all is as before within 60 s.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.edit(change)
        web.deployment.wait_reasons(*reasons, timeout_s=60)
        load.run_for(seconds=1)
        web.deployment.undo()
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, *reasons, message=message, after="edit"),
        rollout_stalled(web, reason_in=reasons, step="edit"),
        template_restored(web, step="edit"),
        no_needless_restart(web, step="edit"),
        rollout_completes_within(60, web, step="undo"),
        no_request_lost(),
    )


@pytest.mark.row("I8")
def test_a_fix_does_not_wait_for_the_back_off_of_what_it_fixes(
    cluster: K3sCluster, chaos: Run, web: Web
) -> None:
    """A setting with which it exits at once is followed by one that it knows.

    Goal: a fix is rolled out at once, however long the broken version would have to wait.
    Method: set a variable to what the program does not know, wait for CrashLoopBackOff and two
    restarts more; then set it right, together with an image.
    Expectation: CrashLoopBackOff within 30 s, with its wait in the message; the fix is complete
    within 60 s; the old pods answer everything.
    """
    with chaos.load(web.service, via=cluster.agents, rate_per_s=50) as load:
        load.wait_steady(timeout_s=30)
        web.deployment.set_env(SPECIMEN_DEFECTS="no-such-defect")
        web.deployment.wait_reasons("CrashLoopBackOff", timeout_s=60)
        load.run_for(seconds=4)
        web.deployment.edit(container(image=image("v2"), env=[NO_DEFECTS]))
        web.deployment.wait_complete(timeout_s=60)
        load.run_for(seconds=1)
    chaos.check(
        reason_shown(web, "CrashLoopBackOff", message="back-off", also=["Error"], after="set_env"),
        rollout_completes_within(60, web, step="edit"),
        rollout_bounds(web),
        only_versions(["v1", "v2"]),
        no_request_lost(),
    )
