"""Networks, subnetworks, routers with NAT: over plain REST, as a Pulumi plugin calls them."""

from typing import Any

import pytest

from emulator.gcp import prices
from emulator.gcp.account import PROJECT
from tests.support.google_cloud import Google, a_cluster, a_pool

BASE = f"/compute/v1/projects/{PROJECT}"
NETWORKS = f"{BASE}/global/networks"
REGION = f"{BASE}/regions/us-central1"
NAT = {
    "name": "nat",
    "natIpAllocateOption": "AUTO_ONLY",
    "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
}


def done(google: Google, answer: Any) -> None:
    assert answer.get("kind") == "compute#operation", answer
    path = answer["selfLink"].removeprefix("https://www.googleapis.com")
    assert google.call("POST", f"{path}/wait")["status"] == "DONE"


@pytest.fixture
def network(google: Google) -> str:
    """A network with a subnetwork of three ranges."""
    done(google, google.call("POST", NETWORKS, {"name": "vpc", "autoCreateSubnetworks": False}))
    details = {
        "name": "nodes",
        "network": f"projects/{PROJECT}/global/networks/vpc",
        "ipCidrRange": "10.0.0.0/22",
        "privateIpGoogleAccess": True,
        "secondaryIpRanges": [
            {"rangeName": "pods", "ipCidrRange": "10.4.0.0/16"},
            {"rangeName": "services", "ipCidrRange": "10.5.0.0/20"},
        ],
    }
    done(google, google.call("POST", f"{REGION}/subnetworks", details))
    return "vpc"


def test_a_network_is_made_with_what_the_cloud_adds(google: Google, network: str) -> None:
    shown = google.call("GET", f"{NETWORKS}/{network}")
    assert shown["routingConfig"]["routingMode"] == "REGIONAL"
    assert shown["subnetworks"] == [f"https://www.googleapis.com{REGION}/subnetworks/nodes"]
    subnetwork = google.call("GET", f"{REGION}/subnetworks/nodes")
    assert subnetwork["network"] == shown["selfLink"]
    assert subnetwork["gatewayAddress"] == "10.0.0.1"
    names = {each["name"] for each in google.call("GET", NETWORKS)["items"]}
    assert names == {"default", "vpc"}


def test_a_cluster_takes_its_ranges_by_name(google: Google, network: str) -> None:
    ranges = {"cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"}
    cluster = a_cluster(google, network=network, subnetwork="nodes", ip_allocation_policy=ranges)
    shown = google.engine().get_cluster(name=cluster)
    assert (shown.cluster_ipv4_cidr, shown.services_ipv4_cidr) == ("10.4.0.0/16", "10.5.0.0/20")
    assert shown.network_config.subnetwork == f"projects/{PROJECT}/regions/us-central1/subnetworks/nodes"
    assert next(iter(google.kubes[0].nodes.values())).internal_ip == "10.0.0.2"


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (NETWORKS, {"name": "Bad"}, "Must be a match of regex"),
        (NETWORKS, {"name": "n", "colour": "red"}, "Unknown name 'colour'"),
        (NETWORKS, {"name": "vpc"}, "already exists"),
        (f"{REGION}/subnetworks", {"name": "s", "network": "vpc"}, "'ipCidrRange' not specified"),
        (
            f"{REGION}/subnetworks",
            {"name": "s", "network": "vpc", "ipCidrRange": "10.4.1.0/24"},
            "conflicts with pods",
        ),
        (f"{REGION}/subnetworks", {"name": "s", "network": "vpc", "ipCidrRange": "x"}, "no IPv4 range"),
        (
            f"{REGION}/subnetworks",
            {"name": "s", "network": "none", "ipCidrRange": "10.9.0.0/24"},
            "was not found",
        ),
        (
            f"{REGION}/routers",
            {"name": "r", "network": "vpc", "nats": [{"name": "n"}]},
            "natIpAllocateOption",
        ),
        (f"{BASE}/regions/atlantis/routers", {"name": "r", "network": "vpc"}, "was not found"),
    ],
)
def test_a_wrong_resource_is_refused_with_the_reason(
    google: Google, network: str, path: str, body: Any, said: str
) -> None:
    assert network
    assert said in google.call("POST", path, body)["error"]["message"]


def test_nothing_in_use_is_deleted(google: Google, network: str) -> None:
    done(google, google.call("POST", f"{REGION}/routers", {"name": "r", "network": network}))
    refused = google.call("DELETE", f"{NETWORKS}/{network}")
    assert "is already being used by" in refused["error"]["message"]
    for path in (f"{REGION}/routers/r", f"{REGION}/subnetworks/nodes", f"{NETWORKS}/{network}"):
        done(google, google.call("DELETE", path))
    assert google.call("GET", f"{NETWORKS}/{network}")["error"]["code"] == 404


def test_a_subnetwork_changes_where_it_may(google: Google, network: str) -> None:
    assert network
    one = f"{REGION}/subnetworks/nodes"
    more = [*google.call("GET", one)["secondaryIpRanges"], {"rangeName": "c", "ipCidrRange": "10.6.0.0/24"}]
    done(google, google.call("PATCH", one, {"secondaryIpRanges": more}))
    done(google, google.call("POST", f"{one}/expandIpCidrRange", {"ipCidrRange": "10.0.0.0/20"}))
    done(google, google.call("POST", f"{one}/setPrivateIpGoogleAccess", {"privateIpGoogleAccess": False}))
    shown = google.call("GET", one)
    assert len(shown["secondaryIpRanges"]) == 3
    assert (shown["ipCidrRange"], shown["privateIpGoogleAccess"]) == ("10.0.0.0/20", False)
    assert (
        "cannot be changed" in google.call("PATCH", one, {"ipCidrRange": "10.0.0.0/19"})["error"]["message"]
    )
    assert (
        "does not contain"
        in google.call("POST", f"{one}/expandIpCidrRange", {"ipCidrRange": "10.0.0.0/24"})["error"]["message"]
    )


def nat_prices(google: Google) -> list[Any]:
    running = google.world.meter.running()
    return sorted(
        reading.charge.price_per_hour for reading in running if reading.charge.kind == "nat-gateway"
    )


def test_a_nat_gateway_costs_by_the_machines_that_use_it(google: Google, network: str) -> None:
    router = f"{REGION}/routers"
    done(google, google.call("POST", router, {"name": "r", "network": network, "nats": [NAT]}))
    assert google.call("GET", f"{router}/r")["nats"][0]["icmpIdleTimeoutSec"] == 30
    assert nat_prices(google) == [prices.NAT_ADDRESS]
    cluster = a_cluster(google, network=network, subnetwork="nodes")
    pool = a_pool(google, cluster, initial_node_count=2)
    assert nat_prices(google) == [*[prices.NAT_PER_MACHINE] * 3, prices.NAT_ADDRESS]
    google.succeeded(google.engine().delete_node_pool(name=pool))
    assert nat_prices(google) == [prices.NAT_PER_MACHINE, prices.NAT_ADDRESS]
    done(google, google.call("PATCH", f"{router}/r", {"nats": []}))
    assert nat_prices(google) == []


def test_machines_of_another_network_do_not_use_it(google: Google, network: str) -> None:
    done(google, google.call("POST", f"{REGION}/routers", {"name": "r", "network": network, "nats": [NAT]}))
    a_cluster(google)
    assert nat_prices(google) == [prices.NAT_ADDRESS]
