"""A cloud for programs under test: Pulumi mocks that answer from the emulator's model.

    cloud = declare(lambda: Network("n", args))
    assert cloud.one("oci:Core/vcn:Vcn").inputs["cidrBlocks"] == ["10.0.0.0/16"]

What the engine and the plugins would do to inputs is done here: secrets are unwrapped before the
model sees them and marked again in its answers, resources without a name are given one.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi.runtime import mocks as runtime_mocks
from pulumi.runtime import settings as runtime_settings

from emulator.plugins.model import RESOURCES, id_of, invoke_of, outputs_of
from emulator.plugins.model.derived import digest

SECRET_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_VALUE: Final = "1b47061264138c4ac30d75fd1eb44270"
_OCI_NAMED: Final = frozenset(
    {
        "oci:ContainerEngine/cluster:Cluster",
        "oci:ContainerEngine/nodePool:NodePool",
        "oci:Identity/policy:Policy",
    }
)
"""Resources whose `name` the provider makes up when it is missing."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource as the program declared it, and what the cloud answered."""

    token: str
    name: str
    inputs: dict[str, Any]
    """In camelCase, with secrets unwrapped."""
    secrets: frozenset[str]
    """Top-level inputs that were, or held, a secret."""
    id: str
    outputs: dict[str, Any]
    urn: str = ""
    parent: str = ""
    """URN; empty for a child of the stack."""
    provider: str = ""
    """`URN::id` of an explicit provider; empty for the default one."""
    dependencies: tuple[str, ...] = ()
    """URNs of all it depends on, by option or by input."""
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool = False
    protect: bool = False
    custom: bool = True

    def depends_on(self, other: "Declared") -> bool:
        """Whether the engine makes the other first, as far as it was told directly."""
        return other.urn in self.dependencies


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a function."""

    token: str
    args: dict[str, Any]
    result: dict[str, Any]


@dataclass(slots=True)
class Cloud(runtime_mocks.Mocks):
    """The mocks, and a record of what happened; in completion order, which is not program order."""

    declared: list[Declared] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    """Resolved stack exports, secrets unwrapped."""
    secret_exports: frozenset[str] = frozenset()
    results: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = field(default_factory=dict)
    """Functions whose result a test wants to be another."""

    def all(self, token: str) -> list[Declared]:
        """Every resource of a type, by name."""
        return sorted((one for one in self.declared if one.token == token), key=lambda one: one.name)

    def one(self, token: str, name: str | None = None) -> Declared:
        """The one resource of a type, and of a name where it is given."""
        found = [one for one in self.all(token) if name in {None, one.name}]
        if len(found) != 1:
            known = ", ".join(f"{one.token} {one.name}" for one in self.declared)
            raise AssertionError(f"{len(found)} of {token} {name or ''}, not one; declared: {known}")
        return found[0]

    def names(self, token: str) -> list[str]:
        """Names of every resource of a type, sorted."""
        return [one.name for one in self.all(token)]

    def by_urn(self, urn: str) -> Declared:
        """The resource with a URN."""
        return next(one for one in self.declared if one.urn == urn)

    def reaches(self, start: Declared, end: Declared) -> bool:
        """Whether one depends on the other, directly or through others (parents count)."""
        known = {one.urn: one for one in self.declared}
        seen: set[str] = set()
        todo = [start.urn]
        while todo:
            urn = todo.pop()
            if urn == end.urn:
                return True
            if urn in seen or urn not in known:
                continue
            seen.add(urn)
            todo += [*known[urn].dependencies, known[urn].parent]
        return False

    def new_resource(self, args: runtime_mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        plain, secrets = unwrapped(args.inputs)
        inputs = _autonamed(args.typ, args.name, plain)
        resource_id, outputs = _answer(args, inputs)
        self.declared.append(
            Declared(args.typ, args.name, inputs, secrets, resource_id, outputs, custom=bool(args.custom))
        )
        marked = {key: _secret(value) if key in secrets else value for key, value in outputs.items()}
        return resource_id, marked

    def call(self, args: runtime_mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        plain, _ = unwrapped(args.args)
        other = self.results.get(args.token)
        result = {**(invoke_of(args.token, plain) if other is None else other(plain))}
        self.called.append(Called(args.token, plain, result))
        return result, []


class _Monitor(runtime_mocks.MockMonitor):
    """Adds to the record what the runtime does not show to mocks: URN, parent, dependencies, options."""

    def __init__(self, mocks: Cloud) -> None:
        super().__init__(mocks)
        self._one_at_a_time = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 -- the name of the RPC
        cloud: Any = self.mocks
        register: Any = super().RegisterResource
        with self._one_at_a_time:  # the runtime registers from several threads
            before = len(cloud.declared)
            response = register(request)
            for at in range(before, len(cloud.declared)):
                cloud.declared[at] = _with_request(cloud.declared[at], request, response.urn)
        return response


def declare(
    program: Callable[[], Any],
    *,
    project: str = "rightsize",
    stack: str = "test",
    preview: bool = False,
    config: Mapping[str, Any] | None = None,
    cloud: Cloud | None = None,
) -> Cloud:
    """Run a program against the mocks, to the end of every output, and return the record.

    Values of `config` that are no strings are given as JSON, as the engine does.

    Raises:
        Exception: whatever the program raises, also inside an `apply`.
    """
    made = cloud or Cloud()
    with _configured(config or {}):
        nothing: Any = None
        runtime_settings.set_root_resource(nothing)  # a stack of its own, whatever ran before
        runtime_mocks.set_mocks(made, project, stack, preview, monitor=_Monitor(made))

        test: Any = runtime_mocks.test

        def whole() -> Any:
            program()
            return _exported(made)

        test(whole)()
    return made


def unwrapped(inputs: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Inputs without secret wrappers, and the names of the top-level ones that had any."""
    secrets = frozenset(key for key, value in inputs.items() if _has_secret(value))
    return {key: _unwrap(value) for key, value in inputs.items()}, secrets


