"""The folder of a process pod: what a kubelet would mount into the container, and its log."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import yaml

from emulator.kube.api import Credentials, Object

_SAME_START_S: Final = 1.0
"""Start times of one process, read twice, may differ by rounding."""


@dataclass(frozen=True, slots=True)
class PodFolder:
    """Paths of one pod's folder."""

    path: Path

    @property
    def log(self) -> Path:
        """The container's output in CRI format."""
        return self.path / "container.log"

    @property
    def work(self) -> Path:
        """Home and temporary folder of the process."""
        return self.path / "work"

    @property
    def volumes(self) -> Path:
        """What the container mounts, a folder a volume."""
        return self.path / "volumes"

    @property
    def short(self) -> Path:
        """A link to the volumes that is short enough for the paths of sockets (107 bytes)."""
        return Path(tempfile.gettempdir()) / f"rightsize-{self.path.name[:18]}"

    @property
    def token(self) -> Path:
        """The ServiceAccount's token."""
        return self.path / "serviceaccount" / "token"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig that reads the token file."""
        return self.path / "kubeconfig"

    @property
    def ca(self) -> Path:
        """The cluster's CA."""
        return self.path / "serviceaccount" / "ca.crt"

    @property
    def process(self) -> Path:
        """Which process is the pod's, for whoever cleans up after a killed daemon."""
        return self.path / "process.json"


def pods_folder(home: Path) -> Path:
    """Where a cluster's process pods have their folders."""
    return home / "pods"


def folder_of(home: Path, uid: str) -> PodFolder:
    """The folder of the pod with this uid; made if it does not exist, readable by its owner only."""
    folder = PodFolder(pods_folder(home) / uid)
    for path in (folder.work, folder.token.parent):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def open_volumes(folder: PodFolder) -> Path:
    """A folder for the container's volumes, by a short path."""
    folder.volumes.mkdir(exist_ok=True, mode=0o700)
    folder.short.unlink(missing_ok=True)
    folder.short.symlink_to(folder.volumes)
    return folder.short


def close_volumes(folder: PodFolder) -> None:
    """Remove the volumes, which end with the pod; its log stays."""
    folder.short.unlink(missing_ok=True)
    shutil.rmtree(folder.volumes, ignore_errors=True)


def close_all_volumes(home: Path) -> None:
    """Remove the volumes of all pods of a cluster, as those that a killed daemon left."""
    for path in pods_folder(home).glob("*"):
        close_volumes(PodFolder(path))


def write_service_account(folder: PodFolder, namespace: str, token: str, credentials: Credentials) -> None:
    """What the projected `kube-api-access` volume holds, and a kubeconfig made of it."""
    folder.ca.write_bytes(credentials.ca_pem)
    (folder.token.parent / "namespace").write_text(namespace)
    write_token(folder, token)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pod",
        "contexts": [
            {"name": "pod", "context": {"cluster": "emulated", "user": "pod", "namespace": namespace}}
        ],
        "clusters": [
            {
                "name": "emulated",
                "cluster": {"server": credentials.server, "certificate-authority": str(folder.ca)},
            }
        ],
        "users": [{"name": "pod", "user": {"tokenFile": str(folder.token)}}],
    }
    _replace(folder.kubeconfig, yaml.safe_dump(content))


def write_token(folder: PodFolder, token: str) -> None:
    """Put a fresh token in place in one step: readers see the old one or the new one."""
    _replace(folder.token, token)


def wants_token(pod: Object) -> bool:
    """Whether the pod has a projected ServiceAccount token at all."""
    return any(
        "serviceAccountToken" in source
        for volume in pod["spec"].get("volumes") or ()
        for source in (volume.get("projected") or {}).get("sources") or ()
    )


def record_process(folder: PodFolder, process: psutil.Process) -> None:
    """Remember the pod's process by its id and start: ids are used again."""
    _replace(folder.process, json.dumps({"pid": process.pid, "started": process.create_time()}))


def recorded_processes(home: Path) -> list[psutil.Process]:
    """Processes of the cluster's pods that still run, with what they started."""
    found = []
    for path in pods_folder(home).glob("*/process.json"):
        try:
            record = json.loads(path.read_text())
            process = psutil.Process(record["pid"])
            if abs(process.create_time() - record["started"]) < _SAME_START_S:
                found += [process, *process.children(recursive=True)]
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            continue
    return found


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)
