"""What is read of a stack's resources, each with the resource and property that it was read from."""

from experiments.declared import declared
from experiments.evidence import Evidence, Pool, Read
from tests.unit.experiments.rows import (
    MANAGEMENT,
    SECRET,
    autoscaler,
    gke_pool,
    oke_autoscaler,
    oke_pool,
    row,
)

SHAPE = Read("NodePool gpu-fixed", "nodeShape", "VM.GPU2.1")
T4 = "n1-standard-2 + 1 nvidia-tesla-t4"


def test_a_pool_of_a_declared_size_is_fixed() -> None:
    assert declared([oke_pool("gpu-fixed", 6)]).pools == (
        Pool(SHAPE, fixed=Read("NodePool gpu-fixed", "nodeConfigDetails.size", 6)),
    )
    assert declared([gke_pool("gpu-fixed", nodeCount=15)]).pools == (
        Pool(
            Read("NodePool gpu-fixed", "nodeConfig.machineType", T4),
            fixed=Read("NodePool gpu-fixed", "nodeCount", 15),
        ),
    )


def test_a_pool_with_an_autoscaler_has_its_limit() -> None:
    by_add_on = declared([oke_pool("a", 0), oke_pool("b", 0), oke_autoscaler(12, "a", "b")])
    assert [pool.most for pool in by_add_on.pools] == [
        Read("Addon ClusterAutoscaler", f"configurations.nodes, most of {name}", 12) for name in ("a", "b")
    ]
    assert all(pool.fixed is None for pool in by_add_on.pools)
    by_cloud = declared([gke_pool("a", initialNodeCount=0, autoscaling={"totalMaxNodeCount": 30})])
    assert [pool.most for pool in by_cloud.pools] == [Read("NodePool a", "autoscaling.totalMaxNodeCount", 30)]


def test_an_autoscaler_of_another_pool_leaves_a_size_fixed() -> None:
    (pool,) = declared([oke_pool("gpu-fixed", 6), oke_autoscaler(12, "other")]).pools
    assert pool.most is None
    assert pool.fixed is not None


def test_pools_for_anything_but_inference_are_named_only() -> None:
    rows = [oke_pool("management", 2, labels=MANAGEMENT), gke_pool("plain", labels={}, nodeCount=2)]
    assert declared(rows) == Evidence(other_pools=("management", "plain"))


def test_the_most_workers_of_each_model_are_its_autoscalers() -> None:
    assert declared([autoscaler("vgg16", 3), autoscaler("squeezenet1-1", 4)]).workers == (
        Read("HorizontalPodAutoscaler vgg16", "spec.maxReplicas", 3),
        Read("HorizontalPodAutoscaler squeezenet1-1", "spec.maxReplicas", 4),
    )


def test_what_is_secret_or_unknown_is_left_out() -> None:
    rows = [
        {},
        row("kubernetes:core/v1:Secret", "s", data=SECRET),
        row("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "hidden", spec=SECRET),
        {**oke_pool("gpu-fixed"), "inputs": SECRET},
    ]
    assert declared(rows) == Evidence(other_pools=("gpu-fixed",))
