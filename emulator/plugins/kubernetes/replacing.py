"""Which changes an object does not survive."""

from collections.abc import Callable, Mapping
from typing import Final

from emulator.plugins.differences import keys
from emulator.plugins.kubernetes.kinds import Kind
from emulator.plugins.paths import Path

_ALWAYS: Final = ("metadata.name", "metadata.namespace")
_BY_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "ClusterRoleBinding": ("roleRef",),
    "ConfigMap": ("data", "binaryData", "immutable"),
    "DaemonSet": ("spec.selector",),
    "Deployment": ("spec.selector",),
    "Job": ("spec.selector", "spec.template", "spec.completions", "spec.parallelism"),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.storageClassName", "spec.volumeName"),
    "Pod": ("spec",),
    "PriorityClass": ("value", "preemptionPolicy"),
    "RoleBinding": ("roleRef",),
    "Secret": ("data", "stringData", "type", "immutable"),
    "StatefulSet": (
        "spec.selector",
        "spec.serviceName",
        "spec.podManagementPolicy",
        "spec.volumeClaimTemplates",
    ),
    "StorageClass": ("parameters", "provisioner"),
}
"""As the official provider replaces; built-in kinds only."""


def replaces(kind: Kind, *, mutable: frozenset[str]) -> Callable[[Path], bool]:
    """Says of a changed path whether the object is made anew.

    `mutable` names the kinds (ConfigMap, Secret) whose data the provider was told to change in place.
    """
    own = () if kind.kind in mutable else _BY_KIND.get(kind.kind, ())
    return keys(*_ALWAYS, *own)
