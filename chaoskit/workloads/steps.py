"""Steps: an operator's actions under test, and where their beginning and end are marked."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from chaoskit.errors import KubernetesError
from chaoskit.workloads.ref import ObjectRef


class StepLog(Protocol):
    """Marks steps. The run passes one that writes StepMark events; workloads know no files."""

    def step(
        self, name: str, target: ObjectRef, *, force: bool = False, detail: str = ""
    ) -> AbstractContextManager[None]:
        """A context: entered when the step starts, left when it is done or has failed.

        `name` is the verb ("set_image", "delete"), `detail` its argument in words.
        """
        ...


class _Unrecorded:
    @contextmanager
    def step(
        self, name: str, target: ObjectRef, *, force: bool = False, detail: str = ""
    ) -> Iterator[None]:
        yield


#: For use outside a run: the step is done and nobody writes it down.
UNRECORDED: StepLog = _Unrecorded()


class StepRefused(KubernetesError):
    """kubectl refuses this step on its own, before asking the server: nothing was changed."""
