"""On GKE the published shapes come out of documented reservations, and nodes carry what Google puts on them."""

from decimal import Decimal

import pytest

from catalog.loader import bundled
from provisioner.core.market import Catalog
from tests.support.provision import ANY_ARCH, bin_select, bought, codes, planned, pod, pods

GKE = Catalog(bundled("gke"), "gke", "documented")
PUBLISHED = bin_select(families=("t2a", "n1-t4"))
PUBLISHED_GPU = bin_select(families=("t2a", "n1-t4"), architectures=("amd64",))


@pytest.mark.parametrize(
    ("memory", "shape", "price"),
    [
        ("1G", "t2a-standard-1", "0.0385"),
        ("2G", "t2a-standard-1", "0.0385"),
        ("4G", "t2a-standard-2", "0.077"),
    ],
)
def test_published_pods_get_the_published_nodes(memory: str, shape: str, price: str) -> None:
    plan = planned(pods(3, "400m", memory), GKE, PUBLISHED)
    assert bought(plan) == {shape: 3}
    assert {each.size.price_per_hour for each in plan.nodes} == {Decimal(price)}


@pytest.mark.parametrize("memory", ["2G", "4G"])
def test_published_gpu_pods_get_the_published_node(memory: str) -> None:
    plan = planned([pod(cpu="400m", memory=memory, gpus=1)], GKE, PUBLISHED_GPU)
    assert bought(plan) == {"n1-standard-2+t4x1": 1}
    assert round(plan.price_per_hour, 4) == Decimal("0.4450")


def test_a_pod_may_select_what_google_puts_on_a_node() -> None:
    selectors = {
        "cloud.google.com/machine-family": "n1",
        "cloud.google.com/gke-accelerator": "nvidia-tesla-t4",
        "cloud.google.com/gke-spot": "true",
        "karpenter.sh/capacity-type": "spot",
        "topology.kubernetes.io/region": "us-central1",
        "node.kubernetes.io/instance-type": "n1-standard-2",
    }
    plan = planned([pod(cpu="400m", gpus=1, node_selector=selectors)], GKE, ANY_ARCH)
    assert bought(plan) == {"n1-standard-2+t4x1 (spot)": 1}


def test_a_pod_for_arm_needs_no_toleration() -> None:
    plan = planned([pod(node_selector={"kubernetes.io/arch": "arm64"})], GKE, ANY_ARCH)
    assert bought(plan) == {"n4a-highcpu-1": 1}


def test_nothing_is_bought_where_it_is_not_sold() -> None:
    selectors = {
        "cloud.google.com/machine-family": "t2a",
        "topology.kubernetes.io/zone": "us-central1-c",
    }
    plan = planned([pod(node_selector=selectors)], GKE, ANY_ARCH)
    assert not plan.nodes
    assert codes(plan) == {"p": ["selector"]}
