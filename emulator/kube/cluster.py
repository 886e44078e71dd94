"""One emulated cluster's Kubernetes: what the emulated cloud creates, feeds with nodes and deletes."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

from catalog.timing import CLOUD, Timing
from emulator.kube import admission, controlplane, drain, manifests, ports, readiness, tokens
from emulator.kube.access import credentials_of, ssl_context
from emulator.kube.addresses import balancer_range, load_balancer_range
from emulator.kube.api import Api, ApiError
from emulator.kube.autoscaler_loop import Autoscaler
from emulator.kube.cache import Cache
from emulator.kube.images import PROCESS_IMAGES, ProcessImage
from emulator.kube.kubelets import Kubelets
from emulator.kube.load import LoadController
from emulator.kube.loadbalancer import LoadBalancers
from emulator.kube.nodes import node_object
from emulator.kube.objects import Node, Pod, Resources, parse_node, parse_pod
from emulator.kube.processes import ProcessController, kill_leftovers
from emulator.kube.processpod import Surroundings
from emulator.kube.spec import (
    AutoscalerSettings,
    CloudHooks,
    ClusterFailed,
    ClusterSpec,
    NodeSpec,
    ServiceAccountRef,
    WorkloadKind,
)
from emulator.kube.traffic import Traffic

_NOTICE: Final = 40 / 90
"""How long a control plane waits for a silent kubelet, in boots: 40 seconds at the clouds' own pace."""
_PATIENCE_S: Final = 120.0
_RETRY_S: Final = 0.5
_KEEP_S: Final = 3.0
_AWAY: Final = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR})
"""What an API server answers while it starts."""
_log = logging.getLogger(__name__)


def purge(home: Path) -> None:
    """Remove a cluster by its home alone, as one that a killed daemon left: processes, pods, files."""
    kill_leftovers(home)
    controlplane.end(home)


