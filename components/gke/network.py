"""The network of a GKE cluster: VPC, subnetwork with ranges for pods and Services, router and NAT.

Nodes have no public address: they reach Google's services privately, and everybody else's by the
NAT. Whatever the caller names is used as it is; everything else is made.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gke.names import google_name
from components.part import Part

PODS: Final = "pods"
SERVICES: Final = "services"


@dataclass(frozen=True, slots=True)
class Existing:
    """Names of what is there already; empty: to be made."""

    network: str = ""
    subnetwork: str = ""
    pods_range: str = PODS
    services_range: str = SERVICES
    router: str = ""


@dataclass(frozen=True, slots=True)
class NetworkArgs:
    """What a network is made of."""

    project: str
    region: str
    existing: Existing
    nodes: IPv4Network
    pods: IPv4Network
    services: IPv4Network


class Network(Part):
    """VPC, subnetwork, router and NAT."""

    network: pulumi.Input[str]
    """Name or link."""
    subnetwork: pulumi.Input[str]
    pods_range: str
    services_range: str

    def __init__(self, stack: str, args: NetworkArgs) -> None:
        super().__init__("gke:Network", stack)
        self._name = google_name(stack)
        self._stack = stack
        self._args = args
        existing = args.existing
        self.pods_range, self.services_range = existing.pods_range, existing.services_range
        self.network = existing.network or self._vpc()
        self.subnetwork = existing.subnetwork or self._subnetwork()
        if not existing.router:
            self._nat()
        self.register_outputs({"network": self.network, "subnetwork": self.subnetwork})

    def _vpc(self) -> pulumi.Output[str]:
        vpc = gcp.compute.Network(
            self._stack,
            name=self._name,
            project=self._args.project,
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            opts=self.child(),
        )
        return vpc.id

    def _subnetwork(self) -> pulumi.Output[str]:
        args = self._args
        subnetwork = gcp.compute.Subnetwork(
            self._stack,
            name=self._name,
            project=args.project,
            region=args.region,
            network=self.network,
            ip_cidr_range=str(args.nodes),
            secondary_ip_ranges=[
                gcp.compute.SubnetworkSecondaryIpRangeArgs(range_name=name, ip_cidr_range=str(block))
                for name, block in ((PODS, args.pods), (SERVICES, args.services))
            ],
            private_ip_google_access=True,
            opts=self.child(),
        )
        return subnetwork.id

    def _nat(self) -> None:
        args = self._args
        router = gcp.compute.Router(
            self._stack,
            name=self._name,
            project=args.project,
            region=args.region,
            network=self.network,
            opts=self.child(),
        )
        gcp.compute.RouterNat(
            self._stack,
            name=self._name,
            project=args.project,
            region=args.region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                gcp.compute.RouterNatSubnetworkArgs(
                    name=self.subnetwork, source_ip_ranges_to_nats=["ALL_IP_RANGES"]
                )
            ],
            opts=self.child(),
        )
