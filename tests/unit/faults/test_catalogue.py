"""Faults by name: each can be written to a file and made again from it."""

import inspect
from pathlib import Path

import pytest

import chaoskit.faults
from chaoskit.errors import UsageError
from chaoskit.faults import NicDown
from chaoskit.faults.catalogue import fault_of, fault_types, parameters_of
from chaoskit.faults.fault import Fault

FOLDER = Path(chaoskit.faults.__file__).parent
#: The four parts of a fault's docstring, and how many lines its file may have.
PARTS = ("Breaks:", "Kubernetes answers:", "Heal:", "Requires:")
LONGEST = 90


def test_a_fault_comes_back_from_its_parameters() -> None:
    fault = NicDown("one", interface="eth1")
    assert parameters_of(fault) == {"node": "one", "interface": "eth1"}
    assert fault_of("nic_down", parameters_of(fault)) == fault


def test_what_is_no_fault_is_refused() -> None:
    with pytest.raises(UsageError, match=r"nic_dwn: no such fault\n.*nic_down"):
        fault_of("nic_dwn", {})
    with pytest.raises(UsageError, match=r"has no parameter nod\n.*interface, node"):
        fault_of("nic_down", {"nod": "one"})
    with pytest.raises(UsageError, match="do not fit"):
        fault_of("nic_down", {"node": 1})
    with pytest.raises(UsageError, match="do not fit"):
        fault_of("nic_down", {})


@pytest.mark.parametrize("kind", fault_types().values(), ids=fault_types())
def test_every_fault_is_data_and_says_what_it_does(kind: type[Fault]) -> None:
    settings = vars(kind).get("__dataclass_params__")
    assert getattr(settings, "frozen", False), f"{kind.__name__} is no frozen dataclass"
    missing = [part for part in PARTS if part not in (inspect.getdoc(kind) or "")]
    assert not missing, f"{kind.__name__}'s docstring does not say {missing}"


@pytest.mark.parametrize("kind", fault_types().values(), ids=fault_types())
def test_every_fault_has_a_short_file_of_its_own(kind: type[Fault]) -> None:
    file = Path(inspect.getfile(kind))
    assert file.stem == kind.name
    assert len(file.read_text().splitlines()) <= LONGEST


def test_every_file_of_a_fault_is_in_the_catalogue() -> None:
    """A file in a family's folder that defines no fault has a name that begins with `_`."""
    files = {
        path.stem
        for path in FOLDER.glob("*/*.py")
        if not path.stem.startswith("_") and path.parent.name != "ledger"
    }
    assert files == set(fault_types())
