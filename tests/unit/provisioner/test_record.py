"""A recorded decision: what is refused of it, and that it is decided again anywhere as it was."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from provisioner.__main__ import app
from provisioner.core.decide import decide
from provisioner.core.market import Stockout
from provisioner.core.plan import CORDON, MARK, NodeStep, Reason, Unplaced
from provisioner.core.policy import OPTIMAL
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot
from provisioner.record import Counted, Decided, Decision, RecordFault, budget_of, dump, load, version, write
from tests.support.packing import rounds
from tests.support.provision import ANY_ARCH, NOW, OKE, node, pod

SPEC = PoolSpec("VM.Standard.A1.Flex", 1, Decimal(6), "US-ASHBURN-AD-1", "on-demand", (("a", "b"),))
DECISION = Decision(
    Snapshot(
        tuple(
            pod(f"p{at}", f"{100 + 37 * at}m", f"{300 + 91 * at}M", labels={"n": str(at)}) for at in range(60)
        ),
        (node(),),
        (Pool("id", "name", SPEC, 2, (Instance("i", first_seen=NOW),), NOW),),
        (Stockout("VM.Standard.A2.Flex", "US-ASHBURN-AD-1", "on-demand", NOW, "no capacity"),),
    ),
    OKE,
    replace(ANY_ARCH, mode=OPTIMAL, repack=True, max_price_per_hour=Decimal("12.5")),
    NOW,
    3,
)
PLAN = decide(DECISION.snapshot, DECISION.catalog, DECISION.policy, DECISION.now, rounds(3))


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(dump(DECISION, PLAN)), **changes})


def test_what_is_read_is_what_was_recorded() -> None:
    assert load(dump(DECISION, PLAN), "here") == (DECISION, Decided.of(PLAN))


def test_a_record_of_another_version_is_refused_with_the_way_out() -> None:
    with pytest.raises(RecordFault, match=r"here: recorded by another version .*'older'.*: replay it with"):
        load(changed(version="older"), "here")


def test_a_field_nobody_knows_is_not_passed_over() -> None:
    document = json.loads(dump(DECISION, PLAN))
    document["decision"]["policy"]["luck"] = 7
    with pytest.raises(RecordFault, match=r"here: damaged: decision\.policy\.luck"):
        load(json.dumps(document), "here")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        dump(DECISION, PLAN)[:-9],
        "[" * 100_000,
        changed(kind="List"),
        changed(decision={}),
        b"\xff\xfe",
        dump(DECISION, PLAN).replace('"cpu_millicores":100,', '"cpu_millicores":"many",', 1),
        dump(DECISION, PLAN).replace('"rounds":3', '"rounds":null'),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(text: str | bytes) -> None:
    with pytest.raises(RecordFault) as caught:
        load(text, "here")
    assert str(caught.value).startswith("here: ")
    assert "\n" not in str(caught.value)


def test_the_version_is_that_of_the_fields_and_not_of_the_words_about_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = version()
    monkeypatch.setattr(Snapshot, "__doc__", "Something else.")
    version.cache_clear()
    assert version() == before


def test_rounds_are_counted_and_given_again() -> None:
    counted = Counted(rounds(4))
    while counted():
        pass
    assert counted.rounds == 4
    again = budget_of(4)
    assert [again() for _ in range(6)] == [True] * 4 + [False] * 2


_AGAIN = """
import json, sys
from pathlib import Path
from provisioner import question, record, report
answer = question.answer(question.read(question.Options(replay=Path(sys.argv[1])), None), lambda: 0.0)
print(json.dumps(report.document(answer.plan, 0)))
"""


def test_another_process_gives_the_same_document_bit_for_bit(tmp_path: Path) -> None:
    write(DECISION, PLAN, tmp_path / "record")

    def replayed(seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", _AGAIN, str(tmp_path / "record")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout

    one, other = replayed("1"), replayed("2")
    assert one == other
    assert json.loads(one)["price_per_hour"] == float(PLAN.price_per_hour) > 0


def test_plans_that_do_other_things_have_other_fingerprints() -> None:
    others = [
        replace(PLAN, nodes=PLAN.nodes[1:]),
        replace(PLAN, nodes=(replace(PLAN.nodes[0], pods=PLAN.nodes[0].pods[1:]), *PLAN.nodes[1:])),
        replace(PLAN, existing=()),
        replace(PLAN, unplaced=(Unplaced(pod("x"), (Reason("arch", ""),)),)),
        replace(PLAN, steps=(NodeStep("n", MARK, "why"),)),
        replace(PLAN, steps=(NodeStep("n", CORDON, "why"),)),
        replace(PLAN, held="for a reason"),
        replace(PLAN, mode="bin-pack"),
    ]
    assert len({Decided.of(each).fingerprint for each in (PLAN, *others)}) == len(others) + 1


def test_the_lower_bound_is_not_worked_out_for_a_record() -> None:
    def bound() -> Decimal:
        raise AssertionError

    assert Decided.of(replace(PLAN, bound=bound)) == Decided.of(PLAN)


def test_a_planner_that_decides_otherwise_is_told_from_the_one_that_recorded(tmp_path: Path) -> None:
    write(DECISION, PLAN, tmp_path / "same")
    write(DECISION, replace(PLAN, nodes=()), tmp_path / "other")
    same = CliRunner().invoke(app, ["plan", "--replay", str(tmp_path / "same"), "--json"])
    other = CliRunner().invoke(app, ["plan", "--replay", str(tmp_path / "other"), "--json"])
    assert (same.exit_code, same.stderr) == (0, "")
    assert other.exit_code == 0
    assert other.stderr.startswith(
        "the planner has changed since this was recorded: then it was 0 nodes at $0 an hour, now it is"
    )
