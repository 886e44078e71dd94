"""Instance groups and instances as the Compute Engine API shows them."""

from typing import Any, Final

from emulator.cloud.clock import rfc3339
from emulator.gcp.account import COMPUTE_URL, DEFAULT_NODES, PROJECT, region_of
from emulator.gcp.instances import base_name
from emulator.gcp.machines import Machine
from emulator.gcp.state import (
    PROVISIONING,
    RUNNING,
    STOPPING,
    WAITING,
    Cluster,
    Group,
    Instance,
    NodePool,
    Shortage,
    digest,
)

_ACTIONS: Final = {WAITING: "CREATING", PROVISIONING: "CREATING", RUNNING: "NONE", STOPPING: "DELETING"}
"""What a group does with an instance, by the instance's state."""
_COUNTED: Final = (
    "abandoning",
    "creating",
    "creatingWithoutRetries",
    "deleting",
    "none",
    "recreating",
    "refreshing",
    "restarting",
    "resuming",
    "starting",
    "stopping",
    "suspending",
    "verifying",
)


def zone_url(zone: str) -> str:
    """Link to a zone."""
    return f"{COMPUTE_URL}/projects/{PROJECT}/zones/{zone}"


def instance_url(zone: str, name: str) -> str:
    """Link to an instance."""
    return f"{zone_url(zone)}/instances/{name}"


def group_json(pool: NodePool, group: Group) -> dict[str, Any]:
    """An instance group manager."""
    template = f"{base_name(group)}-{digest(f'{pool.id}/{pool.version}', 8)}"
    template_url = (
        f"{COMPUTE_URL}/projects/{PROJECT}/regions/{region_of(group.zone)}/instanceTemplates/{template}"
    )
    actions = [_ACTIONS[instance.state] for instance in group.instances.values()]
    return {
        "kind": "compute#instanceGroupManager",
        "id": group.number,
        "creationTimestamp": rfc3339(pool.created_at),
        "name": group.name,
        "zone": zone_url(group.zone),
        "instanceTemplate": template_url,
        "versions": [{"instanceTemplate": template_url, "targetSize": {"calculated": group.target}}],
        "instanceGroup": f"{zone_url(group.zone)}/instanceGroups/{group.name}",
        "baseInstanceName": base_name(group),
        "fingerprint": digest(f"{group.number}/{group.target}", 12),
        "currentActions": {name: actions.count(name.upper()) for name in _COUNTED},
        "status": {"isStable": all(action == "NONE" for action in actions)},
        "targetSize": group.target,
        "selfLink": group.url,
    }


def managed_json(group: Group, instance: Instance) -> dict[str, Any]:
    """An instance as its group sees it, or one that the group still tries to have."""
    shown: dict[str, Any] = {
        "instance": instance_url(group.zone, instance.name),
        "name": instance.name,
        "currentAction": _ACTIONS[instance.state],
    }
    if instance.exists:
        shown |= {"id": instance.number, "instanceStatus": instance.state}
    if instance.shortage is not None:
        shown["lastAttempt"] = {"errors": {"errors": [_error(instance.shortage)]}}
    return shown


def trouble_json(group: Group, at: float, name: str, shortage: Shortage) -> dict[str, Any]:
    """What went wrong once, as `listErrors` tells it."""
    return {
        "timestamp": rfc3339(at),
        "error": _error(shortage),
        "instanceActionDetails": {"action": "CREATING", "instance": instance_url(group.zone, name)},
    }


def instance_json(cluster: Cluster, pool: NodePool, group: Group, instance: Instance) -> dict[str, Any]:
    """An instance."""
    machine, config = instance.machine, pool.message.config
    zone = zone_url(group.zone)
    email = config.service_account
    labels = _labels(cluster, pool)
    shown: dict[str, Any] = {
        "kind": "compute#instance",
        "id": instance.number,
        "creationTimestamp": rfc3339(instance.created_at),
        "name": instance.name,
        "tags": {"items": list(config.tags), "fingerprint": digest(str(list(config.tags)), 12)},
        "machineType": f"{zone}/machineTypes/{machine.machine_type}",
        "status": instance.state,
        "zone": zone,
        "networkInterfaces": [_interface(cluster, instance)],
        "disks": [_boot_disk(pool, zone, instance)],
        "serviceAccounts": [
            {
                "email": DEFAULT_NODES if email == "default" else email,
                "scopes": list(config.oauth_scopes),
            }
        ],
        "selfLink": instance_url(group.zone, instance.name),
        "scheduling": _scheduling(machine),
        "labels": labels,
        "labelFingerprint": digest(str(sorted(labels.items())), 12),
    }
    if machine.gpus:
        link = f"{zone}/acceleratorTypes/{machine.accelerator}"
        shown["guestAccelerators"] = [{"acceleratorType": link, "acceleratorCount": machine.gpus}]
    return shown


def _labels(cluster: Cluster, pool: NodePool) -> dict[str, str]:
    return {
        "goog-gke-node": "",
        "goog-k8s-cluster-name": cluster.name,
        "goog-k8s-cluster-location": cluster.location,
        "goog-k8s-node-pool-name": pool.name,
        **dict(cluster.message.resource_labels),
        **dict(pool.message.config.resource_labels),
    }


def _interface(cluster: Cluster, instance: Instance) -> dict[str, Any]:
    network = cluster.message.network_config
    return {
        "kind": "compute#networkInterface",
        "name": "nic0",
        "network": f"{COMPUTE_URL}/{network.network}",
        "subnetwork": f"{COMPUTE_URL}/{network.subnetwork}",
        "networkIP": instance.private_ip,
    }


def _boot_disk(pool: NodePool, zone: str, instance: Instance) -> dict[str, Any]:
    return {
        "kind": "compute#attachedDisk",
        "type": "PERSISTENT",
        "mode": "READ_WRITE",
        "boot": True,
        "autoDelete": True,
        "index": 0,
        "deviceName": "persistent-disk-0",
        "diskSizeGb": str(pool.message.config.disk_size_gb),
        "architecture": "ARM64" if instance.machine.arch == "arm64" else "X86_64",
        "source": f"{zone}/disks/{instance.name}",
    }


def _scheduling(machine: Machine) -> dict[str, Any]:
    return {
        "automaticRestart": not machine.spot,
        "preemptible": machine.spot,
        "provisioningModel": "SPOT" if machine.spot else "STANDARD",
        "onHostMaintenance": "TERMINATE" if machine.spot or machine.gpus else "MIGRATE",
    }


def _error(shortage: Shortage) -> dict[str, Any]:
    return {"code": shortage.code, "message": shortage.message}
