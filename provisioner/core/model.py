"""What the planner knows of pods and nodes: frozen values, read once from Kubernetes' own JSON.

`parse.py` makes them; the emulated cloud reads the same ones, so this module imports nothing but
the amounts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from catalog.names import STARTING_KEY, STEPS_ASIDE_KEY
from provisioner.core.resources import NOTHING, ONE_POD, Resources

HOSTNAME: Final = "kubernetes.io/hostname"
ARCH: Final = "kubernetes.io/arch"
OS: Final = "kubernetes.io/os"
ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
INSTANCE_TYPE: Final = "node.kubernetes.io/instance-type"
CAPACITY_TYPE: Final = "karpenter.sh/capacity-type"
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
GPU: Final = "nvidia.com/gpu"

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TAINT: Final = re.compile(r"(?P<key>[A-Za-z0-9./_-]+)(?:=(?P<value>[A-Za-z0-9._-]*))?:(?P<effect>\w+)")


@dataclass(frozen=True, slots=True, order=True)
class Taint:
    """Keeps pods away that do not tolerate it."""

    key: str
    value: str
    effect: str

    @classmethod
    def parse(cls, text: str) -> "Taint":
        """Read `key=value:Effect`, as kubectl and the kubelet write it; raises ValueError."""
        match = _TAINT.fullmatch(text)
        if match is None or match["effect"] not in EFFECTS:
            message = f"{text!r} is not a taint; expected key=value:Effect with {', '.join(EFFECTS)}"
            raise ValueError(message)
        return cls(match["key"], match["value"] or "", match["effect"])

    def __str__(self) -> str:
        """As kubectl and the kubelet write it."""
        return f"{self.key}={self.value}:{self.effect}"

    @property
    def repels(self) -> bool:
        """Whether it keeps pods away at scheduling, rather than being a preference."""
        return self.effect != "PreferNoSchedule"


@dataclass(frozen=True, slots=True)
class Toleration:
    """Lets a pod pass taints; an empty key or effect means any."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Whether the taint does not keep this pod away."""
        if self.effect not in {"", taint.effect}:
            return False
        if self.operator == "Exists":
            return self.key in {"", taint.key}
        # Any other operator is one that this scheduler may not know: it then passes nothing.
        return self.operator == "Equal" and self.key == taint.key and self.value == taint.value


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression on labels: of a node selector term, or of a pod label selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet it; an operator that is not known never holds."""
        value = labels.get(self.key)
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if value is None:
            return False
        return value in self.values if self.operator == "In" else self._compares(value)

    def _compares(self, value: str) -> bool:
        if self.operator not in {"Gt", "Lt"} or len(self.values) != 1:
            return False
        try:
            here, there = int(value), int(self.values[0])
        except ValueError:
            return False
        return here > there if self.operator == "Gt" else here < there


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One alternative of a required node affinity: all of it has to hold."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()
    """On `metadata.name`."""

    def holds(self, labels: Mapping[str, str], name: str) -> bool:
        """Whether a node of that name and labels meets it; an empty term meets nothing."""
        if not self.labels and not self.fields:
            return False
        return all(each.holds(labels) for each in self.labels) and all(
            each.holds({"metadata.name": name}) for each in self.fields
        )


@dataclass(frozen=True, slots=True)
class PodTerm:
    """Which pods a required pod (anti-)affinity is about, and what counts as the same place."""

    topology_key: str
    selector: tuple[Requirement, ...] | None
    """None selects no pod, an empty one every pod."""
    namespaces: frozenset[str]
    """Empty: every namespace, or those that `named_as` holds for."""
    named_as: tuple[Requirement, ...] = ()
    """On the label that every namespace has of its name."""
    is_vague: bool = False
    """Whether it asks for other labels of namespaces, which nobody lists here: it is taken for every one."""

    def selects(self, pod: "Pod") -> bool:
        """Whether it is about that pod."""
        if self.selector is None or not self._is_in(pod.namespace):
            return False
        return all(each.holds(pod.labels) for each in self.selector)

    def _is_in(self, namespace: str) -> bool:
        if self.named_as and all(each.holds({NAMESPACE_NAME: namespace}) for each in self.named_as):
            return True
        return namespace in self.namespaces or not (self.namespaces or self.named_as)


@dataclass(frozen=True, slots=True)
class Spread:
    """A topology spread constraint that the scheduler enforces (`DoNotSchedule`)."""

    term: PodTerm
    max_skew: int
    min_domains: int = 1
    """While there are fewer places than this, the least filled one counts as empty."""
    honors_affinity: bool = True
    """Whether only nodes count that the pod's selector and affinity allow."""
    honors_taints: bool = False
    """Whether only nodes count whose taints the pod tolerates."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of a pod."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, order=True)
class HostPort:
    """A port that a pod takes of its node."""

    port: int
    protocol: str
    address: str

    def collides(self, other: "HostPort") -> bool:
        """Whether both cannot be on one node."""
        anywhere = "0.0.0.0"  # noqa: S104 (Kubernetes' default host IP, compared with, not bound)
        same_address = self.address == other.address or anywhere in {self.address, other.address}
        return self.port == other.port and self.protocol == other.protocol and same_address


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod, as far as placing it goes."""

    namespace: str
    name: str
    uid: str = ""
    requests: Resources = ONE_POD
    phase: str = "Pending"
    node_name: str = ""
    created: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    is_ready: bool = False
    is_gated: bool = False
    gates: tuple[str, ...] = ()
    """Names of its scheduling gates."""
    is_deleting: bool = False
    tolerations: tuple[Toleration, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    node_affinity: tuple[NodeTerm, ...] | None = None
    """Required; alternatives. None: any node."""
    affinity: tuple[PodTerm, ...] = ()
    anti_affinity: tuple[PodTerm, ...] = ()
    spread: tuple[Spread, ...] = ()
    host_ports: tuple[HostPort, ...] = ()
    claims: tuple[str, ...] = ()
    """Persistent volume claims that it mounts."""
    device_claims: tuple[str, ...] = ()
    """Claims of devices (dynamic resource allocation)."""
    priority: int = 0
    stands_for: str = ""
    """What room is kept for in the name of a pod that is not there; empty: the pod is there."""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_finished(self) -> bool:
        """Whether it has given its resources back."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def is_daemon(self) -> bool:
        """Whether it lives and dies with its node: of a DaemonSet, or a static pod of the kubelet."""
        return "kubernetes.io/config.mirror" in self.annotations or (
            self.owner is not None and self.owner.kind in {"DaemonSet", "Node"}
        )

    @property
    def steps_aside(self) -> bool:
        """Whether it only serves until its replacement does."""
        return STEPS_ASIDE_KEY in self.annotations

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a node and a node could be the answer."""
        return not (self.node_name or self.is_finished or self.is_daemon or self.is_deleting)

    @property
    def home(self) -> str:
        """The node that it is on, or that it is made for by a DaemonSet; empty: none yet."""
        if self.node_name or not self.is_daemon:
            return self.node_name
        fields = (each for term in self.node_affinity or () for each in term.fields)
        return next((each.values[0] for each in fields if each.operator == "In" and each.values), "")

    def tolerates(self, taint: Taint) -> bool:
        """Whether the taint does not keep it away."""
        # The API server's ExtendedResourceToleration adds this one to every pod that asks for a GPU.
        own = (Toleration(key=GPU, operator="Exists"),) if self.requests.gpus else ()
        return any(each.tolerates(taint) for each in (*self.tolerations, *own))

    @property
    def lasting_tolerations(self) -> tuple[Toleration, ...]:
        """Those that decide where it may go: not those by which it was let in to a new node."""
        return tuple(each for each in self.tolerations if each.key != STARTING_KEY)

    def off_its_node(self) -> "Pod":
        """The same pod, pending: as its replacement will be, which was let in nowhere yet."""
        pending = replace(self, node_name="", phase="Pending", is_ready=False)
        return replace(pending, tolerations=self.lasting_tolerations)


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget."""

    namespace: str
    name: str
    selector: tuple[Requirement, ...] | None
    """None selects no pod, an empty one every pod of the namespace."""
    allowed: int
    """Pods that may be disrupted now."""
    at_best: int = 1
    """Pods that may be disrupted when all are healthy."""

    def covers(self, pod: Pod) -> bool:
        """Whether it counts that pod."""
        if self.selector is None or pod.namespace != self.namespace:
            return False
        return all(each.holds(pod.labels) for each in self.selector)


@dataclass(frozen=True, slots=True)
class Scaler:
    """A HorizontalPodAutoscaler, and what it said last."""

    namespace: str
    name: str
    kind: str
    """Of the workload that it scales."""
    workload: str
    current: int
    """Replicas it has seen."""
    desired: int
    """Replicas it has asked for."""
    minimum: int
    maximum: int
    scaled: datetime | None = None
    """When it last asked for another number."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node; also one that is bought and has not registered yet (`is_booting`)."""

    name: str
    provider_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    capacity: Resources = NOTHING
    allocatable: Resources = NOTHING
    is_ready: bool = True
    is_cordoned: bool = False
    is_deleting: bool = False
    is_booting: bool = False
    kubelet_version: str = ""
    created: datetime | None = None
    """When it registered; of a booting one, when it was first seen."""
    uid: str = ""
    """Of the node as an object: a machine that takes over a name has another one."""
    host_ports: tuple[HostPort, ...] = ()
    """That its own DaemonSets will take, and may not have taken yet."""
