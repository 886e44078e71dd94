"""The kubelets' part for process pods: which pods have a process, and what these use."""

import logging
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final

import psutil

from emulator.kube.addresses import process_pod_range
from emulator.kube.api import Api, ApiError
from emulator.kube.cache import Cache
from emulator.kube.guard import survives
from emulator.kube.images import ProcessImage, process_image
from emulator.kube.objects import Pod
from emulator.kube.podapi import PodApi
from emulator.kube.podfiles import close_all_volumes, recorded_processes
from emulator.kube.process import Use
from emulator.kube.processpod import ProcessPod, Surroundings
from emulator.kube.stages import CPU_ANNOTATION, MEMORY_ANNOTATION

_MEASURE_S: Final = 5.0
"""Twice in the shortest scrape interval."""
_STOP_GRACE_S: Final = 5.0
_LEFTOVER_GRACE_S: Final = 3.0
_MIB: Final = 2**20
_log = logging.getLogger(__name__)

_Change = tuple[str, Pod | None]


class _Stop:
    """The end of the queue of changes."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """A node's kubelet falls silent, is heard again, or is gone with its machine."""

    node: str
    heard: bool
    lost: bool = False


def kill_leftovers(home: Path) -> None:
    """End the process pods that a killed daemon left: TERM, then KILL."""
    processes = recorded_processes(home)
    for process in processes:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=_LEFTOVER_GRACE_S)
    for process in alive:
        _quietly(process.kill)
    close_all_volumes(home)


@dataclass(frozen=True, slots=True)
class Sample:
    """A measurement of a process, to compare the next one with."""

    uid: str
    at: float
    use: Use


def usage(before: Sample, now: Sample) -> dict[str, str]:
    """Usage annotations: mean CPU between two samples, memory of the later one."""
    elapsed_s = max(now.at - before.at, 1e-3)
    millicores = round(1000 * max(0.0, now.use.cpu_s - before.use.cpu_s) / elapsed_s)
    return {CPU_ANNOTATION: f"{millicores}m", MEMORY_ANNOTATION: f"{now.use.memory_bytes // _MIB}Mi"}


