"""The OKE cluster: enhanced (workload identity, add-ons), VCN-native pods, tagged for its stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_oci as oci

from components.oke.network import Network
from components.oke.network_rules import API
from components.part import Part

CNI: Final = "OCI_VCN_IP_NATIVE"


@dataclass(frozen=True, slots=True)
class ClusterArgs:
    """What a cluster is made of."""

    compartment_id: str
    kubernetes_version: str
    network: Network
    public_api: bool
    services_cidr: str
    tags: Mapping[str, str]
    protected: bool
    """Whether a destroy fails at it."""


class Cluster(Part):
    """An enhanced cluster without nodes."""

    cluster_id: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs) -> None:
        super().__init__("oke:Cluster", name, after=[args.network])
        cluster = oci.containerengine.Cluster(
            name,
            name=name,
            compartment_id=args.compartment_id,
            vcn_id=args.network.vcn_id,
            kubernetes_version=args.kubernetes_version,
            type="ENHANCED_CLUSTER",
            cluster_pod_network_options=[
                oci.containerengine.ClusterClusterPodNetworkOptionArgs(cni_type=CNI),
            ],
            endpoint_config=oci.containerengine.ClusterEndpointConfigArgs(
                subnet_id=args.network.subnet_ids[API],
                is_public_ip_enabled=args.public_api,
                nsg_ids=[args.network.group_ids[API]],
            ),
            # No subnet of load balancers here: it could never be changed; each Service names its own.
            options=oci.containerengine.ClusterOptionsArgs(
                kubernetes_network_config=oci.containerengine.ClusterOptionsKubernetesNetworkConfigArgs(
                    services_cidr=args.services_cidr
                ),
                add_ons=oci.containerengine.ClusterOptionsAddOnsArgs(
                    is_kubernetes_dashboard_enabled=False, is_tiller_enabled=False
                ),
            ),
            freeform_tags=dict(args.tags),
            opts=self.child(protect=args.protected),
        )
        self.cluster_id = cluster.id
        self.register_outputs({"clusterId": self.cluster_id})
