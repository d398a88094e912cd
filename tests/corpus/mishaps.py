"""What may befall the pods of the Service web, told about second 10 of the story."""

from tests.corpus.attribution import endpoint_slice, web_pod, without
from tests.corpus.story import Story


def leaving(story: Story) -> Story:
    """web-2 is deleted, and gone 3 s later."""
    story.watched(9, "Pod", web_pod("web-2", leaving=True))
    story.watched(9, "EndpointSlice", endpoint_slice(without("web-2") | {"web-2": "gone"}))
    story.watched(12, "Pod", web_pod("web-2", leaving=True), "DELETED")
    return story.watched(12, "EndpointSlice", endpoint_slice(without("web-2")))


def evicted(story: Story) -> Story:
    """web-2 is evicted by its kubelet: it ends, and its object stays."""
    gone = web_pod("web-2", ready=False, phase="Failed", reason="Evicted")
    story.watched(9.9, "Pod", gone)
    return story.watched(9.9, "EndpointSlice", endpoint_slice(without("web-2")))


def restarted(story: Story, reason: str) -> Story:
    """The container of web-2 ends, and is Ready again 1.5 s later."""
    story.watched(10.5, "Pod", web_pod("web-2", ready=False, restarts=1, ended=reason))
    story.watched(12, "Pod", web_pod("web-2", restarts=1, ended=reason))
    return story


def unready(story: Story) -> Story:
    """web-2 is no longer ready from 15 on; its probe takes 7 s to see that."""
    probes = {"readinessProbe": {"periodSeconds": 2, "failureThreshold": 3}}
    story.watched(0, "Pod", web_pod("web-2", probes=probes))
    story.watched(15, "Pod", web_pod("web-2", ready=False, probes=probes))
    return story.watched(15, "EndpointSlice", endpoint_slice(without("web-2")))


def emptied(story: Story) -> Story:
    """The Service has no endpoint from 9 to 14."""
    story.watched(9, "EndpointSlice", endpoint_slice({}))
    return story.watched(14, "EndpointSlice", endpoint_slice({"web-2": "ready"}))


def joined(story: Story) -> Story:
    """web-2 becomes an endpoint at 9.5."""
    story.watched(2, "EndpointSlice", endpoint_slice(without("web-2")))
    return story.watched(
        9.5, "EndpointSlice", endpoint_slice(without("web-2") | {"web-2": "ready"})
    )


def hanging(story: Story) -> Story:
    """The container of web-2 is restarted by a liveness probe that takes 7 s to fail."""
    probes = {"livenessProbe": {"periodSeconds": 2, "failureThreshold": 3}}
    story.watched(0, "Pod", web_pod("web-2", probes=probes))
    story.watched(10.5, "Pod", web_pod("web-2", ready=False, restarts=1, ended="Error"))
    return story.watched(12, "Pod", web_pod("web-2", restarts=1, ended="Error", probes=probes))
