"""Pods that are deleted, and how they end: the Deployment web, its Service, nodes n1 and n2."""

from collections.abc import Sequence
from typing import Any

from tests.corpus.objects import deployment, node, pod, replica_set
from tests.corpus.story import NAMESPACE, Story, stamp

Object = dict[str, Any]

KINDS = ("Deployment", "ReplicaSet", "Pod", "EndpointSlice", "Service", "Node")


def service(name: str = "web", *, publishes_unready: bool = False) -> Object:
    """A Service in front of web."""
    return {
        "metadata": {"uid": f"uid-service-{name}", "name": name, "namespace": NAMESPACE},
        "spec": {"publishNotReadyAddresses": publishes_unready},
    }


def endpoint_slice(ready: dict[str, bool], *, of: str = "web") -> Object:
    """The EndpointSlice of a Service: pods by name, and whether each is ready."""
    return {
        "metadata": {
            "uid": f"uid-{of}-slice",
            "name": f"{of}-slice",
            "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": of},
        },
        "endpoints": [
            {"targetRef": {"uid": f"uid-{name}"}, "conditions": {"ready": is_ready}}
            for name, is_ready in ready.items()
        ],
    }


def running(
    name: str,
    *,
    node: str = "n1",
    grace_s: int = 30,
    pre_stop: Object | None = None,
    deleted_s: float | None = None,
    given_s: int | None = None,
    ended: tuple[float, int] | None = None,
    reason: str = "Completed",
    disruption: str | None = None,
    init: Sequence[Object] = (),
) -> Object:
    """A pod with one running container.

    `deleted_s`: when it was deleted, `given_s` with that grace (its own by default); `ended`:
    when its container ended and with which exit code.
    """
    obj = pod(
        name,
        of=("ReplicaSet", "rs-1"),
        ready_since=-60,
        node=node,
        container_id=f"app-{name}",
        grace_s=grace_s,
    )
    container: Object = {"name": "app"}
    if pre_stop is not None:
        container["lifecycle"] = {"preStop": pre_stop}
    obj["spec"] |= {"containers": [container], "initContainers": list(init)}
    if deleted_s is not None:
        grace = grace_s if given_s is None else given_s
        obj["metadata"]["deletionTimestamp"] = stamp(deleted_s + grace)
        obj["metadata"]["deletionGracePeriodSeconds"] = grace
    if ended is not None:
        second, code = ended
        status = obj["status"]["containerStatuses"][0]
        status["state"] = {
            "terminated": {
                "containerID": f"containerd://app-{name}",
                "exitCode": code,
                "reason": reason,
                "finishedAt": stamp(second),
            }
        }
    if disruption is not None:
        target = {"type": "DisruptionTarget", "status": "True", "reason": disruption}
        obj["status"]["conditions"].append(target)
    return obj


def serving(*names: str, until_s: float = 120.0) -> Story:
    """Pods of web that run on n1 and are ready endpoints; both nodes are scanned throughout."""
    story = Story().clock()
    story.watched(0, "Deployment", deployment(), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    for name in ("n1", "n2"):
        story.watched(0, "Node", node(name), "LISTED").scans(name, until_s)
    story.watched(0, "Service", service(), "LISTED")
    story.watched(0, "EndpointSlice", endpoint_slice(dict.fromkeys(names, True)), "LISTED")
    return story.watching(*KINDS, second=0.1)


def terminated(
    story: Story,
    second: float,
    name: str = "web-0",
    *,
    unready_s: float | None = 0.2,
    container_s: float | None = 4.0,
    object_s: float | None = 5.0,
    code: int = 0,
    reason: str = "Completed",
    grace_s: int = 30,
    given_s: int | None = None,
    pre_stop: Object | None = None,
    seen: bool = True,
    node: str = "n1",
    init: Sequence[Object] = (),
) -> Story:
    """A pod is deleted at `second`; so many seconds later its endpoint, container and object go.

    None: never. Its deletion is told before the rest: tell two in the order of their beginnings.
    """

    def as_it_was(**how: Any) -> Object:
        return running(name, node=node, grace_s=grace_s, pre_stop=pre_stop, init=init, **how)

    story.watched(0.5, "Pod", as_it_was(), "ADDED")
    if seen:
        gone_s = None if container_s is None else second + container_s
        story.container(node, f"uid-{name}", f"sandbox-{name}", 0.5, None)
        story.container(node, f"uid-{name}", f"app-{name}", 0.6, gone_s)
    deleted = {"deleted_s": second, "given_s": given_s}
    story.watched(second, "Pod", as_it_was(**deleted))
    if unready_s is not None:
        story.watched(second + unready_s, "EndpointSlice", endpoint_slice({name: False}))
    has_ended = container_s is not None and (object_s is None or container_s <= object_s)
    ending = {"ended": (second + (container_s or 0), code), "reason": reason} if has_ended else {}
    if has_ended:
        story.watched(second + (container_s or 0) + 0.1, "Pod", as_it_was(**deleted, **ending))
    if object_s is not None:
        last = as_it_was(**deleted, **ending)
        last["metadata"]["deletionGracePeriodSeconds"] = 0
        story.watched(second + object_s, "Pod", last, "DELETED")
    return story