class KubeCluster:
    """A running control plane with the controllers that a cloud and its kubelets would be.

    Safe for use by several threads.
    """

    def __init__(
        self, spec: ClusterSpec, images: Sequence[ProcessImage], taken: ports.Ports, *, serves: bool
    ) -> None:
        """Connect to a control plane that runs; `create` is the way to get one."""
        self.spec = spec
        self.kubeconfig_path: Final = controlplane.kubeconfig_path(spec.home)
        self._credentials: Final = credentials_of(self.kubeconfig_path)
        self._images = images
        self._ports = taken
        self._api = Api(self._credentials, ssl_context(self._credentials))
        self._pods: Cache[Pod] = Cache(self._api, "/api/v1/pods", parse_pod)
        self._nodes: Cache[Node] = Cache(self._api, "/api/v1/nodes", parse_node)
        self._serves = serves
        choose = balancer_range if serves else load_balancer_range
        self._balancers = LoadBalancers(self._api, choose(taken.kube_apiserver))
        self._controllers: list[ProcessController | LoadController | LoadBalancers | Traffic] = []
        self._autoscaler: Autoscaler | None = None
        self._hooks: CloudHooks | None = None
        self._kubelets = Kubelets(self._api)
        self._lock = threading.Lock()
        self._deleted = threading.Event()

    @classmethod
    def create(
        cls, spec: ClusterSpec, images: Sequence[ProcessImage] = PROCESS_IMAGES, *, serves: bool = False
    ) -> "KubeCluster":
        """Make a cluster and return when it takes nodes and pods.

        `serves`: its load is real, so none is modelled, and its load balancers take requests.

        Raises:
            ClusterFailed: with the reason; nothing of it is left.
        """
        try:
            return cls._made(spec, images, serves=serves)
        except controlplane.ComponentEnded as fault:
            _log.warning("%s; made once more", fault)
            return cls._made(spec, images, serves=serves)

    @classmethod
    def _made(cls, spec: ClusterSpec, images: Sequence[ProcessImage], *, serves: bool) -> "KubeCluster":
        taken = ports.reserve(spec.home)
        try:
            purge(spec.home)
            repositories = tuple(image.repository for image in images)
            controlplane.create(spec.name, spec.home, _timing(spec, serves=serves), taken, repositories)
            cluster = cls(spec, images, taken, serves=serves)
            readiness.prove(cluster._api)
            controlplane.require_components(spec.name, spec.home)
            if spec.tolerates_arm:
                admission.tolerate_arm(cluster._api)
            for pod in spec.system_pods:
                cluster._api.apply(*manifests.workload(pod))
        except BaseException as fault:
            purge(spec.home)
            ports.release(taken)
            if isinstance(fault, ApiError):
                raise ClusterFailed(f"cluster {spec.name}: {fault}") from fault
            raise
        return cluster

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self._credentials.server

    @property
    def ca_pem(self) -> bytes:
        """The CA that signed the API server's certificate."""
        return self._credentials.ca_pem

    @property
    def client_cert_pem(self) -> bytes:
        """The administrator's certificate."""
        return self._credentials.client_cert_pem

    @property
    def client_key_pem(self) -> bytes:
        """The administrator's key."""
        return self._credentials.client_key_pem

    def start(self, hooks: CloudHooks) -> None:
        """Start the controllers: process pods, modelled load, load balancers' addresses.

        Raises:
            ClusterFailed: the API server does not answer; `delete` is still to be called.
        """
        self._hooks = hooks
        surroundings = Surroundings(self.spec.home, self._credentials, self._ports.kube_apiserver, hooks)
        self._processes = ProcessController(self._api, self._pods, self._images, surroundings)
        self._controllers = [
            self._processes,
            Traffic(self._api, self._balancers.services, self._ports.kube_apiserver)
            if self._serves
            else LoadController(self._api, self._pods),
            self._balancers,
        ]
        try:
            for controller in self._controllers:
                controller.start()
            self._pods.start()
            self._nodes.start()
        except ApiError as fault:
            raise ClusterFailed(f"cluster {self.spec.name}: {fault}") from fault

    def set_autoscaler(self, settings: AutoscalerSettings | None) -> None:
        """Run the ClusterAutoscaler add-on with these settings; None removes it."""
        if self._hooks is None:
            raise RuntimeError("set_autoscaler before start; this is a bug, please report it")
        with self._lock:
            previous, self._autoscaler = self._autoscaler, None
            if previous is not None:
                previous.stop()
            if settings is None or self._deleted.is_set():
                return
            self._autoscaler = Autoscaler(
                self._api, self._pods, self._nodes, self._hooks, settings, _overhead(self.spec)
            )
            self._autoscaler.start()

    def load_balancers(self) -> frozenset[str]:
        """Services, `namespace/name`, that have a load balancer of the cloud now; costs no request."""
        return self._balancers.served()

    def add_node(self, node: NodeSpec) -> None:
        """Register a node; one of that name that exists is left as it is.

        Raises:
            ApiError: the API server did not take it, for example because the cluster was deleted.
        """
        try:
            self._patiently(lambda: self._api.create("/api/v1/nodes", node_object(node)))
        except ApiError as fault:
            if not fault.conflict:
                raise

    def remove_node(self, name: str, grace_s: float | None = None, *, force: bool = True) -> None:
        """Drain a node for at most `grace_s` (None or 0: not at all), then remove it with its pods.

        Raises:
            DrainRefused: not `force`, and pods were left when the grace was over; the node stays, cordoned.
            ApiError: the API server does not answer, for example because the cluster was deleted.
        """
        self._patiently(lambda: drain.remove_node(self._api, name, grace_s or 0.0, force=force))
        self._forget(name)

    def silence_node(self, name: str) -> None:
        """Let a node's kubelet report nothing any more, and the control plane notice it in its time."""
        self._processes.silence(name)
        with self._unless_gone():
            self._patiently(lambda: self._kubelets.silence(name))
        threading.Thread(target=self._keep_silent, args=[name], name=f"silent {name}", daemon=True).start()

    def hear_node(self, name: str) -> None:
        """Let a silenced kubelet report again; gone is fine."""
        self._processes.hear(name)
        with self._unless_gone():
            self._patiently(lambda: self._kubelets.hear(name))

    def lose_node(self, name: str) -> None:
        """The node's machine is gone: notice it as a control plane does, then remove the node."""
        self._processes.lose(name)
        with self._unless_gone():
            self._patiently(lambda: self._kubelets.silence(name))
            self._deleted.wait(self._notice_s)
            self._give_up(name)
            self._patiently(lambda: drain.remove_node(self._api, name, 0.0, force=True))
        self._forget(name)

    def shut_node(self, name: str, grace_s: float) -> None:
        """Its machine shuts down: a node's pods have that long, whatever their budgets say; then it is removed."""
        with self._unless_gone():
            self._patiently(lambda: drain.shut_down(self._api, name, grace_s))
        self._forget(name)

    def _keep_silent(self, name: str) -> None:
        self._deleted.wait(self._notice_s)
        self._give_up(name)
        with self._unless_gone():
            while self._kubelets.keep_silent(name) and not self._deleted.wait(_KEEP_S):
                pass

    def _give_up(self, name: str) -> None:
        with self._unless_gone():
            self._patiently(lambda: self._kubelets.give_up(name))

    def _forget(self, name: str) -> None:
        """Another node may have the name."""
        self._kubelets.forget(name)
        self._processes.hear(name)

    @contextmanager
    def _unless_gone(self) -> Iterator[None]:
        """What happens to a node that is gone, or to one of a cluster that is, needs no more doing."""
        try:
            yield
        except ApiError as fault:
            if not (fault.not_found or self._deleted.is_set()):
                raise

    def restart_api_server(self) -> None:
        """Kill the API server and start it again; returns before it answers."""
        controlplane.restart(self.spec.home, "kube-apiserver")

    def _patiently(self, act: Callable[[], object]) -> None:
        """Act, again and again while the API server is away, as kubelets and clouds do."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                act()
            except ApiError as fault:
                away = fault.unreachable or fault.status in _AWAY
                if not away or time.monotonic() > deadline or self._deleted.wait(_RETRY_S):
                    raise
            else:
                return

    @property
    def _notice_s(self) -> float:
        return self.spec.timing.boot_delay_s * _NOTICE

    def review_token(self, token: str, audiences: Sequence[str] = ()) -> ServiceAccountRef | None:
        """Whose ServiceAccount token this is; None when the API server does not vouch for it."""
        return tokens.review(self._api, token, audiences)

    def annotations_of(self, namespace: str, service_account: str) -> Mapping[str, str] | None:
        """Annotations of a ServiceAccount; None when there is no such one.

        Raises:
            ApiError: the API server does not answer.
        """
        try:
            item = self._api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}")
        except ApiError as fault:
            if fault.not_found:
                return None
            raise
        found: Mapping[str, str] = item["metadata"].get("annotations") or {}
        return found

    def delete(self) -> None:
        """End everything of the cluster: threads, process pods, control plane, files. Idempotent."""
        with self._lock:
            if self._deleted.is_set():
                return
            self._deleted.set()
            autoscaler = self._autoscaler
        if autoscaler is not None:
            autoscaler.stop()
        for controller in self._controllers:
            controller.stop()
        with suppress(ApiError):
            self._pods.stop()
            self._nodes.stop()
        purge(self.spec.home)
        self._api.close()
        ports.release(self._ports)
        _log.info("cluster %s: deleted", self.spec.name)


def _overhead(spec: ClusterSpec) -> dict[bool, Resources]:
    """What the cloud's DaemonSets take of a node without and with GPUs."""
    result = {}
    for has_gpus in (False, True):
        total = Resources()
        for pod in spec.system_pods:
            if pod.kind is WorkloadKind.DAEMON_SET and (has_gpus or not pod.gpu_only):
                total += Resources(pod.cpu_millicores, pod.memory_bytes, 0, 1)
        result[has_gpus] = total
    return result


def _timing(spec: ClusterSpec, *, serves: bool) -> Timing:
    """A server that loads its model burns CPU that is no load: then the autoscaler looks away as on clouds."""
    if not serves:
        return spec.timing
    return replace(
        spec.timing,
        hpa_cpu_initialization_s=CLOUD.hpa_cpu_initialization_s,
        hpa_initial_readiness_s=CLOUD.hpa_initial_readiness_s,
    )
