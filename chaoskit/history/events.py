"""Events: what happened in a run, apart from requests. Times are CLOCK_MONOTONIC nanoseconds."""

from typing import Any, Literal

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything with a moment. `time_ns` is when the writing process saw it."""

    time_ns: int


class Watched(Event, frozen=True, kw_only=True, tag="watched"):
    """An object as the API server showed it.

    `change` LISTED: it existed when the watch (re)started; ADDED, MODIFIED and DELETED as
    Kubernetes means them. `object` is the whole object without managedFields; Secrets are never
    watched. Order between kinds is `resource_version` order (one etcd).
    """

    kind: str
    change: Literal["LISTED", "ADDED", "MODIFIED", "DELETED"]
    uid: str
    namespace: str
    name: str
    resource_version: int
    object: dict[str, Any]


class WatchStarted(Event, frozen=True, kw_only=True, tag="watch_started"):
    """The watch of `kind` is complete from `resource_version` on."""

    kind: str
    resource_version: int


class WatchGap(Event, frozen=True, kw_only=True, tag="watch_gap"):
    """Events of `kind` may be missing between `since_ns` and `time_ns`: a 410 whose changes the
    storage does not have either, a lost watcher, a watch that fell silent.

    `uids` are the objects that changed, came or went in the gap; of all others it is certain
    that they had no event, as their resourceVersion is unchanged. The uid "*" stands for every
    object: the kind was not seen again.
    """

    kind: str
    since_ns: int
    uids: list[str]
    reason: str


class FaultMark(Event, frozen=True, kw_only=True, tag="fault"):
    """A moment in the life of one injected fault; `effective`/`ineffective` are measurements.

    `fault_id` is unique in the run; `name` is the fault's ("nic_down"), `target` what it hit.
    """

    fault_id: str
    name: str
    target: str
    mark: Literal[
        "requested",
        "injected",
        "effective",
        "ineffective",
        "heal_requested",
        "healed",
        "heal_failed",
    ]
    detail: str = ""


class StepMark(Event, frozen=True, kw_only=True, tag="step"):
    """An operator's action under test: set_image, undo, delete, scale …; `step_id` pairs marks."""

    step_id: str
    name: str
    target: str
    mark: Literal["started", "done", "failed"]
    detail: str = ""
    force: bool = False


class PhaseMark(Event, frozen=True, kw_only=True, tag="phase"):
    """A named span of the run begins or ends."""

    phase: str
    mark: Literal["begin", "end"]


class LoadMark(Event, frozen=True, kw_only=True, tag="load"):
    """The life of one load; `planned` counts the slots of its schedule up to this moment.

    `loop`: "open" loads send by their schedule, whatever becomes of the answers; in "closed" ones
    each user waits for the answer before it goes on, so that a slow service is asked less.
    `services`: by stream the name of the Service that it goes to, where that is known.
    """

    load_id: str
    mark: Literal["started", "steady", "stopping", "stopped", "died"]
    rate_per_s: float
    streams: list[str]
    planned: int = 0
    detail: str = ""
    loop: Literal["open", "closed"] = "open"
    services: dict[str, str] = {}


class Calibration(Event, frozen=True, kw_only=True, tag="calibration"):
    """What the driver can send at most on this machine, against a server that does nothing.

    `kept_per_s` and `new_per_s`: the highest rate on kept and new connections at which every slot
    was sent and its schedule lag had a p99 of at most `lag_limit_ms`. `reached_top`: the ceiling
    is at least that, no higher rate was tried.
    """

    kept_per_s: float
    new_per_s: float
    lag_limit_ms: float
    cores: int
    reached_top: bool = False


class DriverHealth(Event, frozen=True, kw_only=True, tag="driver_health"):
    """Once a second from a load's process: what it used since `since_ns`, and how late it was.

    `cpu_share` is its part of one core; `lag_max_ms` the greatest schedule lag.
    """

    load_id: str
    since_ns: int
    cpu_share: float
    lag_max_ms: float
    in_flight: int
    planned: int


class WatchLag(Event, frozen=True, kw_only=True, tag="watch_lag"):
    """How long after a change its watch event was written down: an upper bound, as it was seen.

    Measured on what carries its own time: a node's lease holds when the kubelet renewed it, so
    the lag includes that write itself. `time_ns` is the event's arrival.
    """

    kind: str
    name: str
    lag_ns: int


