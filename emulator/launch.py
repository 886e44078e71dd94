"""Starts and stops an emulator: everything from an empty folder to a daemon that answers, and back."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from emulator import processes, serving
from emulator.accounts import configurations
from emulator.environment import variables
from emulator.home import HOME_ENV, MARK_ENV, Home, Running
from emulator.program import Program
from tools.locate import bin_dir, locate

TOOLS: Final = (
    "kwok",
    "kwokctl",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "metrics-server",
    "kubectl",
)
CHECKOUT: Final = Path(__file__).resolve().parent.parent
_HOST: Final = "127.0.0.1"
_READY_S: Final = 30
_STOP_S: Final = 90
_CALL_S: Final = 10
_POLL_S: Final = 0.05


class LaunchFault(Exception):
    """The emulator cannot start or stop; the message is one line for the user."""


class FaultRefused(Exception):
    """The daemon does not inject or clear a fault; `reasons` are lines for the user."""

    def __init__(self, reasons: tuple[str, ...], *, is_usage: bool) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        self.is_usage = is_usage
        """Whether it was wrong whatever runs."""


@dataclass(frozen=True, slots=True)
class Started:
    """A running emulator."""

    running: Running
    stacks: tuple[str, ...]
    already: bool


def start(home: Home, port: int, serves: str = serving.MODELLED) -> Started:
    """Start an emulator with a fresh cloud, or find the one that runs; port 0 is any free one.

    `serves` says whether model servers are modelled or real; one that runs keeps what it has.

    Raises:
        LaunchFault, HomeFault, ProgramFault, ServingFault, ToolMissing: nothing is left running.
    """
    home.prepare()
    with _held(home):
        running = answering(home)
        if running is not None:
            stacks = Program(CHECKOUT, home, {}, bin_dir() / "pulumi").stacks()
            return Started(running, stacks, already=True)
        for tool in TOOLS:
            locate(tool)
        bin_dir()
        if serves == serving.REAL:
            serving.prepare()
        listening = _listen(port)
        _clean(home)
        done = False
        try:
            stacks = _prepare(home, listening)
            running = _launch(home, listening, serves)
            done = True
        finally:
            listening.close()
            if not done:
                _clean(home)
        return Started(running, stacks, already=False)


def stop(home: Home) -> bool:
    """Stop the emulator and whatever a killed one left; returns whether there was anything.

    Raises:
        LaunchFault: another start or stop goes on.
    """
    if not home.path.exists():
        return False
    with _held(home):
        running = home.running()
        if running is not None and processes.alive(running.pid, home):
            _ask_to_stop(home, running)
        left = processes.end_all(home)
        _purge_clusters(home)
        home.note.unlink(missing_ok=True)
        home.kubeconfig.unlink(missing_ok=True)
        return running is not None or left > 0


def answering(home: Home) -> Running | None:
    """The daemon of this home, if it lives and answers."""
    running = home.running()
    if running is None or not processes.alive(running.pid, home):
        return None
    try:
        call(running, "GET", "status")
    except LaunchFault:
        return None
    return running


def call(running: Running, method: str, name: str, body: Any = None) -> dict[str, Any]:
    """Ask the daemon.

    Raises:
        LaunchFault: it does not answer.
        FaultRefused: it says that something is wrong with a fault.
    """
    try:
        answer = httpx.request(
            method, f"{running.endpoint}/emulator/v1/{name}", timeout=_CALL_S, trust_env=False, json=body
        )
        if answer.status_code == httpx.codes.BAD_REQUEST:
            said = answer.json()
            raise FaultRefused(tuple(said["reasons"]), is_usage=said["is_usage"])
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as fault:
        raise LaunchFault(f"the emulator at {running.endpoint} does not answer: {fault}") from fault
    return content


def _prepare(home: Home, listening: socket.socket) -> tuple[str, ...]:
    from emulator.plugins.install import install

    home.bin.mkdir()
    home.pulumi.mkdir()
    install(home.pulumi, home.path)
    program = Program(CHECKOUT, home, configurations(_endpoint(listening)), bin_dir() / "pulumi")
    stacks = program.write()
    program.init(stacks, variables(home))
    return stacks


def _launch(home: Home, listening: socket.socket, serves: str) -> Running:
    environment = {**os.environ, **variables(home), HOME_ENV: str(home.path), MARK_ENV: str(home.path)}
    # The program's files are for the user's commands, not for what the daemon starts.
    environment.pop("PULUMI_OPTION_CWD")
    with home.log.open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "emulator.daemon",
                "--home",
                str(home.path),
                "--fd",
                str(listening.fileno()),
                "--serving",
                serves,
            ],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(listening.fileno(),),
        )
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        running = answering(home)
        if running is not None:
            return running
        if process.poll() is not None:
            raise LaunchFault(f"the daemon ended at once: {_last_line(home.log)} (more in {home.log})")
        time.sleep(_POLL_S)
    raise LaunchFault(f"the daemon did not answer within {_READY_S} s; see {home.log}")


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen(128)
    except OSError as fault:
        listening.close()
        raise LaunchFault(
            f"--port: {port} cannot be used: {fault.strerror}; choose another one, or none"
        ) from fault
    return listening


def _endpoint(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def _clean(home: Home) -> None:
    processes.end_all(home)
    _purge_clusters(home)
    home.wipe()


def _purge_clusters(home: Home) -> None:
    """Remove what a killed daemon left of its clusters."""
    if not home.clusters.is_dir():
        return
    from emulator.kube.cluster import purge

    for folder in home.clusters.iterdir():
        purge(folder)


def _ask_to_stop(home: Home, running: Running) -> None:
    try:
        call(running, "POST", "shutdown")
    except LaunchFault:
        return
    deadline = time.monotonic() + _STOP_S
    while processes.alive(running.pid, home) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


@contextmanager
def _held(home: Home) -> Iterator[None]:
    """One start or stop at a time."""
    with home.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LaunchFault(f"another start or stop of the emulator in {home.path} goes on") from None
        yield
