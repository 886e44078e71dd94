"""An operator's budgets: how many bought nodes leave at once, for which reasons, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.names import DRAINING_KEY, REMOVABLE_SINCE_KEY
from provisioner.core.decide import decide
from provisioner.core.disruption import Allowance
from provisioner.core.model import CAPACITY_TYPE, Node, Pod
from provisioner.core.node_budget import NodeBudget
from provisioner.core.plan import CORDON, DRAIN, MARK, TERMINATE, Plan
from provisioner.core.policy import DRIFTED, EMPTY, EXPIRED, OPTIMAL, REASONS, UNDERUSED, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot
from tests.support.packing import rounds
from tests.support.provision import NOW, bought, catalog, node, offering, pod, worker
from tests.support.world import World

MARKET = catalog(offering("small", "1", vcpus=1), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))
SMALL = PoolSpec("small", 0, Decimal(4), "z1", "on-demand", ((CAPACITY_TYPE, "on-demand"),))
POLICY = Policy(mode=OPTIMAL, repack=True, node_unneeded_s=60, repack_cost_per_pod=Decimal("0.01"))
WAITED = {REMOVABLE_SINCE_KEY: (NOW - timedelta(seconds=60)).isoformat()}
DRAINING = {**WAITED, DRAINING_KEY: NOW.isoformat()}


def there(name: str, **changes: Any) -> Node:
    labels = {**MARKET.labels(MARKET.offerings[0], "z1"), CAPACITY_TYPE: "on-demand"}
    return node(name, "1", "4Gi", labels=labels, provider_id=name, **changes)


def snapshot(nodes: list[Node], pods: list[Pod] | None = None, *leaving: str) -> Snapshot:
    instances = tuple(Instance(each.name, is_leaving=each.name in leaving) for each in nodes)
    return Snapshot(tuple(pods or ()), tuple(nodes), (Pool("p", "p", SMALL, len(nodes), instances),))


def planned(nodes: list[Node], pods: list[Pod], *budgets: NodeBudget) -> Plan:
    return decide(snapshot(nodes, pods), MARKET, replace(POLICY, node_budgets=budgets), NOW, rounds(100))


def steps(plan: Plan) -> list[tuple[str, str]]:
    return [(each.node, each.action) for each in plan.steps]


EMPTIES = [there(f"n{at}", annotations=WAITED) for at in range(3)]


class TestHowMany:
    def left(self, nodes: list[Node], reason: str, *budgets: NodeBudget) -> int | None:
        return Allowance(snapshot(nodes), replace(POLICY, node_budgets=budgets), NOW).left(reason)

    def test_without_a_budget_any_number_may_leave(self) -> None:
        assert self.left(EMPTIES, EMPTY) is None

    @pytest.mark.parametrize(("percent", "nodes"), [(0, 0), (1, 1), (33, 1), (34, 2), (100, 3)])
    def test_a_share_is_rounded_up(self, percent: int, nodes: int) -> None:
        assert self.left(EMPTIES, EMPTY, NodeBudget(percent=Decimal(percent))) == nodes

    def test_the_smallest_counts(self) -> None:
        assert self.left(EMPTIES, EMPTY, NodeBudget(2), NodeBudget(1), NodeBudget(3)) == 1

    def test_a_budget_may_be_for_some_reasons_only(self) -> None:
        budget = NodeBudget(0, reasons=(UNDERUSED, DRIFTED))
        assert {reason: self.left(EMPTIES, reason, budget) for reason in REASONS} == {
            EMPTY: None,
            UNDERUSED: 0,
            EXPIRED: None,
            DRIFTED: 0,
        }

    @pytest.mark.parametrize(
        "changes",
        [{"annotations": WAITED, "is_cordoned": True}, {"annotations": DRAINING}, {"is_deleting": True}],
    )
    def test_nodes_that_are_leaving_count_for_every_reason(self, changes: dict[str, Any]) -> None:
        nodes = [there("n0", **changes), there("n1"), there("n2")]
        assert self.left(nodes, EXPIRED, NodeBudget(2)) == 1

    def test_machines_that_are_given_back_count_and_other_peoples_nodes_do_not(self) -> None:
        seen = snapshot([there("n0"), there("n1")], None, "n0")
        seen = replace(seen, nodes=(*seen.nodes, node("management", annotations=DRAINING)))
        policy = replace(POLICY, node_budgets=(NodeBudget(percent=Decimal(100)),))
        assert Allowance(seen, policy, NOW).left(EMPTY) == 1


class TestWhen:
    NIGHT = NodeBudget(0, schedule="0 22 * * MON-FRI", duration_s=8 * 3600)

    @pytest.mark.parametrize(
        ("day", "hour", "minute", "holds"),
        [
            pytest.param(6, 21, 59, False, id="before"),
            pytest.param(6, 22, 0, True, id="from the minute on"),
            pytest.param(7, 5, 59, True, id="over midnight"),
            pytest.param(7, 6, 0, False, id="until it is over"),
            pytest.param(10, 3, 0, True, id="on Saturday morning, since Friday"),
            pytest.param(10, 23, 0, False, id="not on Saturday"),
        ],
    )
    def test_it_holds_for_so_long_after_each_time(
        self, day: int, hour: int, minute: int, *, holds: bool
    ) -> None:
        moment = datetime(2026, 1, day, hour, minute, tzinfo=UTC)
        assert self.NIGHT.holds(EMPTY, moment) == holds
        elsewhere = moment.astimezone(timezone(timedelta(hours=9)))
        assert self.NIGHT.holds(EMPTY, elsewhere) == holds

    @given(st.integers(0, 10**8), st.integers(0, 23), st.integers(1, 86400))
    def test_daily_windows_are_what_a_clock_says(self, ago_s: int, hour: int, length_s: int) -> None:
        moment = NOW - timedelta(seconds=ago_s)
        budget = NodeBudget(0, schedule=f"0 {hour} * * *", duration_s=length_s)
        begun = moment.replace(hour=hour, minute=0, second=0, microsecond=0)
        since = (moment - begun) % timedelta(days=1)
        assert budget.holds(EMPTY, moment) == (since < timedelta(seconds=length_s))


def test_no_more_empty_nodes_are_closed_than_may_leave() -> None:
    assert steps(planned(EMPTIES, [], NodeBudget(2))) == [("n0", CORDON), ("n1", CORDON)]
    assert steps(planned(EMPTIES, [], NodeBudget(0))) == []


def test_what_has_begun_to_leave_goes_on() -> None:
    nodes = [there("n0", annotations=WAITED, is_cordoned=True), *EMPTIES[1:]]
    assert steps(planned(nodes, [], NodeBudget(1))) == [("n0", TERMINATE)]


TWO = [worker("a", "n0"), worker("b", "n1")]


def test_nodes_may_be_marked_whatever_the_budget() -> None:
    assert steps(planned([there("n0"), there("n1")], TWO, NodeBudget(0))) == [("n0", MARK), ("n1", MARK)]


def test_nothing_is_bought_for_a_move_that_may_not_begin_and_that_is_said() -> None:
    plan = planned(EMPTIES[:2], TWO, NodeBudget(0, reasons=(UNDERUSED,)))
    assert plan.repack is not None
    assert (plan.repack.nodes, plan.steps, bought(plan)) == ((), (), {})
    assert plan.declined == "n0, n1 cannot leave now: the disruption budgets let no more nodes leave"


def test_nodes_of_one_move_leave_one_by_one() -> None:
    large = replace(SMALL, shape="large", memory_gib=Decimal(16))
    new = node("l", "4", "16Gi", labels={CAPACITY_TYPE: "on-demand"}, provider_id="l")
    seen = snapshot(EMPTIES[:2], TWO)
    seen = replace(
        seen, nodes=(*seen.nodes, new), pools=(*seen.pools, Pool("l", "l", large, 1, (Instance("l"),)))
    )
    policy = replace(POLICY, node_budgets=(NodeBudget(1),))
    plan = decide(seen, MARKET, policy, NOW, rounds(100))
    assert steps(plan) == [("n0", DRAIN)]


def test_a_whole_cluster_is_emptied_as_fast_as_the_budget_lets_it() -> None:
    world = World(MARKET, replace(POLICY, node_unneeded_s=0, node_budgets=(NodeBudget(1),)))
    for at in range(3):
        world.cluster.add(pod(f"p{at}", "900m", "3Gi"))
        world.rounds(2)
    world.cluster.pods.clear()
    sizes = []
    for _ in range(12):
        world.rounds(1)
        closed = sum(each.is_cordoned for each in world.cluster.nodes.values())
        assert closed <= 1
        sizes.append(len(world.cluster.nodes))
    assert sizes[-1] == 0
