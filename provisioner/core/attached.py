"""Volumes as amounts: what pods attach, and how much of that a node takes.

Counted like an extended resource, so that nothing else has to know of it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from catalog import volumes
from provisioner.core.model import INSTANCE_TYPE, Node, Pod
from provisioner.core.resources import Resources
from provisioner.core.storage import Storage


def attached(
    pods: Iterable[Pod], nodes: Iterable[Node], storage: Storage | None
) -> tuple[tuple[Pod, ...], tuple[Node, ...]]:
    """Pods that ask for their volumes' attachments, and nodes that have them; the same where nobody has looked.

    Of the pods on a node a claim counts once, as in Kubernetes. A pod that is to be placed counts all of its
    claims, though one may be attached already where it goes: rather a machine too many than one too full.
    """
    if storage is None:
        return tuple(pods), tuple(nodes)
    return tuple(_attaching(pods, storage)), tuple(_with_limits(node, storage) for node in nodes)


def _attaching(pods: Iterable[Pod], storage: Storage) -> Iterator[Pod]:
    there: set[tuple[str, str]] = set()
    for pod in pods:
        claims = {f"{pod.namespace}/{name}" for name in pod.claims}
        if pod.node_name and not pod.is_finished:
            claims = {claim for claim in claims if (pod.node_name, claim) not in there}
            there.update((pod.node_name, claim) for claim in claims)
        drivers = Counter(map(storage.driver_of, claims))
        counted = {volumes.attachments(name): drivers[name] for name in volumes.DRIVERS if drivers[name]}
        yield replace(pod, requests=pod.requests + Resources(extended=counted)) if counted else pod


def _with_limits(node: Node, storage: Storage) -> Node:
    """What the node's drivers say; of one that has not registered yet, what its machine takes."""
    vcpus = -(-max(node.capacity.cpu_millicores, node.allocatable.cpu_millicores) // 1000)
    said = storage.limits.get(node.name, {})
    limits = {
        **volumes.limits(node.labels.get(INSTANCE_TYPE, ""), vcpus),
        **{volumes.attachments(driver): most for driver, most in said.items() if driver in volumes.DRIVERS},
    }
    extended = {**node.allocatable.extended, **limits}
    return replace(node, allocatable=replace(node.allocatable, extended=extended))
