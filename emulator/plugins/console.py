"""Messages to the engine, which shows them on the console."""

from typing import Any, Final

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from emulator.plugins.provider import StatusLine

_INFO: Final = engine_pb2.INFO
_WARNING: Final = engine_pb2.WARNING


class Console:
    """The engine's log; a lost message is no reason to fail an operation."""

    def __init__(self, address: str) -> None:
        self._stub: Any = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None

    def line(self, urn: str) -> StatusLine:
        """The line of a resource."""
        return _Line(self, urn)

    def log(self, severity: Any, urn: str, message: str, *, ephemeral: bool) -> None:
        """Send a message; an ephemeral one is replaced by the next."""
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError:
            return


class _Line(StatusLine):
    def __init__(self, console: Console, urn: str) -> None:
        self._console = console
        self._urn = urn
        self._last = ""

    def say(self, message: str) -> None:
        if message != self._last:
            self._last = message
            self._console.log(_INFO, self._urn, message, ephemeral=True)

    def warn(self, message: str) -> None:
        self._console.log(_WARNING, self._urn, message, ephemeral=False)
