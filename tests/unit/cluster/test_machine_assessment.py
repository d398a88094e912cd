"""The doctor's judgement, machine by machine: facts in, rows out."""

from dataclasses import replace

import pytest

from chaoskit.cluster.engine import CAPABILITIES, Engine, Rights, Silence
from chaoskit.cluster.machine import Facts
from chaoskit.cluster.machine_assessment import Row, assess, is_usable

ENGINE = Engine(
    endpoint="unix:///var/run/docker.sock",
    version="27.3.1",
    api_version="1.47",
    storage_driver="overlay2",
    cgroup_version="2",
    cgroup_driver="systemd",
    data_root="/var/lib/docker",
    rootless=False,
    rights=Rights(privileged=True, capabilities=(), because="the engine has every capability"),
    daemon_pid=700,
)
READY = Facts(
    python=(3, 11, 7),
    virtualenv="/project/.venv",
    root=True,
    systemd=True,
    apt=True,
    docker_host=None,
    programs={"dockerd": True, "iptables": True, "ip": True, "mmdebstrap": True, "chromium": True},
    engine=ENGINE,
    silences=(),
    started_pid=None,
    cgroups="v2",
    disk_path="/var/lib/docker",
    disk_free_bytes=50 * 10**9,
    go="1.26.6",
    go_problem="",
    go_remedy="",
    node_images=("chaoskit/node:v1.36.3",),
    specimens=("chaoskit/specimen:v1", "chaoskit/specimen:v2"),
    extras=("kwok", "metrics-server", "runner"),
    kernel_release="6.12.1",
    kernel={"netem": "built in", "nfqueue": "as a module"},
    inotify_instances=8192,
)
BARE = dict.fromkeys(READY.programs, False)
NO_ENGINE = replace(
    READY,
    engine=None,
    silences=(Silence(endpoint="unix:///var/run/docker.sock", seen="no socket there"),),
    node_images=(),
    specimens=(),
    extras=(),
)


def row(facts: Facts, name: str) -> Row:
    return next(one for one in assess(facts, "test") if one.name == name)


def test_a_ready_machine_has_nothing_to_do() -> None:
    rows = assess(READY, "test")
    assert is_usable(rows)
    assert {one.state for one in rows} == {"ok"}


def test_an_engine_that_answers_is_left_as_it_is() -> None:
    assert "nothing of the system is touched" in row(READY, "container engine").meaning


def test_the_engine_that_we_started_says_how_to_stop_it() -> None:
    assert "--stop-engine" in row(replace(READY, started_pid=700), "container engine").meaning


@pytest.mark.parametrize(
    "change, state, words",
    [
        ({"systemd": True}, "fixable", "systemctl start docker"),
        ({"systemd": False}, "fixable", "start dockerd in the background"),
        ({"programs": {"dockerd": False, "mmdebstrap": False}}, "fixable", "apt-get install"),
        (
            {"programs": {"dockerd": False, "mmdebstrap": True}, "apt": False},
            "missing",
            "own means",
        ),
        ({"root": False}, "missing", "as root"),
        ({"docker_host": "tcp://192.0.2.1:2375"}, "missing", "unset DOCKER_HOST"),
    ],
)
def test_without_an_engine_it_depends(change: dict[str, object], state: str, words: str) -> None:
    facts = replace(NO_ENGINE, **change)  # type: ignore[arg-type]  # fields by name
    engine = row(facts, "container engine")
    assert engine.state == state
    assert words in (engine.meaning + engine.remedy)
    assert "no socket there" in engine.seen
    assert not is_usable(assess(facts, "test"))


def test_an_engine_that_only_others_may_use_is_told_from_none() -> None:
    refused = Silence(endpoint="unix:///var/run/docker.sock", seen="[Errno 13] Permission denied")
    engine = row(replace(NO_ENGINE, root=False, silences=(refused,)), "container engine")
    assert engine.state == "missing"
    assert "join the group" in engine.remedy


def test_pure_tests_need_no_engine() -> None:
    assert is_usable(assess(replace(NO_ENGINE, root=False, disk_free_bytes=0), "unit"))


def test_an_old_python_is_for_a_person_to_change() -> None:
    python = row(replace(READY, python=(3, 10, 12)), "Python")
    assert (python.state, python.seen) == ("missing", "3.10.12")
    assert "PYTHON=" in python.remedy


