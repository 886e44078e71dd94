"""The gRPC side of a provider: one method for each call of the engine's protocol.

It turns messages into plain values and back, keeps secret marks, and says faults as the engine
expects them. What is not here (schemas, components, mappings) the engine does not ask of programs.
"""
# ruff: noqa: D102, N802 -- names and meaning of the methods are the protocol's

import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from emulator.plugins.console import Console
from emulator.plugins.differences import Difference
from emulator.plugins.provider import (
    Change,
    InitFailed,
    Provider,
    Refused,
    Request,
    details,
    replace_set,
)
from emulator.plugins.values import Properties, decode, encode, has_unknown, marked_like, plain

_UNKNOWN: Final = 2
"""Number of the gRPC status `UNKNOWN`, the engine's ordinary failure."""


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one provider to one engine."""

    def __init__(self, provider: Provider, engine_address: str) -> None:
        self._provider = provider
        self._console = Console(engine_address)
        self._cancelled = threading.Event()

    def Handshake(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True
        )

    def Attach(self, request: Any, _context: Any) -> Any:
        self._console = Console(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return self._guarded(context, lambda: self._checked(request, self._provider.check_config))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        def answer() -> Any:
            old, new = plain(decode(request.old_inputs)), plain(decode(request.news))
            return _difference(self._provider.diff_config(old, new))

        return self._guarded(context, answer)

    def Configure(self, request: Any, context: Any) -> Any:
        def answer() -> Any:
            self._provider.configure(plain(decode(request.args)), dict(request.variables))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True
            )

        return self._guarded(context, answer)

    def Check(self, request: Any, context: Any) -> Any:
        old = plain(decode(request.olds))

        def check(new: Properties) -> Any:
            return self._provider.check(self._request(request), old, new, bytes(request.randomSeed))

        return self._guarded(context, lambda: self._checked(request, check))

    def Diff(self, request: Any, context: Any) -> Any:
        change, _ = _change(request)
        return self._guarded(
            context, lambda: _difference(self._provider.diff(self._request(request), change))
        )

    def Create(self, request: Any, context: Any) -> Any:
        inputs = decode(request.properties)

        def answer() -> Any:
            made = self._provider.create(self._request(request), plain(inputs))
            return provider_pb2.CreateResponse(id=made.id, properties=_marked(made.outputs, inputs))

        return self._guarded(context, answer, inputs)

    def Update(self, request: Any, context: Any) -> Any:
        change, inputs = _change(request)

        def answer() -> Any:
            outputs = self._provider.update(self._request(request), change)
            return provider_pb2.UpdateResponse(properties=_marked(outputs, inputs))

        return self._guarded(context, answer, inputs)

    def Read(self, request: Any, context: Any) -> Any:
        inputs, outputs = decode(request.inputs), decode(request.properties)

        def answer() -> Any:
            found = self._provider.read(self._request(request), plain(inputs), plain(outputs))
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=found.id,
                properties=_marked(found.outputs, outputs, inputs),
                inputs=_marked(found.inputs, inputs),
            )

        return self._guarded(context, answer, inputs)

    def Delete(self, request: Any, context: Any) -> Any:
        def answer() -> Any:
            inputs, outputs = plain(decode(request.old_inputs)), plain(decode(request.properties))
            self._provider.delete(self._request(request), inputs, outputs)
            return empty_pb2.Empty()

        return self._guarded(context, answer)

    def Invoke(self, request: Any, context: Any) -> Any:
        def answer() -> Any:
            args = plain(decode(request.args))
            if has_unknown(args):
                raise Refused(f"{request.tok}: its arguments are not known yet")
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(encode(self._provider.invoke(request.tok, args)))
            return response

        return self._guarded(context, answer)

    def Cancel(self, _request: Any, _context: Any) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    def _request(self, request: Any) -> Request:
        urn = request.urn
        parts = urn.split("::")
        return Request(
            urn=urn,
            token=request.type or parts[2].rpartition("$")[2],
            name=request.name or "::".join(parts[3:]),
            id=getattr(request, "id", ""),
            preview=bool(getattr(request, "preview", False)),
            timeout_s=float(getattr(request, "timeout", 0.0)),
            status=self._console.line(urn),
            cancelled=self._cancelled,
        )

    def _checked(self, request: Any, check: Callable[[Properties], Any]) -> Any:
        news = decode(request.news)
        checked = check(plain(news))
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in checked.faults
        ]
        return provider_pb2.CheckResponse(inputs=_marked(checked.inputs, news), failures=failures)

    def _guarded(
        self, context: Any, answer: Callable[[], Any], inputs: Mapping[str, Any] | None = None
    ) -> Any:
        """The answer; faults become the statuses by which the engine knows them."""
        try:
            return answer()
        except InitFailed as fault:
            _abort_initialised(context, fault, inputs or {})
        except Refused as fault:
            context.abort(grpc.StatusCode.UNKNOWN, str(fault))
        except Exception as fault:  # noqa: BLE001 -- the edge: the engine must get an answer
            traceback.print_exc(file=sys.stderr)
            context.abort(
                grpc.StatusCode.INTERNAL,
                f"{type(fault).__name__}: {fault}; this is a fault of the emulator, please report it",
            )


def _marked(outputs: Mapping[str, Any], *examples: Mapping[str, Any]) -> Any:
    return encode(marked_like(outputs, *examples))


def _change(request: Any) -> tuple[Change, Properties]:
    """What changes, plain; and the new inputs with their marks."""
    outputs, inputs = plain(decode(request.olds)), decode(request.news)
    old_inputs = plain(decode(request.old_inputs)) or outputs
    return Change(outputs, old_inputs, plain(inputs), tuple(request.ignoreChanges)), inputs


def _difference(difference: Difference) -> Any:
    kinds = provider_pb2.PropertyDiff.Kind
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME
        if difference.changes
        else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=replace_set(difference),
        deleteBeforeReplace=difference.delete_before_replace,
        diffs=sorted({str(change.path[0]) for change in difference.changes}),
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=kinds.Value(kind), inputDiff=True)
            for path, kind in details(difference).items()
        },
        hasDetailedDiff=True,
    )


def _abort_initialised(context: Any, fault: InitFailed, inputs: Mapping[str, Any]) -> NoReturn:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=fault.made.id,
        properties=_marked(fault.made.outputs, inputs),
        inputs=_marked(fault.inputs, inputs),
        reasons=fault.reasons,
    )
    status = status_pb2.Status(code=_UNKNOWN, message=str(fault))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(fault))
    raise AssertionError  # abort has raised
