"""What a session was asked for: checked options, with the value seen in every complaint."""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaoskit.errors import UsageError

_MOST_NODES = 9
_MOST_CLUSTERS = 4
_SEED_BITS = 32


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a session; made by `checked`.

    `clusters`: so many at once at most, where several workers run scenarios. `store`: the file that
    keeps the run; "" for the default one, "none" for none at all.
    """

    image: str
    servers: int
    agents: int
    clusters: int
    profile: Literal["fast", "default"]
    keep_cluster: bool
    report_dir: Path
    store: str
    seed: int
    strict: bool

    @property
    def nodes(self) -> str:
        """As it is written on the command line: servers and agents, "1+2"."""
        return f"{self.servers}+{self.agents}"

    def as_text(self) -> dict[str, str]:
        """For the report."""
        return {
            "image": self.image,
            "nodes": self.nodes,
            "clusters": str(self.clusters),
            "profile": self.profile,
            "keep-cluster": str(self.keep_cluster).lower(),
            "seed": str(self.seed),
            "strict": str(self.strict).lower(),
        }


def checked(
    *,
    image: str,
    nodes: str,
    clusters: str = "1",
    profile: str,
    keep_cluster: bool,
    report_dir: str,
    store: str = "",
    seed: str,
    strict: bool,
) -> Options:
    """Options from what was written; raises `UsageError` naming the option and its value."""
    servers, agents = size_of(nodes, asked_by="--chaos-nodes")
    if not re.fullmatch(r"\d", clusters) or not 1 <= int(clusters) <= _MOST_CLUSTERS:
        raise _wrong("--chaos-clusters", clusters, f"a number from 1 to {_MOST_CLUSTERS}")
    if profile not in ("fast", "default"):
        raise _wrong("--chaos-profile", profile, "fast or default")
    if not image or image != image.strip():
        raise _wrong("--chaos-image", image, "auto, or an image reference")
    if seed and not re.fullmatch(r"\d{1,18}", seed):
        raise _wrong("--chaos-seed", seed, "a whole number of at most 18 digits")
    return Options(
        image=image,
        servers=servers,
        agents=agents,
        clusters=int(clusters),
        profile="fast" if profile == "fast" else "default",
        keep_cluster=keep_cluster,
        report_dir=Path(report_dir),
        store=store,
        seed=int(seed) if seed else secrets.randbits(_SEED_BITS),
        strict=strict,
    )


def size_of(nodes: str, *, asked_by: str) -> tuple[int, int]:
    """Servers and agents of "1+2"; raises `UsageError` naming who asked, and the value."""
    match = re.fullmatch(r"(\d)\+(\d)", nodes)
    if match is None or int(match[1]) < 1 or int(match[1]) + int(match[2]) > _MOST_NODES:
        raise _wrong(asked_by, nodes, f"SERVERS+AGENTS such as 1+2, at most {_MOST_NODES}")
    return int(match[1]), int(match[2])


def _wrong(option: str, seen: str, wanted: str) -> UsageError:
    return UsageError(
        "not a value of this option", subject=option, seen=repr(seen), next_step=wanted
    )
