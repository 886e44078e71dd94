"""Which nodes are ours and what they are, told from the nodes alone; and why each of them stays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.names import REMOVABLE_SINCE_KEY
from provisioner.core import stay
from provisioner.core.decide import decide
from provisioner.core.hot_nodes import HOT
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod, Taint
from provisioner.core.owned import pools_of
from provisioner.core.policy import BIN_SELECT, OPTIMAL, Policy
from provisioner.core.snapshot import Snapshot
from tests.support.packing import rounds
from tests.support.provision import NOW, OKE, OKE_NOMINAL, amounts, node, offering, pod, worker
from tests.support.provision import catalog as market

ROLE = {"rightsize.io/role": "inference"}
SMALL = market(offering("small", "0.25"))
POLICY = Policy(mode=OPTIMAL, repack=True, node_unneeded_s=60)


def ours(name: str = "n", shape: str = "small", **changes: Any) -> Node:
    labels = {**ROLE, "node.kubernetes.io/instance-type": shape, "topology.kubernetes.io/zone": "z1"}
    return node(name, "1", "4Gi", **{**changes, "labels": labels | changes.get("labels", {})})


def flex(catalog: Catalog, ocpus: int, gib: int, shape: str = "VM.Standard.A1.Flex") -> Node:
    sold = catalog.find(shape, "on-demand")
    assert sold is not None
    size = catalog.size(sold, ocpus, gib)
    shown = amounts(f"{size.cpu_millicores}m", str(size.memory_bytes - 170_000_000))
    return ours(shape=shape, capacity=shown, labels={"kubernetes.io/arch": sold.arch})


def test_equal_nodes_are_one_pool() -> None:
    (pool,) = pools_of([ours("a"), ours("b")], SMALL, Policy())
    assert (pool.size, [each.id for each in pool.instances]) == (2, ["id-a", "id-b"])
    assert (pool.spec.shape, pool.spec.ocpus, pool.spec.zone) == ("small", 0, "z1")
    assert Snapshot(nodes=(ours("a"),), pools=(pool,)).pool_of == {"a": pool}


@pytest.mark.parametrize("catalog", [OKE, OKE_NOMINAL], ids=["documented", "nominal"])
@pytest.mark.parametrize(("ocpus", "gib"), [(1, 6), (3, 17), (8, 64)])
def test_a_flexible_size_is_the_one_that_shows_so_much(catalog: Catalog, ocpus: int, gib: int) -> None:
    ((spec,)) = [pool.spec for pool in pools_of([flex(catalog, ocpus, gib)], catalog, Policy())]
    assert spec.ocpus == ocpus
    assert abs(spec.memory_gib - gib) <= 1


@pytest.mark.parametrize("shape", ["VM.Standard.A1.Flex", "VM.Standard.E5.Flex"])
def test_an_ocpu_is_as_many_processors_as_its_architecture_says(shape: str) -> None:
    (pool,) = pools_of([flex(OKE, 4, 32, shape)], OKE, Policy())
    assert pool.spec.ocpus == 4


@pytest.mark.parametrize(
    "other",
    [
        ours(labels={"rightsize.io/role": "management"}),
        ours(shape="unheard-of"),
        ours(labels={"karpenter.sh/capacity-type": "spot"}),
        ours(labels={"kubernetes.io/arch": "amd64"}),
        ours(provider_id=""),
        ours(capacity=amounts("1", "4Gi", gpus=1)),
    ],
)
def test_other_nodes_are_nobodys(other: Node) -> None:
    assert pools_of([other], SMALL, Policy()) == ()


def test_a_policy_says_what_its_nodes_carry() -> None:
    policy = Policy(node_labels={"team": "a"}, node_taints=(Taint("team", "a", "NoSchedule"),))
    tainted = ours(
        "x", labels={"team": "a"}, taints=(Taint("team", "a", "NoSchedule"), Taint("t", "", "NoSchedule"))
    )
    (pool,) = pools_of([tainted, ours("y")], SMALL, policy)
    assert [each.id for each in pool.instances] == ["id-x"]
    assert pool.spec.taints == policy.node_taints
    assert pool.spec.labels == (("rightsize.io/role", "inference"), ("team", "a"))


def stays(pods: list[Pod], nodes: list[Node], policy: Policy = POLICY) -> list[str]:
    there = tuple(replace(each, allocatable=each.capacity) for each in nodes)
    snapshot = Snapshot(tuple(pods), there, pools_of(there, SMALL, policy))
    plan = decide(snapshot, SMALL, policy, NOW, rounds(20))
    return list(stay.lines(plan, snapshot, SMALL, policy))


def test_without_nodes_of_ours_nothing_is_said() -> None:
    assert stays([worker("w")], [node("n")]) == []


@pytest.mark.parametrize(
    ("pods", "policy", "why"),
    [
        ([worker("w", owner=None)], POLICY, "default/w runs on it, and nothing would replace default/w"),
        (
            [worker("v"), worker("w", claims=("disk",))],
            POLICY,
            "2 pods run on it, and default/w mounts the claim disk",
        ),
        (
            [worker("w")],
            replace(POLICY, repack=False),
            "default/w runs on it, and the policy moves no pods",
        ),
        (
            [worker("w")],
            replace(POLICY, mode=BIN_SELECT),
            "default/w runs on it, and the policy moves no pods",
        ),
        (
            [worker("w"), worker("v", "elsewhere")],
            POLICY,
            "default/w runs on it, and no move would save anything",
        ),
        (
            [worker("w"), worker("v", "elsewhere"), pod("huge", "90")],
            POLICY,
            "default/w runs on it, and no pod is moved while others are pending",
        ),
        ([pod("next")], POLICY, "a pending pod is going there"),
    ],
)
def test_each_node_that_stays_says_why(pods: list[Pod], policy: Policy, why: str) -> None:
    total, line = stays(pods, [ours("n")], policy)
    assert total == "1 nodes are bought, $0.25 an hour"
    assert line == f"  keep n, small in z1 at $0.25 an hour: {why}"


def test_a_node_that_something_is_done_to_is_not_said_to_stay() -> None:
    assert stays([], [ours("n")]) == ["1 nodes are bought, $0.25 an hour"]


def test_the_marks_of_a_node_are_shown() -> None:
    since = {REMOVABLE_SINCE_KEY: (NOW - timedelta(seconds=10)).isoformat()}
    _, line = stays([], [ours("n", annotations=since)])
    assert line.endswith(" (marked removable since 03:03:55): empty, and given back after 60 s")
    _, line = stays(
        [worker("w")], [ours("n", is_cordoned=True, taints=(HOT,))], replace(POLICY, repack=False)
    )
    assert line.endswith(" (cordoned, hot): default/w runs on it, and the policy moves no pods")
