"""The controller keeps its last decisions, and each of them is decided again as it was."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.names import SETTINGS_ENV
from provisioner.core.decide import decide
from provisioner.core.plan import MARK
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.record import Decided, RecordFault, budget_of, read
from provisioner.ring import Ring
from provisioner.settings import parse
from tests.support.provision import OKE, catalog, offering, pod
from tests.support.world import World
from tests.unit.provisioner.test_settings import text

MARKET = catalog(offering("small", "1"), offering("large", "1.5", vcpus=4))
POLICY = Policy(mode=OPTIMAL, node_unneeded_s=60)


def world(folder: Path, last: int = 20, most_bytes: int = 2**20) -> World:
    made = World(MARKET, POLICY)
    made.controller.record = Ring(folder, last, most_bytes).keep
    return made


def records(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_was_bought_is_decided_again_from_the_record(tmp_path: Path) -> None:
    here = world(tmp_path / "new" / "folder")
    here.cluster.add(pod("a", "700m", "2Gi"), pod("b", "700m", "2Gi"))
    here.rounds(3)
    (kept,) = records(tmp_path / "new" / "folder")
    told, decided = read(kept)
    again = decide(told.snapshot, told.catalog, told.policy, told.now, budget_of(told.rounds))
    assert [each.size.offering.shape for each in again.nodes] == here.bought == ["large"]
    assert told.now == here.now - timedelta(seconds=30)
    assert Decided.of(again) == decided


def test_rounds_that_change_nothing_leave_no_record(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.rounds(3)
    here.cluster.add(pod("huge", "900"))
    here.rounds(3)
    assert records(tmp_path) == []


def test_a_decision_that_is_repeated_is_recorded_once(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.driver.loses_reply = True
    here.cluster.add(pod("a", "700m", "2Gi"))
    here.rounds(1)
    assert len(records(tmp_path)) == 1
    first = here.controller.step(here.now, lambda: 0)
    here.controller.step(here.now + timedelta(seconds=1), lambda: 0)
    assert len(records(tmp_path)) == 1 + first.acts


def test_the_oldest_goes_when_one_more_comes(tmp_path: Path) -> None:
    here = world(tmp_path, last=2)
    for name in "abcd":
        here.cluster.add(pod(name, "900m", "3Gi"))
        here.step()
    told = [read(path)[0] for path in records(tmp_path)]
    assert [max(each.snapshot.pods, key=lambda pod: pod.name).name for each in told] == ["c", "d"]


def test_records_take_no_more_than_they_may_together(tmp_path: Path) -> None:
    def kept(folder: Path, most_bytes: int) -> list[tuple[str, int]]:
        here = world(folder, most_bytes=most_bytes)
        for name in "abcde":
            here.cluster.add(pod(name, "900m", "3Gi"))
            here.step()
        return [(each.name, each.stat().st_size) for each in records(folder)]

    every = kept(tmp_path / "every", 2**20)
    assert len(every) == 5
    assert kept(tmp_path / "three", sum(size for _, size in every[-3:])) == every[-3:]
    assert kept(tmp_path / "two", sum(size for _, size in every[-3:]) - 1) == every[-2:]


def test_a_record_that_is_larger_than_all_may_be_is_said(tmp_path: Path) -> None:
    here = world(tmp_path, most_bytes=100)
    here.cluster.add(pod("a", "700m", "2Gi"))
    here.rounds(2)
    assert (here.bought, records(tmp_path)) == (["small"], [])
    assert any("raise record_mib" in line for line in here.log.lines)


def test_marks_are_recorded_as_well(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.cluster.add(pod("a", "700m", "2Gi"))
    here.rounds(2)
    here.cluster.pods.clear()
    here.rounds(1)
    told, _ = read(records(tmp_path)[-1])
    again = decide(told.snapshot, told.catalog, told.policy, told.now, budget_of(told.rounds))
    assert [step.action for step in again.steps] == [MARK]


def test_a_decision_that_cannot_be_recorded_is_carried_out_all_the_same(tmp_path: Path) -> None:
    here = world(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    here.cluster.add(pod("a", "700m", "2Gi"))
    here.rounds(2)
    assert (here.bought, here.cluster.pending) == (["small"], [])
    assert any("not recorded" in line and "No such file" in line for line in here.log.lines)


def test_a_folder_that_cannot_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordFault, match=r"file/folder: cannot be made: Not a directory"):
        Ring(tmp_path / "file" / "folder", 3, 2**20)


def test_rounds_by_the_clock_are_those_of_the_record(tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    here = World(OKE, Policy(mode=OPTIMAL, decision_deadline_s=3), lambda: next(ticks))
    here.controller.record = Ring(tmp_path, 3, 2**20).keep
    here.cluster.add(*(pod(f"p{at}", f"{100 + 30 * at}m", f"{500 + 77 * at}M") for at in range(70)))
    here.step()
    assert json.loads(records(tmp_path)[0].read_text())["decision"]["rounds"] == 2


def test_nothing_is_recorded_unless_the_settings_say_where() -> None:
    assert parse(text("oke")).record_folder == ""
    with pytest.raises(ValueError, match=f"{SETTINGS_ENV}: record_last"):
        parse(text("oke", record_last=0))