class ProcessController:
    """Starts, measures and ends the processes of process pods."""

    def __init__(
        self, api: Api, pods: Cache[Pod], images: Sequence[ProcessImage], surroundings: Surroundings
    ) -> None:
        self._api = api
        self._images = images
        self._surroundings = surroundings
        self._pods = pods
        self._changes: queue.SimpleQueue[_Change | _Turn | _Stop] = queue.SimpleQueue()
        self._silent: set[str] = set()
        self._running: dict[str, ProcessPod] = {}
        self._samples: dict[str, Sample] = {}
        self._thread = Thread(target=self._run, name="process pods", daemon=True)
        pods.listen(self._on_pod)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End every process and the thread; takes the stop grace at most."""
        self._changes.put(_Stop())
        if self._thread.is_alive():
            self._thread.join(timeout=2 * _STOP_GRACE_S)

    def silence(self, node: str) -> None:
        """The node's kubelet starts and ends nothing any more; its processes go on."""
        self._changes.put(_Turn(node, heard=False))

    def hear(self, node: str) -> None:
        """The node's kubelet, or that of another node of its name, works."""
        self._changes.put(_Turn(node, heard=True))

    def lose(self, node: str) -> None:
        """The node's machine is gone with its processes, and its kubelet tells nobody."""
        self._changes.put(_Turn(node, heard=False, lost=True))

    def _on_pod(self, key: str, pod: Pod | None) -> None:
        if pod is None or self._image_of(pod) is not None:
            self._changes.put((key, pod))

    def _run(self) -> None:
        measure_at = time.monotonic() + _MEASURE_S
        while True:
            change = self._next(measure_at)
            if isinstance(change, _Stop):
                self._end_all()
                return
            if isinstance(change, _Turn):
                survives(f"kubelet of {change.node}", partial(self._turn, change))
            elif change is not None:
                survives(f"pod {change[0]}", partial(self._take, *change))
            if time.monotonic() >= measure_at:
                self._forget_ended()
                survives("usage of process pods", self._measure)
                measure_at = time.monotonic() + _MEASURE_S

    def _turn(self, turn: _Turn) -> None:
        if turn.heard:
            self._silent.discard(turn.node)
            for key, pod in self._pods.items().items():
                if pod.node_name == turn.node:
                    self._on_pod(key, pod)
            return
        self._silent.add(turn.node)
        for key, running in list(self._running.items()):
            if turn.lost and running.pod.node_name == turn.node:
                running.lose()
                del self._running[key]

    def _next(self, measure_at: float) -> "_Change | _Turn | _Stop | None":
        """The next change, None when it is time to measure; while nothing runs there is nothing to measure."""
        patience_s = max(0.0, measure_at - time.monotonic()) if self._running else None
        try:
            return self._changes.get(timeout=patience_s)
        except queue.Empty:
            return None

    def _take(self, key: str, pod: Pod | None) -> None:
        present = self._running.get(key)
        if present is not None and (pod is None or pod.uid != present.pod.uid):
            # The API has forgotten it: its node is gone, or it was deleted by force.
            present.end(0.0)
            del self._running[key]
            present = None
        if pod is None or not pod.node_name or pod.node_name in self._silent:
            return
        if pod.deletion_requested:
            self._end(pod, present)
        elif present is None and not pod.finished:
            self._begin(pod)

    def _begin(self, pod: Pod) -> None:
        image = self._image_of(pod)
        address = self._free_address()
        if image is None or address is None:
            _log.warning("pod %s: no image or address for its process", pod.key)
            return
        self._running[pod.key] = ProcessPod(self._api, pod, image, self._surroundings, address)
        self._running[pod.key].start()

    def _end(self, pod: Pod, present: ProcessPod | None) -> None:
        if present is not None and not present.over:
            present.end(pod.deletion_grace_s)
        else:
            # Its process ended before, or never began.
            PodApi(self._api, pod).remove()

    def _image_of(self, pod: Pod) -> ProcessImage | None:
        rows = (process_image(image, self._images) for image in pod.images)
        return next((row for row in rows if row is not None), None)

    def _free_address(self) -> str | None:
        taken = {running.address for running in self._running.values()}
        hosts = process_pod_range(self._surroundings.unique_port).hosts()
        return next((str(host) for host in hosts if str(host) not in taken), None)

    def _forget_ended(self) -> None:
        for key, running in list(self._running.items()):
            if running.over:
                del self._running[key]
        self._samples = {key: sample for key, sample in self._samples.items() if key in self._running}

    def _measure(self) -> None:
        for key, running in self._running.items():
            try:
                running.renew_token()
                self._measure_one(key, running)
            except ApiError as fault:
                _log.debug("pod %s: not measured: %s", key, fault)

    def _measure_one(self, key: str, running: ProcessPod) -> None:
        use = running.use()
        if use is None:
            self._samples.pop(key, None)
            return
        before = self._samples.get(key)
        now = Sample(running.pod.uid, time.monotonic(), use)
        self._samples[key] = now
        if before is None or before.uid != now.uid or use.cpu_s < before.use.cpu_s:
            return
        if before.at < running.ready_since:
            # kwok spreads a value over the whole time since the last scrape: what the start took is no load.
            now_idle = Sample(now.uid, before.at, before.use)
            running.api.annotate(usage(before, now_idle))
            return
        running.api.annotate(usage(before, now))

    def _end_all(self) -> None:
        for running in self._running.values():
            running.end(_STOP_GRACE_S)
        deadline = time.monotonic() + _STOP_GRACE_S + 1
        for running in self._running.values():
            running.join(max(0.0, deadline - time.monotonic()))


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.NoSuchProcess:
        return
