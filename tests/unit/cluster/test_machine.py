"""Reading facts off the machine's own files."""

import sys

from chaoskit.cluster import machine

V1 = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n"
V2 = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
ROOT = "/dev/vda / ext4 rw 0 0\n"


def test_cgroups_are_told_apart_by_what_is_mounted() -> None:
    assert machine.mounted_cgroups(ROOT) == "none"
    assert machine.mounted_cgroups(ROOT + V1) == "v1"
    assert machine.mounted_cgroups(ROOT + V2) == "v2"
    assert machine.mounted_cgroups(ROOT + V1 + V2) == "hybrid"


def test_kernel_options_are_read_whole() -> None:
    config = "CONFIG_IP_VS_RR=y\n# CONFIG_NET_SCH_NETEM is not set\nCONFIG_TUN=m\nCONFIG_VXLAN=y\n"
    assert machine.kernel_support(config, "CONFIG_IP_VS") == "absent"
    assert machine.kernel_support(config, "CONFIG_NET_SCH_NETEM") == "absent"
    assert machine.kernel_support(config, "CONFIG_TUN") == "as a module"
    assert machine.kernel_support(config, "CONFIG_VXLAN") == "built in"
    assert machine.kernel_support(None, "CONFIG_VXLAN") == "unknown"


def test_gathering_works_on_this_machine_whatever_it_has() -> None:
    facts = machine.gather()
    assert facts.python == sys.version_info[:3]
    assert facts.disk_free_bytes > 0
    assert (facts.engine is None) == bool(facts.silences)
    assert (facts.go is None) == bool(facts.go_problem)
    assert facts.kernel.keys() == machine.KERNEL_OPTIONS.keys()
