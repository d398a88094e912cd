"""A kubeconfig for a pod's own account: it names the files that Kubernetes mounts, and no secret.

The token in its file is exchanged while a pod runs; whoever connects reads it there, each time.
"""

import os
from pathlib import Path

import yaml

from chaoskit.errors import UsageError

#: How the context of such a kubeconfig is called.
CONTEXT = "in-cluster"
#: Where Kubernetes mounts a pod's account.
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HOST, _PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


def kubeconfig(account: Path = ACCOUNT) -> str:
    """The kubeconfig, for the API server that this pod's environment names.

    Raises `UsageError` where this is no pod, or one without an account.
    """
    host, port = os.environ.get(_HOST, ""), os.environ.get(_PORT, "")
    token, authority = account / "token", account / "ca.crt"
    lacking = [f"${name}" for name, value in ((_HOST, host), (_PORT, port)) if not value]
    lacking += [str(file) for file in (token, authority) if not file.is_file()]
    if lacking:
        raise UsageError(
            "this is no pod with an account of its own",
            subject="--in-cluster",
            seen=f"not there: {', '.join(lacking)}",
            next_step="run it in a pod whose service account is mounted (chaoskit schedule cronjob "
            "--in-cluster prints one), or name a --context",
        )
    address = f"[{host}]" if ":" in host else host
    cluster = {"server": f"https://{address}:{port}", "certificate-authority": str(authority)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": {"tokenFile": str(token)}}],
        }
    )
