"""What apt says of its progress, and refusing where installing cannot work."""

import pytest

from chaoskit.cluster import engine_install
from chaoskit.errors import EngineError

# Rows as apt-get 2.6 writes them to APT::Status-Fd.
APT = """\
dlstatus:1:0.0000:Retrieving file 1 of 3
dlstatus:2:31.2500:Retrieving file 2 of 3
dlstatus:2:35.0000:Retrieving file 2 of 3
dlstatus:3:98.1250:Retrieving file 3 of 3
pmstatus:dpkg-exec:0.0000:Running dpkg
pmstatus:libnfnetlink0:amd64:7.6923:Preparing libnfnetlink0:amd64 (amd64)
pmstatus:libnfnetlink0:amd64:15.3846:Unpacking libnfnetlink0:amd64 (amd64)
pmstatus:docker.io:92.3077:Installed docker.io (amd64)
pmconffile:/etc/default/docker:50:'/etc/default/docker' '/etc/default/docker.dpkg-new' 1 1
"""


def test_apt_is_reported_in_steps_of_ten_percent() -> None:
    assert list(engine_install.apt_steps(APT.splitlines())) == [
        "fetching   0 %",
        "fetching  30 %",
        "fetching  90 %",
        "installing   0 %",
        "installing  10 %",
        "installing  90 %",
    ]


def test_without_apt_it_says_what_to_install_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_install, "which", lambda program: None)
    with pytest.raises(EngineError) as caught:
        engine_install.install(["docker.io", "iptables"], lambda step: None)
    assert "docker.io, iptables" in str(caught.value.seen)


def test_a_named_engine_that_is_silent_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(EngineError) as caught:
        engine_install.ensure_engine(lambda step: None)
    assert caught.value.subject == "tcp://127.0.0.1:1"
    assert "unset DOCKER_HOST" in str(caught.value.next_step)
