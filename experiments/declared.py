"""What a stack declares that decides about its inference nodes, read from the engine's state; pure.

A cloud's resources are told by their types: what a table says of a type is all that differs. A value that is
not there, or is a secret, is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from catalog.names import ROLE_INFERENCE, ROLE_KEY
from experiments.evidence import Evidence, Pool, Read

Row = Mapping[str, Any]
"""A resource of the state."""

_OKE_POOL: Final = "oci:ContainerEngine/nodePool:NodePool"
_OKE_ADD_ON: Final = "oci:ContainerEngine/addon:Addon"
_GKE_POOL: Final = "gcp:container/nodePool:NodePool"
_AUTOSCALER: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
_ADD_ON_LIMITS: Final = "nodes"
_LIMIT_PARTS: Final = 3
"""Of the add-on's words for a pool: least, most, pool."""


def declared(rows: Sequence[Row]) -> Evidence:
    """The evidence in a stack's resources."""
    pools, others = [], []
    for row in rows:
        reader = _READERS.get(str(row.get("type")))
        if reader is not None:
            labels, read = reader
            if labels(row).get(ROLE_KEY) == ROLE_INFERENCE:
                pools.append(read(row, rows))
            else:
                others.append(_name(row))
    return Evidence(tuple(pools), tuple(others), tuple(_workers(rows)))


def _workers(rows: Iterable[Row]) -> Iterator[Read]:
    for row in rows:
        most = _at(row, "spec", "maxReplicas") if row.get("type") == _AUTOSCALER else None
        if most is not None:
            yield _read(row, "spec.maxReplicas", int(most))


def _oke_labels(row: Row) -> Mapping[str, Any]:
    return {label.get("key"): label.get("value") for label in _at(row, "initialNodeLabels") or ()}


def _oke_pool(row: Row, rows: Sequence[Row]) -> Pool:
    machine = _read(row, "nodeShape", _at(row, "nodeShape"))
    scaled = [limit for each in rows if each.get("type") == _OKE_ADD_ON for limit in _limits(each, row)]
    if scaled:
        return Pool(machine, most=scaled[0])
    return Pool(machine, fixed=_read(row, "nodeConfigDetails.size", _at(row, "nodeConfigDetails", "size")))


def _limits(add_on: Row, pool: Row) -> Iterator[Read]:
    """What the autoscaler's add-on says of a pool: `0:12:ID`, one pool after the other."""
    for setting in _at(add_on, "configurations") or ():
        if setting.get("key") != _ADD_ON_LIMITS:
            continue
        for words in str(setting.get("value")).split(","):
            parts = words.strip().split(":", _LIMIT_PARTS - 1)
            if len(parts) == _LIMIT_PARTS and parts[-1] == pool.get("id"):
                where = f"configurations.{_ADD_ON_LIMITS}, most of {_name(pool)}"
                yield _read(add_on, where, int(parts[1]))


def _gke_labels(row: Row) -> Mapping[str, Any]:
    return _at(row, "nodeConfig", "labels") or {}


def _gke_pool(row: Row, _rows: Sequence[Row]) -> Pool:
    gpus = [
        f"{each.get('count')} {each.get('type')}"
        for each in _at(row, "nodeConfig", "guestAccelerators") or ()
    ]
    machine = _read(
        row, "nodeConfig.machineType", " + ".join([str(_at(row, "nodeConfig", "machineType")), *gpus])
    )
    most = _at(row, "autoscaling", "totalMaxNodeCount")
    if most is not None:
        return Pool(machine, most=_read(row, "autoscaling.totalMaxNodeCount", int(most)))
    return Pool(machine, fixed=_read(row, "nodeCount", _at(row, "nodeCount")))


_READERS: Final[
    Mapping[str, tuple[Callable[[Row], Mapping[str, Any]], Callable[[Row, Sequence[Row]], Pool]]]
] = {_OKE_POOL: (_oke_labels, _oke_pool), _GKE_POOL: (_gke_labels, _gke_pool)}
"""By type of a node pool: its nodes' labels, and the pool."""


def _read(row: Row, name: str, value: Any) -> Read:
    return Read(f"{str(row.get('type')).rsplit(':', 1)[-1]} {_name(row)}", name, value)


def _name(row: Row) -> str:
    return str(row.get("urn")).rsplit("::", 1)[-1]


def _at(row: Row, *path: str) -> Any:
    """An input of a resource by its path; None where there is none, or it is a secret."""
    found: Any = row.get("inputs")
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return None if isinstance(found, Mapping) and "ciphertext" in found else found
