"""Node pools and nodes as the container engine API shows them."""

from typing import Any

from emulator.oci import images
from emulator.oci.state import Instance, NodePool


def pool_summary(pool: NodePool) -> dict[str, Any]:
    """As in a list: without nodes and metadata."""
    details = pool.details.json_value()
    details.pop("nodeMetadata", None)
    image = next(
        (entry for entry in images.IMAGES if entry.id == pool.details.node_source_details.image_id), None
    )
    shown = {
        "freeformTags": {},
        "definedTags": {},
        "initialNodeLabels": [],
        **details,
        "id": pool.id,
        "lifecycleState": pool.state,
        "lifecycleDetails": pool.state_details,
        "kubernetesVersion": pool.kubernetes_version,
        "nodeShapeConfig": {
            "ocpus": float(pool.machine.ocpus),
            "memoryInGBs": float(pool.machine.memory_gib),
        },
        "quantityPerSubnet": 0,
        "subnetIds": [],
    }
    if image is not None:
        shown["nodeSource"] = image.json_value()
        shown["nodeImageId"] = image.id
        shown["nodeImageName"] = image.name
    return shown


def pool_json(pool: NodePool) -> dict[str, Any]:
    """With nodes and metadata."""
    return {
        **pool_summary(pool),
        "nodeMetadata": dict(pool.details.node_metadata or {}),
        "nodes": [_node(pool, instance) for instance in pool.instances.values()],
    }


def _node(pool: NodePool, instance: Instance) -> dict[str, Any]:
    node = {
        "id": instance.id,
        "name": instance.display_name,
        "kubernetesVersion": instance.kubernetes_version,
        "availabilityDomain": instance.availability_domain,
        "subnetId": instance.subnet_id,
        "nodePoolId": pool.id,
        "faultDomain": instance.fault_domain,
        "privateIp": instance.private_ip,
        "freeformTags": {},
        "definedTags": {},
        "lifecycleState": instance.state,
        "lifecycleDetails": "",
    }
    if instance.error is not None:
        code, message = instance.error
        node["nodeError"] = {"code": code, "message": message, "status": "500"}
    return node