class ContainerSeen(Event, frozen=True, kw_only=True, tag="container"):
    """A container with at least one live process was first seen, or seen gone, on a node itself.

    Read from the node's cgroups, so also on a cut or paused node. `before_ns` is the scan before:
    the change happened after `before_ns` and not later than `time_ns`.
    """

    node: str
    pod_uid: str
    container_id: str
    state: Literal["running", "gone"]
    before_ns: int


class ProcessorWait(msgspec.Struct, frozen=True, kw_only=True):
    """What a container got of the processors in the time of a `container_scan`, and waited for.

    `waited_ns`: the longest that any one of its threads was ready to run and did not. The kernel
    tells of a wait when it is over, so that one may have begun before that time. `ran_ns`: what
    all its threads ran together. `throttled_ns`: how long its own, its pod's or its node's limit
    held it back, whichever did longest; that is part of what it waited.
    """

    pod_uid: str
    container_id: str
    waited_ns: int
    ran_ns: int
    throttled_ns: int


class ContainerScan(Event, frozen=True, kw_only=True, tag="container_scan"):
    """Once a second per node: how often it was scanned since `since_ns`, and the longest gap.

    `waits` are of the containers that waited for a processor for a quarter of that time or more;
    None: the kernel does not tell.
    """

    node: str
    since_ns: int
    scans: int
    longest_gap_ns: int
    waits: list[ProcessorWait] | None = None


class StoreContents(Event, frozen=True, kw_only=True, tag="store"):
    """All that a key-value member held at `time_ns`, in the order of its log.

    Read through the member's own address after the steps and heals under test. `entries` are
    (key, value, durable sequence, boot) as the member wrote them.
    """

    member: str
    pod_uid: str
    entries: list[tuple[str, str, int, str]]


class LookedUp(Event, frozen=True, kw_only=True, tag="looked_up"):
    """What the resolver of a pod said about a name; asked at `asked_ns`, answered at `time_ns`.

    `answers` are IPv4 addresses (record A), or "target:port" (SRV); none if there is no such
    name. `problem`: why there is no answer at all.
    """

    asked_ns: int
    pod: str
    pod_uid: str
    name: str
    record: Literal["A", "SRV"]
    answers: list[str]
    problem: str = ""


class PathMeasured(Event, frozen=True, kw_only=True, tag="path_measured"):
    """What became of datagrams that one node sent to another, from `began_ns` to `time_ns`.

    Of `sent` ones with `size_bytes` of payload `came` arrived. `median_ms` is the time that these
    took one way, `rate_mbit` the rate on the wire at which they arrived, without the first quarter
    of them; both are 0 where too few came.
    """

    began_ns: int
    source: str
    destination: str
    sent: int
    came: int
    size_bytes: int
    median_ms: float
    rate_mbit: float


class TracesCompared(Event, frozen=True, kw_only=True, tag="traces_compared"):
    """What faults have left: how nodes, API and network differ from what they were at `since_ns`.

    `lines` say by part what came ("+") and what went ("-"); none: nothing is left.
    """

    since_ns: int
    lines: list[str]


class MemberAnswered(Event, frozen=True, kw_only=True, tag="member_answered"):
    """An answer to an HTTP request that went to a pod through the API server's proxy.

    `path` as it was asked behind ".../proxy" ("": not even a slash); `target` the whole path.
    `pod`, `pod_uid` and `hostname` are what the answer says of itself, empty where it says nothing.
    """

    member: str
    method: str
    path: str
    target: str
    status: int
    location: str
    pod: str
    pod_uid: str
    hostname: str


class AnsweredOnNode(Event, frozen=True, kw_only=True, tag="answered_on_node"):
    """An answer of a pod to a request that came from its own node, at `address`.

    No cut of the node keeps it back, so it is heard where no client hears it. `pod`, `pod_uid` and
    `boot` are what the answer says of itself.
    """

    node: str
    address: str
    pod: str
    pod_uid: str
    boot: str


class ClockPair(Event, frozen=True, kw_only=True, tag="clock"):
    """Wall and monotonic time read together; component logs carry only wall time."""

    wall_ns: int
    boot_id: str


class Note(Event, frozen=True, kw_only=True, tag="note"):
    """Something a reader of the record should know; `source` says who wrote it."""

    source: str
    level: Literal["info", "warning", "error"]
    text: str


AnyEvent = (
    Watched
    | WatchStarted
    | WatchGap
    | FaultMark
    | StepMark
    | PhaseMark
    | LoadMark
    | Calibration
    | DriverHealth
    | WatchLag
    | ContainerSeen
    | ContainerScan
    | StoreContents
    | LookedUp
    | PathMeasured
    | TracesCompared
    | MemberAnswered
    | AnsweredOnNode
    | ClockPair
    | Note
)
