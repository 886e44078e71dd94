"""The `kubernetes` provider: server-side apply to the API server that a kubeconfig names."""
# ruff: noqa: D102 -- the methods are described where they are declared

import hashlib
import importlib.metadata
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.plugins.differences import Change as Changed
from emulator.plugins.differences import Difference, between, keys
from emulator.plugins.kubernetes import objects
from emulator.plugins.kubernetes.faults import ApiFault, Unreachable
from emulator.plugins.kubernetes.kinds import Object, Reference
from emulator.plugins.kubernetes.replacing import replaces
from emulator.plugins.kubernetes.settings import Settings, settings_of
from emulator.plugins.provider import (
    Change,
    Checked,
    Found,
    InitFailed,
    Made,
    Provider,
    Refused,
    Request,
)
from emulator.plugins.values import UNKNOWN, Properties, has_unknown

if TYPE_CHECKING:
    from emulator.plugins.kubernetes.client import Client
    from emulator.plugins.kubernetes.kinds import Kind as ObjectKind

_DIGITS = 8


class KubernetesProvider(Provider):
    """One provider resource: one API server."""

    name = "kubernetes"

    def __init__(self) -> None:
        self.version = importlib.metadata.version("pulumi-kubernetes")
        self._settings = Settings()
        self._made: Client | None = None
        self._lock = threading.Lock()

    def diff_config(self, old: Properties, new: Properties) -> Difference:
        """Another API server means that all objects have to be made anew; another token does not."""
        moved = _another_server(old.get("kubeconfig"), new.get("kubeconfig"))
        return Difference(between(old, new, replaces=keys("kubeconfig") if moved else lambda _path: False))

    def configure(self, inputs: Properties, variables: Mapping[str, str]) -> None:
        self._settings = settings_of(inputs, variables, os.environ)

    def check(self, request: Request, old: Properties, new: Properties, seed: bytes) -> Checked:
        kind = objects.kind_of(request.token, new)

        def digits() -> str:
            return hashlib.sha256(seed + request.urn.encode()).hexdigest()[:_DIGITS]

        inputs = {**new, "apiVersion": kind.api_version, "kind": kind.kind}
        inputs = objects.named(request, old, inputs, digits)
        metadata = inputs["metadata"]
        scoped = objects.cluster_scoped(kind) or not objects.is_built_in(kind)
        if metadata is not UNKNOWN and not scoped and not metadata.get("namespace"):
            inputs["metadata"] = {**metadata, "namespace": self._settings.namespace}
        if kind.kind == "Secret":
            inputs = objects.secrets_of(kind, objects.with_encoded_data(inputs))
        return Checked(inputs)

    def diff(self, request: Request, change: Change) -> Difference:
        kind = objects.kind_of(request.token, change.inputs)
        changes = between(
            change.old_inputs,
            change.inputs,
            ignored=change.ignored,
            replaces=replaces(kind, mutable=self._settings.mutable),
        )
        return Difference(changes, _same_name_again(change, changes))

    def create(self, request: Request, inputs: Properties) -> Made:
        kind = objects.kind_of(request.token, inputs)
        manager = _manager(request.urn)
        if request.preview:
            return Made("", self._previewed(kind, inputs, manager, new=True))
        try:
            reference = self._scoped(objects.reference_of(kind, inputs))
            if self._client().get(reference) is not None:
                raise Refused(
                    f"{reference} already exists; import it (`import_` of the resource), or delete it first"
                )
            live = self._apply(reference, inputs, manager)
        except (ApiFault, Unreachable) as fault:
            raise Refused(f"{objects.reference_of(kind, inputs)}: {fault}") from fault
        return Made(objects.id_of(reference), self._awaited(request, reference, live, inputs, manager))

    def read(self, request: Request, inputs: Properties, outputs: Properties) -> Found | None:
        kind = objects.kind_of(request.token, inputs or outputs)
        reference = objects.reference_of_id(kind, request.id)
        try:
            live = self._client().get(reference)
        except (ApiFault, Unreachable) as fault:
            raise Refused(f"{reference}: {fault}") from fault
        if live is None:
            return None
        wanted = objects.read_back(kind, inputs, live) if inputs else objects.inputs_of_live(kind, live)
        manager = outputs.get("__fieldManager") or _manager(request.urn)
        return Found(request.id, objects.outputs_of(kind, live, wanted, manager), wanted)

    def update(self, request: Request, change: Change) -> Properties:
        kind = objects.kind_of(request.token, change.inputs)
        manager = change.outputs.get("__fieldManager") or _manager(request.urn)
        if request.preview:
            return self._previewed(kind, change.inputs, manager, ignored=change.ignored)
        reference = objects.reference_of_id(kind, request.id)
        try:
            live = self._apply(reference, change.inputs, manager, ignored=change.ignored)
        except (ApiFault, Unreachable) as fault:
            raise Refused(f"{reference}: {fault}") from fault
        return self._awaited(request, reference, live, change.inputs, manager)

    def delete(self, request: Request, inputs: Properties, outputs: Properties) -> None:
        from emulator.plugins.kubernetes.waiting import until_gone

        kind = objects.kind_of(request.token, inputs or outputs)
        reference = objects.reference_of_id(kind, request.id)
        uid = (outputs.get("metadata") or {}).get("uid", "")
        try:
            client = self._client()
            client.delete(reference, uid)
            until_gone(client, request, reference, uid)
            if kind.kind == "CustomResourceDefinition":
                client.forget_kinds()
        except Unreachable as fault:
            if not self._settings.delete_unreachable:
                raise Refused(
                    f"{reference}: {fault}; set PULUMI_K8S_DELETE_UNREACHABLE=true to forget the objects "
                    f"of a cluster that is lost"
                ) from fault
            request.status.warn(f"{reference} is forgotten, not deleted: {fault}")
        except ApiFault as fault:
            raise Refused(f"{reference}: {fault}") from fault

    def _previewed(
        self,
        kind: "ObjectKind",
        inputs: Properties,
        manager: str,
        *,
        ignored: tuple[str, ...] = (),
        new: bool = False,
    ) -> Properties:
        """What the API server would make of the inputs; they themselves where it cannot say yet."""
        reference = objects.reference_of(kind, inputs)
        if has_unknown(inputs):
            return objects.secrets_of(kind, inputs)
        try:
            reference = self._scoped(reference)
            if new and self._client().get(reference) is not None:
                # A replacement of the same name: a dry run would be judged as an update.
                return objects.secrets_of(kind, inputs)
            live = self._apply(reference, inputs, manager, ignored=ignored, dry_run=True)
        except Unreachable:
            return objects.secrets_of(kind, inputs)
        except ApiFault as fault:
            if fault.not_found:  # the namespace or the kind comes with the update
                return objects.secrets_of(kind, inputs)
            raise Refused(f"{reference}: {fault}") from fault
        return objects.preview_of(kind, live, inputs, manager)

    def _apply(
        self,
        reference: Reference,
        inputs: Properties,
        manager: str,
        *,
        ignored: tuple[str, ...] = (),
        dry_run: bool = False,
    ) -> Object:
        body = objects.body_of(reference.kind, reference, inputs)
        if ignored:
            live = self._client().get(reference)
            body = objects.without_foreign(body, live, manager, ignored) if live else body
        annotations = (inputs.get("metadata") or {}).get("annotations") or {}
        force = annotations.get(objects.FORCE) == "true"
        return self._client().apply(reference, body, manager=manager, dry_run=dry_run, force=force)

    def _awaited(
        self, request: Request, reference: Reference, live: Object, inputs: Properties, manager: str
    ) -> Properties:
        from emulator.plugins.kubernetes.waiting import NotReady, until_ready

        kind = reference.kind
        try:
            live = until_ready(self._client(), request, reference, live)
        except NotReady as fault:
            outputs = objects.outputs_of(kind, fault.live, inputs, manager)
            raise InitFailed(Made(objects.id_of(reference), outputs), inputs, fault.reasons) from fault
        except (Refused, ApiFault, Unreachable) as fault:
            outputs = objects.outputs_of(kind, live, inputs, manager)
            raise InitFailed(Made(objects.id_of(reference), outputs), inputs, [str(fault)]) from fault
        if kind.kind == "CustomResourceDefinition":
            self._client().forget_kinds()
        return objects.outputs_of(kind, live, inputs, manager)

    def _scoped(self, reference: Reference) -> Reference:
        """The reference with a namespace exactly if its kind has one."""
        if not self._client().namespaced(reference.kind):
            return Reference(reference.kind, reference.name)
        return Reference(reference.kind, reference.name, reference.namespace or self._settings.namespace)

    def _client(self) -> "Client":
        """The connection, made when first needed: a preview may come before the cluster does."""
        from emulator.plugins.kubernetes import kubeconfig
        from emulator.plugins.kubernetes.client import Client

        with self._lock:
            if self._made is None:
                text = kubeconfig.text_of(self._settings.kubeconfig)
                self._made = Client(kubeconfig.parse(text, self._settings.context))
            return self._made


def _another_server(old: Any, new: Any) -> bool:
    from emulator.plugins.kubernetes.kubeconfig import server_of

    if new is UNKNOWN:
        return True
    if not isinstance(old, str) or not isinstance(new, str):
        return old is not new
    return old != new and server_of(old) != server_of(new)


def _same_name_again(change: Change, changes: tuple[Changed, ...]) -> bool:
    """Whether a replacement has the name of what it replaces, so that the old one has to go first."""
    if objects.is_autonamed(change.inputs):
        return False
    renamed = keys("metadata.name", "metadata.namespace")
    return not any(renamed(one.path) for one in changes)


def _manager(urn: str) -> str:
    """Field manager of a resource: the same for all its life, different from other resources'."""
    return f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:_DIGITS]}"
