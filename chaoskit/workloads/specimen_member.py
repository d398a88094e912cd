"""One member of the specimen's store, asked directly: by way of the API server, of no Service."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from chaoskit import clock
from chaoskit.errors import KubernetesError
from chaoskit.history.events import LookedUp, MemberAnswered
from chaoskit.kube.answers import Answered
from chaoskit.kube.request import Method
from chaoskit.workloads.pod import Pod
from chaoskit.workloads.specimen_manifests import PORT

_ANSWER_WITHIN_S = 5.0


class _Identity(msgspec.Struct, frozen=True):
    hostname: str = ""


class _Looked(msgspec.Struct, frozen=True):
    answers: list[str]


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member as itself: it is reached whether it is ready or not."""

    pod: Pod = field(repr=False)

    def answer(self, path: str, *, method: Method = "GET") -> MemberAnswered:
        """Its answer to a request; `path` "" asks without the closing slash."""
        answered = self._ask(path, method=method)
        hostname = ""
        if answered.status == 200 and path == "/" and method == "GET":
            hostname = msgspec.json.decode(answered.body, type=_Identity).hostname
        namespace, name = self.pod.ref.namespace, self.pod.name
        return MemberAnswered(
            time_ns=clock.now_ns(),
            member=name,
            method=method,
            path=path,
            target=f"/api/v1/namespaces/{namespace}/pods/{name}:{PORT}/proxy{path}",
            status=answered.status,
            location=answered.headers.get("location", ""),
            pod=answered.headers.get("x-chaoskit-pod", ""),
            pod_uid=answered.headers.get("x-chaoskit-pod-uid", ""),
            hostname=hostname,
        )

    def look_up(self, name: str, record: Literal["A", "SRV"] = "A") -> LookedUp:
        """What its resolver says about the absolute name `name`."""
        asked_ns = clock.now_ns()
        answered = self._ask(f"/dns/{name}?record={record}")
        answers: list[str] = []
        problem = ""
        if answered.status == 200:
            answers = msgspec.json.decode(answered.body, type=_Looked).answers
        else:
            problem = f"{answered.status} {answered.body.strip()[:200]}"
        return LookedUp(
            time_ns=clock.now_ns(),
            asked_ns=asked_ns,
            pod=self.pod.name,
            pod_uid=answered.headers.get("x-chaoskit-pod-uid", ""),
            name=name,
            record=record,
            answers=answers,
            problem=problem,
        )

    def set_ready(self, ready: bool) -> None:
        """Let its process be ready or not, as if it had a reason of its own: a step.

        Raises `KubernetesError` when it does not do so.
        """
        with self.pod.steps.step("set_ready", self.pod.ref, detail=str(ready).lower()):
            answered = self._ask("/control", method="POST", body={"ready": ready})
            if answered.status != 200:
                raise KubernetesError(
                    "does not take orders",
                    subject=str(self.pod.ref),
                    seen=f"{answered.status} {answered.body.strip()[:200]}",
                    next_step="see that its container runs",
                )

    def _ask(
        self, path: str, *, method: Method = "GET", body: dict[str, bool] | None = None
    ) -> Answered:
        return self.pod.kube.proxy(
            self.pod.name,
            str(self.pod.ref.namespace),
            path,
            port=PORT,
            method=method,
            body=body,
            read_timeout_s=_ANSWER_WITHIN_S,
        )
