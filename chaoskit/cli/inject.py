"""`chaoskit inject`: one fault by hand, on a cluster of ours or in a namespace of another."""

import itertools
import json
import re
import threading
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import click

from chaoskit import clock
from chaoskit.cli.faults import complete_fault, required_of, usage_of
from chaoskit.cli.places import cluster_for
from chaoskit.cli.statuses import help_end
from chaoskit.cluster.existing import ExistingCluster
from chaoskit.cluster.launch.interrupts import sigterm_raises
from chaoskit.cluster.provider import Cluster
from chaoskit.errors import ClusterError, UsageError
from chaoskit.faults.catalogue import fault_of, fault_type, fields_of
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.guard import Guard
from chaoskit.run.blast_radius import ALLOWANCES, require_on
from chaoskit.run.composition import at_once
from chaoskit.run.effect import FaultMoment
from chaoskit.run.injection import Injector

_EFFECTIVE_WITHIN_S = 15.0
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = 24 * 3600.0


@click.command(
    epilog=help_end(
        [
            "chaoskit inject nic_down agent-0 --for 30s",
            "chaoskit inject latency agent-0 --for 1m --set delay_ms=200",
            "chaoskit inject pod_deleted shop/web-1 --for 10s --context staging -n shop",
        ],
        "0 injected, seen in effect, and healed. 2 called wrongly. 4 no such cluster, or the fault"
        " was not seen in effect or not healed.",
    )
)
@click.argument("name", metavar="FAULT", shell_complete=lambda _c, _p, begun: complete_fault(begun))
@click.argument("target")
@click.option("--for", "duration", required=True, help="How long: 500ms, 30s, 5m or 1h.")
@click.option("--set", "settings", multiple=True, help="A further parameter: key=value.")
@click.option("--cluster", "cluster_name", help="Its cluster; default: the only one.")
@click.option("--allow", multiple=True, help=f"What it may do besides: {', '.join(ALLOWANCES)}.")
@click.option("--context", help="An existing cluster: this context of the kubeconfig.")
@click.option("--namespace", "-n", help="There: the one that may be touched.")
@click.option("--node-faults", is_flag=True, help="There: nodes may be touched, too.")
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Where that context stands; default: as kubectl finds it.",
)
def command(
    *,
    name: str,
    target: str,
    duration: str,
    settings: Sequence[str],
    allow: Sequence[str],
    **place: Any,
) -> None:
    """Inject FAULT on TARGET, show its effect, and heal it when the time is over or at Ctrl-C.

    TARGET is what `chaoskit faults FAULT` shows, several parts joined by "/"; a node is named by
    its end where that is enough (agent-0).
    """
    seconds = seconds_of(duration, "--for")
    parameters = parameters_from(name, target, settings)
    with sigterm_raises(), ExitStack() as stack:
        cluster = cluster_for(stack, **place)
        guard = stack.enter_context(Guard())
        fault = fault_on(cluster, name, parameters)
        log = _Shown()
        injector = Injector(
            cluster=cluster,
            log=log,
            guard=guard,
            require=lambda one, allowed: _require(cluster, one, allowed),
        )
        stack.callback(injector.close)
        with at_once(
            injector,
            [fault],
            at_most_s=seconds,
            effective_within_s=_EFFECTIVE_WITHIN_S,
            allow=allow,
        ):
            log.say(f"in effect; healed in {seconds:g} s, or at Ctrl-C")
            threading.Event().wait(seconds)


def seconds_of(text: str, option: str) -> float:
    """A duration as it is written; raises `UsageError` naming the option it was given for."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    seconds = float(match[1]) * _UNITS_S[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise UsageError(
            "no duration",
            subject=option,
            seen=text,
            next_step="a number and its unit, such as 500ms, 30s, 5m or 1h, at most 24h",
        )
    return seconds


def parameters_from(name: str, target: str, settings: Sequence[str]) -> dict[str, Any]:
    """A fault's parameters from the command line; raises `UsageError`."""
    kind = fault_type(name)
    given = dict(_setting(kind, one) for one in settings)
    names = [one for one in required_of(kind) if one not in given]
    parts = target.split("/")
    if len(parts) != len(names):
        raise UsageError(
            f"this fault's target has {len(names)} parts: {'/'.join(names)}",
            subject=f"TARGET of {name}",
            seen=target,
            next_step=usage_of(kind),
        )
    return {**dict(zip(names, parts, strict=True)), **given}


def fault_on(cluster: Cluster, name: str, parameters: dict[str, Any]) -> Fault:
    """The fault, its nodes named in full. Raises `UsageError`, and `ClusterError` for no node."""
    nodes = {node.name for node in cluster.nodes}
    full = {
        key: value
        if not isinstance(value, str) or value in nodes
        else next((node for node in nodes if node == f"{cluster.name}-{value}"), value)
        for key, value in parameters.items()
    }
    fault = fault_of(name, full, strict=False)
    if unknown := sorted(fault.reach.nodes - nodes):
        raise ClusterError(
            "no such node",
            subject=str(cluster),
            seen=", ".join(unknown),
            next_step=f"one of {', '.join(sorted(nodes))}",
        )
    return fault


def _setting(kind: type[Fault], text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    known = [field.name for field in fields_of(kind)]
    if not equals or key not in known:
        raise UsageError(
            f"no parameter of {kind.name}" if equals else "no key=value",
            subject="--set",
            seen=text,
            next_step=f"one of {', '.join(f'{one}=…' for one in known)}",
        )
    if not value.startswith(("[", "{")):
        return key, value
    try:
        return key, json.loads(value)
    except ValueError as error:
        raise UsageError(f"not JSON: {error}", subject=f"--set {key}", seen=value) from error


def _require(cluster: Cluster, fault: Fault, allow: Collection[str]) -> None:
    """By hand no load is known here, and on our clusters no namespace is anybody's own."""
    own = {cluster.namespace} if isinstance(cluster, ExistingCluster) else None
    require_on(cluster, fault, allow, namespaces=own)


class _Shown:
    """The faults' moments as lines with the seconds since the start; it is their `FaultLog`."""

    def __init__(self) -> None:
        self._begun_ns = clock.now_ns()
        self._numbers = itertools.count(1)
        self._last: FaultMoment | None = None

    def say(self, text: str) -> None:
        spent_s = (clock.now_ns() - self._begun_ns) / 1e9
        click.echo(f"{spent_s:7.2f} s  {text}")

    def new_id(self, name: str) -> str:
        return f"{name}-{next(self._numbers)}"

    def fault(
        self, fault_id: str, name: str, target: str, mark: FaultMoment, detail: str = ""
    ) -> None:
        """Each change once: the effect is measured several times a second."""
        if mark != self._last:
            self.say(f"{name} on {target}: {mark}{f' ({detail})' if detail else ''}")
        self._last = mark

    def note(self, level: Literal["info", "warning", "error"], text: str) -> None:
        self.say(f"{level}: {text}")
