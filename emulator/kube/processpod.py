"""The life of one process pod: the kubelet's part, from the first start to the last status."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from catalog.names import KUBECONFIG_ENV, SERVICE_ACCOUNT_TOKEN_ENV
from emulator.kube import environment, mounts, podfiles, podstatus, probes, tokens
from emulator.kube.addresses import loopback
from emulator.kube.api import Api, ApiError, Credentials, Object
from emulator.kube.environment import Unresolved
from emulator.kube.guard import survives
from emulator.kube.images import Locality, ProcessImage
from emulator.kube.objects import Pod
from emulator.kube.podapi import PodApi
from emulator.kube.podstatus import History, Run, Subject
from emulator.kube.process import Command, RunningProcess, Use
from emulator.kube.spec import CloudHooks
from emulator.kube.turn import Turn

_RESTART_GRACE_S: Final = 5.0
_CONFIG_RETRY_S: Final = 2.0
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
    starts: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(max(1, (os.cpu_count() or 1) // 2))
    )
    """Taken by a slow start."""


class ProcessPod:
    """Runs a pod's one container in a thread, keeps its status, restarts it, ends it."""

    def __init__(
        self, api: Api, pod: Pod, image: ProcessImage, surroundings: Surroundings, address: str
    ) -> None:
        self.pod = pod
        self.address = address
        self.api = PodApi(api, pod)
        self._image = image
        self._surroundings = surroundings
        self._folder = podfiles.folder_of(surroundings.home, pod.uid)
        self._ending = threading.Event()
        self._lost = False
        self._lock = threading.Lock()
        self._running: RunningProcess | None = None
        self._renew_at: float | None = None
        self.ready_since = 0.0
        """Monotonic seconds; 0 before it has been ready."""
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
            self._ending.set()
            running = self._running
        if running is None:
            return
        pause_s = self.pod.stop_pause_s
        if grace_s <= pause_s or not pause_s:
            running.end(grace_s)
            return
        timer = threading.Timer(pause_s, running.end, [grace_s - pause_s])
        timer.daemon = True
        timer.start()

    def lose(self) -> None:
        """End the process as when its machine is gone: at once, and nobody is told."""
        self._lost = True
        self.end(0.0)

    def join(self, timeout_s: float) -> None:
        """Wait until its process has ended for good."""
        self._thread.join(timeout_s)

    def use(self) -> Use | None:
        """What the process uses now, None when there is none."""
        running = self._running
        return None if running is None else running.use()

    def renew_token(self) -> None:
        """Write a fresh token when the present one nears its end.

        Raises:
            ApiError: it was not given; the present one stays.
        """
        if self._renew_at is not None and time.monotonic() >= self._renew_at and not self._ending.is_set():
            self._write_token(podfiles.write_token)

    def _run(self) -> None:
        survives(f"pod {self.pod.key}", self._live)
        podfiles.close_volumes(self._folder)
        if self._ending.is_set() and not self._lost:
            self.api.remove()

    def _live(self) -> None:
        history: History | None = History()
        while history is not None and not self._ending.is_set():
            turn = Turn(self._surroundings.starts if self._image.slow_start else None)
            try:
                turn.take(self._ending)
                pod = self.api.pod()
                subject = self._subject(pod)
                running = self._launch(pod, subject)
            except (Unresolved, ApiError, OSError) as fault:
                turn.give_back()
                self._refuse(fault, history)
                self._ending.wait(_CONFIG_RETRY_S)
                continue
            run = self._attend(running, subject, history, pod["spec"]["containers"][0], turn)
            turn.give_back()
            self._running = None
            _log.info("pod %s: process ended with %d after %.1f s", self.pod.key, run.exit_code, run.lasted_s)
            policy = pod["spec"].get("restartPolicy", "Always")
            history = self._after(run, subject, history, policy)

    def _attend(
        self, running: RunningProcess, subject: Subject, history: History, container: Object, turn: Turn
    ) -> Run:
        """Probe the container until it has ended; tell whenever its readiness changes."""
        watch = probes.Watch(container, time.monotonic(), partial(probes.answers, self._listens_on))
        told: probes.State | None = None
        while True:
            if watch.state != told:
                if watch.state.ready and (told is None or not told.ready):
                    self.ready_since = time.monotonic()
                told = watch.state
                status = podstatus.running(subject, history, running.started, told, _now())
                self.api.write_status(status, self._ending)
                if told.restart:
                    _log.warning("pod %s: probes fail; it is restarted", self.pod.key)
                    running.end(_RESTART_GRACE_S)
            run = running.wait(watch.pause_s(time.monotonic()))
            if run is not None:
                return run
            if watch.step(time.monotonic()).started or turn.overdue:
                turn.give_back()

    @property
    def _listens_on(self) -> str:
        return loopback(self.address)

    def _after(self, run: Run, subject: Subject, history: History, policy: str) -> History | None:
        """Tell that a run has ended, and wait until it is time for the next one; None when there is none."""
        if self._lost:
            return None
        if self._ending.is_set() or not podstatus.restarts(policy, run.exit_code):
            self.api.write_status(podstatus.finished(subject, history, run), self._ending)
            return None
        history = history.after(run)
        if history.back_off_s:
            message = f"back-off {history.back_off_s:.0f}s restarting failed container {subject.container}"
            waiting = podstatus.waiting(subject, history, "CrashLoopBackOff", message, run.finished)
            self.api.write_status(waiting, self._ending)
            self._ending.wait(history.back_off_s)
        return history

    def _launch(self, pod: Object, subject: Subject) -> RunningProcess:
        """Resolve the environment and start the process.

        Raises:
            Unresolved: the environment refers to what is not there.
            OSError: the process could not be started.
        """
        container = pod["spec"]["containers"][0]
        if (
            container.get("command") not in (None, [], [self._image.program])
            or len(pod["spec"]["containers"]) > 1
        ):
            raise Unresolved("the emulated kubelet runs the image's own entrypoint, in one container a pod")
        if podfiles.wants_token(pod):
            self._write_token(self._write_account)
        # A kubelet knows both addresses before it starts the container.
        known = {**pod, "status": {**pod.get("status", {}), **podstatus.addresses(subject)}}
        mounted = mounts.sources(pod)
        contents = {source: self.api.read(source) for source in {*environment.sources(container), *mounted}}
        here = self._locality(pod, contents)
        variables = environment.resolve(container, known, contents)
        own = {name: mounts.real_path(value, here.paths) for name, value in variables.items()}
        everything = {**self._surrounding_variables(), **self._image.variables, **own}
        arguments = environment.arguments(container, variables)
        words = self._image.command([mounts.real_path(word, here.paths) for word in arguments])
        self.api.describe(self._folder, everything)
        with self._lock:
            if self._ending.is_set():
                raise Unresolved("the pod is being deleted")
            self._running = RunningProcess(Command(words, everything, self._folder), _now)
            return self._running

    def _locality(self, pod: Object, contents: environment.Contents) -> Locality:
        """Lay out what the container mounts.

        Raises:
            Unresolved: something of it is not there.
        """
        faults = mounts.missing(pod, contents)
        if faults:
            raise Unresolved("; ".join(faults))
        if not mounts.mounted(pod):
            return Locality(self._listens_on, self._image.folders)
        volumes = podfiles.open_volumes(self._folder)
        here = Locality(self._listens_on, {**self._image.folders, **mounts.lay_out(pod, volumes, contents)})
        for file in mounts.configuration(pod, volumes):
            file.write_text(self._image.localise(file.read_text(), here))
        return here

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
        container: dict[str, Any] = pod["spec"]["containers"][0]
        started = pod.get("status", {}).get("startTime")
        return Subject(
            container=container["name"],
            image=container["image"],
            pod_ip=self.address,
            host_ip=self.api.host_address(pod["spec"]["nodeName"]),
            started=datetime.fromisoformat(started) if started else _now(),
        )

    def _refuse(self, fault: Exception, history: History) -> None:
        """Tell why the container cannot start; a pod or node that is gone is ending."""
        if self._ending.is_set():
            return
        _log.warning("pod %s: not started: %s", self.pod.key, fault)
        try:
            subject = self._subject(self.api.pod())
        except ApiError as gone:
            if gone.not_found:
                self._ending.set()
            return
        reason = "CreateContainerConfigError" if isinstance(fault, Unresolved) else "CreateContainerError"
        self.api.write_status(podstatus.waiting(subject, history, reason, str(fault), _now()), self._ending)

    def _write_account(self, folder: podfiles.PodFolder, token: str) -> None:
        podfiles.write_service_account(folder, self.pod.namespace, token, self._surroundings.credentials)

    def _write_token(self, write: Callable[[podfiles.PodFolder, str], None]) -> None:
        token = self.api.token()
        write(self._folder, token)
        self._renew_at = time.monotonic() + _RENEW_AT * min(tokens.life_of(token), tokens.LIFE_S)


def _now() -> datetime:
    return datetime.now(UTC)
