"""Finding and describing an engine: endpoints, silences, rights."""

import json
import socket
from pathlib import Path

import pytest

from chaoskit.cluster import engine
from chaoskit.errors import EngineError

ALL = (1 << len(engine.CAPABILITIES)) - 1
SYS_RESOURCE = 1 << engine.CAPABILITIES.index("SYS_RESOURCE")


def write_context(home: Path, name: str, host: str) -> None:
    folder = home / ".docker" / "contexts" / "meta" / "0a1b"
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def test_a_named_engine_is_the_only_one_asked(tmp_path: Path) -> None:
    write_context(tmp_path, "elsewhere", "tcp://192.0.2.1:2376")
    named = {"DOCKER_HOST": "tcp://192.0.2.7:2375", "XDG_RUNTIME_DIR": "/run/user/1000"}
    assert engine.endpoints(named, home=tmp_path) == ("tcp://192.0.2.7:2375",)


def test_dockers_current_context_comes_before_the_usual_sockets(tmp_path: Path) -> None:
    write_context(tmp_path, "elsewhere", "tcp://192.0.2.1:2376")
    assert engine.endpoints({"XDG_RUNTIME_DIR": "/run/user/1000"}, home=tmp_path) == (
        "tcp://192.0.2.1:2376",
        "unix:///var/run/docker.sock",
        "unix:///run/user/1000/docker.sock",
        f"unix://{tmp_path}/.docker/run/docker.sock",
    )


def test_an_absent_socket_is_named(tmp_path: Path) -> None:
    silence = engine.ask(f"unix://{tmp_path}/docker.sock")
    assert isinstance(silence, engine.Silence)
    assert silence.seen == "no socket there"


def test_a_dead_engines_socket_is_told_from_an_absent_one(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(tmp_path / "docker.sock"))
    silence = engine.ask(f"unix://{tmp_path}/docker.sock")
    assert isinstance(silence, engine.Silence)
    assert "Connection refused" in silence.seen


def test_requiring_says_what_was_tried_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        engine.require({"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    assert f"unix://{tmp_path}/docker.sock: no socket there" in str(caught.value.seen)
    assert "chaoskit doctor --fix" in str(caught.value.next_step)


def test_an_engine_with_every_capability_gives_privileged() -> None:
    rights = engine.rights(bounding=ALL, engine_version="27.3.1")
    assert rights.privileged
    assert rights.certain


def test_an_engine_without_sys_resource_names_the_rest() -> None:
    rights = engine.rights(bounding=ALL & ~SYS_RESOURCE, engine_version="27.3.1")
    assert not rights.privileged
    assert set(rights.capabilities) == set(engine.CAPABILITIES) - {"SYS_RESOURCE"}
    assert "SYS_RESOURCE" in rights.because


def test_an_old_engine_is_not_asked_for_names_it_does_not_know() -> None:
    young = {"PERFMON", "BPF", "CHECKPOINT_RESTORE"}
    rights = engine.rights(bounding=ALL & ~SYS_RESOURCE, engine_version="20.10.24+dfsg1")
    assert set(rights.capabilities) == set(engine.CAPABILITIES) - {"SYS_RESOURCE"} - young


def test_lacking_only_what_the_old_engine_does_not_know_is_no_lack() -> None:
    bpf = 1 << engine.CAPABILITIES.index("BPF")
    assert engine.rights(bounding=ALL & ~bpf, engine_version="20.10.24").privileged
    assert not engine.rights(bounding=ALL & ~bpf, engine_version="27.0.0").privileged


def test_an_engine_elsewhere_leaves_its_rights_uncertain() -> None:
    assert not engine.rights(bounding=None, engine_version="27.3.1").certain


def test_the_list_names_every_capability_of_this_kernel() -> None:
    """The mask of a newer kernel would need more names than we have."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    assert len(engine.CAPABILITIES) > last
