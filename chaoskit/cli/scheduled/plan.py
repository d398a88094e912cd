"""What a schedule is about, whoever keeps it: when, what, and what is done with the runs."""

import re
from dataclasses import dataclass
from pathlib import Path

from chaoskit.cli.periods import period_s
from chaoskit.errors import UsageError

#: As cron numbers them, Sunday first.
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Made by `checked`. `day` None: every day.

    `selection` is what pytest is given; or, `in_cluster`, what `chaoskit rollout` is given in a
    pod of the cluster, with its reports in that folder.
    """

    hour: int
    minute: int
    day: str | None
    keep: str
    since: str
    selection: tuple[str, ...]
    project: Path
    publish: Path
    python: Path
    store: Path | None = None
    in_cluster: Path | None = None

    @property
    def run(self) -> tuple[str, ...]:
        """The command that runs them; its exit status is that of the whole."""
        if self.in_cluster is not None:
            place = ("--in-cluster", "--report-dir", str(self.in_cluster))
            return (str(self.python), "-m", "chaoskit.cli", "rollout", *place, *self.selection)
        kept = () if self.store is None else (f"--chaos-store={self.store}",)
        return (str(self.python), "-m", "pytest", *self.selection, *kept)

    @property
    def afterwards(self) -> tuple[tuple[str, ...], ...]:
        """The commands that follow, whatever became of the run: publish the trend, then prune."""
        chaoskit = (str(self.python), "-m", "chaoskit.cli")
        kept = () if self.store is None else ("--store", str(self.store))
        return (
            (*chaoskit, "report", "--since", self.since, "--into", str(self.publish), *kept),
            (*chaoskit, "runs", "prune", "--older-than", self.keep, "--records", *kept),
        )

    @property
    def cron_time(self) -> str:
        """The five fields of crontab(5), which Kubernetes reads alike."""
        day = "*" if self.day is None else str(DAYS.index(self.day))
        return f"{self.minute} {self.hour} * * {day}"


def checked(
    *,
    at: str,
    day: str | None,
    keep: str,
    since: str,
    selection: tuple[str, ...],
    project: Path,
    publish: Path,
    python: Path,
    store: Path | None = None,
    in_cluster: Path | None = None,
) -> Plan:
    """The plan; raises `UsageError` naming the option that is no use."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", at)
    if match is None:
        raise UsageError("is no time of day", subject="--at", seen=at, next_step="HH:MM, as 03:30")
    period_s(keep, subject="--keep")
    period_s(since, subject="--since")
    broken = [one for one in (*selection, str(project), str(publish), str(store)) if "\n" in one]
    if broken:
        raise UsageError("a line break is in it", subject="chaoskit schedule", seen=repr(broken[0]))
    return Plan(
        hour=int(match[1]),
        minute=int(match[2]),
        day=day,
        keep=keep,
        since=since,
        selection=selection,
        project=project,
        publish=publish,
        python=python,
        store=store,
        in_cluster=in_cluster,
    )
