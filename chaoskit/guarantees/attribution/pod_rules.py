"""Rules that tell causes by what became of a pod."""

from collections.abc import Iterator

from chaoskit.guarantees.attribution.failures import PROXY_LAG_NS
from chaoskit.guarantees.attribution.pods import PodLife
from chaoskit.guarantees.attribution.world import Explanation, World, later
from chaoskit.guarantees.intervals import FOREVER_NS, Span

#: A watch event is written down a moment after what it tells of; on a busy machine that is up to
#: a second (measured by WatchLag).
WATCH_LAG_NS = 1_000_000_000

#: The kubelet looks at its containers once a second (its pod lifecycle event generator), and its
#: status reaches the API server a moment later.
KUBELET_LAG_NS = 2_000_000_000

#: A forcibly deleted pod on a live node gets TERM, and KILL two seconds later.
FORCED_GRACE_NS = 2_000_000_000


def pod_terminating(world: World) -> Iterator[Explanation]:
    """Needs: that a pod which the request may have been sent to was being deleted, was gone, or had
    ended for good (evicted), and the exchange broke.

    From a moment before it was seen until kube-proxy must have followed; two seconds more where no
    deletionTimestamp was ever seen, as after a forced deletion.
    """
    for life in world.pods.values():
        is_gone = life.gone_ns < FOREVER_NS
        marks = [t for t in (life.leaving_ns, life.finished_ns) if t is not None]
        if not marks and not is_gone:
            continue
        start_ns = min([*marks, life.gone_ns])
        end_ns = life.gone_ns if is_gone or life.leaving_ns is not None else start_ns
        lag_ns = PROXY_LAG_NS if marks else PROXY_LAG_NS + FORCED_GRACE_NS
        how = f"had ended ({life.ended_by})" if life.ended_by else "was being deleted"
        span = start_ns - WATCH_LAG_NS, later(end_ns, lag_ns)
        yield _of_pod(life, span, f"pod {life.in_words()} {how}")


def oom_killed(world: World) -> Iterator[Explanation]:
    """Needs: that a container of a pod which the request may have been sent to was seen to have
    been killed for want of memory, around then, and the exchange broke.
    """
    for life in world.pods.values():
        for end in life.container_ends:
            if end.reason == "OOMKilled":
                span = _while_restarting(life, end.time_ns, KUBELET_LAG_NS)
                text = f"container {end.container} of pod {life.in_words()} was killed (OOMKilled)"
                yield _of_pod(life, span, text)


def container_restarted(world: World) -> Iterator[Explanation]:
    """Needs: that a container of a pod which the request may have been sent to was seen to have
    ended, around then, and the exchange broke.

    With a liveness probe it may have hung for as long as the probe takes to fail.
    """
    for life in world.pods.values():
        for end in life.container_ends:
            span = _while_restarting(life, end.time_ns, KUBELET_LAG_NS + life.liveness_ns)
            code = "" if end.exit_code is None else f", exit code {end.exit_code}"
            text = f"container {end.container} of pod {life.in_words()} ended ({end.reason}{code})"
            yield _of_pod(life, span, text)


def pod_not_ready(world: World) -> Iterator[Explanation]:
    """Needs: that a pod which the request may have been sent to was not Ready after it had been,
    and the exchange broke; also before that, for as long as its readiness probe takes to fail.
    """
    for life in world.pods.values():
        for start_ns, end_ns in life.unready:
            lag_ns = KUBELET_LAG_NS + life.readiness_ns
            span = start_ns - lag_ns, later(end_ns, PROXY_LAG_NS)
            yield _of_pod(life, span, f"pod {life.in_words()} was not ready")


def pod_starved(world: World) -> Iterator[Explanation]:
    """Needs: that a pod which the request may have been sent to was kept from running by the
    machine, by the kernel's account of its threads, and the exchange broke.
    """
    for starved in world.starved:
        life = world.pods.get(starved.pod_uid)
        if life is not None:
            waited_s = starved.waited_ns / 1e9
            yield _of_pod(
                life,
                starved.span,
                f"pod {life.in_words()} was ready to run and waited {waited_s:.1f} s for a"
                " processor: the machine was too busy",
            )


def _of_pod(life: PodLife, span: Span, text: str) -> Explanation:
    """An explanation by what became of one pod, of exchanges that broke in some phase.

    A whole answer, whatever its status, shows that the pod was there.
    """
    return Explanation(
        span=span,
        layer="pod",
        text=text,
        objects=(life.name,),
        classes=("*/*",),
        pods=frozenset({life.uid}),
    )


def _while_restarting(life: PodLife, end_ns: int, before_ns: int) -> Span:
    """From some time before a container's end was seen until its pod was Ready again."""
    again_ns = [start for start, _ in life.ready if start > end_ns]
    still = any(start <= end_ns < end for start, end in life.ready)
    until_ns = end_ns if still else min(again_ns, default=life.gone_ns)
    return end_ns - before_ns, later(until_ns, PROXY_LAG_NS)
