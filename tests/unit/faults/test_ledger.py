"""The ledger of open faults: whole files, shared by processes, nothing lost and nothing doubled."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from chaoskit import clock
from chaoskit.cluster.launch import labels
from chaoskit.errors import FaultError, UsageError
from chaoskit.faults import NicDown
from chaoskit.faults.fault import Fault
from chaoskit.faults.ledger.entry import Entry, decoded, encoded, entry_for
from chaoskit.faults.ledger.healing import nobody_heals
from chaoskit.faults.ledger.ledger import Ledger
from chaoskit.waiting import wait_until

HOUR_S = 3600.0
#: No process has this start: whoever bears the number came later.
DEAD = f"{os.getpid()}:1"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "ledger")


def made(target: str = "one", *, fault: Fault | None = None, cluster: str = "c") -> Entry:
    return entry_for(
        fault or NicDown(target),
        cluster=cluster,
        engine="e",
        heal_after_s=60,
        owner=labels.this_process(),
    )


def dead() -> str:
    return ":".join([DEAD, *str(labels.this_process()).split(":")[2:]])


def test_an_entry_holds_all_that_a_heal_needs(ledger: Ledger) -> None:
    entry = made("one", fault=NicDown("one", interface="eth1"))
    ledger.open(entry)
    (read,) = ledger.read().entries
    assert read == entry
    assert read.rebuilt() == NicDown("one", interface="eth1")
    assert (read.cluster, read.target, read.life) == ("c", "one", "alive")
    assert read.heal_at_ns - read.requested_ns == 60_000_000_000


def test_only_this_user_reads_it(ledger: Ledger) -> None:
    ledger.open(made())
    assert ledger.folder.stat().st_mode & 0o777 == 0o700
    (path,) = ledger.folder.glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_closed_entry_is_gone_and_may_be_closed_again(ledger: Ledger) -> None:
    entry = made()
    ledger.open(entry)
    assert ledger.close(entry.id)
    assert not ledger.close(entry.id)
    assert ledger.read().entries == ()


def test_no_ledger_yet_is_an_empty_one(ledger: Ledger) -> None:
    assert ledger.read().entries == ()
    assert not ledger.close("nic_down-1-0")


def test_the_last_injected_comes_first(ledger: Ledger) -> None:
    first, second, third = made("one"), made("two"), made("three")
    earlier_boot = msgspec.structs.replace(made("four"), boot_id="b", requested_ns=10**18)
    for entry in (second, earlier_boot, third, first):
        ledger.open(entry)
    order = [entry.target for entry in ledger.read().entries]
    assert order == ["three", "two", "one", "four"], "of another boot: clocks do not compare"


def test_the_same_fault_on_the_same_target_is_open_once(ledger: Ledger) -> None:
    ledger.open(made("one"))
    with pytest.raises(FaultError, match=r"nic_down on one of cluster c: is open already") as told:
        ledger.open(made("one", fault=NicDown("one", interface="eth1")))
    assert str(os.getpid()) in str(told.value)
    ledger.open(made("two"))
    ledger.open(made("one", cluster="other"))
    assert len(ledger.read().entries) == 3


def test_a_dead_owner_s_entry_says_that_heal_is_next(ledger: Ledger) -> None:
    ledger.open(msgspec.structs.replace(made("one"), owner=dead()))
    with pytest.raises(FaultError, match=r"which is dead\n  next: chaoskit heal"):
        ledger.open(made("one"))


@pytest.mark.parametrize("kept", [0, 1, 50, -1], ids=["empty", "one byte", "torn", "all but one"])
def test_a_torn_file_is_told_by_name_and_the_others_are_read(ledger: Ledger, kept: int) -> None:
    ledger.open(made("one"))
    torn = ledger.folder / "nic_down-7-abc.json"
    torn.write_bytes(encoded(made("two")).rstrip()[:kept])
    reading = ledger.read()
    assert [entry.target for entry in reading.entries] == ["one"]
    (unreadable,) = reading.unreadable
    assert str(torn) in str(unreadable)
    assert "next:" in str(unreadable)
    assert torn.exists()


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"[]", "version is None"),
        (b'{"version": 2}', "version is 2"),
        (b'{"version": 1}', "id"),
        (b"\xff\xfe", "malformed|utf"),
    ],
)
def test_a_foreign_file_is_told_with_its_reason(
    ledger: Ledger, content: bytes, reason: str
) -> None:
    ledger.folder.mkdir(parents=True)
    (ledger.folder / "foreign.json").write_bytes(content)
    (unreadable,) = ledger.read().unreadable
    assert re.search(reason, unreadable.reason, re.IGNORECASE), unreadable.reason


def test_a_folder_or_an_entry_of_another_name_is_foreign_too(ledger: Ledger) -> None:
    ledger.folder.mkdir(parents=True)
    (ledger.folder / "folder.json").mkdir()
    (ledger.folder / "copy.json").write_bytes(encoded(made()))
    reasons = sorted(one.path.name for one in ledger.read().unreadable)
    assert reasons == ["copy.json", "folder.json"]


def wait_entries(ledger: Ledger, count: int) -> None:
    wait_until(
        lambda: len(ledger.read().entries) >= count,
        what=f"{count} entries",
        timeout_s=60,
        interval_s=0.01,
    )


def test_a_writer_that_is_killed_leaves_no_half_entry(ledger: Ledger) -> None:
    """At each of many moments: what is there is whole, and nothing else is taken for an entry."""
    code = (
        "import sys, itertools; from pathlib import Path;"
        "from tests.unit.faults.test_ledger import made;"
        "from chaoskit.faults.ledger.ledger import Ledger;"
        "ledger = Ledger(Path(sys.argv[1])); print('up', flush=True);\n"
        "for n in itertools.count(): ledger.open(made(f'n{n}'))"
    )
    for moment in range(3):
        folder = ledger.folder / str(moment)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        wait_entries(Ledger(folder), 5 * (moment + 1))
        process.kill()
        process.communicate()
        reading = Ledger(folder).read()
        assert reading.unreadable == ()
        targets = sorted(int(entry.target[1:]) for entry in reading.entries)
        assert targets == list(range(len(targets)))


def test_of_many_processes_that_inject_the_same_one_wins(ledger: Ledger) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from chaoskit.errors import FaultError;"
        "from tests.unit.faults.test_ledger import made;"
        "from chaoskit.faults.ledger.ledger import Ledger;"
        "sys.stdin.readline();\n"
        "try: Ledger(Path(sys.argv[1])).open(made('same')); print('won')\n"
        "except FaultError as error: print('lost')"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(ledger.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    said = sorted(process.communicate("go\n", timeout=60)[0].strip() for process in processes)
    assert said == ["lost", "lost", "lost", "won"]
    assert len(ledger.read().entries) == 1


@dataclass(frozen=True)
class Talkative(NicDown):
    """A fault with content in a field."""

    content: str = ""


@pytest.mark.parametrize("content", ["x" * 5000, "-----BEGIN RSA PRIVATE KEY-----"])
def test_content_has_no_place_in_an_entry(ledger: Ledger, content: str) -> None:
    with pytest.raises(FaultError, match="hold content"):
        ledger.open(made(fault=Talkative("one", content=content)))
    assert not list(ledger.folder.glob("*.json"))


@dataclass(frozen=True)
class Odd(NicDown):
    """A fault with a field that is no plain value."""

    thing: object = None


def test_a_fault_that_is_no_data_is_refused_before_it_is_injected() -> None:
    with pytest.raises(UsageError, match="no plain values"):
        made(fault=Odd("one", thing=object()))


def test_a_disk_that_refuses_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FaultError, match=r"file/ledger: the ledger of open faults cannot be"):
        Ledger(tmp_path / "file" / "ledger").open(made())


def test_whose_entries_are_left_to_whoever_comes() -> None:
    alive = made()
    elsewhere = str(labels.this_process()).rpartition(":")[0] + ":another-namespace"
    unseen = msgspec.structs.replace(alive, owner=elsewhere)
    rebooted = msgspec.structs.replace(
        alive, owner=f"{os.getpid()}:1:boot:1", boot_id="boot", requested_ns=10**18
    )
    past_ns = round(2 * HOUR_S * 1e9)
    assert not nobody_heals(alive)
    assert nobody_heals(msgspec.structs.replace(alive, owner=dead()))
    assert nobody_heals(msgspec.structs.replace(alive, owner="nonsense"))
    # What cannot be seen from here may live: it is left alone until its time is over.
    assert not nobody_heals(unseen)
    assert nobody_heals(msgspec.structs.replace(unseen, heal_at_ns=clock.now_ns() - past_ns))
    assert not nobody_heals(rebooted)
    assert nobody_heals(
        msgspec.structs.replace(rebooted, heal_at_wall_ns=clock.wall_ns() - past_ns)
    )
    # A living owner that is late is alive still.
    assert not nobody_heals(msgspec.structs.replace(alive, heal_at_ns=clock.now_ns() - past_ns))


def test_an_entry_of_a_fault_that_is_not_here_says_so() -> None:
    text = json.loads(encoded(made()))
    entry = decoded(json.dumps({**text, "fault": "nic_melted"}).encode())
    with pytest.raises(UsageError, match="nic_melted: no such fault"):
        entry.rebuilt()
