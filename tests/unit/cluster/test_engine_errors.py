"""The engine's refusals become errors that say what to do."""

import docker.errors
import pytest
import requests

from chaoskit.cluster.launch import engine_errors as sayings
from chaoskit.errors import ChaoskitError, ClusterError, EngineError, ImageError


class Response:
    """The parts of an HTTP response that docker's error looks at."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        self.url = "http+docker://engine"
        self.reason = "reason"


def refused(explanation: str, status: int = 500) -> docker.errors.APIError:
    return docker.errors.APIError("refused", response=Response(status), explanation=explanation)


# The explanations are Docker's own, as seen with 20.10.
@pytest.mark.parametrize(
    "explanation, kind, words",
    [
        ("write /var/lib/docker/x: no space left on device", EngineError, "disk is full"),
        (
            "driver failed programming external connectivity: Bind for 127.0.0.1:6443 failed: "
            "port is already allocated",
            sayings.PortTaken,
            "port is taken",
        ),
        (
            "listen tcp4 127.0.0.1:80: bind: address already in use",
            sayings.PortTaken,
            "port is taken",
        ),
        (
            "OCI runtime create failed: unable to apply caps: operation not permitted: unknown",
            sayings.RightsRefused,
            "refuses the rights",
        ),
        (
            "Pool overlaps with other one on this address space",
            sayings.Overlap,
            "address range is in use",
        ),
        (
            "removal of container 3f is already in progress",
            sayings.BeingRemoved,
            "somebody else is removing it",
        ),
        ("Container 3f is paused, unpause the container before exec", ClusterError, "is paused"),
        ("Container 3f is not running", ClusterError, "does not run"),
        (
            'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
            ImageError,
            "not a node image",
        ),
        ("something nobody has seen before", EngineError, "refused"),
    ],
)
def test_refusals_say_what_to_do(explanation: str, kind: type[ChaoskitError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught, sayings.engine_errors("node n"):
        raise refused(explanation)
    assert caught.value.subject == "node n"
    assert caught.value.seen == explanation
    assert caught.value.next_step


def test_absence_is_its_own_error() -> None:
    with pytest.raises(sayings.Gone), sayings.engine_errors("volume v"):
        raise refused("no such volume", status=404)


def test_absent_image_is_an_image_error() -> None:
    with pytest.raises(ImageError, match="image x"), sayings.engine_errors("image x"):
        raise docker.errors.ImageNotFound("gone", response=Response(404), explanation="no such")


@pytest.mark.parametrize(
    "error", [requests.exceptions.ConnectionError("refused"), docker.errors.DockerException("x")]
)
def test_an_engine_that_stopped_is_an_engine_error(error: Exception) -> None:
    with (
        pytest.raises(EngineError, match="stopped answering") as caught,
        sayings.engine_errors("node n"),
    ):
        raise error
    assert "sweep" in str(caught.value)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError), sayings.engine_errors("node n"):
        raise KeyError("x")