@pytest.mark.parametrize(
    "free_gb, images, state",
    [(8.0, (), "ok"), (7.9, (), "missing"), (7.9, ("i",), "ok"), (2.9, ("i",), "missing")],
)
def test_disk_is_judged_by_what_is_still_to_come(
    free_gb: float, images: tuple[str, ...], state: str
) -> None:
    facts = replace(READY, disk_free_bytes=int(free_gb * 1e9), node_images=images)
    assert row(facts, "disk").state == state


def test_refused_privileged_is_a_note_with_its_reason() -> None:
    rights = Rights(
        privileged=False,
        capabilities=tuple(one for one in CAPABILITIES if one != "SYS_RESOURCE"),
        because="the engine itself lacks SYS_RESOURCE, so privileged is refused",
    )
    seen = row(replace(READY, engine=replace(ENGINE, rights=rights)), "rights of nodes")
    assert (seen.state, seen.seen) == ("note", "40 capabilities named")
    assert "SYS_RESOURCE" in seen.meaning


def test_a_rootless_engine_cannot_hold_nodes() -> None:
    facts = replace(READY, engine=replace(ENGINE, rootless=True))
    assert row(facts, "rights of nodes").state == "missing"


def test_cgroups_that_are_not_mounted_stop_an_engine_from_starting() -> None:
    assert row(replace(NO_ENGINE, cgroups="none"), "cgroups").state == "missing"
    assert row(replace(READY, cgroups="none"), "cgroups").state == "ok"


def test_an_absent_node_image_is_ours_to_get() -> None:
    assert row(replace(READY, node_images=()), "node image").state == "fixable"


def test_go_is_needed_while_something_is_still_to_be_built() -> None:
    lacking = {"go": None, "go_problem": "there is no Go", "go_remedy": "install Go 1.26.6"}
    without = replace(READY, specimens=(), **lacking)  # type: ignore[arg-type]  # fields by name
    assert row(without, "Go").state == "missing"
    assert row(without, "Go").remedy == "install Go 1.26.6"
    built = replace(without, specimens=READY.specimens)
    assert row(built, "Go").state == "note"
    assert is_usable(assess(built, "test"))


def test_absent_specimens_are_ours_to_build() -> None:
    assert row(replace(READY, specimens=()), "specimen images").state == "fixable"


def test_what_the_kernel_lacks_is_said_with_its_consequence() -> None:
    facts = replace(READY, kernel={"netem": "absent", "nfqueue": "built in", "ipvs": "unknown"})
    assert "NFQUEUE" in row(facts, "kernel: netem").meaning
    assert "ipvs" in row(facts, "kernel features").meaning
    assert is_usable(assess(facts, "test"))


def test_few_inotify_instances_are_said_and_hinder_nobody() -> None:
    """128, as most kernels have it: enough for three clusters, not for five."""
    few = replace(READY, inotify_instances=128)
    assert "3 clusters of 1+2 nodes" in row(few, "inotify instances").meaning
    assert is_usable(assess(few, "test"))
    assert not [one for one in assess(READY, "test") if one.name == "inotify instances"]


def test_images_that_only_long_scenarios_ask_for_are_built_before_them() -> None:
    without = replace(READY, extras=("kwok",))
    assert is_usable(assess(without, "test"))
    (wanted,) = (one for one in assess(without, "test-all") if one.name == "extra images")
    assert (wanted.state, wanted.seen) == ("fixable", "without metrics-server, runner")
    (wanted,) = (one for one in assess(NO_ENGINE, "test-all") if one.name == "extra images")
    assert (wanted.state, wanted.seen) == ("fixable", "no engine to hold them yet")


def test_a_browser_is_wanted_only_for_the_tests_that_look_at_reports() -> None:
    without = replace(READY, programs={**READY.programs, "chromium": False})
    assert is_usable(assess(without, "test"))
    assert is_usable(assess(without, "demo"))
    (wanted,) = (one for one in assess(without, "test-all") if one.name == "browser")
    assert wanted.state == "fixable"
    assert "apt-get install chromium" in wanted.meaning
    assert is_usable(assess(READY, "test-all"))


@pytest.mark.parametrize(
    "changed, remedy",
    [({"root": False}, "as root"), ({"apt": False}, "this system's own means")],
)
def test_a_browser_that_cannot_be_installed_here_is_for_a_person(
    changed: dict[str, bool], remedy: str
) -> None:
    programs = {**READY.programs, "chromium": False}
    rows = assess(replace(READY, programs=programs, **changed), "test-all")  # type: ignore[arg-type]
    assert not is_usable(rows)
    (wanted,) = (one for one in rows if one.name == "browser")
    assert wanted.state == "missing"
    assert remedy in wanted.remedy
