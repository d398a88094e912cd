"""The node agent's program, for node images that do not carry it."""

import os
import tempfile
from pathlib import Path

from chaoskit.cluster import go_toolchain
from chaoskit.cluster.image_sources import FOLDER, digest, versions
from chaoskit.cluster.launch.state import cache_folder


def agent_binary() -> Path:
    """The compiled agent, built once per state of its sources. Raises `ImageError` without Go."""
    file = cache_folder() / "nodeagent" / digest(("apps",))
    if file.exists():
        return file
    go = go_toolchain.find(versions().go)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        go_toolchain.run(
            go,
            (
                "build",
                "-mod=readonly",
                "-ldflags",
                "-s -w",
                "-o",
                f"{folder}{os.sep}",
                "./nodeagent",
            ),
            module=FOLDER / "apps",
            environment={},
            each_package=lambda _package: None,
        )
        (Path(folder) / "nodeagent").replace(file)
    return file
