"""Where the volumes of pods are: a bound one can be attached in its own place only, an unbound one anywhere.

What a volume says of nodes is added to what its pod says, so that nothing else has to know of volumes. A
claim that is not there, or is not going to wait for its pod, is left with the pod: nothing is bought for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, TypeVar

from provisioner.core import parse
from provisioner.core.model import ZONE, NodeTerm, Pod, Requirement
from provisioner.core.node_terms import both

Json = Mapping[str, Any]
T = TypeVar("T")
_ZONE_KEYS: Final = (ZONE, "failure-domain.beta.kubernetes.io/zone", "topology.gke.io/zone")
"""Labels by which drivers name the zone; a node that is bought has the first of them."""
KINDS: Final = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass", "CSINode")
_NOBODY: Final = "kubernetes.io/no-provisioner"
"""Makes no volumes: a claim of such a class waits for somebody to make one."""
_DRIVERS: Final = {"kubernetes.io/gce-pd": "pd.csi.storage.gke.io"}
"""What serves volumes and classes that are still written for Kubernetes' own code."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim."""

    volume: str
    """Empty until it is bound."""
    storage_class: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A PersistentVolume."""

    terms: tuple[NodeTerm, ...] | None
    """Where it can be attached; None: anywhere."""
    driver: str
    """Empty: none that is known."""


@dataclass(frozen=True, slots=True)
class StorageClass:
    """How volumes of a class come to be."""

    waits: bool
    """Whether for the first pod that mounts them."""
    terms: tuple[NodeTerm, ...] | None
    """Where they can be; None: anywhere."""
    driver: str

    @property
    def comes_to_pods(self) -> bool:
        """Whether a volume is made where the pod that mounts it goes."""
        return self.waits and self.driver != _NOBODY


@dataclass(frozen=True, slots=True)
class Storage:
    """Claims by namespace and name, volumes and classes by name, and what nodes take."""

    claims: Mapping[str, Claim] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    classes: Mapping[str, StorageClass] = field(default_factory=dict)
    """None at all: nobody has looked."""
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By node, the most volumes of each driver that says so."""

    @classmethod
    def of(cls, objects: Iterable[Json]) -> Self | None:
        """Read from objects of `KINDS`; None when there are none of them, so that nothing is known."""
        listed = [raw for raw in objects if raw.get("kind") in KINDS]
        if not listed:
            return None
        readers: tuple[Callable[[Json], Any], ...] = (_claim, _volume, _class, _limits)
        return cls(
            *(_by_key(kind, listed, read) for kind, read in zip(KINDS, readers, strict=True)),
        )

    def placed(self, pod: Pod) -> Pod:
        """The pod with what its volumes say of nodes; claims of which nothing is known stay with it."""
        unknown: list[str] = []
        terms = pod.node_affinity
        for name in pod.claims:
            where = self._where(f"{pod.namespace}/{name}")
            if isinstance(where, _Unknown):
                unknown.append(name)
            else:
                terms = both(terms, where)
        return replace(pod, claims=tuple(unknown), node_affinity=terms)

    def driver_of(self, key: str) -> str:
        """Whose volume a claim (`namespace/name`) has or will have; empty where that is not known."""
        claim = self.claims.get(key)
        if claim is None:
            return ""
        found = self.volumes.get(claim.volume) if claim.volume else self.classes.get(claim.storage_class)
        return found.driver if found is not None else ""

    def _where(self, key: str) -> "tuple[NodeTerm, ...] | _Unknown | None":
        claim = self.claims.get(key)
        if claim is None:
            return _Unknown()
        if claim.volume:
            return self.volumes[claim.volume].terms if claim.volume in self.volumes else _Unknown()
        if not self.classes:
            # Clouds' own classes wait for the pod. One that does not is bound, or never will be.
            return None
        kind = self.classes.get(claim.storage_class)
        return kind.terms if kind is not None and kind.comes_to_pods else _Unknown()


class _Unknown:
    """Nobody can tell where."""


def placed(pods: Iterable[Pod], storage: Storage | None) -> list[Pod]:
    """Pods with what their volumes say of nodes, where that is known."""
    return [storage.placed(pod) if storage is not None and pod.claims else pod for pod in pods]


def _by_key(kind: str, objects: Iterable[Json], read: Callable[[Json], T]) -> dict[str, T]:
    """Objects of a kind; raises Malformed."""

    def entry(raw: Json) -> tuple[str, T]:
        return _key(raw), read(raw)

    return dict(parse.named(kind, raw, entry) for raw in objects if raw["kind"] == kind)


def _key(raw: Json) -> str:
    meta = raw["metadata"]
    name: str = meta["name"]
    return f"{meta.get('namespace') or 'default'}/{name}" if raw["kind"] == KINDS[0] else name


def _claim(raw: Json) -> Claim:
    spec = raw.get("spec") or {}
    is_bound = (raw.get("status") or {}).get("phase", "Bound") == "Bound"
    return Claim((spec.get("volumeName") or "") if is_bound else "", spec.get("storageClassName") or "")


def _volume(raw: Json) -> Volume:
    return Volume(_places(raw), _driver(raw.get("spec") or {}))


def _driver(spec: Json) -> str:
    if "gcePersistentDisk" in spec:
        return _DRIVERS["kubernetes.io/gce-pd"]
    driver: str = (spec.get("csi") or {}).get("driver") or ""
    return driver


def _places(raw: Json) -> tuple[NodeTerm, ...] | None:
    """Where a volume can be attached: by its affinity, or by the label of its zone as old drivers put it."""
    required = ((raw.get("spec") or {}).get("nodeAffinity") or {}).get("required")
    if required:
        return tuple(map(_by_our_zone, parse.node_terms(required)))
    labels = raw["metadata"].get("labels") or {}
    zones = {labels[key] for key in _ZONE_KEYS if key in labels}
    # A volume that is in several zones names them with underscores between.
    named = tuple(sorted(part for zone in zones for part in zone.split("__")))
    return (NodeTerm((Requirement(ZONE, "In", named),)),) if named else None


def _class(raw: Json) -> StorageClass:
    allowed = tuple(
        _by_our_zone(
            NodeTerm(
                tuple(
                    Requirement(each["key"], "In", tuple(each.get("values") or ()))
                    for each in term.get("matchLabelExpressions") or ()
                )
            )
        )
        for term in raw.get("allowedTopologies") or ()
    )
    makes = raw.get("provisioner") or ""
    return StorageClass(
        raw.get("volumeBindingMode") == "WaitForFirstConsumer", allowed or None, _DRIVERS.get(makes, makes)
    )


def _limits(raw: Json) -> dict[str, int]:
    """What a CSINode says; a driver that names no count sets no limit."""
    drivers = (raw.get("spec") or {}).get("drivers") or ()
    counts = ((each["name"], (each.get("allocatable") or {}).get("count")) for each in drivers)
    return {name: count for name, count in counts if count is not None}


def _by_our_zone(term: NodeTerm) -> NodeTerm:
    return replace(
        term, labels=tuple(replace(one, key=ZONE) if one.key in _ZONE_KEYS else one for one in term.labels)
    )
