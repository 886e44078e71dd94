"""The bill: which instances run, whose they are, and how seldom it is asked for."""

import json
from decimal import Decimal

import pytest

from experiments.bill import Instance, SharedBill, of_clusters, running
from experiments.fault import Fault
from experiments.reading import Billed


def row(
    number: int, cluster: str = "c1", stopped_at: str | None = None, price: float = 0.0115
) -> dict[str, object]:
    return {
        "id": f"i{number}",
        "cloud": "oke",
        "cluster": cluster,
        "shape": "VM.Standard.A1.Flex",
        "cpu_millicores": 1000,
        "memory_bytes": 2**30,
        "price_per_hour": price,
        "started_at": "2026-01-01T00:00:00+00:00",
        "stopped_at": stopped_at,
    }


def bill(*rows: dict[str, object]) -> str:
    return json.dumps({"price_per_hour": 0, "total": 0, "instances": rows, "other": []})


def test_only_running_instances_count() -> None:
    assert [i.id for i in running(bill(row(1), row(2, stopped_at="2026-01-01T01:00:00+00:00")))] == ["i1"]


def test_a_price_is_what_the_bill_says_to_the_last_digit() -> None:
    assert running(bill(row(1, price=0.0115), row(2, price=3)))[0].price_per_hour == Decimal("0.0115")


def test_a_clusters_cost_is_the_sum_of_its_running_instances() -> None:
    billed = of_clusters(
        running(bill(row(1), row(2), row(3, cluster="c2"))), frozenset({"c1", "oke-dynamic"})
    )
    assert (billed.instances, billed.price_per_hour) == (2, Decimal("0.0230"))


def test_a_cluster_without_instances_costs_nothing() -> None:
    billed = of_clusters((), frozenset({"c1"}))
    assert billed == Billed(instances=0, price_per_hour=Decimal(0))


@pytest.mark.parametrize("text", ["", "[]", '{"instances": [{}]}', '{"instances": [{"stopped_at": null}]}'])
def test_another_document_is_a_fault(text: str) -> None:
    with pytest.raises(Fault, match="emulator bill --json: not the promised document"):
        running(text)


def test_the_bill_is_asked_for_again_only_when_it_is_old() -> None:
    asked, now = [], [0.0]

    def ask() -> str:
        asked.append(now[0])
        return bill(row(len(asked)))

    shared = SharedBill(ask, lambda: now[0])
    seen = []
    for now[0] in (0.0, 1.0, 4.0, 4.5, 5.0):
        seen.append(shared.instances())
    assert asked == [0.0, 4.5]
    assert seen[-1] == (Instance("i2", "c1", "VM.Standard.A1.Flex", Decimal("0.0115")),)
    now[0] = 5.1
    shared.instances(max_age_s=0)
    assert asked[-1] == 5.1
