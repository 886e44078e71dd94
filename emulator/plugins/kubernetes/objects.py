"""Objects as the program writes them, as the API server takes them, and as the state keeps them."""

import base64
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from emulator.kube import quantity
from emulator.plugins import paths
from emulator.plugins.kubernetes.kinds import Kind, Object, Reference
from emulator.plugins.provider import Refused, Request
from emulator.plugins.values import UNKNOWN, Properties, Secret

AUTONAMED: Final = "pulumi.com/autonamed"
FORCE: Final = "pulumi.com/patchForce"
_STATE_ONLY: Final = ("__inputs", "__initialApiVersion", "__fieldManager")
_SERVER_METADATA: Final = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_X_SNAKE: Final = "x_kubernetes_"
_X_KEBAB: Final = "x-kubernetes-"
_CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)
"""Built-in kinds without a namespace, for checks made before there is an API server."""


def kind_of(token: str, inputs: Mapping[str, Any]) -> Kind:
    """The kind of a resource, by its own fields, else by its token.

    Raises:
        Refused: for what is no single object (charts, lists, patches).
    """
    package, group_version, kind = token.split(":")
    unsupported = kind.endswith(("List", "Patch")) or group_version.startswith(("helm", "yaml", "kustomize"))
    if package != "kubernetes" or unsupported:
        raise Refused(f"{token}: only single objects are supported, not charts, files, lists or patches")
    version = group_version.removeprefix("core/")
    return Kind(str(inputs.get("apiVersion") or version), str(inputs.get("kind") or kind))


def is_built_in(kind: Kind) -> bool:
    """Whether a kind belongs to Kubernetes itself."""
    group = kind.api_version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def cluster_scoped(kind: Kind) -> bool:
    """Whether a built-in kind has no namespace."""
    return kind.kind in _CLUSTER_SCOPED


def reference_of(kind: Kind, inputs: Mapping[str, Any]) -> Reference:
    """The object that inputs, outputs or a live object speak of."""
    metadata = inputs.get("metadata") or {}
    return Reference(kind, str(metadata.get("name", "")), str(metadata.get("namespace") or ""))


def id_of(reference: Reference) -> str:
    """Id in the state: `namespace/name`, or the name alone."""
    return f"{reference.namespace}/{reference.name}" if reference.namespace else reference.name


def reference_of_id(kind: Kind, resource_id: str) -> Reference:
    """The object of an id."""
    namespace, _, name = resource_id.rpartition("/")
    return Reference(kind, name, namespace)


def named(request: Request, old: Mapping[str, Any], new: Properties, digits: Callable[[], str]) -> Properties:
    """The inputs with a name: the one given, the one made up before, or a new one."""
    metadata = new.get("metadata")
    if metadata is UNKNOWN or (metadata or {}).get("name"):
        return new
    metadata = dict(metadata or {})
    before = old.get("metadata") or {}
    stem = metadata.pop("generateName", None) or f"{request.name}-"
    again = (before.get("annotations") or {}).get(AUTONAMED) == "true" and before.get("name")
    annotations = metadata.get("annotations") or {}
    made = {"name": again or f"{stem}{digits()}", "annotations": {**annotations, AUTONAMED: "true"}}
    return {**new, "metadata": {**metadata, **made}}


def is_autonamed(inputs: Mapping[str, Any]) -> bool:
    """Whether the name was made up here."""
    metadata = inputs.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and annotations.get(AUTONAMED) == "true"


def with_encoded_data(inputs: Properties) -> Properties:
    """A Secret whose `stringData` has become `data`; both in clear when some of it is unknown."""
    texts = inputs.get("stringData")
    if not isinstance(texts, Mapping):
        return inputs
    encoded = {key: UNKNOWN if text is UNKNOWN else _base64(text) for key, text in texts.items()}
    rest = {key: value for key, value in inputs.items() if key != "stringData"}
    return {**rest, "data": {**(inputs.get("data") or {}), **encoded}}


