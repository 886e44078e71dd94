"""The process of a plugin: serves one provider until its engine goes."""

import os
import signal
import sys
import threading
from concurrent import futures
from typing import Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from emulator.plugins.provider import Provider
from emulator.plugins.servicer import Servicer

_THREADS: Final = 64
"""The engine works on many resources at once, and an operation waits for its resource."""
_MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024
"""As the engine's own limit."""
_PARENT_CHECK_S: Final = 1.0


def start(provider: Provider, engine_address: str) -> tuple[grpc.Server, int]:
    """Serve on a free loopback port; returns the server and the port."""
    limits = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=_THREADS), options=limits)
    servicer = Servicer(provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(provider: Provider, engine_address: str) -> None:
    """Serve, say the port on stdout as plugins do, and return when told to or left alone.

    A killed engine tells nobody; its plugins would live on for ever.
    """
    parent = os.getppid()
    done = threading.Event()
    # The engine ends its plugins by SIGINT, and by SIGKILL five seconds later. They are a process group
    # of their own: Ctrl-C reaches the engine only, which then sends Cancel.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    server, port = start(provider, engine_address)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not done.wait(_PARENT_CHECK_S):
        if os.getppid() != parent:
            break
    server.stop(grace=None)
    # Threads that still wait for a resource must not hold the process.
    os._exit(0)
