"""Starts and ends the processes of one control plane, by way of kwokctl.

Everything of a cluster lies in its home, and each of its components names a path of the home in
its arguments: so they are found again after the daemon that made them was killed.
"""

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from catalog.timing import Timing
from emulator.kube import config, manifests
from emulator.kube.ports import Ports
from emulator.kube.spec import ClusterFailed
from tools.locate import ToolMissing, locate

_READY_S: Final = 90
_EXIT_S: Final = 10.0
_COMPONENTS: Final = frozenset(
    {
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok-controller",
        "metrics-server",
    }
)
_OURS: Final = _COMPONENTS | {"kwokctl"}


def kubeconfig_path(home: Path) -> Path:
    """The administrator's kubeconfig."""
    return home / "kubeconfig"


def binaries() -> config.Binaries:
    """Paths of the components.

    Raises:
        ClusterFailed: one is missing; the message says how to get it.
    """
    try:
        return config.Binaries(
            etcd=locate("etcd"),
            kube_apiserver=locate("kube-apiserver"),
            kube_controller_manager=locate("kube-controller-manager"),
            kube_scheduler=locate("kube-scheduler"),
            kwok=locate("kwok"),
            metrics_server=locate("metrics-server"),
        )
    except ToolMissing as fault:
        raise ClusterFailed(str(fault)) from fault


def create(
    name: str, home: Path, timing: Timing, ports: Ports, process_repositories: tuple[str, ...]
) -> None:
    """Start a control plane and wait until its components say they are ready.

    Raises:
        ClusterFailed: with kwokctl's own words. What was started so far is left to `end`.
    """
    home.mkdir(parents=True, exist_ok=True)
    layout = config.Layout(name, binaries(), ports, home / "metrics-server")
    manifests.write_metrics_server(layout.metrics_manifests)
    file = home / "kwokctl.yaml"
    file.write_text(config.render(layout, timing, process_repositories))
    command = [
        *(str(locate("kwokctl")), "create", "cluster", "--name", name, "--config", str(file)),
        *("--kubeconfig", str(kubeconfig_path(home)), "--wait", f"{_READY_S}s"),
    ]
    environment = {**os.environ, "KWOK_WORKDIR": str(home / "kwok")}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_READY_S + 30,
            check=False,
            start_new_session=True,  # a Ctrl-C in the daemon's terminal is the daemon's to handle
        )
    except subprocess.TimeoutExpired as fault:
        raise ClusterFailed(f"cluster {name}: kwokctl did not end within {_READY_S + 30} s") from fault
    if done.returncode != 0:
        raise ClusterFailed(f"cluster {name}: kwokctl failed: {_last_words(done.stdout + done.stderr)}")


class ComponentEnded(ClusterFailed):
    """A component did not stay, as one does that was started a moment before what it needs."""


def require_components(name: str, home: Path) -> None:
    """See that all run: kwokctl does not notice when one ends right after its start.

    Raises:
        ComponentEnded: naming those that do not, with the last words of each.
    """
    running = {Path((process.info["cmdline"] or [""])[0]).name for process in components(home)}
    if missing := sorted(_COMPONENTS - running):
        said = "; ".join(f"{component} ({_last_words(_log_of(home, component))})" for component in missing)
        raise ComponentEnded(f"cluster {name}: ended right after the start: {said}")


def _log_of(home: Path, component: str) -> str:
    return "\n".join(path.read_text(errors="replace") for path in home.rglob(f"{component}.log"))


def end(home: Path) -> None:
    """Kill every component of the cluster in `home` and remove the folder; gone is fine.

    Killed, not asked: the API server would take a minute to end its watches, and nothing of the
    cluster is kept.
    """
    deadline = time.monotonic() + _EXIT_S
    # Again and again: a kwokctl that still creates starts others while it is being killed.
    while (processes := components(home)) and time.monotonic() < deadline:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=_EXIT_S)
    shutil.rmtree(home, ignore_errors=True)


def restart(home: Path, component: str) -> None:
    """Kill a component of the cluster in `home` and start it again as it was started; returns at once then."""
    running = [each for each in components(home) if Path(each.info["cmdline"][0]).name == component]
    for process in running:
        with suppress(psutil.NoSuchProcess):
            command, environment, folder = process.cmdline(), process.environ(), process.cwd()
            process.kill()
            psutil.wait_procs([process], timeout=_EXIT_S)
            with _log_file(home, component).open("ab") as log:
                subprocess.Popen(
                    command,
                    env=environment,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )


def _log_file(home: Path, component: str) -> Path:
    return next(home.rglob(f"{component}.log"), home / f"{component}.log")


def components(home: Path) -> list[psutil.Process]:
    """The running components of the cluster in `home`."""
    prefix = f"{home.absolute()}{os.sep}"
    return [process for process in psutil.process_iter(["cmdline"]) if _is_component(process, prefix)]


def _is_component(process: psutil.Process, prefix: str) -> bool:
    command = process.info["cmdline"] or []
    return (
        len(command) > 0
        and Path(command[0]).name in _OURS
        and any(prefix in argument for argument in command[1:])
    )


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(lines[-3:]) or "it said nothing"
