"""Which of upstream's tests are run."""

from collections.abc import Sequence

#: The few that stand for the rest: a StatefulSet's and a Deployment's promises.
CORE = (
    r"StatefulSet .* should perform rolling updates and roll backs of template modifications "
    r"\[Conformance\]",
    r"Scaling should happen in predictable order and halt if any stateful pod is unhealthy",
    r"deployment should support rollover",
    r"RollingUpdateDeployment should delete old pods and create new ones",
    r"RecreateDeployment should delete old pods and create new ones",
)


#: Conformance tests of what chaoskit breaks and judges. Serial and disruptive ones want the cluster
#: to themselves.
LABELS = "Conformance && (sig-apps || sig-node || sig-network) && !Serial && !Disruptive"


def flags(everything: bool, focus: Sequence[str]) -> list[str]:
    """The runner's flags that select the tests: by name, all by label, or the few."""
    if focus:
        return [f"--focus={pattern}" for pattern in focus]
    if everything:
        return [f"--label-filter={LABELS}"]
    return [f"--focus={pattern}" for pattern in CORE]
