"""How long the kubelet's back-off makes each restart of a container wait.

The kubelet keeps, for each container with its image and resources, a wait and when it last let a
restart through (doBackOff, client-go's flowcontrol.Backoff): without an entry the restart comes
at once and leaves `first_s`; with one it comes when that time has passed since the container's
end, and leaves twice as much. An entry is forgotten 600 s after its last use, also in the middle
of a wait.
"""

from dataclasses import dataclass

from chaoskit.guarantees.pods.container_runs import Container, Run

#: The kubelet forgets a wait that long after the last restart (newCrashLoopBackOff's
#: HasExpiredFunc).
_FORGOTTEN_S = 600

#: The kubelet looks into its back-off some time before the new run starts, and clears it every
#: 2 s: around the time of forgetting either may be so.
_UNSURE_S = 15

#: pod_workers.go: a worker comes back after its wait and up to half as much again, and after at
#: most a minute (then again with such a jitter).
_JITTER = 0.5
_MOST_JITTER_S = 30.0

#: Both ends of a wait are told in whole seconds.
_RESOLUTION_S = 1


@dataclass(frozen=True, kw_only=True)
class BackOff:
    """The kubelet's back-off for containers, in seconds."""

    first_s: float
    most_s: float
    sync_slack_s: float

    def due_s(self, restart: int) -> float:
        """The wait before the n-th restart in a row: 0, first, twice that, …, most."""
        if restart <= 1:
            return 0.0
        return float(min(self.first_s * 2 ** min(restart - 2, 60), self.most_s))

    def at_most_s(self, due_s: float | None) -> float:
        """The latest that a restart may come, by the wait that is due (None: not known)."""
        wait_s = self.most_s if due_s is None else due_s
        return wait_s + min(_JITTER * wait_s, _MOST_JITTER_S) + self.sync_slack_s + _RESOLUTION_S


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The wait between the end of one run and the start of the next.

    `restart`: the how-manieth in a row it is; `is_known`: whether that is known. `due_s`: what the
    back-off asks for at least, `at_most_s` what it allows, `next_due_s`: the next wait (None: not
    known).
    """

    before: Run
    run: Run
    restart: int
    is_known: bool
    took_s: float
    is_early: bool
    is_late: bool
    due_s: float
    at_most_s: float
    next_due_s: float | None


def waits_of(container: Container, rule: BackOff) -> list[Wait]:
    """The waits between runs that directly followed each other."""
    restarts: int | None = 0 if container.is_new else None
    earlier: Run | None = None
    found: list[Wait] = []
    for before, run in container.pairs():
        is_next = before.number is not None and run.number == before.number + 1
        if not is_next or None in (before.started_s, before.finished_s, run.started_s):
            restarts, earlier = None, None
            continue
        if run.number in container.changed:
            restarts = 0
        wait = _wait(container, rule, earlier, before, run, restarts)
        found.append(wait)
        restarts = wait.restart if wait.is_known else None
        earlier = before
    return found


def _wait(
    container: Container,
    rule: BackOff,
    earlier: Run | None,
    before: Run,
    run: Run,
    restarts: int | None,
) -> Wait:
    assert before.started_s is not None  # all three are known
    assert before.finished_s is not None
    assert run.started_s is not None
    ran_s, took_s = before.finished_s - before.started_s, run.started_s - before.finished_s
    since_s = run.started_s - before.started_s  # the last restart that the back-off let through
    forgotten = ran_s > _FORGOTTEN_S + _RESOLUTION_S
    restart = 1 if forgotten else (restarts or 0) + 1
    due_s = rule.due_s(restart)
    unsure = not forgotten and since_s > _FORGOTTEN_S - _UNSURE_S
    known = forgotten or restarts is not None
    at_most_s = rule.at_most_s(due_s if known else None)
    early = known and not unsure and took_s + _RESOLUTION_S < due_s
    if early and _may_be_killed(container):
        early = _is_early_by_the_end_before(rule, earlier, run.started_s, restart)
    known_after = known and not unsure
    return Wait(
        before=before,
        run=run,
        restart=restart,
        is_known=known_after,
        took_s=took_s,
        is_early=early,
        is_late=took_s > at_most_s and run.number not in container.hindered,
        due_s=due_s,
        at_most_s=at_most_s,
        next_due_s=rule.due_s(restart + 1) if known_after else None,
    )


def _may_be_killed(container: Container) -> bool:
    """Whether the kubelet may have ended it: it then looks at the end of the run before."""
    return any(container.spec.get(probe) for probe in ("livenessProbe", "startupProbe"))


def _is_early_by_the_end_before(
    rule: BackOff, earlier: Run | None, started_s: int, restart: int
) -> bool:
    if earlier is None or earlier.finished_s is None:
        return False
    since_s = started_s - earlier.finished_s
    return since_s + _RESOLUTION_S < rule.due_s(restart - 1)
