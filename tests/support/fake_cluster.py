"""A Kubernetes in memory for the provisioner's loop: registers machines, schedules pods, forgets nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from catalog.names import STEPS_ASIDE_FROM_KEY, STEPS_ASIDE_KEY
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.hot_nodes import HOT, HOT_SINCE_KEY
from provisioner.core.market import Catalog
from provisioner.core.model import HOSTNAME, Node, NodeTerm, Owner, Pod, Requirement, Scaler, Taint
from provisioner.core.opening import STARTING, own_taint, ticket
from provisioner.core.pools import Instance, PoolSpec
from provisioner.core.resources import NOTHING, Resources
from provisioner.core.site import Site, room_of
from provisioner.core.surge import TEMPLATE_HASH
from provisioner.core.usage import Usage
from provisioner.kube import Observed

_CORDONED = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


@dataclass
class FakeCluster:
    """What the loop sees of Kubernetes; `errors` are raised by the next observations."""

    catalog: Catalog
    pods: dict[str, Pod] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    evicted: list[str] = field(default_factory=list)
    let_in_to: dict[str, list[str]] = field(default_factory=dict)
    """Pods by the node that they were let in to."""
    errors: list[Exception] = field(default_factory=list)
    lacks: Resources = NOTHING
    """What nodes have less than the catalog says."""
    use_of: Callable[[Pod], tuple[int, int]] = lambda _: (0, 0)
    """Millicores and bytes that a running pod uses."""
    scalers: list[Scaler] = field(default_factory=list)
    daemon_sets: list[DaemonSet] = field(default_factory=list)

    def observe(self) -> Observed:
        if self.errors:
            raise self.errors.pop(0)
        pods, nodes = tuple(self.pods.values()), tuple(self.nodes.values())
        return Observed(pods, nodes, scalers=tuple(self.scalers), daemon_sets=tuple(self.daemon_sets))

    def annotate(self, node: str, key: str, value: str | None) -> None:
        there = self.nodes[node]
        left = {name: text for name, text in there.annotations.items() if name != key}
        self.nodes[node] = replace(there, annotations=left if value is None else {**left, key: value})

    def cordon(self, node: str, *, closed: bool) -> None:
        """The API server taints what is cordoned."""
        there = self.nodes[node]
        left = tuple(taint for taint in there.taints if taint != _CORDONED)
        taints = (*left, _CORDONED) if closed else left
        self.nodes[node] = replace(there, is_cordoned=closed, taints=taints)

    def usage(self) -> tuple[Usage, ...]:
        return tuple(
            Usage(pod.namespace, pod.name, *self.use_of(pod)) for pod in self.pods.values() if pod.node_name
        )

    def node_usage(self) -> tuple[Usage, ...]:
        found = []
        for name in self.nodes:
            uses = [self.use_of(pod) for pod in self.pods.values() if pod.node_name == name]
            found.append(Usage("", name, sum(cpu for cpu, _ in uses), sum(memory for _, memory in uses)))
        return tuple(found)

    def heat(self, node: str, since: datetime | None) -> None:
        taints = tuple(taint for taint in self.nodes[node].taints if taint != HOT)
        self.nodes[node] = replace(self.nodes[node], taints=(*taints, HOT) if since else taints)
        self.annotate(node, HOT_SINCE_KEY, since.isoformat() if since else None)

    def claim(self, node: Node) -> None:
        self._taint(node, own_taint(node))

    def open(self, node: Node) -> None:
        self._taint(node)

    def let_in(self, pod: Pod, node: Node) -> None:
        self.let_in_to.setdefault(node.name, []).append(pod.name)
        there = self.pods[pod.name]
        self.pods[pod.name] = replace(there, tolerations=(*there.tolerations, ticket(node)))

    def _taint(self, node: Node, *own: Taint) -> None:
        there = self.nodes[node.name]
        left = (taint for taint in there.taints if taint.key != STARTING.key)
        self.nodes[node.name] = replace(there, taints=(*left, *own))

    def evict(self, pod: Pod) -> None:
        """The pod is gone, and its controller, if it has one, has made another one."""
        self.evicted.append(pod.name)
        gone = self.pods.pop(pod.name)
        if gone.owner is not None:
            self.add(_another(gone))

    def detach(self, pod: Pod, now: datetime) -> None:
        """The pod is nobody's, and its controller has made another one."""
        self.add(_another(pod))
        left = {key: value for key, value in pod.labels.items() if key != TEMPLATE_HASH}
        marked = {
            **pod.annotations,
            STEPS_ASIDE_KEY: now.isoformat(),
            STEPS_ASIDE_FROM_KEY: pod.owner.uid if pod.owner else "",
        }
        self.pods[pod.name] = replace(pod, owner=None, labels=left, annotations=marked)

    def release(self, pod: Pod, gates: Iterable[str]) -> None:
        left = tuple(gate for gate in self.pods[pod.name].gates if gate not in gates)
        self.pods[pod.name] = replace(self.pods[pod.name], gates=left, is_gated=bool(left))

    def tell(self, pod: Pod, reason: str, message: str, _now: datetime) -> None:
        self.events.append((pod.name, reason, message))

    def add(self, *pods: Pod) -> None:
        self.pods |= {pod.name: pod for pod in pods}

    def register(self, machines: list[tuple[Instance, PoolSpec]], now: datetime) -> None:
        """Machines become nodes, as the cloud makes them."""
        for instance, spec in machines:
            size = self.catalog.size_of(spec)
            assert size is not None
            labels = {**self.catalog.labels(size.offering, spec.zone), **dict(spec.labels)}
            self.nodes[instance.id] = Node(
                instance.id,
                provider_id=instance.id,
                labels={**labels, HOSTNAME: instance.id},
                taints=(*self.catalog.taints(size.offering), *spec.taints, STARTING),
                capacity=size.usable,
                allocatable=size.usable - self.lacks,
                created=now,
                uid=f"uid-{instance.id}",
            )

    def remove(self, machine_ids: list[str]) -> None:
        for machine_id in machine_ids:
            self.nodes.pop(machine_id, None)

    def schedule(self) -> None:
        """Each pending pod goes to the first node that takes it, those of DaemonSets last.

        Where one came, all that are left are tried again: they may have to be beside it, or not too far ahead of it.
        """
        self._make_daemons()
        before = -1
        while len(self.pending) != before:
            before = len(self.pending)
            self._schedule_once()

    def _schedule_once(self) -> None:
        site = Site(room_of(node) for node in self.nodes.values())
        for pod in self.pods.values():
            if pod.node_name in site.rooms:
                site.put(pod, site.rooms[pod.node_name])
        waiting = [pod for pod in self.pods.values() if not pod.node_name and not pod.is_gated]
        for pod in sorted(waiting, key=lambda pod: pod.is_daemon):
            for node in self.nodes.values():
                room = site.rooms[node.name]
                shut = (taint for taint in node.taints if taint.key == STARTING.key)
                is_kept_off = node.is_cordoned or not all(map(pod.tolerates, shut))
                if not is_kept_off and site.why_not(pod, room) is None:
                    self.pods[pod.name] = replace(pod, node_name=node.name, phase="Running", is_ready=True)
                    site.put(self.pods[pod.name], room)
                    break

    def _make_daemons(self) -> None:
        """A pod for each node that each DaemonSet runs on."""
        for made in self.daemon_sets:
            for node in self.nodes.values():
                name = f"{made.pod.name}-{node.name}"
                taints = [taint for taint in node.taints if taint.key not in {STARTING.key, _CORDONED.key}]
                if name not in self.pods and made.runs_on(node.labels, taints):
                    self.add(_daemon(made, name, node))

    @property
    def pending(self) -> list[str]:
        return sorted(pod.name for pod in self.pods.values() if not pod.node_name)


def _another(pod: Pod) -> Pod:
    """What its controller makes in the pod's place."""
    name = f"{pod.name}x"
    return replace(pod.off_its_node(), name=name, uid=f"uid-{name}")


def _daemon(made: DaemonSet, name: str, node: Node) -> Pod:
    """What a DaemonSet makes for a node."""
    here = Requirement("metadata.name", "In", (node.name,))
    terms = tuple(replace(term, fields=(*term.fields, here)) for term in made.pod.node_affinity or ())
    owner = Owner("DaemonSet", made.pod.name, made.uid)
    own = terms or (NodeTerm(fields=(here,)),)
    return replace(made.pod, name=name, uid=f"uid-{name}", owner=owner, node_affinity=own)


class Lines:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, level: str) -> Any:
        return lambda message, **fields: self.lines.append(f"{level} {message} {fields}")
