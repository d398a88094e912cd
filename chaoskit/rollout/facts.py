"""What the manifest of a workload says, with Kubernetes' defaults filled in. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chaoskit.errors import RecordError, UsageError
from chaoskit.guarantees.objects.bounds import Bound, resolved
from chaoskit.kube import kinds
from chaoskit.kube.kinds import Object
from chaoskit.workloads.ref import ObjectRef

#: Kinds that have rollouts.
ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
#: Kinds with a pod template.
POD_HOLDERS = (*ROLLED, "ReplicaSet", "ReplicationController", "Job")

# Defaults of apps/v1 and of a pod's spec (Kubernetes 1.36, pkg/apis/apps/v1/defaults.go).
_DEFAULT_BOUND = "25%"
_DEFAULT_DEADLINE_S = 600
_DEFAULT_HISTORY = 10
_DEFAULT_GRACE_S = 30

_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)([smhd]?)\b")
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}  # those of sleep(1)


@dataclass(frozen=True)
class WorkloadFacts:
    """A workload's manifest, read: `objects` are those that stand beside it."""

    content: Object
    objects: Sequence[Object] = ()

    @property
    def ref(self) -> ObjectRef:
        """The object's name."""
        return ObjectRef.of(self.content)

    @property
    def kind(self) -> str:
        """Deployment, StatefulSet, DaemonSet …"""
        return str(self.content["kind"])

    @property
    def spec(self) -> Object:
        """Its spec."""
        return dict(self.content.get("spec") or {})

    @property
    def template(self) -> Object:
        """Its pod template; of a bare pod the pod itself."""
        if self.kind == "Pod":
            return self.content
        return dict(self.spec.get("template") or {})

    @property
    def pod_spec(self) -> Object:
        """The spec of its pods."""
        return dict(self.template.get("spec") or {})

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its pods."""
        return dict((self.template.get("metadata") or {}).get("labels") or {})

    @property
    def containers(self) -> list[Object]:
        """Its containers, without those that only initialise."""
        return list(self.pod_spec.get("containers") or [])

    @property
    def replicas(self) -> int | None:
        """How many pods are wanted, at least what an autoscaler keeps; None where the nodes decide
        (DaemonSet).
        """
        if self.kind == "DaemonSet":
            return None
        kept = [int((item.get("spec") or {}).get("minReplicas") or 1) for item in self.scalers]
        return max([_number(self.spec, "replicas", 1), *kept])

    @cached_property
    def services(self) -> list[Object]:
        """The Services that select its pods."""
        return [item for item in self._beside("Service") if self._is_selected_by(item)]

    @cached_property
    def budgets(self) -> list[Object]:
        """The disruption budgets that select its pods."""
        return [
            item
            for item in self._beside("PodDisruptionBudget")
            if _selects((item.get("spec") or {}).get("selector"), self.labels)
        ]

    @cached_property
    def scalers(self) -> list[Object]:
        """The autoscalers that set its number of replicas."""
        mine = {"kind": self.kind, "name": self.ref.name}
        targets = [
            (item, (item.get("spec") or {}).get("scaleTargetRef") or {})
            for item in self._beside("HorizontalPodAutoscaler")
        ]
        return [item for item, to in targets if mine.items() <= to.items()]

    def claims(self) -> Iterator[Object]:
        """The claims that its pods mount, where their manifests are at hand."""
        names = {
            volume["persistentVolumeClaim"].get("claimName")
            for volume in self.pod_spec.get("volumes") or []
            if volume.get("persistentVolumeClaim")
        }
        for item in self._beside("PersistentVolumeClaim"):
            if item["metadata"]["name"] in names:
                yield item

    # how it is updated

    @property
    def strategy(self) -> str:
        """RollingUpdate, Recreate or OnDelete."""
        field = "strategy" if self.kind == "Deployment" else "updateStrategy"
        return str((self.spec.get(field) or {}).get("type") or "RollingUpdate")

    def bound(self, name: str) -> Bound:
        """`maxSurge` or `maxUnavailable`, as written or by default."""
        field = "strategy" if self.kind == "Deployment" else "updateStrategy"
        rolling = (self.spec.get(field) or {}).get("rollingUpdate") or {}
        if rolling.get(name) is not None:
            value: Bound = rolling[name]
            return value
        if self.kind == "Deployment":
            return _DEFAULT_BOUND
        return 1 if name == "maxUnavailable" else 0

    @property
    def bounds(self) -> tuple[int, int] | None:
        """maxSurge and maxUnavailable in pods; None where nodes decide how many that is.

        Raises `UsageError` for what is neither a number nor a percentage.
        """
        if self.replicas is None:
            return None
        surge, unavailable = self.bound("maxSurge"), self.bound("maxUnavailable")
        try:
            both = resolved(surge, unavailable, self.replicas)
        except RecordError as error:
            raise UsageError(
                error.problem,
                subject=f"{self.ref}, maxSurge or maxUnavailable",
                seen=error.seen,
                next_step='write a number such as 1, or a percentage such as "25%"',
            ) from error
        # A StatefulSet rounds up (stateful_set_utils.go, getStatefulSetMaxUnavailable): at least 1.
        return both if self.kind == "Deployment" else (0, max(1, both[1]))

    @property
    def always_available(self) -> int | None:
        """How many pods an update leaves available at every instant; None: the nodes decide."""
        if self.replicas is None:
            return None
        if self.strategy == "Recreate":
            return 0
        bounds = self.bounds
        assert bounds is not None  # it has replicas
        return max(0, self.replicas - bounds[1])

    @property
    def min_ready_s(self) -> int:
        """How long a pod is Ready before it counts as available."""
        return int(self.spec.get("minReadySeconds") or 0)

    @property
    def deadline_s(self) -> int:
        """After how long without progress a Deployment's rollout is reported as failed."""
        return _number(self.spec, "progressDeadlineSeconds", _DEFAULT_DEADLINE_S)

    @property
    def history_limit(self) -> int:
        """How many old revisions are kept."""
        return _number(self.spec, "revisionHistoryLimit", _DEFAULT_HISTORY)

    # its pods

    @property
    def serving(self) -> list[Object]:
        """The containers that a Service sends requests to; all of them where none can be told."""
        wanted = {
            port.get("targetPort") or port.get("port")
            for service in self.services
            for port in (service.get("spec") or {}).get("ports") or []
        }
        found = [item for item in self.containers if wanted & _ports(item)]
        return found or self.containers

    @property
    def has_readiness(self) -> bool:
        """Whether each container that serves says by a probe when it can."""
        return bool(self.serving) and all(item.get("readinessProbe") for item in self.serving)

    @property
    def grace_s(self) -> int:
        """Between TERM and KILL, a preStop hook included."""
        return _number(self.pod_spec, "terminationGracePeriodSeconds", _DEFAULT_GRACE_S)

    @property
    def pre_stop_s(self) -> float:
        """How long each container that serves waits before TERM; 0 where that cannot be told."""
        return min((pre_stop_s(item) for item in self.serving), default=0.0)

    # within

    def _beside(self, kind: str) -> Iterator[Object]:
        namespace = self.ref.namespace
        for item in self.objects:
            if item.get("kind") == kind and item["metadata"].get("namespace") == namespace:
                yield item

    def _is_selected_by(self, service: Object) -> bool:
        selector = (service.get("spec") or {}).get("selector") or {}
        return bool(selector) and selector.items() <= self.labels.items()