def _answer(args: runtime_mocks.MockResourceArgs, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if not args.custom:
        return "", inputs
    if args.typ in RESOURCES:
        resource_id = args.resource_id or id_of(args.typ, inputs, args.name)
        return resource_id, outputs_of(args.typ, inputs, resource_id)
    if args.typ.startswith("kubernetes:"):
        return _kubernetes(args.typ, inputs)
    if args.typ.startswith(("pulumi:providers:", "pulumi-python:dynamic")):
        return args.resource_id or f"{args.name}-id", {k: v for k, v in inputs.items() if k != "__provider"}
    raise AssertionError(f"{args.typ} {args.name}: the emulated cloud has no such resource")


def _kubernetes(token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    metadata = inputs.get("metadata", {})
    namespace = metadata.get("namespace")
    resource_id = f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
    live = {**metadata, "uid": digest(f"{token}{resource_id}", 32)}
    return resource_id, {**inputs, "metadata": live, **_kubernetes_status(token, inputs, resource_id)}


def _kubernetes_status(token: str, inputs: dict[str, Any], resource_id: str) -> dict[str, Any]:
    if token != "kubernetes:core/v1:Service":
        return {}
    last = int(digest(resource_id, 2), 16)
    spec = {"type": "ClusterIP", "clusterIP": f"10.96.0.{last}", **inputs.get("spec", {})}
    if spec["type"] != "LoadBalancer":
        return {"spec": spec, "status": {"loadBalancer": {}}}
    return {"spec": spec, "status": {"loadBalancer": {"ingress": [{"ip": f"10.0.2.{last}"}]}}}


def _autonamed(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    made = f"{name}-{digest(f'{token}{name}', 8)}"
    if token in _OCI_NAMED and "name" not in inputs:
        return {**inputs, "name": made}
    if not token.startswith("kubernetes:"):
        return inputs
    metadata = inputs.get("metadata") or {}
    if metadata.get("name"):
        return inputs
    annotations = {**metadata.get("annotations", {}), "pulumi.com/autonamed": "true"}
    return {**inputs, "metadata": {**metadata, "name": made, "annotations": annotations}}


def _with_request(declared: Declared, request: Any, urn: str) -> Declared:
    return Declared(
        token=declared.token,
        name=declared.name,
        inputs=declared.inputs,
        secrets=declared.secrets,
        id=declared.id,
        outputs=declared.outputs,
        urn=urn,
        parent=request.parent,
        provider=request.provider,
        dependencies=tuple(request.dependencies),
        property_dependencies={key: tuple(value.urns) for key, value in request.propertyDependencies.items()},
        ignore_changes=tuple(request.ignoreChanges),
        delete_before_replace=request.deleteBeforeReplace,
        protect=request.protect,
        custom=request.custom,
    )


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(SECRET_KEY) == SECRET_VALUE


def _has_secret(value: Any) -> bool:
    if _is_secret(value):
        return True
    if isinstance(value, Mapping):
        return any(_has_secret(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_secret(inner) for inner in value)


def _unwrap(value: Any) -> Any:
    if _is_secret(value):
        return _unwrap(value["value"])
    if isinstance(value, Mapping):
        return {key: _unwrap(inner) for key, inner in value.items()}
    return [_unwrap(inner) for inner in value] if isinstance(value, list) else value


def _secret(value: Any) -> Any:
    return pulumi.Output.secret(value)


def _exported(cloud: Cloud) -> pulumi.Output[None]:
    outputs = dict(getattr(runtime_settings.get_root_resource(), "outputs", None) or {})

    async def secret_names() -> list[str]:
        return [key for key, value in outputs.items() if await pulumi.Output.from_input(value).is_secret()]

    def keep(found: list[Any]) -> None:
        cloud.exports, cloud.secret_exports = found[0], frozenset(found[1])

    return pulumi.Output.all(pulumi.Output.all(**outputs), secret_names()).apply(keep)


@contextlib.contextmanager
def _configured(config: Mapping[str, Any]) -> Iterator[None]:
    values = {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in config.items()
    }
    before = os.environ.pop("PULUMI_CONFIG", None)
    pulumi.runtime.set_all_config(values)
    try:
        yield
    finally:
        pulumi.runtime.set_all_config({})
        if before is not None:
            os.environ["PULUMI_CONFIG"] = before
