"""What manifests cannot promise, and which scenario would show it. Pure."""

from collections.abc import Callable, Iterator, Sequence

from chaoskit.kube.kinds import Object
from chaoskit.rollout.facts import WorkloadFacts, workloads_in
from chaoskit.rollout.lint import pods, surroundings, updates
from chaoskit.rollout.lint.finding import Finding

__all__ = ["Finding", "lint", "lint_workload"]

_RULES: tuple[Callable[[WorkloadFacts], Iterator[Finding]], ...] = (
    *updates.RULES,
    *pods.RULES,
    *surroundings.RULES,
)


def lint(objects: Sequence[Object]) -> list[Finding]:
    """All that these objects cannot promise, workload by workload.

    Raises `UsageError` for a bound that is none.
    """
    return [finding for facts in workloads_in(objects) for finding in lint_workload(facts)]


def lint_workload(facts: WorkloadFacts) -> list[Finding]:
    """All that one workload cannot promise."""
    return [finding for rule in _RULES for finding in rule(facts)]