def workloads_in(objects: Sequence[Object]) -> list[WorkloadFacts]:
    """Everything among `objects` that has pods, bare pods too."""
    return [
        WorkloadFacts(item, tuple(objects))
        for item in objects
        if item["kind"] in (*POD_HOLDERS, "Pod") and kinds.is_built_in(item)
    ]


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector (matchLabels, matchExpressions) takes these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for one in selector.get("matchExpressions") or []:
        key, values = one["key"], one.get("values") or []
        held = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not held.get(one["operator"], False):
            return False
    return True


def pre_stop_s(container: Object) -> float:
    """How long its preStop hook waits, as far as that can be read; 0 without one."""
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    if "sleep" in hook:
        return float((hook["sleep"] or {}).get("seconds") or 0)
    words = " ".join(str(word) for word in (hook.get("exec") or {}).get("command") or [])
    found = _SLEEP.search(words)
    return float(found[1]) * _UNITS_S[found[2]] if found else 0.0


def _number(of: Object, field: str, default: int) -> int:
    """A field of a spec; null, as templates write it, is as left out."""
    value = of.get(field)
    return default if value is None else int(value)


def _selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a budget's selector takes these labels: an empty one takes all, none takes none."""
    return selector is not None and matches(selector, labels)


def _ports(container: Object) -> set[object]:
    ports = container.get("ports") or []
    named = {port["name"] for port in ports if port.get("name")}
    return {port.get("containerPort") for port in ports} | named
