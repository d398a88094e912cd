"""What this run was asked for: the options, their ini twins, and what a controller tells a worker.

Several workers (pytest-xdist) are one session: the process that starts them chooses seed and
folder for all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chaoskit.options import Options

# Option: its default, and help. Each has a twin in the ini file: chaos_image for --chaos-image.
TEXT_OPTIONS = {
    "image": ("auto", "node image: auto (present, else pulled, else built) or a reference"),
    "nodes": ("1+2", "servers+agents of the cluster"),
    "clusters": ("1", "so many at once for several workers: what needs one alone waits less"),
    "profile": ("fast", "how fast Kubernetes gives a node up: fast or default"),
    "report-dir": ("reports", "folder for records and reports"),
    "store": (
        "",
        "file that keeps each run, or none (default: in the state folder)",
    ),
    "seed": ("", "seed of every random choice (default: a new one, printed)"),
}
SWITCHES = {
    "keep-cluster": "keep the cluster afterwards, and use a kept one",
    "strict": "a scenario that this cluster cannot run is a failure",
}

_SEED_BITS = 32

_options_key: pytest.StashKey[Options] = pytest.StashKey()
#: Of the controller of workers: the seed and the folder that they are told.
_seed_key: pytest.StashKey[str] = pytest.StashKey()
_folder_key: pytest.StashKey[Path] = pytest.StashKey()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of pytest-xdist's workers."""
    return hasattr(config, "workerinput")


def worker_count(config: pytest.Config) -> int:
    """How many workers pytest-xdist has, as it tells each of them; 1 in a process of its own."""
    told: dict[str, int] = getattr(config, "workerinput", {})
    return told.get("workercount", 1)


def place_of_worker(config: pytest.Config) -> int:
    """Which of the session's clusters this process uses alone: workers are dealt out to them."""
    told: dict[str, str] = getattr(config, "workerinput", {})
    return dealt_out(told.get("workerid", "gw0"), options(config).clusters)


def dealt_out(worker: str, places: int) -> int:
    """The place of a worker by pytest-xdist's name for it, "gw3"."""
    return int(worker.removeprefix("gw")) % places


def tell_worker(node: Any) -> None:
    """Tell a worker which session it belongs to. Light: any run with -n does it."""
    import secrets
    from datetime import UTC, datetime

    stash = node.config.stash
    if _folder_key not in stash:
        given = _given(node.config)
        seed = given["seed"] or str(secrets.randbits(_SEED_BITS))
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        stash[_seed_key], stash[_folder_key] = seed, Path(given["report_dir"], f"{stamp}-{seed}")
    node.workerinput["chaoskit"] = {"seed": stash[_seed_key], "folder": str(stash[_folder_key])}


def session_folder(config: pytest.Config) -> Path | None:
    """The folder of the session that workers share; None for a session of one process."""
    if is_worker(config):
        return Path(_told_by_controller(config)["folder"])
    return config.stash.get(_folder_key, None)


def ini_name(name: str) -> str:
    """The ini twin of an option: chaos_image for --chaos-image."""
    return f"chaos_{name.replace('-', '_')}"


def options(config: pytest.Config) -> Options:
    """The checked options of this run; what is wrong with them is a usage error."""
    from chaoskit.errors import UsageError
    from chaoskit.options import checked

    if _options_key not in config.stash:
        given = _given(config)
        if is_worker(config):
            given["seed"] = _told_by_controller(config)["seed"]
        elif _seed_key in config.stash:
            given["seed"] = config.stash[_seed_key]
        try:
            config.stash[_options_key] = checked(**given)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_options_key]


def _given(config: pytest.Config) -> dict[str, Any]:
    """The options as they were written, on the command line or in the ini file."""
    given: dict[str, Any] = {}
    for name in (*TEXT_OPTIONS, *SWITCHES):
        value = config.getoption(f"--chaos-{name}")
        given[name.replace("-", "_")] = config.getini(ini_name(name)) if value is None else value
    return given


def _told_by_controller(config: pytest.Config) -> dict[str, str]:
    told: dict[str, str] = config.workerinput["chaoskit"]  # type: ignore[attr-defined]
    return told
