"""Request bodies of the container engine API, parsed once.

Field names are those of the OCI REST API; an unknown key is a fault, so that nobody relies on
something the real API does not take. Tests hold every model against the SDK's.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A frozen value with the API's camel-case names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    def json_value(self) -> dict[str, Any]:
        """The value as the API would show it, without what was not given."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class Tagged(Wire):
    """What has tags."""

    freeform_tags: dict[str, str] | None = None
    defined_tags: dict[str, dict[str, Any]] | None = None


class KeyValue(Wire):
    """A label or a setting of an add-on."""

    key: str
    value: str = ""


class EndpointConfig(Wire):
    """Where a cluster's API server is reached."""

    subnet_id: str
    nsg_ids: list[str] | None = None
    is_public_ip_enabled: bool = False
    security_attributes: dict[str, dict[str, Any]] | None = None


class PodNetworkOption(Wire):
    """A cluster's pod network."""

    cni_type: Literal["OCI_VCN_IP_NATIVE", "FLANNEL_OVERLAY"]


class ClusterOptionsChange(Wire):
    """Options of a cluster that can be changed; they change nothing in an emulated one."""

    admission_controller_options: dict[str, Any] | None = None
    persistent_volume_config: dict[str, Any] | None = None
    service_lb_config: dict[str, Any] | None = None
    open_id_connect_token_authentication_config: dict[str, Any] | None = None
    open_id_connect_discovery: dict[str, Any] | None = None


class ClusterOptions(ClusterOptionsChange):
    """Options of a cluster, complete."""

    service_lb_subnet_ids: list[str] | None = None
    ip_families: list[str] | None = None
    kubernetes_network_config: dict[str, Any] | None = None
    add_ons: dict[str, Any] | None = None


class CreateCluster(Tagged):
    """`CreateClusterDetails`."""

    name: str = Field(min_length=1, max_length=255)
    compartment_id: str
    endpoint_config: EndpointConfig | None = None
    vcn_id: str
    kubernetes_version: str
    kms_key_id: str | None = None
    options: ClusterOptions | None = None
    image_policy_config: dict[str, Any] | None = None
    cluster_pod_network_options: list[PodNetworkOption] | None = Field(
        default=None, min_length=1, max_length=1
    )
    type: Literal["BASIC_CLUSTER", "ENHANCED_CLUSTER"] = "BASIC_CLUSTER"


class UpdateCluster(Tagged):
    """`UpdateClusterDetails`."""

    name: str | None = None
    kubernetes_version: str | None = None
    options: ClusterOptionsChange | None = None
    image_policy_config: dict[str, Any] | None = None
    type: Literal["BASIC_CLUSTER", "ENHANCED_CLUSTER"] | None = None


class KubeconfigContent(Wire):
    """`CreateClusterKubeconfigContentDetails`."""

    token_version: str = "2.0.0"  # noqa: S105 - the version of a protocol
    expiration: int | None = None
    endpoint: Literal["LEGACY_KUBERNETES", "PUBLIC_ENDPOINT", "PRIVATE_ENDPOINT", "VCN_HOSTNAME"] | None = (
        None
    )


class ShapeConfig(Wire):
    """Size of a flexible shape."""

    ocpus: float | None = None
    memory_in_gbs: float | None = Field(default=None, alias="memoryInGBs")


class NodeSource(Wire):
    """`NodeSourceViaImageDetails`."""

    source_type: Literal["IMAGE"]
    image_id: str
    boot_volume_size_in_gbs: int | None = Field(default=None, alias="bootVolumeSizeInGBs", ge=50, le=32768)


class PreemptionAction(Wire):
    """What happens when a preemptible node is reclaimed."""

    type: Literal["TERMINATE"]
    is_preserve_boot_volume: bool | None = None


class PreemptibleNodeConfig(Wire):
    """Makes nodes preemptible."""

    preemption_action: PreemptionAction


class Placement(Wire):
    """Where a pool's nodes may be."""

    availability_domain: str
    subnet_id: str
    capacity_reservation_id: str | None = None
    host_group_id: str | None = None
    preemptible_node_config: PreemptibleNodeConfig | None = None
    fault_domains: list[str] | None = None


class PodNetwork(Wire):
    """Pod network of a pool's nodes; flannel has no more than its type."""

    cni_type: Literal["OCI_VCN_IP_NATIVE", "FLANNEL_OVERLAY"]
    max_pods_per_node: int | None = Field(default=None, ge=1, le=110)
    pod_nsg_ids: list[str] | None = None
    pod_subnet_ids: list[str] | None = None


class NodeConfig(Tagged):
    """Number and place of a pool's nodes, complete."""

    size: int = Field(ge=0, le=1000)
    nsg_ids: list[str] | None = None
    kms_key_id: str | None = None
    compute_cluster_id: str | None = None
    is_pv_encryption_in_transit_enabled: bool | None = None
    placement_configs: list[Placement] = Field(min_length=1)
    node_pool_pod_network_option_details: PodNetwork | None = None


class NodeConfigChange(Tagged):
    """Number and place of a pool's nodes; what is left out stays."""

    size: int | None = Field(default=None, ge=0, le=1000)
    nsg_ids: list[str] | None = None
    kms_key_id: str | None = None
    is_pv_encryption_in_transit_enabled: bool | None = None
    placement_configs: list[Placement] | None = Field(default=None, min_length=1)
    node_pool_pod_network_option_details: PodNetwork | None = None


class Eviction(Wire):
    """`NodeEvictionNodePoolSettings`."""

    eviction_grace_duration: str = "PT60M"
    is_force_delete_after_grace_duration: bool = False
    is_force_action_after_grace_duration: bool | None = None


class Cycling(Wire):
    """`NodePoolCyclingDetails`."""

    maximum_unavailable: str | None = None
    maximum_surge: str | None = None
    is_node_cycling_enabled: bool | None = None
    cycle_modes: list[str] | None = None


class _PoolBasics(Tagged):
    """What creating and updating a pool have in common."""

    initial_node_labels: list[KeyValue] | None = None
    ssh_public_key: str | None = None
    node_metadata: dict[str, str] | None = None
    node_eviction_node_pool_settings: Eviction | None = None
    node_pool_cycling_details: Cycling | None = None
    secondary_vnics: list[dict[str, Any]] | None = None
    network_launch_type: str | None = None
    primary_vnic: dict[str, Any] | None = None


class CreatePool(_PoolBasics):
    """`CreateNodePoolDetails`, without its deprecated fields."""

    compartment_id: str
    cluster_id: str
    name: str = Field(min_length=1, max_length=255)
    kubernetes_version: str | None = None
    node_source_details: NodeSource
    node_shape: str
    node_shape_config: ShapeConfig | None = None
    node_config_details: NodeConfig


class UpdatePool(_PoolBasics):
    """`UpdateNodePoolDetails`, without its deprecated fields; what is left out stays."""

    name: str | None = None
    kubernetes_version: str | None = None
    node_config_details: NodeConfigChange | None = None
    node_source_details: NodeSource | None = None
    node_shape: str | None = None
    node_shape_config: ShapeConfig | None = None


class InstallAddon(Wire):
    """`InstallAddonDetails`."""

    addon_name: str
    version: str | None = None
    configurations: list[KeyValue] | None = None
    is_override_existing: bool | None = None


class UpdateAddon(Wire):
    """`UpdateAddonDetails`."""

    version: str | None = None
    configurations: list[KeyValue] | None = None
