"""The network that a GKE stack declares, and in which forms."""

from typing import Any

import pulumi
import pytest

from tests.support.mocks import Cloud
from tests.support.stacks import run_gke

CLUSTER = "gcp:container/cluster:Cluster"
NAT = "gcp:compute/routerNat:RouterNat"
NETWORK = "gcp:compute/network:Network"
ROUTER = "gcp:compute/router:Router"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
EXISTING = {
    "network.name": "ours",
    "network.subnetwork": "ours-nodes",
    "network.podsRange": "pods",
    "network.servicesRange": "services",
}


def test_a_network_of_its_own_has_no_subnetworks_that_were_not_asked_for() -> None:
    assert run_gke().one(NETWORK).inputs["autoCreateSubnetworks"] is False


def test_the_subnetwork_has_a_range_each_for_nodes_pods_and_services() -> None:
    subnetwork = run_gke().one(SUBNETWORK).inputs
    assert subnetwork["ipCidrRange"] == "10.0.0.0/20"
    assert subnetwork["secondaryIpRanges"] == [
        {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"},
        {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"},
    ]
    assert subnetwork["privateIpGoogleAccess"] is True
    assert subnetwork["region"] == "us-central1"


def test_nodes_without_addresses_reach_registries_by_the_nat_of_their_subnetwork_only() -> None:
    stack = run_gke()
    nat = stack.one(NAT).inputs
    assert nat["router"] == stack.one(ROUTER).inputs["name"]
    assert nat["natIpAllocateOption"] == "AUTO_ONLY"
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    assert nat["subnetworks"] == [
        {"name": stack.one(SUBNETWORK).id, "sourceIpRangesToNats": ["ALL_IP_RANGES"]}
    ]


def test_the_cluster_stands_in_it() -> None:
    stack = run_gke()
    cluster = stack.one(CLUSTER).inputs
    assert (cluster["network"], cluster["subnetwork"]) == (stack.one(NETWORK).id, stack.one(SUBNETWORK).id)


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"network.name": "ours"}, {ROUTER, NAT, SUBNETWORK}),
        (EXISTING, {ROUTER, NAT}),
        ({**EXISTING, "network.router": "ours"}, set()),
        ({"network.name": "ours", "network.router": "ours"}, {SUBNETWORK}),
    ],
)
def test_what_is_named_is_used_and_everything_else_is_made(changes: dict[str, Any], made: set[str]) -> None:
    stack = run_gke(changes)
    assert {one.token for one in stack.declared if one.token.startswith("gcp:compute")} == made
    assert stack.one(CLUSTER).inputs["network"] == "ours"


def test_an_existing_subnetwork_is_used_with_its_ranges() -> None:
    cluster = run_gke(EXISTING).one(CLUSTER).inputs
    assert cluster["subnetwork"] == "ours-nodes"
    assert cluster["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "pods",
        "servicesSecondaryRangeName": "services",
    }


def test_a_range_that_the_subnetwork_does_not_have_is_refused() -> None:
    cloud = Cloud()
    with pytest.raises(pulumi.RunError, match=r"network.podsRange: 'pod' is not .*; did you mean 'pods'\?"):
        run_gke({**EXISTING, "network.podsRange": "pod"}, cloud=cloud)
    assert not cloud.declared
