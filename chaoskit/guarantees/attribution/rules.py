"""The rules that tell causes: each says when and for which failures the record holds its evidence.

They are tried in order, and the first that explains a failure is its cause: what is the harness's
own before faults, faults before what they do to nodes and pods, and what is sure before what is
likely. A rule accuses nobody; it keeps a failure from being called unexplained.
"""

from collections.abc import Callable, Iterator

from chaoskit.guarantees.attribution.failures import PROXY_LAG_NS
from chaoskit.guarantees.attribution.pod_rules import (
    WATCH_LAG_NS,
    container_restarted,
    oom_killed,
    pod_not_ready,
    pod_starved,
    pod_terminating,
)
from chaoskit.guarantees.attribution.pods import names_in
from chaoskit.guarantees.attribution.world import Explanation, World, later
from chaoskit.guarantees.intervals import FOREVER_NS

#: What the kernel or the driver says when the driver's machine ran out of something.
_OUT_OF_RESOURCES = ("no_port*", "no_descriptor*", "no_memory*")

#: What a client sees of a Service that has no endpoint to send it to (kube-proxy rejects; with a
#: local traffic policy, or before it has synced, it drops), or one that nobody serves yet.
_NOT_CONNECTED = ("refused/connect", "no_route/connect", "timeout/connect", "reset/connect")

Rule = Callable[[World], Iterator[Explanation]]


def driver_out_of_resources(world: World) -> Iterator[Explanation]:
    """Needs: the driver's own error, of having no port, descriptor or memory left."""
    yield Explanation(
        span=(0, FOREVER_NS),
        layer="driver",
        text="the driver's machine ran out of ports, descriptors or memory",
        classes=_OUT_OF_RESOURCES,
        senders=None,
    )


def driver_late(world: World) -> Iterator[Explanation]:
    """Needs: a harness-suspect second of the request's load between its planned time and its end.

    Then nobody can tell whose failure it was, so it is nobody else's.
    """
    for load, (what, spans) in world.suspect.items():
        for span in spans:
            yield Explanation(
                span=span,
                layer="driver",
                text=f"{what} (load {load})",
                objects=(load,),
                senders=world.senders_where(load=load),
            )


def cut_off_at_stop(world: World) -> Iterator[Explanation]:
    """Needs: the mark that the load was told to stop, and that the request ended after it."""
    for load, stopping_ns in world.stopping_ns.items():
        yield Explanation(
            span=(stopping_ns, FOREVER_NS),
            layer="driver",
            text=f"load {load} was stopped before the answer came",
            objects=(load,),
            classes=("cut_off*",),
            senders=world.senders_where(load=load),
        )


def fault_in_effect(world: World) -> Iterator[Explanation]:
    """Needs: a fault that was measured in effect, on the entry node, on a pod that the request may
    have been sent to, or on the node of one, between the request to inject it and its heal (and
    the time to settle after it).

    A fault on anything else (the control plane, a registry) explains no failed request.
    """
    for window in world.faults:
        named = names_in(window.target)
        span = window.requested_ns, later(window.end_ns, world.settle_ns)
        hit = [life for life in world.pods.values() if life.name in named or life.node in named]
        names = {life.name for life in hit}
        text = f"{window.name} on {window.target}"
        objects = (window.fault_id, window.target)
        entries = named - names
        senders = frozenset(n for n, sender in enumerate(world.senders) if sender.entry in entries)
        if senders:
            yield Explanation(
                span=span, layer="network", text=text, objects=objects, senders=senders
            )
        if hit:
            uids = frozenset(life.uid for life in hit)
            yield Explanation(span=span, layer="pod", text=text, objects=objects, pods=uids)


def endpoint_programmed_late(world: World) -> Iterator[Explanation]:
    """Needs: that a pod became an endpoint of the Service that can be reached, at most 2 s before
    the request was planned or while it was under way, and that it was not connected.
    """
    for service, endpoints in world.endpoints.items():
        for joined_ns in endpoints.joined_ns:
            yield Explanation(
                span=(joined_ns, joined_ns + PROXY_LAG_NS),
                layer="endpoints",
                text=f"Service {service} had got an endpoint less than 2 s before",
                objects=(service,),
                classes=_NOT_CONNECTED,
                senders=world.senders_to(service),
            )


def no_ready_endpoint(world: World) -> Iterator[Explanation]:
    """Needs: that the Service had no endpoint that can be reached, and the request was not
    connected.
    """
    for service, endpoints in world.endpoints.items():
        for start_ns, end_ns in endpoints.empty:
            yield Explanation(
                span=(start_ns - WATCH_LAG_NS, end_ns),
                layer="endpoints",
                text=f"Service {service} had no ready endpoint",
                objects=(service,),
                classes=_NOT_CONNECTED,
                senders=world.senders_to(service),
            )


def application_answered(world: World) -> Iterator[Explanation]:
    """Needs: a whole answer with an HTTP status that is no success; names who gave it, if said."""
    for answered, uid in sorted(world.answers, key=str):
        life = world.pods.get(uid or "")
        who = "a pod that does not say its name" if uid is None else f"pod {uid}"
        if life is not None:
            who = f"pod {life.in_words()}"
        yield Explanation(
            span=(0, FOREVER_NS),
            layer="application",
            text=f"{who} answered with {answered}",
            objects=(life.name,) if life is not None else (),
            classes=(answered,),
            senders=None if uid is None else frozenset(),
            pods=frozenset() if uid is None else frozenset({uid}),
        )


def node_not_ready(world: World) -> Iterator[Explanation]:
    """Needs: that the entry node, or the node of a pod which the request may have been sent to, was
    not Ready; also before that, for as long as a node may be silent before it is called so.
    """
    for node, spans in world.nodes.items():
        uids = frozenset(life.uid for life in world.pods.values() if life.node == node)
        senders = world.senders_where(entry=node)
        for start_ns, end_ns in spans:
            span = start_ns - world.node_grace_ns, later(end_ns, PROXY_LAG_NS)
            text = f"node {node} was not ready"
            if senders:
                yield Explanation(
                    span=span, layer="network", text=text, objects=(node,), senders=senders
                )
            if uids:
                yield Explanation(span=span, layer="pod", text=text, objects=(node,), pods=uids)


RULES: tuple[Rule, ...] = (
    driver_out_of_resources,
    driver_late,
    cut_off_at_stop,
    fault_in_effect,
    pod_terminating,
    oom_killed,
    container_restarted,
    pod_not_ready,
    pod_starved,
    endpoint_programmed_late,
    no_ready_endpoint,
    application_answered,
    node_not_ready,
)
