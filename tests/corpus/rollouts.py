"""Rollouts of hand-made histories: a Deployment with three pods, rolled one by one."""

from tests.corpus.objects import Object, deployment, pod, replica_set
from tests.corpus.story import Story

OLD = ("ReplicaSet", "rs-1")
NEW = ("ReplicaSet", "rs-2")
KINDS = ("Deployment", "ReplicaSet", "Pod")


def three_ready_pods() -> Story:
    """A complete Deployment web at revision 1: old-0, old-1, old-2, Ready for long."""
    story = Story().clock()
    story.watched(0, "Deployment", deployment(), "LISTED")
    story.watched(0, "ReplicaSet", replica_set("rs-1"), "LISTED")
    for number in range(3):
        story.watched(0, "Pod", pod(f"old-{number}", of=OLD, ready_since=-60), "LISTED")
    return story.watching(*KINDS, second=0.1)


def good_rollout(*, min_ready_s: int = 0) -> Story:
    """web from v1 to v2 with surge 1 and unavailable 0, one by one."""
    story = three_ready_pods()

    def rolled(*, complete: bool) -> Object:
        return deployment(image="app:v2", revision=2, complete=complete, min_ready_s=min_ready_s)

    story.step("set_image", "deployment/web", 10)
    story.watched(10.1, "Deployment", rolled(complete=False))
    story.watched(10.1, "ReplicaSet", replica_set("rs-2", image="app:v2"), "ADDED")
    second = 10.0
    for number in range(3):
        second += 2
        story.watched(second, "Pod", pod(f"new-{number}", of=NEW), "ADDED")
        second += 2
        story.watched(second, "Pod", pod(f"new-{number}", of=NEW, ready_since=second))
        second += min_ready_s
        old = f"old-{number}"
        story.watched(second, "Pod", pod(old, of=OLD, ready_since=-60, leaving=True))
        story.watched(second + 1, "Pod", pod(old, of=OLD, leaving=True), "DELETED")
    return story.watched(second + 2, "Deployment", rolled(complete=True))


def bad_rollout(*, undo: bool = True) -> Story:
    """web from v1 to an image that does not exist, undone after 30 s."""
    story = three_ready_pods()
    story.step("set_image", "deployment/web", 10)
    story.watched(10.1, "Deployment", deployment(image="app:none", revision=2, complete=False))
    story.watched(10.1, "ReplicaSet", replica_set("rs-2", image="app:none"), "ADDED")
    story.watched(11, "Pod", pod("new-0", of=NEW), "ADDED")
    story.watched(13, "Pod", pod("new-0", of=NEW, waiting="ErrImagePull"))
    story.watched(25, "Pod", pod("new-0", of=NEW, waiting="ImagePullBackOff"))
    if undo:
        story.step("undo", "deployment/web", 45)
        story.watched(45.1, "Deployment", deployment(revision=3, complete=False))
        story.watched(45.1, "ReplicaSet", replica_set("rs-1"))
        story.watched(46, "Pod", pod("new-0", of=NEW, leaving=True))
        story.watched(47, "Pod", pod("new-0", of=NEW, leaving=True), "DELETED")
        story.watched(47, "Deployment", deployment(revision=3))
    return story
