from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.kube.autoscaler import (
    Action,
    Budget,
    Grow,
    Mark,
    Remove,
    Situation,
    Unmark,
    candidate_taint,
    decide,
    deleted_taint,
)
from emulator.kube.objects import Node, Pod, Requirement, Resources, Toleration
from emulator.kube.spec import AutoscalerSettings, PoolLimits, ScalablePool, Taint
from tests.support.kube_objects import kube_node, placement, pod, pool, resources, waiting

NOW = 1_000_000.0
INFERENCE = Taint("rightsize.io/role", "inference")
ON_GPU = placement(
    selector={"rightsize.io/role": "inference"},
    tolerations=(
        Toleration("rightsize.io/role", "Equal", "inference", ""),
        Toleration("nvidia.com/gpu", "Exists", "", ""),
    ),
)


def settings(most: int = 4, least: int = 0, **overrides: Any) -> AutoscalerSettings:
    values: dict[str, Any] = {
        "nodes": (PoolLimits("pool", least, most),),
        "scale_down_unneeded_s": 60.0,
        "scale_down_delay_after_add_s": 60.0,
    }
    return AutoscalerSettings(**{**values, **overrides})


def situation(
    pods: list[Pod] | None = None,
    nodes: list[Node] | None = None,
    pools: list[ScalablePool] | None = None,
    **overrides: Any,
) -> Situation:
    return Situation(pods=pods or [], nodes=nodes or [], pools=pools or [], **overrides)


def unneeded(name: str, for_s: float, **overrides: Any) -> Node:
    return kube_node(name, taints=(candidate_taint(NOW - for_s),), **overrides)


class TestGrowing:
    @pytest.mark.parametrize(
        ("pods", "overrides", "expected"),
        [
            ([], {}, ()),
            ([waiting()], {}, (Grow("pool", 1),)),
            ([waiting(f"w{n}", requests=resources(600)) for n in range(3)], {}, (Grow("pool", 3),)),
            ([waiting(f"w{n}", requests=resources(500)) for n in range(3)], {}, (Grow("pool", 2),)),
            ([waiting(f"w{n}", requests=resources(600)) for n in range(9)], {}, (Grow("pool", 4),)),
            ([waiting(requests=resources(1001))], {}, ()),
            ([waiting(requests=resources(gpus=1))], {}, ()),
            ([waiting(unschedulable=False)], {}, ()),
            ([waiting(deletion_requested=True)], {}, ()),
            ([waiting()], {"backed_off": frozenset({"pool"})}, ()),
            ([waiting(requests=resources(950))], {"overhead": {False: Resources(80, 0, 0, 4)}}, ()),
        ],
    )
    def test_for_pods_that_would_fit_the_template(
        self, pods: list[Pod], overrides: dict[str, Any], expected: tuple[Action, ...]
    ) -> None:
        assert decide(situation(pods, pools=[pool()], **overrides), settings(), NOW) == expected

    def test_one_gpu_node_for_each_gpu(self) -> None:
        gpu_pool = pool(
            gpus=1,
            labels={"rightsize.io/role": "inference"},
            taints=(INFERENCE, Taint("nvidia.com/gpu", "present")),
        )
        pods = [waiting(f"w{n}", requests=resources(400, 4, gpus=1), placement=ON_GPU) for n in range(3)]
        assert decide(situation(pods, pools=[gpu_pool]), settings(), NOW) == (Grow("pool", 3),)

    def test_a_tainted_pool_does_not_grow_for_pods_that_do_not_tolerate_it(self) -> None:
        assert decide(situation([waiting()], pools=[pool(taints=(INFERENCE,))]), settings(), NOW) == ()

    def test_nodes_that_are_on_their_way_are_counted(self) -> None:
        pods = [waiting(f"w{n}", requests=resources(600)) for n in range(3)]
        assert decide(situation(pods, pools=[pool(size=2)]), settings(), NOW) == (Grow("pool", 1),)

    def test_nodes_that_do_not_come_are_not_waited_for(self) -> None:
        pods, pools = [waiting()], [pool(size=1), pool(pool_id="other")]
        both = settings(nodes=(PoolLimits("pool", 0, 4), PoolLimits("other", 0, 4)))
        assert decide(situation(pods, pools=pools), both, NOW) == ()
        late = situation(pods, pools=pools, stalled=frozenset({"pool"}))
        assert decide(late, both, NOW) == (Grow("other", 1),)

    def test_room_on_present_nodes_is_used_first(self) -> None:
        busy = pod(requests=resources(900), node_name="n1")
        for requests, expected in ((resources(100), ()), (resources(101), (Grow("pool", 1),))):
            now = situation([busy, waiting(requests=requests)], [kube_node("n1")], [pool(("n1",))])
            assert decide(now, settings(), NOW) == expected

    def test_the_pool_that_helps_most_pods_is_taken(self) -> None:
        both = settings(nodes=(PoolLimits("small", 0, 4), PoolLimits("large", 0, 4)))
        pools = [pool(pool_id="small", cpu=500), pool(pool_id="large", cpu=1000)]
        pods = [waiting("a", requests=resources(400)), waiting("b", requests=resources(900))]
        assert decide(situation(pods, pools=pools), both, NOW) == (Grow("large", 2),)

    def test_never_beyond_the_total(self) -> None:
        pods = [waiting(f"w{n}", requests=resources(900)) for n in range(3)]
        nodes = [kube_node("management", unschedulable=True)]
        assert decide(situation(pods, nodes, [pool()]), settings(max_nodes_total=2), NOW) == (
            Grow("pool", 1),
        )

    def test_a_pool_the_add_on_was_not_told_of_is_left_alone(self) -> None:
        assert decide(situation([waiting()], pools=[pool(pool_id="management")]), settings(), NOW) == ()


