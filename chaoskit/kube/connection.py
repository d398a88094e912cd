"""Connections to an API server: made from a kubeconfig, their failures turned into our errors."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import urllib3
import websocket
import yaml
from kubernetes.client import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_kube_config
from kubernetes.utils.keepalive import tcp_keepalive_socket_options

from chaoskit.errors import UsageError
from chaoskit.kube import refusal
from chaoskit.kube.refusal import Call

#: A dead server is noticed after 10 + 3 * 5 s of silence instead of client-go's 30 + 9 * 15 s.
_KEEPALIVE = tcp_keepalive_socket_options(idle=10, interval=5, count=3)


def configured(kubeconfig: Path, context: str | None) -> Configuration:
    """How to reach the cluster of a kubeconfig; raises `UsageError` for an unusable one."""
    configuration = Configuration()
    try:
        load_kube_config(
            config_file=str(kubeconfig),
            context=context,
            client_configuration=configuration,
            persist_config=False,  # never write into the user's file
        )
    except (ConfigException, OSError, yaml.YAMLError, TypeError, ValueError) as error:
        raise UsageError(
            "this kubeconfig cannot be used",
            subject=str(kubeconfig) + (f", context {context}" if context else ""),
            seen=f"{type(error).__name__}: {error}",
            next_step="name an existing kubeconfig, and a context that stands in it",
        ) from error
    _follow_token_file(configuration, kubeconfig, context)
    configuration.retries = False  # urllib3 would repeat requests and hide the fault
    configuration.socket_options = _KEEPALIVE
    return configuration


def _follow_token_file(configuration: Configuration, kubeconfig: Path, context: str | None) -> None:
    """Read a token that stands in a file anew for each request: Kubernetes exchanges it hourly.

    The package reads it once. A file that cannot be read leaves the token that was read last.
    """
    whole = yaml.safe_load(kubeconfig.read_text())
    chosen = _named(whole, "contexts", context or whole["current-context"])["context"]
    try:
        named = _named(whole, "users", chosen["user"])["user"].get("tokenFile")
    except KeyError:
        return  # no user at all, or none that is described
    if not named:
        return
    file = kubeconfig.parent / named

    def refresh(current: Configuration) -> None:
        with suppress(OSError):
            current.api_key["BearerToken"] = f"Bearer {file.read_text().strip()}"

    configuration.refresh_api_key_hook = refresh


def minified(kubeconfig: Path, context: str) -> str:
    """That context of a kubeconfig alone, its files named in full. Raises `UsageError`.

    As `kubectl config view --minify`; a context is never guessed, and the file's current one is not
    taken for it.
    """
    try:
        whole = yaml.safe_load(kubeconfig.read_text())
        chosen = _named(whole, "contexts", context)
        parts = {
            key: _named(whole, f"{key}s", chosen["context"][key]) for key in ("cluster", "user")
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "has no such context" if isinstance(error, KeyError) else "cannot be used",
            subject=f"{kubeconfig}, context {context}",
            # Of what a parser says the line may be a secret.
            seen=f"contexts: {_contexts(kubeconfig)}"
            if isinstance(error, KeyError)
            else type(error).__name__,
            next_step="kubectl config get-contexts",
        ) from None
    for key, part in parts.items():
        for name, value in part[key].items():
            if name in _FILES and value:
                part[key][name] = str((kubeconfig.parent / value).absolute())
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "contexts": [chosen],
            "clusters": [parts["cluster"]],
            "users": [parts["user"]],
        }
    )


_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


def _named(whole: Any, group: str, name: str) -> Any:
    for each in whole.get(group) or []:
        if each["name"] == name:
            return each
    raise KeyError(name)


def _contexts(kubeconfig: Path) -> str:
    whole = yaml.safe_load(kubeconfig.read_text())
    return ", ".join(str(each.get("name")) for each in whole.get("contexts") or []) or "none"


@contextmanager
def connection_errors(call: Call, server: str) -> Iterator[None]:
    """Turn what the connection layer raises into errors that name the request."""
    try:
        yield
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise refusal.unreachable(call, server, error) from error
    except (urllib3.exceptions.SSLError, ApiException) as error:
        # ApiException (status 0) is how the package reports a failed TLS handshake.
        raise refusal.distrusted(call, server, error) from error
    except urllib3.exceptions.HTTPError as error:
        raise refusal.lost(call, f"{type(error).__name__}: {error}") from error


@contextmanager
def websocket_errors(call: Call, timeout_s: float) -> Iterator[None]:
    """The same for a stream that must stand within `timeout_s`."""
    # The package gives its sockets no timeout of their own; without one a handshake with a cut
    # node's kubelet would hang. The default is read when the socket is made, by no one else here.
    websocket.setdefaulttimeout(timeout_s)
    try:
        yield
    except ApiException as error:  # status 0: any failure of the handshake, as text
        raise refusal.from_handshake(call, str(error.reason)) from error
    except (websocket.WebSocketException, OSError) as error:
        raise refusal.lost(call, f"{type(error).__name__}: {error}") from error
