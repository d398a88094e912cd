"""Which rights a fault asks for before it touches anything."""

from chaoskit.faults import NicDown
from chaoskit.faults.catalogue import fault_types
from chaoskit.faults.pod.pod_evicted import PodEvicted
from chaoskit.faults.rights import _NEEDED, rights_needed


def test_an_eviction_needs_its_own_subresource_and_a_place_for_the_note() -> None:
    said = [str(right) for right in rights_needed(PodEvicted("shop", "web-0"))]
    assert "create pods/eviction in namespace shop" in said
    assert "create configmaps in namespace shop" in said
    assert not any(text.startswith("delete pods") for text in said)


def test_every_name_is_one_of_a_fault_and_others_need_none() -> None:
    assert _NEEDED.keys() <= fault_types().keys()
    assert rights_needed(NicDown("agent-0")) == []
