"""The failed requests of the load, and which pods each of them may have been sent to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chaoskit.guarantees.attribution.endpoints import Endpoints
from chaoskit.guarantees.attribution.error_class import error_classes
from chaoskit.guarantees.attribution.pods import PodLife
from chaoskit.guarantees.attribution.touched import touched_sets
from chaoskit.guarantees.intervals import Codes, Mask, Span, Times
from chaoskit.guarantees.traffic.columns import TextColumn, integers, text_column
from chaoskit.history.events import LoadMark
from chaoskit.history.reader import History
from chaoskit.history.requests import CONTROL_STREAM, SAMPLER_STREAM

#: How long kube-proxy may take to follow a change of endpoints: it syncs at least once a second
#: (iptables and nftables minSyncPeriod, 1 s), and a busy node takes its time to do so.
PROXY_LAG_NS = 2_000_000_000

#: Connection ids of one load are told apart from another's above this many bits.
_CONNECTION_BITS = 40


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One stream of one load that has failures, and the Services it may be sent to.

    The load names the Service of its streams. Where it does not (a locustfile's, an older record),
    it is the one with the entry's name (a member's own), or those that have had as endpoints all
    the pods that answered on the stream.
    """

    load: str
    stream: str
    entry: str
    connection: str
    services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The requests of the load that were not ok, by planned time, as codes into few values.

    `rows` are their places in the history; `end_ns` is the planned time of a slot that was never
    sent. `pods` is the set of uids that each may have been sent to: one where the answer names it
    or another answer on the same connection did (`is_sure`).
    """

    rows: Codes
    planned_ns: Times
    end_ns: Times
    unsent: Mask
    error_class: TextColumn
    sender: Codes
    senders: list[Sender]
    pods: Codes
    pod_sets: list[tuple[str, ...]]
    is_sure: Mask

    def __len__(self) -> int:
        return len(self.rows)


def load_requests(history: History) -> Mask:
    """Which requests are the load's own: no control stream's, none of the sampler."""
    stream = text_column(history, "stream")
    return ~stream.is_like(f"{CONTROL_STREAM}*") & ~stream.is_like(f"{SAMPLER_STREAM}*")


def senders_of(
    history: History, rows: Codes, services: Mapping[str, set[str]]
) -> tuple[Codes, list[Sender]]:
    """The senders of these requests; `services`: all pods that ever were endpoints of each."""
    load, stream = text_column(history, "load"), text_column(history, "stream")
    entry, connection = text_column(history, "entry"), text_column(history, "connection")
    answered = _answered(history, load, stream)
    told = {
        (mark.load_id, name): service
        for mark in history.of(LoadMark)
        for name, service in mark.services.items()
    }
    width = max(len(stream.values), 1)
    key = load.codes[rows].astype(np.int64) * width + stream.codes[rows]
    keys, first, codes = np.unique(key, return_index=True, return_inverse=True)
    senders = []
    for one, place in zip(keys.tolist(), first, strict=True):
        row = int(rows[place])
        name = str(entry.at(row))
        of_load, of_stream = load.values[one // width], stream.values[one % width]
        service = told.get((of_load, of_stream), name)
        sender = Sender(
            load=of_load,
            stream=of_stream,
            entry=name,
            connection=str(connection.at(row)),
            services=_services_behind(service, answered.get(one, set()), services),
        )
        senders.append(sender)
    return codes.reshape(-1).astype(np.int32), senders


def failures_of(
    history: History,
    rows: Codes,
    senders: tuple[Codes, list[Sender]],
    lives: Mapping[str, PodLife],
    endpoints: Mapping[str, Endpoints],
) -> Failures:
    """The failures in these rows, with the pods each may have been sent to."""
    planned = integers(history, "planned_ns")[rows]
    end = np.maximum(integers(history, "end_ns")[rows], planned)
    known = _known_pods(history, rows)
    code_of: dict[tuple[str, ...], int] = {}
    uids = text_column(history, "pod_uid").values
    told = np.full(len(uids) + 1, -1, dtype=np.int32)  # the last one is for requests without a pod
    for code in np.unique(known[known >= 0]).tolist():
        told[code] = code_of.setdefault((uids[code],), len(code_of))
    codes = told[known]
    for number, sender in enumerate(senders[1]):
        places = np.flatnonzero((senders[0] == number) & (known < 0))
        candidates = _candidates(sender, lives, endpoints)
        spans = [span for _, span in candidates]
        kind, sets = touched_sets(spans, planned[places] - PROXY_LAG_NS, end[places])
        named = [tuple(sorted({candidates[place][0] for place in one})) for one in sets]
        table = np.array([code_of.setdefault(one, len(code_of)) for one in named], dtype=np.int32)
        codes[places] = table[kind]
    return Failures(
        rows=rows,
        planned_ns=planned,
        end_ns=end,
        unsent=text_column(history, "outcome").is_like("unsent")[rows],
        error_class=error_classes(history, rows),
        sender=senders[0],
        senders=senders[1],
        pods=codes,
        pod_sets=list(code_of),
        is_sure=known >= 0,
    )


def _candidates(
    sender: Sender, lives: Mapping[str, PodLife], endpoints: Mapping[str, Endpoints]
) -> Sequence[tuple[str, Span]]:
    """The pods that its requests may have reached, each with when.

    New connections go to endpoints that can be reached; a kept one stays with a pod that no longer
    can. Without a known Service: the pods with the entry's name, or every pod while it was Ready.
    """
    if sender.services:
        members = [member for name in sender.services for member in endpoints[name].members]
        reached = [member for member in members if member.reachable]
        if sender.connection == "new":
            return [(member.uid, member.span) for member in reached]
        since_ns: dict[str, int] = {}
        for member in reached:
            start_ns = member.span[0]
            since_ns[member.uid] = min(start_ns, since_ns.get(member.uid, start_ns))
        return [
            (member.uid, member.span)
            for member in members
            if member.uid in since_ns and member.span[0] >= since_ns[member.uid]
        ]
    named = [life for life in lives.values() if life.name == sender.entry]
    if named:
        return [(life.uid, (life.seen_ns, life.gone_ns)) for life in named]
    return [(life.uid, span) for life in lives.values() for span in life.ready]


def _services_behind(
    named: str, answered: Collection[str], services: Mapping[str, set[str]]
) -> tuple[str, ...]:
    if named in services:
        return (named,)
    return tuple(sorted(name for name, uids in services.items() if uids.issuperset(answered)))


def _answered(history: History, load: TextColumn, stream: TextColumn) -> dict[int, set[str]]:
    """The uids of the pods that answered on each stream of each load."""
    pod = text_column(history, "pod_uid")
    width, height = max(len(stream.values), 1), len(pod.values)
    rows = np.flatnonzero(pod.codes >= 0)
    place = (load.codes[rows].astype(np.int64) * width + stream.codes[rows]) * height
    place += pod.codes[rows]
    found: dict[int, set[str]] = {}
    for one in np.flatnonzero(np.bincount(place)).tolist():
        found.setdefault(one // height, set()).add(pod.values[one % height])
    return found


def _known_pods(history: History, rows: Codes) -> Codes:
    """The pod (its code in the column `pod_uid`) of each of these requests, -1 where not known.

    A request that got no answer on a kept connection went where other requests on the same
    connection went: connection tracking holds a connection to the pod it was opened to. One that
    failed to connect has a number that no other request has, so it is not looked for.
    """
    pod = text_column(history, "pod_uid")
    known: Codes = pod.codes[rows].copy()
    key = _connections(history)
    phase = text_column(history, "error_phase")
    asked = (known < 0) & (key[rows] >= 0) & ~phase.is_like("connect")[rows]
    wanted = np.unique(key[rows][asked])
    if not len(wanted):
        return known
    telling = np.flatnonzero((pod.codes >= 0) & (key >= 0))
    place = np.searchsorted(wanted, key[telling])
    place = np.minimum(place, len(wanted) - 1)
    matches = wanted[place] == key[telling]
    pod_of = np.full(len(wanted), -1, dtype=np.int32)
    pod_of[place[matches]] = pod.codes[telling[matches]]
    known[asked] = pod_of[np.searchsorted(wanted, key[rows][asked])]
    return known


def _connections(history: History) -> Times:
    """The connection of each request, as one number over all loads; -1 for none, or a new one."""
    load = text_column(history, "load")
    number: Any = integers(history, "connection_id")
    kept = text_column(history, "connection").is_like("kept")
    key = (load.codes.astype(np.int64) << _CONNECTION_BITS) + number
    key[~kept | (number < 0)] = -1
    connections: Times = key
    return connections
