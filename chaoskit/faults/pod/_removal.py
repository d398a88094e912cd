"""One pod taken away through the API: what was before is noted first, then its end is measured."""

from collections.abc import Callable
from dataclasses import dataclass

from chaoskit.faults._notes import Note
from chaoskit.faults._objects import is_ending, listed, mend
from chaoskit.faults.pod._recovery import missing, state_before
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.kube.refusal import Refused


@dataclass(frozen=True)
class Removal:
    """The removal of the pod `namespace`/`pod` by the fault of that name."""

    fault: str
    namespace: str
    pod: str

    @property
    def note(self) -> Note:
        """How the pod's owner was before."""
        return Note(self.namespace, self.fault, f"Pod {self.namespace}/{self.pod}")

    def carry_out(self, kube: Kube, remove: Callable[[str], object]) -> None:
        """Note how it is, then call `remove` with the pod's UID; its refusals pass through."""
        item = kube.get("Pod", self.pod, self.namespace)
        self.note.write(kube, state_before(kube, item))
        try:
            remove(item["metadata"]["uid"])
        except Refused as error:
            if 400 <= error.status < 500:  # surely nothing was done
                self.note.drop(kube)
            raise

    def is_effective(self, kube: Kube, *, gone: bool) -> bool:
        """Whether a list of pods has it no more (not `gone`: or terminating), nor an EndpointSlice.

        Only the very pod that was hit is looked for, not a later one of its name.
        """
        before = self.note.read(kube)
        if before is None:
            return False
        now = listed(kube, "Pod", self.pod, self.namespace)
        if (
            now is not None
            and now["metadata"]["uid"] == before["uid"]
            and (gone or not is_ending(now))
        ):
            return False
        return not serves(kube, self.namespace, before["uid"])

    def wait_recovered(self, kube: Kube, timeout_s: float) -> None:
        """Wait until its owner is as before. Raises `WaitTimeout` with what is missing."""

        def step() -> str:
            before = self.note.read(kube)
            if before is None:
                return ""
            lack = missing(kube, self.namespace, self.pod, before)
            if not lack:
                self.note.drop(kube)
            return lack

        mend(
            step,
            what=f"recovery from {self.fault} of pod {self.namespace}/{self.pod}",
            timeout_s=timeout_s,
            next_step=f"kubectl -n {self.namespace} get pods,events: why is no new pod ready?",
        )


def serves(kube: Kube, namespace: str, uid: str) -> bool:
    """Whether an EndpointSlice has this pod as an endpoint that gets new connections."""
    return any(
        (endpoint.get("targetRef") or {}).get("uid") == uid and _takes_connections(endpoint)
        for piece in kube.list("EndpointSlice", namespace)
        for endpoint in piece.get("endpoints") or ()
    )


def _takes_connections(endpoint: Object) -> bool:
    conditions = endpoint.get("conditions") or {}
    return conditions.get("ready") is not False and not conditions.get("terminating")
