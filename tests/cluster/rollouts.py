"""What tests of `chaoskit rollout` share: what one ended with, and manifests to roll out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chaoskit.guarantees.judge import Judgement
from chaoskit.history.folder import RecordFolder
from chaoskit.workloads.specimen_manifests import image
from tests.unit.rollout.manifests import Object, changed, sound_deployment


@dataclass(frozen=True)
class Told:
    """What a rollout ended with: status, output, and the record of it."""

    status: int
    output: str
    folder: Path

    @property
    def record(self) -> RecordFolder:
        (only,) = self.folder.glob("*/*/run.json")
        return RecordFolder(only.parent)

    @property
    def outcomes(self) -> dict[str, str]:
        verdicts = self.record.verdicts(Judgement).verdicts
        return {each.guarantee: each.outcome.value for each in verdicts}

    def outcomes_of(self, guarantee: str) -> list[str]:
        """Of one that is judged several times, in the order of what it was judged on."""
        verdicts = self.record.verdicts(Judgement).verdicts
        return [each.outcome.value for each in verdicts if each.guarantee == guarantee]


def written(folder: Path, *objects: Object) -> str:
    file = folder / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return str(file)


def specimen_deployment(**changes: Any) -> Object:
    """The sound Deployment with an image that there is."""
    made = changed(sound_deployment(), "spec.template.spec.containers.0.image", image("v1"))
    made = changed(made, "spec.template.spec.topologySpreadConstraints", None)
    for path, value in changes.items():
        made = changed(made, path.replace("__", "."), value)
    return made
