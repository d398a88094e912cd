"""What this machine remembers of each cluster: a folder with its kubeconfig, mode 0600."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from chaoskit.errors import ClusterError


def state_folder() -> Path:
    """$CHAOSKIT_STATE, else chaoskit's folder in the user's XDG state folder."""
    if named := os.environ.get("CHAOSKIT_STATE"):
        return Path(named)
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "chaoskit"


def cache_folder() -> Path:
    """Chaoskit's folder in the user's XDG cache folder; may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "chaoskit"


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """The folder of one cluster."""

    cluster: str
    root: Path = field(default_factory=state_folder)

    @property
    def folder(self) -> Path:
        return self.root / "clusters" / self.cluster

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def write_kubeconfig(self, text: str, *, port: int) -> Path:
        """Store the server's kubeconfig, its server turned to 127.0.0.1:`port`."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written beside and moved, so that a reader never sees half of it; 0600 from the start.
        beside = self.folder / ".kubeconfig"
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(rewritten(text, port=port))
        beside.replace(self.kubeconfig)
        return self.kubeconfig

    def forget(self) -> None:
        """Remove the folder, if it is there."""
        if self.folder.exists():
            shutil.rmtree(self.folder)


def rewritten(text: str, *, port: int) -> str:
    """A kubeconfig of k3s with its server at 127.0.0.1:`port`; raises `ClusterError`."""
    try:
        config = yaml.safe_load(text)
        for cluster in config["clusters"]:
            cluster["cluster"]["server"] = f"https://127.0.0.1:{port}"
        if not config["users"]:
            raise KeyError("users")
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ClusterError(
            "the server wrote no usable kubeconfig",
            subject="/etc/rancher/k3s/k3s.yaml",
            seen=f"{type(error).__name__}: {error}",
            next_step="chaoskit cluster up with --image of a node image",
        ) from error
    return yaml.safe_dump(config, sort_keys=False)
