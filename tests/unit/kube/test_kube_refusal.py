"""Errors of single requests: what they name, and whether they can pass by themselves."""

import json

import pytest

from chaoskit.errors import ClusterError, KubernetesError
from chaoskit.kube import executed, refusal
from chaoskit.kube.refusal import Call

CALL = Call("delete", "Pod", "shop", "kv-1")


def status(code: int, reason: str) -> bytes:
    said = {"kind": "Status", "code": code, "reason": reason, "message": "because"}
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    "code, reason, kind, transient",
    [
        (403, "Forbidden", refusal.Refused, False),
        (404, "NotFound", refusal.NotFound, False),
        (409, "AlreadyExists", refusal.AlreadyExists, False),
        (409, "Conflict", refusal.Conflict, False),
        (410, "Expired", refusal.Gone, False),
        (422, "Invalid", refusal.Refused, False),
        (429, "TooManyRequests", refusal.Transient, True),
        (500, "InternalError", refusal.Transient, True),
        (503, "ServiceUnavailable", refusal.Transient, True),
    ],
)
def test_kinds_of_answers(
    code: int, reason: str, kind: type[refusal.Refused], transient: bool
) -> None:
    error = refusal.from_answer(CALL, code, "HTTP reason", status(code, reason))
    assert type(error) is kind
    assert error.transient is transient
    assert (error.status, error.reason, error.message) == (code, reason, "because")


def test_the_text_names_verb_object_status_reason_and_next_step() -> None:
    text = str(refusal.from_answer(CALL, 404, "Not Found", status(404, "NotFound")))
    for part in ("delete Pod shop/kv-1", "404", "NotFound", "because", "next:"):
        assert part in text


def test_an_answer_that_is_no_status_is_shown_as_it_is() -> None:
    error = refusal.from_answer(CALL, 502, "Bad Gateway", b"<html>proxy</html>")
    assert (error.reason, error.message) == ("Bad Gateway", "<html>proxy</html>")
    assert error.transient


def test_no_connection_is_a_matter_of_the_cluster_too() -> None:
    error = refusal.unreachable(CALL, "https://127.0.0.1:1", OSError("refused"))
    assert isinstance(error, ClusterError)
    assert isinstance(error, KubernetesError)
    assert error.transient


def test_a_refused_handshake_keeps_status_and_message() -> None:
    said = status(404, "NotFound").decode()
    text = f"Handshake status 404 Not Found -+-+- {{'content-length': '9'}} -+-+- {said}"
    error = refusal.from_handshake(CALL, text)
    assert isinstance(error, refusal.NotFound)
    assert (error.reason, error.message) == ("NotFound", "because")


def test_a_handshake_without_answer_is_transient() -> None:
    assert refusal.from_handshake(CALL, "timed out").transient


def test_an_unknown_field_in_apply_is_lasting_though_kubernetes_says_500() -> None:
    said = b"failed to create typed patch object (shop/c; /v1, Kind=ConfigMap): .datta: ..."
    error = refusal.from_answer(CALL, 500, "Internal Server Error", said)
    assert not error.transient


def test_exit_codes() -> None:
    assert executed.exit_code(CALL, '{"status": "Success"}') == 0
    failed = {"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "7"}]}}
    assert executed.exit_code(CALL, json.dumps(failed)) == 7


def test_a_command_that_could_not_start_is_an_error_and_no_exit_code() -> None:
    said = {"status": "Failure", "reason": "InternalError", "message": "no such file"}
    with pytest.raises(refusal.Refused, match="no such file"):
        executed.exit_code(CALL, json.dumps(said))


def test_a_connection_cut_before_the_end_is_transient_and_no_exit_code() -> None:
    with pytest.raises(refusal.Transient, match="ended before"):
        executed.exit_code(CALL, "")
