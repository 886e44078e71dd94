"""The GKE cluster: VPC-native, private nodes, Dataplane V2, workload identity, tagged for its stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from components.gke.names import LONGEST_CLUSTER, google_name
from components.gke.network import Network
from components.gke.node_identity import SCOPES, NodeIdentity
from components.part import Part

_PATIENCE: Final = pulumi.CustomTimeouts(create="60m", update="90m", delete="60m")


@dataclass(frozen=True, slots=True)
class Access:
    """From where the API server is reached."""

    public: bool
    """By a public address, for the listed addresses only."""
    allowed_cidrs: tuple[str, ...]
    dns_endpoint: bool
    """By its name, for whom IAM lets in."""


@dataclass(frozen=True, slots=True)
class ClusterArgs:
    """What a cluster is made of."""

    project: str
    location: str
    """A zone, or a region."""
    zones: tuple[str, ...]
    """Of a regional cluster's nodes; none for a zonal one."""
    kubernetes_version: str
    """The least; empty: what the release channel gives, now and later."""
    release_channel: str
    network: Network
    nodes: NodeIdentity
    access: Access
    labels: Mapping[str, str]
    deletion_protection: bool


class Cluster(Part):
    """A cluster without nodes."""

    cluster_id: pulumi.Output[str]
    """`projects/P/locations/L/clusters/C`."""
    cluster_name: str
    resource: Any

    def __init__(self, stack: str, args: ClusterArgs) -> None:
        super().__init__("gke:Cluster", stack, after=[args.network, args.nodes])
        self.cluster_name = google_name(stack, longest=LONGEST_CLUSTER)
        self.resource = gcp.container.Cluster(
            stack,
            name=self.cluster_name,
            project=args.project,
            location=args.location,
            node_locations=list(args.zones) or None,
            deletion_protection=args.deletion_protection,
            min_master_version=args.kubernetes_version or None,
            resource_labels=dict(args.labels),
            **_network(args),
            **_features(args),
            **_default_pool(args),
            # What it says of a default pool is for the moment until that is gone.
            opts=self.child(ignore_changes=["nodeConfig"], custom_timeouts=_PATIENCE),
        )
        self.cluster_id = self.resource.id
        self.register_outputs({"clusterId": self.cluster_id})


def _network(args: ClusterArgs) -> dict[str, Any]:
    ce = gcp.container
    access = args.access
    return {
        "network": args.network.network,
        "subnetwork": args.network.subnetwork,
        "networking_mode": "VPC_NATIVE",
        "datapath_provider": "ADVANCED_DATAPATH",
        "ip_allocation_policy": ce.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name=args.network.pods_range,
            services_secondary_range_name=args.network.services_range,
        ),
        "private_cluster_config": ce.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=True, enable_private_endpoint=not access.public
        ),
        "master_authorized_networks_config": ce.ClusterMasterAuthorizedNetworksConfigArgs(
            cidr_blocks=[
                ce.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=block, display_name=block)
                for block in access.allowed_cidrs
            ],
            gcp_public_cidrs_access_enabled=False,
        ),
        "control_plane_endpoints_config": ce.ClusterControlPlaneEndpointsConfigArgs(
            dns_endpoint_config=ce.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                allow_external_traffic=access.dns_endpoint
            )
        ),
    }


def _features(args: ClusterArgs) -> dict[str, Any]:
    ce = gcp.container
    return {
        "release_channel": ce.ClusterReleaseChannelArgs(channel=args.release_channel),
        "workload_identity_config": ce.ClusterWorkloadIdentityConfigArgs(
            workload_pool=f"{args.project}.svc.id.goog"
        ),
        "cost_management_config": ce.ClusterCostManagementConfigArgs(enabled=True),
        "enable_shielded_nodes": True,
        "cluster_autoscaling": ce.ClusterClusterAutoscalingArgs(
            enabled=False, autoscaling_profile="OPTIMIZE_UTILIZATION"
        ),
        "logging_config": ce.ClusterLoggingConfigArgs(enable_components=["SYSTEM_COMPONENTS", "WORKLOADS"]),
        # Managed Prometheus would take its share of every node.
        "monitoring_config": ce.ClusterMonitoringConfigArgs(
            enable_components=["SYSTEM_COMPONENTS"],
            managed_prometheus=ce.ClusterMonitoringConfigManagedPrometheusArgs(enabled=False),
        ),
    }


def _default_pool(args: ClusterArgs) -> dict[str, Any]:
    """Every cluster is born with a pool; it goes at once, and until then is no more than ours are."""
    ce = gcp.container
    return {
        "initial_node_count": 1,
        "remove_default_node_pool": True,
        "node_config": ce.ClusterNodeConfigArgs(
            service_account=args.nodes.email,
            oauth_scopes=list(SCOPES),
            shielded_instance_config=ce.ClusterNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
        ),
    }
