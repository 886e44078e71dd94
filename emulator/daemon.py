"""The daemon: one process that serves the emulated clouds until it is told to stop."""

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator import serving
from emulator.cloud.bill import bill
from emulator.cloud.clock import Clock, SystemClock
from emulator.cloud.kube import KubeFactory
from emulator.cloud.machine import Machine
from emulator.cloud.served import ServedCloud
from emulator.contexts import Contexts
from emulator.gcp.cloud import GoogleCloud
from emulator.home import Home, Running, write_whole
from emulator.injection import Injection, Refused
from emulator.oci.cloud import OracleCloud

LOG: Final = logging.getLogger("emulator")
INTERNAL: Final = "/emulator/v1"
_GRACE_S: Final = 3
_KEEP_S: Final = 2
"""How often the bill is kept, for the case that the daemon is killed."""


class Daemon:
    """The clouds of one home, and what `emulator` asks of them."""

    def __init__(self, home: Home, make_kube: KubeFactory) -> None:
        self._home = home
        self._clock = SystemClock()
        self._contexts = Contexts(home)
        self._contexts.prepare()
        machine = Machine(
            make_kube=make_kube,
            clusters_home=home.clusters,
            account_home=home.account,
            on_context=self._contexts.add,
            off_context=self._contexts.remove,
        )
        self._clouds: Final = clouds(machine, self._clock)
        self._injection: Final = Injection(self._clouds, machine.faults, self._clock)
        self.stopping: Final = threading.Event()

    def app(self) -> Starlette:
        """The web application."""
        routes = [
            Route(f"{INTERNAL}/status", self._serve(self.status)),
            Route(f"{INTERNAL}/bill", self._serve(self.bill)),
            Route(f"{INTERNAL}/shutdown", self._serve(self._shutdown), methods=["POST"]),
            Route(f"{INTERNAL}/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{INTERNAL}/faults/{{fault_id}}", self._faults, methods=["DELETE"]),
            *(route for cloud in self._clouds for route in cloud.routes()),
        ]
        return Starlette(routes=routes)

    def status(self) -> dict[str, Any]:
        """Clusters with their nodes, for `emulator status`."""
        clusters = [asdict(cluster) for cloud in self._clouds for cluster in cloud.status()]
        return {"pid": os.getpid(), "clusters": clusters}

    def bill(self) -> dict[str, Any]:
        """The bill of this moment."""
        readings = [reading for cloud in self._clouds for reading in cloud.meter.readings()]
        return bill(sorted(readings, key=lambda reading: reading.started_at), self._clock.now())

    async def _faults(self, request: Request) -> Response:
        """Inject, show or end faults."""
        body = await request.json() if request.method == "POST" else None
        try:
            answer = await run_in_threadpool(
                self._fault, request.method, body, request.path_params.get("fault_id")
            )
        except Refused as refusal:
            said = {"reasons": refusal.reasons, "is_usage": refusal.is_usage}
            return JSONResponse(said, status_code=400)
        return JSONResponse(answer)

    def _fault(self, method: str, body: Any, fault_id: str | None) -> dict[str, Any]:
        if method == "POST":
            return self._injection.inject(body["kind"], body["arguments"], body["cloud"]).json_value()
        injection = self._injection
        found = injection.clear(fault_id) if method == "DELETE" else injection.holding()
        return {"faults": [each.json_value() for each in found]}

    def close(self) -> None:
        """End every cluster and keep the bill, on which nothing runs any more."""
        LOG.info("stopping")
        now = self._clock.now()
        for cloud in self._clouds:
            for reading in tuple(cloud.meter.running()):
                cloud.meter.stop(reading.charge.id, now)
        self.keep_bill()
        self._clock.stop()
        for cloud in self._clouds:
            cloud.close()
        self._home.note.unlink(missing_ok=True)
        LOG.info("stopped")

    def keep_bill(self) -> None:
        """Write the bill where it outlives the daemon."""
        write_whole(self._home.last_bill, json.dumps(self.bill()) + "\n")

    def open(self) -> None:
        """Start what works in the background."""
        for cloud in self._clouds:
            cloud.open()

    def _shutdown(self) -> dict[str, Any]:
        self.stopping.set()
        return {"stopping": True}

    def _serve(self, answer: Any) -> Any:
        async def serve(_request: Request) -> Response:
            return JSONResponse(await run_in_threadpool(answer))

        return serve


def clouds(machine: Machine, clock: Clock) -> tuple[ServedCloud, ...]:
    """Every cloud that is emulated."""
    return tuple(cloud(machine, clock, secrets.token_hex(8)) for cloud in (OracleCloud, GoogleCloud))


def serve(home: Home, listening: socket.socket, make_kube: KubeFactory) -> None:
    """Serve on a socket until SIGTERM, SIGINT or the shutdown call; then leave nothing running."""
    daemon = Daemon(home, make_kube)
    config = uvicorn.Config(
        daemon.app(), log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE_S, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: daemon.stopping.set())
    host, port = listening.getsockname()[:2]
    daemon.open()
    thread.start()
    endpoint = f"http://{host}:{port}"
    home.write_note(Running(os.getpid(), endpoint))
    LOG.info("serving on %s", endpoint)
    try:
        while not daemon.stopping.wait(_KEEP_S):
            daemon.keep_bill()
            if not thread.is_alive():
                LOG.error("the web server ended by itself")
                break
    finally:
        server.should_exit = True
        daemon.close()
        thread.join(_GRACE_S + 1)


def main() -> None:
    """Entry point of the process that `emulator start` launches; the socket is inherited."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--serving", choices=serving.KINDS, default=serving.MODELLED)
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from emulator.kube.cluster import KubeCluster

    make_kube = partial(
        KubeCluster.create,
        images=serving.images(arguments.serving),
        serves=arguments.serving == serving.REAL,
    )
    serve(Home(arguments.home), socket.socket(fileno=arguments.fd), make_kube)


if __name__ == "__main__":
    main()
