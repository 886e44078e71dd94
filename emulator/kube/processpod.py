"""The life of one process pod: the kubelet's part, from the first start to the last status."""

import base64
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from catalog.names import KUBECONFIG_ENV, SERVICE_ACCOUNT_TOKEN_ENV
from emulator.kube import environment, podfiles, podstatus, tokens
from emulator.kube.api import STRATEGIC, Api, ApiError, Credentials, Object
from emulator.kube.environment import Unresolved
from emulator.kube.images import ProcessImage
from emulator.kube.objects import Pod
from emulator.kube.podstatus import History, Subject
from emulator.kube.process import Command, RunningProcess, Use
from emulator.kube.spec import CloudHooks

_CONFIG_RETRY_S: Final = 2.0
_STATUS_RETRY_S: Final = 1.0
_RENEW_AT: Final = 0.8
"""Part of its life after which a token is renewed, as a kubelet does."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all process pods of a cluster share."""

    home: Path
    credentials: Credentials
    unique_port: int
    hooks: CloudHooks


class ProcessPod:
    """Runs a pod's one container in a thread, keeps its status, restarts it, ends it."""

    def __init__(
        self, api: Api, pod: Pod, image: ProcessImage, surroundings: Surroundings, address: str
    ) -> None:
        self.pod = pod
        self.address = address
        self._api = api
        self._image = image
        self._surroundings = surroundings
        self._path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
        self._folder = podfiles.folder_of(surroundings.home, pod.uid)
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._running: RunningProcess | None = None
        self._renew_at: float | None = None
        self._grace_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"pod {pod.key}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether its process has ended for good."""
        return not self._thread.is_alive()

    def end(self, grace_s: float) -> None:
        """End the process, by force when the grace is over; returns at once. More haste may be asked later."""
        with self._lock:
            self._grace_s = grace_s
            self._ending.set()
            running = self._running
        if running is not None:
            running.end(grace_s)

    def join(self, timeout_s: float) -> None:
        """Wait until its process has ended for good."""
        self._thread.join(timeout_s)

    def use(self) -> Use | None:
        """What the process uses now, None when there is none."""
        running = self._running
        return None if running is None else running.use()

    def renew_token(self) -> None:
        """Write a fresh token when the present one nears its end."""
        if self._renew_at is not None and time.monotonic() >= self._renew_at and not self._ending.is_set():
            self._write_token(podfiles.write_token)

    def _run(self) -> None:
        try:
            self._live()
        except Exception:
            _log.exception("pod %s: unexpected, its process is not started again", self.pod.key)
        finally:
            if self._ending.is_set():
                self._say_goodbye()

    def _live(self) -> None:
        history = History()
        while not self._ending.is_set():
            try:
                pod = self._api.get(self._path)
                subject = self._subject(pod)
                running = self._launch(pod, subject)
            except (Unresolved, ApiError, OSError) as fault:
                self._refuse(fault, history)
                self._ending.wait(_CONFIG_RETRY_S)
                continue
            self._write_status(podstatus.running(subject, history, running.started))
            run = running.wait()
            self._running = None
            _log.info("pod %s: process ended with %d after %.1f s", self.pod.key, run.exit_code, run.lasted_s)
            if self._ending.is_set() or not podstatus.restarts(
                pod["spec"].get("restartPolicy", "Always"), run.exit_code
            ):
                self._write_status(podstatus.finished(subject, history, run))
                return
            history = history.after(run)
            if history.back_off_s:
                message = (
                    f"back-off {history.back_off_s:.0f}s restarting failed container {subject.container}"
                )
                self._write_status(
                    podstatus.waiting(subject, history, "CrashLoopBackOff", message, run.finished)
                )
                self._ending.wait(history.back_off_s)

    def _launch(self, pod: Object, subject: Subject) -> RunningProcess:
        """Resolve the environment and start the process.

        Raises:
            Unresolved: the environment refers to what is not there.
            OSError: the process could not be started.
        """
        container = pod["spec"]["containers"][0]
        if container.get("command") or len(pod["spec"]["containers"]) > 1:
            raise Unresolved("the emulated kubelet runs the image's own entrypoint, in one container a pod")
        if podfiles.wants_token(pod):
            self._write_token(self._write_account)
        known = {**pod, "status": {**pod.get("status", {}), **_addresses(subject)}}
        contents = {source: self._read(source) for source in environment.sources(container)}
        variables = environment.resolve(container, known, contents)
        everything = {**self._surrounding_variables(), **variables}
        words = self._image.command(environment.arguments(container, variables))
        self._describe(everything)
        with self._lock:
            if self._ending.is_set():
                raise Unresolved("the pod is being deleted")
            self._running = RunningProcess(Command(words, everything, self._folder), _now)
            return self._running

    def _surrounding_variables(self) -> dict[str, str]:
        """What image, kubelet and cloud give to a container; its own variables win."""
        work = str(self._folder.work)
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": work,
            "TMPDIR": work,
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "HOSTNAME": self.pod.name,
        }
        if self._folder.kubeconfig.exists():
            variables[KUBECONFIG_ENV] = str(self._folder.kubeconfig)
            variables[SERVICE_ACCOUNT_TOKEN_ENV] = str(self._folder.token)
        hooks = self._surroundings.hooks
        return {**variables, **hooks.process_environment(self.pod.namespace, self.pod.service_account)}

    def _subject(self, pod: Object) -> Subject:
        container = pod["spec"]["containers"][0]
        node = self._api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}")
        host = next(row["address"] for row in node["status"]["addresses"] if row["type"] == "InternalIP")
        started = pod.get("status", {}).get("startTime")
        return Subject(
            container=container["name"],
            image=container["image"],
            pod_ip=self.address,
            host_ip=host,
            started=datetime.fromisoformat(started) if started else _now(),
        )

    def _refuse(self, fault: Exception, history: History) -> None:
        if isinstance(fault, ApiError) and fault.not_found:
            self._ending.set()
            return
        _log.warning("pod %s: not started: %s", self.pod.key, fault)
        try:
            subject = self._subject(self._api.get(self._path))
        except ApiError:
            return
        reason = "CreateContainerConfigError" if isinstance(fault, Unresolved) else "CreateContainerError"
        self._write_status(podstatus.waiting(subject, history, reason, str(fault), _now()))

    def _write_status(self, body: Object) -> None:
        """Patch the pod's status, again and again while the API server is away; a pod that is gone is ending."""
        while True:
            try:
                self._api.patch(f"{self._path}/status", body, STRATEGIC)
            except ApiError as fault:
                if fault.not_found:
                    self._ending.set()
                    return
                _log.debug("pod %s: status not written: %s", self.pod.key, fault)
                if self._ending.wait(_STATUS_RETRY_S):
                    return
            else:
                return

    def _say_goodbye(self) -> None:
        try:
            self._api.delete(self._path, grace_s=0, uid=self.pod.uid)
        except ApiError as fault:
            _log.debug("pod %s: not removed: %s", self.pod.key, fault)

    def _write_account(self, folder: podfiles.PodFolder, token: str) -> None:
        podfiles.write_service_account(folder, self.pod.namespace, token, self._surroundings.credentials)

    def _write_token(self, write: Callable[[podfiles.PodFolder, str], None]) -> None:
        pod = self.pod
        identity = tokens.PodIdentity(pod.namespace, pod.service_account, pod.name, pod.uid)
        token = tokens.request(self._api, identity)
        write(self._folder, token)
        self._renew_at = time.monotonic() + _RENEW_AT * min(tokens.life_of(token), tokens.LIFE_S)

    def _read(self, source: environment.Source) -> Mapping[str, str] | None:
        try:
            item = self._api.get(f"/api/v1/namespaces/{self.pod.namespace}/{source.resource}/{source.name}")
        except ApiError as fault:
            if fault.not_found:
                return None
            raise
        data: Mapping[str, str] = item.get("data") or {}
        if source.resource == environment.SECRET:
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return data

    def _describe(self, variables: Mapping[str, str]) -> None:
        """Tell kwok where `kubectl logs` and `kubectl exec` of this pod lead."""
        envs = [{"name": name, "value": value} for name, value in variables.items()]
        local = {"workDir": str(self._folder.work), "envs": envs}
        self._folder.log.touch(mode=0o600)
        for kind, spec in (
            ("Logs", {"logs": [{"logsFile": str(self._folder.log), "follow": True}]}),
            ("Exec", {"execs": [{"local": local}]}),
        ):
            self._apply(kind, spec)

    def _apply(self, kind: str, spec: dict[str, Any]) -> None:
        pod = self.pod
        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
        plural = {"Logs": "logs", "Exec": "execs"}[kind]
        body = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": kind,
            # With its owner the garbage collector removes it.
            "metadata": {"name": pod.name, "namespace": pod.namespace, "ownerReferences": [owner]},
            "spec": spec,
        }
        path = f"/apis/kwok.x-k8s.io/v1alpha1/namespaces/{pod.namespace}/{plural}/{pod.name}"
        self._api.apply(path, body)


def _addresses(subject: Subject) -> dict[str, Any]:
    """A kubelet knows both addresses before it starts the container."""
    return {
        "podIP": subject.pod_ip,
        "podIPs": [{"ip": subject.pod_ip}],
        "hostIP": subject.host_ip,
        "hostIPs": [{"ip": subject.host_ip}],
    }


def _now() -> datetime:
    return datetime.now(UTC)
