"""A cloud in memory whose machines become nodes of a real API server."""

from typing import Any

from catalog import allocatable
from emulator.kube.cluster import KubeCluster
from emulator.kube.spec import NodeSpec, Taint
from provisioner.core.market import Catalog
from provisioner.core.opening import STARTING
from provisioner.core.pools import Instance, PoolSpec
from provisioner.drivers.fake import FakeDriver


class Machines:
    """What a provisioner orders: first listed, with names, and later registered as nodes."""

    def __init__(self, cluster: KubeCluster, catalog: Catalog) -> None:
        self._cluster, self._catalog = cluster, catalog
        self.driver = FakeDriver(names_machines=True)
        self.specs: dict[str, PoolSpec] = {}
        """By the node's name."""

    def boot(self) -> dict[str, PoolSpec]:
        """List what was ordered; returns what is new."""
        new = {instance.name: spec for instance, spec in self.driver.boot()}
        self.specs |= new
        return new

    def register(self, new: dict[str, PoolSpec]) -> None:
        """Let machines join."""
        for name, spec in new.items():
            self._cluster.add_node(self._node(Instance(name, name), spec))

    def _node(self, instance: Instance, spec: PoolSpec) -> NodeSpec:
        catalog = self._catalog
        size = catalog.size_of(spec)
        assert size is not None
        offering = size.offering
        what: dict[str, Any] = {
            "arch": offering.arch,
            "vcpus": size.cpu_millicores // 1000,
            "memory_gib": size.memory_gib,
            "gpus": offering.gpus,
            "max_pods": size.max_pods,
        }
        taints = (*catalog.taints(offering), *spec.taints, STARTING)
        return NodeSpec(
            name=instance.name,
            provider_id=instance.id,
            internal_ip="10.0.1.7",
            labels={**catalog.labels(offering, spec.zone), **dict(spec.labels)},
            annotations={},
            taints=tuple(Taint(each.key, each.value, each.effect) for each in taints),
            capacity=allocatable.capacity(catalog.cloud, catalog.accounting, **what),
            allocatable=allocatable.allocatable(
                catalog.cloud, catalog.accounting, machine_type=offering.machine_type, **what
            ),
            arch=offering.arch,
        )
