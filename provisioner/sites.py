"""Where bought nodes live, as the settings' section `site` says it: one model for each cloud."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Part of the settings: nothing in it can be unknown, or changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OkeNetwork(Section):
    """Subnets and security groups of bought nodes and their pods."""

    worker_subnet_id: str = Field(min_length=1)
    worker_nsg_ids: tuple[str, ...] = ()
    pod_subnet_ids: tuple[str, ...] = Field(
        default=(), description="empty: the cluster does not use VCN-native pods"
    )
    pod_nsg_ids: tuple[str, ...] = ()


class OkeSection(Section):
    """A place in a compartment of Oracle's cloud."""

    compartment_id: str = Field(min_length=1)
    node_images: dict[Literal["arm64", "amd64", "amd64-gpu"], str] = Field(min_length=1)
    network: OkeNetwork
    availability_domains: tuple[str, ...] = Field(min_length=1)
    boot_volume_gib: int = Field(default=50, ge=50)


class GkeSection(Section):
    """A place in a project of Google's cloud."""

    project: str = Field(min_length=1)
    location: str = Field(min_length=1, description="the cluster's zone, or its region")
    cluster: str = Field(min_length=1, description="the cluster's name")
    zones: tuple[str, ...] = Field(min_length=1)
    node_service_account: str = Field(min_length=1, description="e-mail address of the nodes' identity")
    boot_disk_gib: int = Field(default=50, ge=10)
    boot_disk_type: str = Field(default="", description="the machine family's own when empty")
    network_tags: tuple[str, ...] = ()
    image_streaming: bool = Field(default=False, description="containers start while their image is pulled")
