"""A simulated Deployment and its operator: histories of steps, and what became of them."""

from collections.abc import Callable

from chaoskit.history.events import StepMark
from chaoskit.history.reader import History
from tests.corpus.deployment_controller import DeploymentController, number_of
from tests.corpus.objects import Object
from tests.corpus.simulated_cluster import SimulatedCluster, image_of, set_image
from tests.corpus.story import note_of_end
from tests.corpus.times import at

#: What each call of the client takes.
_STEP_S = 0.02

#: A defect of the client: undo goes to the oldest revision instead of the one before.
UNDOES_TO_THE_OLDEST = "undoes_to_the_oldest"


class DeploymentRun:
    """The Deployment web from its creation on; time goes on with `wait`, the operator acts."""

    def __init__(
        self,
        *,
        seed: int = 0,
        replicas: int = 3,
        surge: int | str = 1,
        unavailable: int | str = 0,
        min_ready_s: int = 0,
        strategy: str = "RollingUpdate",
        deadline_s: int = 600,
        history_limit: int = 10,
        broken: tuple[str, ...] = (),
        defect: str | None = None,
    ) -> None:
        self.cluster = SimulatedCluster(seed=seed, min_ready_s=min_ready_s, broken=broken)
        self.undoes_to_the_oldest = defect == UNDOES_TO_THE_OLDEST
        self.controller = DeploymentController(
            self.cluster,
            replicas=replicas,
            surge=surge,
            unavailable=unavailable,
            strategy=strategy,
            deadline_s=deadline_s,
            history_limit=history_limit,
            defect=None if self.undoes_to_the_oldest else defect,
        )
        self._steps = 0
        self.cluster.settle()

    @property
    def web(self) -> Object:
        """The Deployment as it is."""
        return self.controller.web

    def history(self) -> History:
        """What is on record so far."""
        end = note_of_end(self.cluster.second)
        return History.of_parts(events=[*self.cluster.story.events, end])

    def wait(self, seconds: float) -> None:
        """Let that much time pass."""
        self.cluster.wait(seconds)

    def wait_complete(self, timeout_s: float = 300.0) -> None:
        """Let time pass until the rollout is complete."""
        until = self.cluster.second + timeout_s
        while not self.controller.is_complete():
            assert self.cluster.second < until, "the simulated rollout is not complete"
            self.wait(0.5)

    # steps

    def set_image(self, image: str) -> None:
        """Another image, or the same: then nothing is sent."""

        def change() -> bool:
            if image_of(self.web) == image:
                return False
            set_image(self.web, image)
            return True

        self._step("set_image", change, image)

    def scale(self, replicas: int) -> None:
        """Another number of pods."""

        def change() -> bool:
            self.web["spec"]["replicas"] = replicas
            return True

        self._step("scale", change, str(replicas))
        self.controller.number_a_scale()

    def pause(self, *, paused: bool = True) -> None:
        """Hold the rollout, or go on with it; refused when it is so already."""

        def change() -> bool:
            if self.web["spec"].get("paused", False) is paused:
                raise _RefusedError
            self.web["spec"]["paused"] = paused
            return True

        self._step("pause" if paused else "resume", change)

    def undo(self, to_revision: int | None = None) -> None:
        """Back to the template of that revision, or the one before; refused without one."""

        def change() -> bool:
            sets = sorted(self.cluster.sets.values(), key=number_of)
            if to_revision is not None:
                sets = [one for one in sets if number_of(one) == to_revision]
            else:
                sets = sets[:-1]
            if not sets or self.web["spec"].get("paused", False):
                raise _RefusedError
            target = sets[0 if self.undoes_to_the_oldest else -1]
            if image_of(target) == image_of(self.web):
                return False
            self.controller.pass_over(target)
            set_image(self.web, image_of(target))
            return True

        named = "to the revision before" if to_revision is None else f"to {to_revision}"
        self._step("undo", change, named)

    def delete_pod(self, number: int) -> None:
        """Delete one of the pods, by its number among those that are there."""
        names = sorted(name for name in self.cluster.pods if self._can_go(name))
        if names:
            name = names[number % len(names)]
            self._mark("delete", f"Pod {name}", "started")
            self.cluster.delete_pod(name)
            self._mark("delete", f"Pod {name}", "done")
            self.cluster.settle()

    def flap(self, number: int) -> None:
        """A pod gets unready by itself, for a second."""
        names = sorted(self.cluster.ready_since)
        if names:
            name = names[number % len(names)]
            self.cluster.make_ready(name, ready=False)
            self.cluster.at(self.cluster.second + 1, lambda: self.cluster.make_ready(name))
            self.cluster.settle()

    def _can_go(self, name: str) -> bool:
        return "deletionTimestamp" not in self.cluster.pods[name]["metadata"]

    def _step(self, name: str, change: Callable[[], bool], detail: str = "") -> None:
        self._mark(name, "Deployment web", "started", detail)
        self.cluster.second += _STEP_S
        try:
            is_changed = change()
        except _RefusedError:
            self._mark(name, "Deployment web", "failed", detail)
            return
        if is_changed:
            self.web["metadata"]["generation"] += 1
            self.cluster.write("Deployment", self.web)
        self.cluster.second += _STEP_S
        self._mark(name, "Deployment web", "done", detail)
        self.cluster.settle()

    def _mark(self, name: str, target: str, mark: str, detail: str = "") -> None:
        assert mark in ("started", "done", "failed")
        self._steps += mark == "started"
        self.cluster.story.events.append(
            StepMark(
                time_ns=at(self.cluster.second),
                step_id=f"{name}-{self._steps}",
                name=name,
                target=target,
                mark=mark,  # type: ignore[arg-type]
                detail=detail,
            )
        )


class _RefusedError(Exception):
    """The client refuses a step."""
