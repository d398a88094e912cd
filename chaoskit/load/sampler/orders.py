"""What the sampler's process is told, as one line of JSON."""

import msgspec

from chaoskit.load.profile import LoadPlan


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What to sample, and the folder of the record."""

    plan: LoadPlan
    record_folder: str