def body_of(kind: Kind, reference: Reference, inputs: Mapping[str, Any]) -> Object:
    """What the API server is sent."""
    body = {key: value for key, value in inputs.items() if key not in (*_STATE_ONLY, "status")}
    metadata = {**(inputs.get("metadata") or {}), "name": reference.name}
    if reference.namespace:
        metadata["namespace"] = reference.namespace
    body |= {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    return _schema_keys(body, _X_SNAKE, _X_KEBAB) if _has_schemas(kind) else body


def outputs_of(kind: Kind, live: Object, inputs: Mapping[str, Any], manager: str) -> Properties:
    """What the state keeps of a live object."""
    shown = _schema_keys(live, _X_KEBAB, _X_SNAKE) if _has_schemas(kind) else dict(live)
    state = {"__inputs": inputs, "__initialApiVersion": kind.api_version, "__fieldManager": manager}
    return _secret_data(kind, {**shown, **state})


def preview_of(kind: Kind, live: Object, inputs: Mapping[str, Any], manager: str) -> Properties:
    """What is known before an update: the answer of a dry run without what only a live object has."""
    shown = copy.deepcopy(live)
    shown.pop("status", None)
    for key in _SERVER_METADATA:
        shown.get("metadata", {}).pop(key, None)
    if (inputs.get("spec") or {}).get("clusterIP") is None:
        for key in ("clusterIP", "clusterIPs"):
            (shown.get("spec") or {}).pop(key, None)
    return outputs_of(kind, shown, inputs, manager)


def inputs_of_live(kind: Kind, live: Object) -> Properties:
    """Inputs that would make a live object, for an import."""
    shown = _schema_keys(live, _X_KEBAB, _X_SNAKE) if _has_schemas(kind) else dict(live)
    shown.pop("status", None)
    metadata = {key: value for key, value in live.get("metadata", {}).items() if key not in _SERVER_METADATA}
    return _secret_data(kind, {**shown, "metadata": metadata})


def read_back(kind: Kind, inputs: Properties, live: Object) -> Properties:
    """The inputs with the values they have in the live object now; what we did not set is not read."""
    shown = _schema_keys(live, _X_KEBAB, _X_SNAKE) if _has_schemas(kind) else live
    return _secret_data(kind, _projected(inputs, shown))


def without_foreign(body: Object, live: Object, manager: str, ignored: Sequence[str]) -> Object:
    """The body without ignored fields that another manager owns: applying those would conflict."""
    kept = copy.deepcopy(body)
    for path in map(paths.parse, ignored):
        if _owned_by_others(live, path, manager):
            _remove(kept, path)
    return kept


def secrets_of(kind: Kind, inputs: Properties) -> Properties:
    """The inputs with the data of a Secret marked."""
    return _secret_data(kind, inputs)


def _secret_data(kind: Kind, value: Properties) -> Properties:
    if kind.kind != "Secret" or kind.api_version != "v1":
        return value
    marked: Properties = {
        key: Secret(value[key])
        for key in ("data", "stringData")
        if value.get(key) is not None and not isinstance(value[key], Secret)
    }
    if isinstance(value.get("__inputs"), Mapping):
        marked["__inputs"] = _secret_data(kind, dict(value["__inputs"]))
    return {**value, **marked}


def _projected(wanted: Any, live: Any) -> Any:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        found = {key: _projected(inner, live[key]) for key, inner in wanted.items() if key in live}
        # An empty collection is no wish, and the API server drops it.
        return {**{key: inner for key, inner in wanted.items() if inner in ({}, [], None)}, **found}
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [_projected(inner, there) for inner, there in zip(wanted, live, strict=True)]
    return wanted if _same_quantity(wanted, live) else live


def _same_quantity(wanted: Any, live: Any) -> bool:
    """The API server writes quantities its own way: `1000m` comes back as `1`."""
    if not isinstance(wanted, str | int | float) or not isinstance(live, str):
        return False
    try:
        return quantity.parse(str(wanted)) == quantity.parse(live)
    except quantity.NotAQuantity:
        return False


def _owned_by_others(live: Object, path: paths.Path, manager: str) -> bool:
    entries = live.get("metadata", {}).get("managedFields", [])
    return any(
        entry.get("manager") != manager and _has_field(entry.get("fieldsV1") or {}, path) for entry in entries
    )


def _has_field(fields: Mapping[str, Any], path: paths.Path) -> bool:
    for step in path:
        inner = fields.get(f"f:{step}")
        if inner is None:
            return False
        fields = inner
    return True


def _remove(body: Object, path: paths.Path) -> None:
    at: Any = body
    for step in path[:-1]:
        if not isinstance(at, Mapping) or step not in at:
            return
        at = at[step]
    if isinstance(at, dict):
        at.pop(path[-1], None)


def _has_schemas(kind: Kind) -> bool:
    return kind.kind == "CustomResourceDefinition"


def _schema_keys(value: Any, prefix: str, other: str) -> Any:
    """The value with the Kubernetes extensions of JSON schemas in the other spelling."""
    if isinstance(value, Mapping):
        return {
            _respelt(key, prefix, other): _schema_keys(inner, prefix, other) for key, inner in value.items()
        }
    return [_schema_keys(inner, prefix, other) for inner in value] if isinstance(value, list) else value


def _respelt(key: str, prefix: str, other: str) -> str:
    if not key.startswith(prefix):
        return key
    wrong, right = prefix[-1], other[-1]
    return other + key.removeprefix(prefix).replace(wrong, right)


def _base64(text: Any) -> str:
    return base64.b64encode(str(text).encode()).decode()
