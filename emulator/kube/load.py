"""Modelled load: what running load Jobs demand becomes CPU use of the model's ready pods.

The HPA sees it by way of kwok, metrics-server and the metrics API, as it would see real use.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from catalog.names import IMAGE_LOAD, MODEL_KEY
from emulator.kube.api import Api, ApiError
from emulator.kube.cache import Cache
from emulator.kube.images import is_of
from emulator.kube.objects import Pod
from emulator.kube.stages import CPU_ANNOTATION

_SETTLE_S: Final = 0.05
"""Changes come in bursts: a scale-up makes ten events a pod."""
_RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Demand:
    """What one load pod asks of a model."""

    namespace: str
    model: str
    millicores: int


class NotALoad(ValueError):
    """A load pod's arguments could not be read."""


def demand_of(pod: Pod) -> Demand:
    """The demand in a load pod's arguments, `--model M --demand-cores D` (or with `=`).

    Raises:
        NotALoad: naming the pod and what was expected.
    """
    words = [part for argument in pod.args for part in argument.split("=", 1)]
    options = dict(zip(words[::2], words[1::2], strict=False))
    try:
        cores = Decimal(options["--demand-cores"])
        model = options["--model"]
    except (KeyError, InvalidOperation) as fault:
        raise NotALoad(
            f"load pod {pod.key}: arguments {list(pod.args)}; expected --model NAME --demand-cores NUMBER"
        ) from fault
    return Demand(pod.namespace, model, int(cores * 1000))


def usages(pods: Iterable[Pod]) -> dict[str, int]:
    """CPU use in millicores of every model pod, by its key.

    A model's demand is shared equally by its ready pods; others use nothing. The shares of a model
    add up to its demand exactly.
    """
    pods = [pod for pod in pods if not pod.finished]
    demanded: dict[tuple[str, str], int] = {}
    for pod in pods:
        if pod.phase == "Running" and not pod.deletion_requested and is_load(pod):
            try:
                demand = demand_of(pod)
            except NotALoad as fault:
                _log.warning("%s", fault)
                continue
            key = (demand.namespace, demand.model)
            demanded[key] = demanded.get(key, 0) + demand.millicores
    serving: dict[tuple[str, str], list[str]] = {}
    result: dict[str, int] = {}
    for pod in pods:
        if MODEL_KEY in pod.labels and not is_load(pod):
            result[pod.key] = 0
            if pod.ready and not pod.deletion_requested:
                serving.setdefault((pod.namespace, pod.labels[MODEL_KEY]), []).append(pod.key)
    for model, keys in serving.items():
        result.update(divide(demanded.get(model, 0), keys))
    return result


def divide(millicores: int, keys: Iterable[str]) -> dict[str, int]:
    """Equal whole shares; what does not divide goes to the first by name, one each."""
    names = sorted(keys)
    share, rest = divmod(millicores, len(names))
    return {name: share + (position < rest) for position, name in enumerate(names)}


def is_load(pod: Pod) -> bool:
    """Whether a pod stands for load."""
    return any(is_of(image, IMAGE_LOAD) for image in pod.images)


class LoadController:
    """Keeps the usage annotation of model pods as `usages` says."""

    def __init__(self, api: Api, pods: Cache[Pod]) -> None:
        self._api = api
        self._pods = pods
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="modelled load", daemon=True)
        pods.listen(self._on_pod)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _on_pod(self, _key: str, pod: Pod | None) -> None:
        if pod is None or MODEL_KEY in pod.labels or is_load(pod):
            self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            if self._stopped.wait(_SETTLE_S):
                return
            self._woken.clear()
            pods = self._pods.items()
            if not self._write(pods, usages(pods.values())) and not self._stopped.wait(_RETRY_S):
                self._woken.set()

    def _write(self, pods: Mapping[str, Pod], wanted: Mapping[str, int]) -> bool:
        """Patch what differs; False when something could not be written and has to be tried again."""
        complete = True
        for key, millicores in wanted.items():
            pod, value = pods[key], f"{millicores}m"
            if pod.annotations.get(CPU_ANNOTATION) == value:
                continue
            try:
                self._api.patch(
                    f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}",
                    {"metadata": {"uid": pod.uid, "annotations": {CPU_ANNOTATION: value}}},
                )
            except ApiError as fault:
                if not (fault.not_found or fault.conflict):
                    _log.debug("usage of %s not written: %s", key, fault)
                    complete = False
        return complete
