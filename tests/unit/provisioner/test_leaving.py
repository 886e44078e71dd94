"""Nodes that have to go whatever it costs, and drains that do not get on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.names import DRAINING_KEY, GIVEN_UP_KEY, REMOVABLE_SINCE_KEY
from provisioner.core.decide import decide
from provisioner.core.drift import why_drifted
from provisioner.core.model import CAPACITY_TYPE, Budget, Node, Pod, Taint
from provisioner.core.plan import DETACH, DRAIN, EVICT, GIVE_UP, MARK, TERMINATE, UNMARK, Plan
from provisioner.core.policy import DRIFTED, EXPIRED, MODES, OPTIMAL, Headroom, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot
from tests.support.packing import rounds
from tests.support.provision import NOW, amounts, bought, catalog, offering, worker
from tests.support.world import World

MARKET = catalog(offering("small", "1", vcpus=1))
SMALL = PoolSpec("small", 0, Decimal(4), "z1", "on-demand", ((CAPACITY_TYPE, "on-demand"),))
POLICY = Policy(mode=OPTIMAL, repack=False, node_unneeded_s=60, expire_after_s=3600)
OLD = NOW - timedelta(hours=1)
WAITED = {REMOVABLE_SINCE_KEY: (NOW - timedelta(seconds=60)).isoformat()}


def draining(seconds: float) -> dict[str, str]:
    return {**WAITED, DRAINING_KEY: (NOW - timedelta(seconds=seconds)).isoformat()}


def there(name: str, **changes: Any) -> Node:
    offered = MARKET.offerings[0]
    size = MARKET.size(offered)
    labels = {**MARKET.labels(offered, "z1"), **dict(SMALL.labels), "kubernetes.io/hostname": name}
    values = {"capacity": size.usable, "allocatable": size.usable, "created": OLD, **changes}
    return Node(name, provider_id=name, labels=labels, **values)


def planned(
    pods: list[Pod], nodes: list[Node], policy: Policy = POLICY, budgets: tuple[Budget, ...] = ()
) -> Plan:
    pool = Pool("p", "p", SMALL, len(nodes), tuple(Instance(each.name) for each in nodes))
    snapshot = Snapshot(tuple(pods), tuple(nodes), (pool,), budgets=budgets)
    return decide(snapshot, MARKET, policy, NOW, rounds(100))


def steps(plan: Plan) -> list[tuple[str, str]]:
    return [(each.node, each.action) for each in plan.steps]


BOTH = [worker("a", "n1"), worker("b", "n2")]


class TestExpiry:
    def test_a_node_that_is_too_old_is_marked_like_one_that_costs_too_much(self) -> None:
        plan = planned(BOTH, [there("n1"), there("n2", created=NOW)])
        assert steps(plan) == [("n1", MARK)]
        assert plan.repack is not None
        assert (plan.repack.reason, plan.repack.nodes) == (EXPIRED, ())
        assert "it is there since 2026-01-02 02:04:05, and nodes are kept for 1:00:00" in plan.repack.why

    def test_another_is_bought_first(self) -> None:
        plan = planned(BOTH, [there("n1", annotations=WAITED), there("n2", created=NOW)])
        assert plan.repack is not None
        assert ([str(each.size) for each in plan.repack.nodes], plan.steps) == (["small"], ())
        assert bought(plan) == {}

    def test_when_that_is_ready_the_pods_are_moved(self) -> None:
        new = there("n3", created=NOW)
        plan = planned(BOTH, [there("n1", annotations=WAITED), there("n2", created=NOW), new])
        assert steps(plan) == [("n1", DRAIN)]
        closed = there("n1", annotations=draining(1), is_cordoned=True)
        assert steps(planned(BOTH, [closed, there("n2", created=NOW), new])) == [("n1", EVICT)]

    def test_the_last_one_is_replaced_before_it_goes(self) -> None:
        closed = there("n1", annotations=draining(1), is_cordoned=True)
        assert steps(planned([worker("a", "n1")], [closed, there("n2", created=NOW)])) == [("n1", DETACH)]

    def test_one_goes_after_another_the_oldest_first(self) -> None:
        older = there("n2", created=OLD - timedelta(seconds=1))
        assert steps(planned(BOTH, [there("n1"), older])) == [("n2", MARK)]

    def test_what_has_begun_is_gone_on_with(self) -> None:
        older = there("n2", created=OLD - timedelta(seconds=1))
        plan = planned(BOTH, [there("n1", annotations=WAITED), older])
        assert plan.repack is not None
        assert plan.repack.leaving == {"n1"}

    @pytest.mark.parametrize(
        ("nodes", "policy"),
        [
            pytest.param([there("n1", created=OLD + timedelta(seconds=1))], POLICY, id="too young"),
            pytest.param([there("n1", created=None)], POLICY, id="nobody knows how old"),
            pytest.param([there("n1")], replace(POLICY, expire_after_s=None), id="nodes do not expire"),
        ],
    )
    def test_it_stays_when(self, nodes: list[Node], policy: Policy) -> None:
        assert planned([worker("a", "n1")], nodes, policy).repack is None

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"owner": None}, "nothing would replace default/a"),
            ({"annotations": {"karpenter.sh/do-not-disrupt": "true"}}, "karpenter.sh/do-not-disrupt=true"),
            ({"is_ready": False}, "default/a is not ready"),
        ],
    )
    def test_pods_that_may_not_be_moved_keep_it_and_that_is_said(
        self, changes: dict[str, Any], why: str
    ) -> None:
        plan = planned([worker("a", "n1", **changes)], [there("n1")])
        assert plan.repack is None
        assert plan.declined.startswith("n1 has to go")
        assert why in plan.declined

    def test_where_nothing_may_be_bought_and_nothing_is_free_it_stays_and_that_is_said(self) -> None:
        plan = planned([worker("a", "n1")], [there("n1")], replace(POLICY, max_nodes=1))
        assert plan.repack is None
        assert "its pods would have no other place now" in plan.declined

    def test_no_headroom_is_kept_on_it(self) -> None:
        policy = replace(POLICY, headroom=Headroom(1, amounts("700m", "2Gi")))
        plan = planned([], [there("n1", annotations=WAITED, is_cordoned=True)], policy)
        assert (bought(plan), steps(plan)) == ({"small": 1}, [("n1", TERMINATE)])

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("restart", [lambda _: None, World.restart])
    def test_in_every_mode_all_nodes_are_replaced_and_somebody_always_serves(
        self, mode: str, restart: Callable[[World], None]
    ) -> None:
        world = World(MARKET, replace(POLICY, mode=mode, node_unneeded_s=20, expire_after_s=600))
        for name in ("a", "b"):
            world.cluster.add(worker(name, ""))
        world.rounds(2)
        first = set(world.cluster.nodes)
        for _ in range(100):
            world.rounds(1)
            restart(world)
            assert sum(each.is_ready for each in world.cluster.pods.values()) >= 2
        assert not first & set(world.cluster.nodes)
        assert (len(world.cluster.nodes), len(world.bought)) == (2, 4)


class TestDrift:
    """Nodes that would be made otherwise today."""

    POLICY = replace(POLICY, expire_after_s=None, replace_drifted=True)
    POOL = Pool("p", "p", SMALL, 2, (Instance("n1"), Instance("n2")), version="v1.36.3")

    def why(self, pool: Pool = POOL, policy: Policy = POLICY, **changes: Any) -> str:
        return why_drifted(there("n1", **changes), pool, policy)

    def test_a_node_as_it_would_be_made_today_stays(self) -> None:
        assert self.why(kubelet_version="v1.36.3") == ""

    def test_without_the_policy_every_node_stays(self) -> None:
        assert (
            self.why(replace(self.POOL, is_outdated=True), replace(self.POLICY, replace_drifted=False)) == ""
        )

    @pytest.mark.parametrize(
        ("pool", "policy", "why"),
        [
            ({"is_outdated": True}, {}, "by other settings"),
            ({}, {"node_labels": {"role": "inference"}}, "with other labels"),
            ({}, {"node_taints": (Taint("role", "inference", "NoSchedule"),)}, "with other taints"),
            ({"version": "v1.37.0"}, {}, "its kubelet is v1.36.3, and new nodes of p get v1.37.0"),
        ],
    )
    def test_what_would_be_otherwise_is_said(
        self, pool: dict[str, Any], policy: dict[str, Any], why: str
    ) -> None:
        made, wanted = replace(self.POOL, **pool), replace(self.POLICY, **policy)
        assert why in self.why(made, wanted, kubelet_version="v1.36.3")

    @pytest.mark.parametrize(
        ("kubelet", "pool", "drifts"),
        [
            ("v1.36.3", "1.36.4", True),
            ("v1.36.10", "v1.36.9", False),
            ("v1.36.3-gke.100", "1.36.3-gke.1000", True),
            ("v1.36.3-gke.1000", "1.36.3-gke.100", False),
            ("v1.36.3", "1.36.3-gke.100", False),
            ("kwok-v0.7", "v1.36.3", False),
            ("", "v1.36.3", False),
            ("v1.36.3", "", False),
        ],
    )
    def test_only_an_older_version_is_a_drift(self, kubelet: str, pool: str, *, drifts: bool) -> None:
        assert bool(self.why(replace(self.POOL, version=pool), kubelet_version=kubelet)) == drifts

    def test_it_leaves_as_drifted(self) -> None:
        plan = decide(
            Snapshot(tuple(BOTH), (there("n1"), there("n2")), (replace(self.POOL, is_outdated=True),)),
            MARKET,
            self.POLICY,
            NOW,
            rounds(10),
        )
        assert plan.repack is not None
        assert (plan.repack.reason, steps(plan)) == (DRIFTED, [("n1", MARK)])

    def test_after_a_change_of_settings_every_node_is_replaced_once(self) -> None:
        world = World(MARKET, replace(self.POLICY, node_unneeded_s=20))
        for name in ("a", "b"):
            world.cluster.add(worker(name, ""))
        world.rounds(8)
        first = set(world.cluster.nodes)
        assert len(first) == 2
        world.driver.change_settings()
        for _ in range(40):
            world.rounds(1)
            assert sum(each.is_ready for each in world.cluster.pods.values()) >= 2
        assert not first & set(world.cluster.nodes)
        assert (len(world.bought), len(world.cluster.nodes)) == (4, 2)


class TestStuck:
    """A drain that a disruption budget, or a pod, lets not get on."""

    POLICY = replace(POLICY, drain_timeout_s=300)
    BUDGET = Budget("default", "web", (), 0)

    def on(self, seconds: float, *pods: Pod) -> Plan:
        closed = there("n1", annotations=draining(seconds), is_cordoned=True)
        nodes = [closed, there("n2", created=NOW), there("n3", created=NOW)]
        return planned(list(pods) or BOTH, nodes, self.POLICY, (self.BUDGET,))

    def test_it_is_waited_for(self) -> None:
        assert ("n1", GIVE_UP) not in steps(self.on(299))

    def test_after_a_while_it_is_given_up_and_the_reason_said(self) -> None:
        (step,) = [each for each in self.on(300).steps if each.node == "n1"]
        assert step.action == GIVE_UP
        assert step.why == (
            "no pod could be moved for 300 s: the PodDisruptionBudget web allows no disruption"
        )

    def test_a_node_that_is_empty_goes(self) -> None:
        assert ("n1", GIVE_UP) not in steps(self.on(300, worker("b", "n2")))

    @pytest.mark.parametrize(("ago", "actions"), [(1199, []), (1200, [("n1", MARK)])])
    def test_then_the_node_is_left_alone_for_a_while(self, ago: float, actions: list[Any]) -> None:
        given_up = {GIVEN_UP_KEY: (NOW - timedelta(seconds=ago)).isoformat()}
        nodes = [there("n1", annotations=given_up), there("n2", created=NOW)]
        assert steps(planned(BOTH, nodes, self.POLICY)) == actions

    def test_the_node_is_open_again_and_the_time_counts_from_the_last_pod_moved(self) -> None:
        world = World(MARKET, replace(self.POLICY, node_unneeded_s=1000, expire_after_s=1))
        for name in ("a", "b"):
            world.cluster.add(worker(name, ""))
        world.rounds(2)
        name = world.cluster.pods["a"].node_name
        old = (world.now - timedelta(seconds=290)).isoformat()
        for key, value in ((REMOVABLE_SINCE_KEY, old), (DRAINING_KEY, old)):
            world.cluster.annotate(name, key, value)
        world.cluster.cordon(name, closed=True)
        world.cluster.pods["b"] = replace(world.cluster.pods["b"], is_ready=False)
        world.step()
        assert DRAINING_KEY in world.cluster.nodes[name].annotations
        world.step()
        node = world.cluster.nodes[name]
        assert (node.is_cordoned, DRAINING_KEY in node.annotations) == (False, False)
        assert REMOVABLE_SINCE_KEY not in node.annotations
        assert GIVEN_UP_KEY in node.annotations
        assert any("give up" in line for line in world.log.lines)
        assert world.cluster.evicted == []


def test_an_unmarked_node_is_not_opened_twice() -> None:
    nodes = [there("n1", annotations=draining(900), is_cordoned=True), there("n2", created=NOW)]
    plan = planned(BOTH, nodes)
    assert [action for node, action in steps(plan) if node == "n1"] == [GIVE_UP]
    assert ("n1", UNMARK) not in steps(plan)
