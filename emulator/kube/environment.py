"""The environment and arguments of a container, resolved as a kubelet does: pure.

The kubelet's rules: `envFrom` first, in order, then `env`, each later entry winning; `$(NAME)`
stands for a variable defined before, `$$(NAME)` for itself, and an unknown one stays as written.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.kube.api import Object

CONFIG_MAP: Final = "configmaps"
SECRET: Final = "secrets"  # noqa: S105  # the name of a resource
_REFERENCE: Final = re.compile(r"\$\$|\$\(([^)]*)\)")
_SUBSCRIPT: Final = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
_IDENTIFIER: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


class Unresolved(Exception):
    """A container cannot be started because its environment refers to what is not there."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A ConfigMap or Secret that a container refers to."""

    resource: str
    name: str


Contents = Mapping[Source, Mapping[str, str] | None]
"""Decoded data of each source, None for one that does not exist."""


def sources(container: Object) -> tuple[Source, ...]:
    """Every ConfigMap and Secret that has to be read to resolve the container's environment."""
    found: set[Source] = set()
    for entry in container.get("envFrom") or ():
        found.update(Source(resource, ref["name"]) for resource, ref in _refs(entry))
    for entry in container.get("env") or ():
        found.update(
            Source(resource, ref["name"]) for resource, ref in _key_refs(entry.get("valueFrom") or {})
        )
    return tuple(sorted(found))


def resolve(container: Object, pod: Object, contents: Contents) -> dict[str, str]:
    """Variables of the container.

    Raises:
        Unresolved: naming every reference that leads nowhere.
    """
    faults: list[str] = []
    variables: dict[str, str] = {}
    for entry in container.get("envFrom") or ():
        variables.update(_all_of(entry, contents, faults))
    for entry in container.get("env") or ():
        value = _value_of(entry, pod, contents, faults)
        if value is not None:
            variables[entry["name"]] = expand(value, variables) if "valueFrom" not in entry else value
    if faults:
        raise Unresolved("; ".join(faults))
    return variables


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by the variable."""

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(replacement, text)


def arguments(container: Object, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The container's `args`, with variables replaced."""
    return tuple(expand(argument, variables) for argument in container.get("args") or ())


def _refs(entry: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    if "configMapRef" in entry:
        yield CONFIG_MAP, entry["configMapRef"]
    if "secretRef" in entry:
        yield SECRET, entry["secretRef"]


def _key_refs(value_from: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    if "configMapKeyRef" in value_from:
        yield CONFIG_MAP, value_from["configMapKeyRef"]
    if "secretKeyRef" in value_from:
        yield SECRET, value_from["secretKeyRef"]


def _all_of(entry: Object, contents: Contents, faults: list[str]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for resource, ref in _refs(entry):
        data = contents.get(Source(resource, ref["name"]))
        if data is None:
            if not ref.get("optional"):
                faults.append(f"{_singular(resource)} {ref['name']!r} not found")
            continue
        prefix = entry.get("prefix", "")
        variables.update(
            {prefix + key: value for key, value in data.items() if _IDENTIFIER.fullmatch(prefix + key)}
        )
    return variables


def _value_of(entry: Object, pod: Object, contents: Contents, faults: list[str]) -> str | None:
    value_from = entry.get("valueFrom")
    if value_from is None:
        return str(entry.get("value", ""))
    for resource, ref in _key_refs(value_from):
        return _key_of(resource, ref, contents, faults)
    if "fieldRef" in value_from:
        return _field_of(value_from["fieldRef"]["fieldPath"], pod, faults)
    faults.append(f"variable {entry['name']}: {sorted(value_from)} is not known to the emulated kubelet")
    return None


def _key_of(resource: str, ref: Mapping[str, Any], contents: Contents, faults: list[str]) -> str | None:
    data = contents.get(Source(resource, ref["name"]))
    if data is not None and ref["key"] in data:
        return data[ref["key"]]
    if not ref.get("optional"):
        missing = "not found" if data is None else f"has no key {ref['key']!r}"
        faults.append(f"{_singular(resource)} {ref['name']!r} {missing}")
    return None


def _field_of(path: str, pod: Object, faults: list[str]) -> str | None:
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        return str((metadata.get(subscript[1]) or {}).get(subscript[2], ""))
    fields: dict[str, Any] = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata.get("uid", ""),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": status.get("hostIP", ""),
        "status.podIP": status.get("podIP", ""),
        "status.hostIPs": _addresses(status.get("hostIPs")),
        "status.podIPs": _addresses(status.get("podIPs")),
    }
    if path not in fields:
        faults.append(f"field {path!r} is not one of {', '.join(sorted(fields))}")
        return None
    return str(fields[path])


def _addresses(rows: Sequence[Mapping[str, str]] | None) -> str:
    return ",".join(row["ip"] for row in rows or ())


def _singular(resource: str) -> str:
    return resource.removesuffix("s")
