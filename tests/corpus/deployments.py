"""A Deployment's own fields that rollout guarantees read, for hand-made histories."""

from tests.corpus.objects import Object, deployment, replica_set
from tests.corpus.story import stamp


def web(
    *,
    image: str = "app:v1",
    revision: int = 1,
    generation: int | None = None,
    replicas: int = 3,
    complete: bool = True,
    strategy: str = "RollingUpdate",
    paused: bool = False,
    history_limit: int = 10,
    deadline_s: int = 20,
    progress: tuple[str, float] | None = None,
) -> Object:
    """The Deployment web; `progress`: reason and second of its condition Progressing."""
    made = deployment(
        image=image, revision=revision, replicas=replicas, complete=complete, strategy=strategy
    )
    if generation is not None:
        made["metadata"]["generation"] = made["status"]["observedGeneration"] = generation
    made["spec"] |= {
        "paused": paused,
        "revisionHistoryLimit": history_limit,
        "progressDeadlineSeconds": deadline_s,
    }
    if progress is not None:
        reason, second = progress
        made["status"]["conditions"] = [
            {
                "type": "Progressing",
                "status": "False" if reason == "ProgressDeadlineExceeded" else "True",
                "reason": reason,
                "lastUpdateTime": stamp(second),
            }
        ]
    return made


def numbered(
    name: str, revision: int, *, image: str = "app:v1", former: str = "", replicas: int = 0
) -> Object:
    """A ReplicaSet of web with its revision number, and the ones it had before."""
    made = replica_set(name, image=image)
    notes = {"deployment.kubernetes.io/revision": str(revision)}
    if former:
        notes["deployment.kubernetes.io/revision-history"] = former
    made["metadata"] |= {"generation": 1, "annotations": notes}
    made["spec"]["replicas"] = replicas
    made["status"] = {"replicas": replicas, "observedGeneration": 1}
    return made
