"""What the names mean that the documentation's examples take as given, each by its type.

Fixtures of the plugin and of scenarios/conftest.py, and what a fragment has had before it.
"""

from collections.abc import Sequence
from typing import TypeAlias

from chaoskit.cluster.container_node import ContainerNode
from chaoskit.cluster.k3s_cluster import K3sCluster
from chaoskit.cluster.registry import Registry
from chaoskit.run import Run
from chaoskit.run.sampled_load import SampledLoad
from chaoskit.workloads import specimen
from chaoskit.workloads.namespace import Namespace

# fixtures
chaos: TypeAlias = Run
cluster: TypeAlias = K3sCluster
namespace: TypeAlias = Namespace
registry: TypeAlias = Registry
web: TypeAlias = specimen.Web
kv: TypeAlias = specimen.KeyValue

# what stands before a fragment
load: TypeAlias = SampledLoad
victim: TypeAlias = ContainerNode
one: TypeAlias = ContainerNode
two: TypeAlias = ContainerNode
others: TypeAlias = Sequence[ContainerNode]

#: All of them.
GIVEN = tuple(__annotations__)