class TestShrinking:
    def test_an_idle_node_is_marked_then_removed_when_its_time_is_over(self) -> None:
        pools = [pool(("n1",))]
        assert decide(situation(nodes=[kube_node("n1")], pools=pools), settings(), NOW) == (Mark("n1"),)
        assert decide(situation(nodes=[unneeded("n1", 59)], pools=pools), settings(), NOW) == ()
        assert decide(situation(nodes=[unneeded("n1", 60)], pools=pools), settings(), NOW) == (
            Remove("pool", "n1"),
        )

    def test_a_node_that_is_needed_again_loses_its_mark(self) -> None:
        busy = pod(requests=resources(600), node_name="n1")
        now = situation([busy], [unneeded("n1", 600)], [pool(("n1",))])
        assert decide(now, settings(), NOW) == (Unmark("n1"),)

    def test_nothing_is_removed_right_after_growth(self) -> None:
        now = situation(nodes=[unneeded("n1", 600)], pools=[pool(("n1",))], grown_at=NOW - 59)
        assert decide(now, settings(), NOW) == ()

    def test_nothing_is_marked_or_removed_when_scale_down_is_off(self) -> None:
        now = situation(nodes=[unneeded("n1", 600), kube_node("n2")], pools=[pool(("n1", "n2"))])
        assert decide(now, settings(scale_down_enabled=False), NOW) == ()

    def test_the_least_size_stays(self) -> None:
        names = ("n1", "n2", "n3")
        now = situation(nodes=[unneeded(name, 600) for name in names], pools=[pool(names)])
        assert decide(now, settings(least=2), NOW) == (Remove("pool", "n1"),)

    def test_nodes_on_their_way_out_count_as_gone(self) -> None:
        names = ("n1", "n2")
        leaving = kube_node("n1", taints=(candidate_taint(NOW - 600), deleted_taint(NOW)))
        now = situation(nodes=[leaving, unneeded("n2", 600)], pools=[pool(names)])
        assert decide(now, settings(least=1), NOW) == ()

    @pytest.mark.parametrize(
        ("overrides", "movable"),
        [
            ({}, True),
            ({"owner_kind": ""}, False),
            ({"local_storage": True}, False),
            ({"namespace": "kube-system"}, False),
            ({"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}}, False),
            (
                {"owner_kind": "", "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}},
                True,
            ),
            ({"requests": resources(600)}, False),
            ({"labels": {"app": "guarded"}}, False),
            ({"placement": placement(selector={"only": "here"})}, False),
        ],
    )
    def test_a_little_used_node_goes_when_its_pods_may_move_and_fit_elsewhere(
        self, overrides: dict[str, Any], movable: bool
    ) -> None:
        budget = Budget("inference", (Requirement("app", "In", ("guarded",)),), allowed=0)
        now = situation(
            [pod(node_name="n1", **overrides)],
            [unneeded("n1", 600, labels={"only": "here"}), kube_node("elsewhere")],
            [pool(("n1",))],
            budgets=[budget],
        )
        assert decide(now, settings(), NOW) == ((Remove("pool", "n1"),) if movable else (Unmark("n1"),))

    def test_pods_that_fit_nowhere_else_keep_their_node(self) -> None:
        now = situation([pod(node_name="n1")], [kube_node("n1")], [pool(("n1",))])
        assert decide(now, settings(), NOW) == ()

    def test_daemon_sets_keep_no_node(self) -> None:
        now = situation([pod(node_name="n1", owner_kind="DaemonSet")], [unneeded("n1", 60)], [pool(("n1",))])
        assert decide(now, settings(), NOW) == (Remove("pool", "n1"),)

    def test_of_a_gpu_node_only_the_gpus_count(self) -> None:
        gpu_node = kube_node("n1", allocatable=resources(24_000, 64, gpus=1, pods=31))
        serving = pod(node_name="n1", requests=resources(400, 4, gpus=1))
        elsewhere = kube_node("n2", allocatable=resources(24_000, 64, gpus=2, pods=31))
        assert (
            decide(situation([serving], [gpu_node, elsewhere], [pool(("n1",), gpus=1)]), settings(), NOW)
            == ()
        )

    def test_empty_nodes_go_together_and_used_ones_one_at_a_time(self) -> None:
        names = ("n1", "n2", "n3")
        nodes = [unneeded(name, 600) for name in names]
        elsewhere = kube_node("elsewhere", allocatable=resources(9000, 32, pods=31))
        empties = decide(situation(nodes=nodes, pools=[pool(names)]), settings(max_empty_bulk_delete=2), NOW)
        assert empties == (Remove("pool", "n1"), Remove("pool", "n2"))
        pods = [pod(name, node_name=name) for name in names]
        drained = decide(situation(pods, [*nodes, elsewhere], [pool(names)]), settings(), NOW)
        assert drained == (Remove("pool", "n1"),)

    def test_two_nodes_do_not_both_count_on_the_same_room(self) -> None:
        pods = [pod(name, node_name=name, requests=resources(400)) for name in ("n1", "n2")]
        nodes = [unneeded("n1", 600), unneeded("n2", 600)]
        actions = decide(situation(pods, nodes, [pool(("n1", "n2"))]), settings(), NOW)
        assert actions == (Unmark("n2"), Remove("pool", "n1"))


sizes = st.integers(50, 1000)


@given(st.lists(sizes, max_size=12), st.integers(0, 6))
def test_growth_is_enough_for_whom_it_helps_and_never_more_than_one_node_a_pod(
    cpus: list[int], most: int
) -> None:
    pods = [waiting(f"w{n}", requests=resources(cpu)) for n, cpu in enumerate(cpus)]
    actions = decide(situation(pods, pools=[pool()]), settings(most=most), NOW)
    grown = sum(action.by for action in actions if isinstance(action, Grow))
    assert grown <= min(most, len(pods))
    if grown < most:
        assert grown * 1000 >= sum(cpus)
    arrived = situation(pods, pools=[pool(size=grown)])
    if grown < most:
        assert decide(arrived, settings(most=most), NOW) == ()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(50, 500)), max_size=8), st.integers(0, 3))
def test_what_is_removed_leaves_room_for_every_pod_and_the_least_size(
    placed: list[tuple[int, int]], least: int
) -> None:
    names = ("n0", "n1", "n2")
    free = dict.fromkeys(names, 1000)
    pods = []
    for number, (where, cpu) in enumerate(placed):
        if free[names[where]] >= cpu:
            free[names[where]] -= cpu
            pods.append(pod(f"p{number}", node_name=names[where], requests=resources(cpu, 0)))
    nodes = [unneeded(name, 600) for name in names]
    actions = decide(situation(pods, nodes, [pool(names)]), settings(least=least), NOW)
    removed = {action.node for action in actions if isinstance(action, Remove)}
    assert len(names) - len(removed) >= least
    to_move = sum(each.requests.cpu_millicores for each in pods if each.node_name in removed)
    assert to_move <= sum(room for name, room in free.items() if name not in removed)
