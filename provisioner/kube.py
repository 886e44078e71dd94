"""The cluster's API server: what is read there, and the few things that are written.

Reads raw JSON, which `core.parse` turns into frozen values at once. Errors are three: unreachable or
busy (try again), gone (forget it), denied (rights are missing).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import yaml

from catalog.names import DOMAIN, KUBECONFIG_ENV, STEPS_ASIDE_FROM_KEY, STEPS_ASIDE_KEY
from provisioner.core import parse, usage
from provisioner.core.attached import attached
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.hot_nodes import HOT, HOT_SINCE_KEY
from provisioner.core.model import Budget, Node, Pod, Scaler
from provisioner.core.opening import STARTING, own_taint, ticket
from provisioner.core.storage import KINDS, Storage
from provisioner.core.surge import TEMPLATE_HASH
from provisioner.core.usage import Usage

_PAGE: Final = 500
_TIMEOUT_S: Final = (5, 30)
_NOT_FOUND, _CONFLICT, _BUSY = 404, 409, 429
_METRICS: Final = ("metrics.k8s.io", "v1beta1")
_REFUSED: Final = (400, 401, 403, 422)
_UNTRUE: Final = (422,)
"""A JSON patch whose test does not hold: what was seen has changed."""
_NOT_A_KUBECONFIG: Final = (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError)
"""What the client raises of a file that is something else."""

T = TypeVar("T")


class KubeError(Exception):
    """A call that did not do what was asked; the class says what to do next."""


class KubeUnavailable(KubeError):
    """The API server does not answer, or not now."""


class KubeGone(KubeError):
    """The object is not there any more."""


class KubeDenied(KubeError):
    """The API server refuses: a right is missing, or the request is wrong."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Pods and nodes of one moment, and what could not be read."""

    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    unreadable: tuple[str, ...] = ()
    budgets: tuple[Budget, ...] = ()
    scalers: tuple[Scaler, ...] = ()
    storage: Storage | None = None
    daemon_sets: tuple[DaemonSet, ...] | None = None
    """None where they could not be read, or nobody looked."""


class Kube:
    """A connection to the API server, by the pod's ServiceAccount or a kubeconfig."""

    def __init__(
        self,
        core: Any,
        policies: Any = None,
        others: Any = None,
        *,
        autoscaling: Any = None,
        storage: Any = None,
        apps: Any = None,
    ) -> None:
        """Without `policies`, disruption budgets are not read: no pod is to be evicted then.

        `others` is the API of objects that have no client of their own: of measured use. Without
        `autoscaling`, no room is made for workloads that grow. Without `storage`, nothing is known of volumes,
        without `apps` nothing of DaemonSets.
        """
        self._core = core
        self._policies = policies
        self._others = others
        self._autoscaling = autoscaling
        self._storage_api = storage
        self._apps = apps

    @classmethod
    def connect(cls, *, moves_pods: bool, sees_growth: bool, measures: bool = False) -> "Kube":
        """By RIGHTSIZE_KUBECONFIG where it is set, else as a pod; raises KubeDenied when neither can be."""
        from kubernetes import client, config

        path = os.environ.get(KUBECONFIG_ENV)
        try:
            if path:
                config.load_kube_config(config_file=path)
            else:
                config.load_incluster_config()
        except (config.ConfigException, OSError) as error:
            way_out = f"run it as a pod, or set {KUBECONFIG_ENV} to a kubeconfig"
            raise KubeDenied(f"no way to reach an API server: {error}; {way_out}") from error
        policies = client.PolicyV1Api() if moves_pods else None
        autoscaling = client.AutoscalingV2Api() if sees_growth else None
        others = client.CustomObjectsApi() if measures else None
        return cls(
            client.CoreV1Api(),
            policies,
            others,
            autoscaling=autoscaling,
            storage=client.StorageV1Api(),
            apps=client.AppsV1Api(),
        )

    @classmethod
    def reading(cls, kubeconfig: str | None, context: str | None) -> "Kube":
        """By a kubeconfig, kubectl's own where none is named; asks once, for people who wait for the answer."""
        from kubernetes import client, config

        configuration = client.Configuration()
        configuration.retries = False
        try:
            config.load_kube_config(kubeconfig, context, configuration, persist_config=False)
        except (config.ConfigException, OSError, *_NOT_A_KUBECONFIG) as error:
            where = kubeconfig or "the kubeconfig"
            raise KubeDenied(f"{where}: cannot be used: {' '.join(str(error).split())}") from error
        api = client.ApiClient(configuration)
        return cls(
            client.CoreV1Api(api),
            client.PolicyV1Api(api),
            client.CustomObjectsApi(api),
            autoscaling=client.AutoscalingV2Api(api),
            storage=client.StorageV1Api(api),
            apps=client.AppsV1Api(api),
        )

    def observe(self) -> Observed:
        """Every pod, node, disruption budget, autoscaler and DaemonSet."""
        unreadable: list[str] = []
        pods = tuple(_readable(self._list(self._core.list_pod_for_all_namespaces), parse.pod, unreadable))
        nodes = tuple(_readable(self._list(self._core.list_node), parse.node, unreadable))
        budgets: tuple[Budget, ...] = ()
        if self._policies is not None:
            listed = self._list(self._policies.list_pod_disruption_budget_for_all_namespaces)
            budgets = tuple(_readable(listed, parse.budget, unreadable))
        scalers: tuple[Scaler, ...] = ()
        if self._autoscaling is not None:
            listed = self._list(self._autoscaling.list_horizontal_pod_autoscaler_for_all_namespaces)
            scalers = tuple(_readable(listed, parse.scaler, unreadable))
        storage = self._storage(unreadable) if any(pod.claims and pod.is_pending for pod in pods) else None
        daemon_sets = self._daemon_sets(unreadable)
        return Observed(
            *attached(pods, nodes, storage), tuple(unreadable), budgets, scalers, storage, daemon_sets
        )

    def _daemon_sets(self, unreadable: list[str]) -> tuple[DaemonSet, ...] | None:
        """After the pods: one whose DaemonSet came in between would count as nobody's."""
        if self._apps is None:
            return None
        try:
            listed = self._list(self._apps.list_daemon_set_for_all_namespaces)
            return tuple(_readable(listed, parse.daemon_set, unreadable))
        except KubeDenied as error:
            unreadable.append(f"daemonsets: {error}")
            return None

    def _storage(self, unreadable: list[str]) -> Storage | None:
        """What there is of volumes; None where that may not be read, so that no pod with a claim is bought for."""
        core, storage = self._core, self._storage_api
        if storage is None:
            return None
        listings = (
            core.list_persistent_volume_claim_for_all_namespaces,
            core.list_persistent_volume,
            storage.list_storage_class,
            storage.list_csi_node,
        )
        try:
            # Items of a list do not say their kind.
            objects = [
                {**item, "kind": kind}
                for kind, listing in zip(KINDS, listings, strict=True)
                for item in self._list(listing)
            ]
            return Storage.of(objects)
        except (KubeDenied, parse.Malformed) as error:
            unreadable.append(f"volumes: {error}")
            return None

    def usage(self) -> tuple[Usage, ...]:
        """What pods use now; raises KubeDenied where nothing measures it."""
        return self._measured("pods", usage.read)

    def node_usage(self) -> tuple[Usage, ...]:
        """What nodes use now; raises KubeDenied where nothing measures it."""
        return self._measured("nodes", usage.read_node)

    def _measured(self, kind: str, read: Callable[[Any], Usage]) -> tuple[Usage, ...]:
        list_all = partial(self._others.list_cluster_custom_object, *_METRICS, kind)
        try:
            return tuple(_readable(self._list(list_all), read, []))
        except KubeGone as error:
            raise KubeDenied(
                "the cluster has no metrics API (metrics.k8s.io): install metrics-server"
            ) from error

    def annotate(self, node: str, key: str, value: str | None) -> None:
        """Set an annotation of a node, or take it away."""
        self._patch(node, {"metadata": {"annotations": {key: value}}})

    def cordon(self, node: str, *, closed: bool) -> None:
        """Keep new pods off a node, or let them come again."""
        self._patch(node, {"spec": {"unschedulable": closed}})

    def heat(self, node: str, since: datetime | None) -> None:
        """Mark a node as hot since then, and keep pods off it; None takes both back.

        A patch replaces all of a node's taints: they are read first, and only that version is changed.
        """
        for raw in self._list(partial(self._core.list_node, field_selector=f"metadata.name={node}")):
            taints = [each for each in raw["spec"].get("taints") or () if each["key"] != HOT.key]
            if since is not None:
                taints.append({"key": HOT.key, "value": HOT.value, "effect": HOT.effect})
            meta = {
                "annotations": {HOT_SINCE_KEY: since and since.isoformat(timespec="seconds")},
                "resourceVersion": raw["metadata"]["resourceVersion"],
            }
            self._patch(node, {"metadata": meta, "spec": {"taints": taints}})

    def claim(self, node: Node) -> None:
        """Keep everybody off a node that has just registered, but those who are let in to it."""
        at = _shut_at(node)
        if at is not None and node.taints[at] != own_taint(node):
            value = {"op": "replace", "path": f"/spec/taints/{at}/value", "value": own_taint(node).value}
            self._patch(node.name, [_still_shut(at), value], later=_UNTRUE)

    def open(self, node: Node) -> None:
        """Let everybody come to a node."""
        at = _shut_at(node)
        if at is not None:
            gone = {"op": "remove", "path": f"/spec/taints/{at}"}
            self._patch(node.name, [_still_shut(at), gone], later=_UNTRUE)

    def let_in(self, pod: Pod, node: Node) -> None:
        """Let the scheduler put a pod on a node that others are kept off; tolerations can only be added."""
        mine = ticket(node)
        toleration = {
            "key": mine.key,
            "operator": mine.operator,
            "value": mine.value,
            "effect": mine.effect,
        }
        same = {"op": "test", "path": "/metadata/uid", "value": pod.uid}
        added = {"op": "add", "path": "/spec/tolerations/-", "value": toleration}
        first = {"op": "add", "path": "/spec/tolerations", "value": [toleration]}
        self._patch_pod(pod, [same, added if pod.tolerations else first], ignored=_UNTRUE)

    def evict(self, pod: Pod) -> None:
        """Ask for a pod's removal; what a disruption budget forbids is a KubeUnavailable."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        }
        with _translated(ignored=(_CONFLICT,)):
            self._core.create_namespaced_pod_eviction(
                pod.name, pod.namespace, body, _request_timeout=_TIMEOUT_S
            )

    def detach(self, pod: Pod, now: datetime) -> None:
        """Take the pod from its ReplicaSet, which makes another one, and mark it; a Service keeps it."""
        owner = {STEPS_ASIDE_FROM_KEY: pod.owner.uid} if pod.owner else {}
        body = {
            "metadata": {
                "uid": pod.uid,
                "labels": {TEMPLATE_HASH: None},
                "annotations": {STEPS_ASIDE_KEY: now.isoformat(timespec="seconds"), **owner},
            }
        }
        self._patch_pod(pod, body)

    def release(self, pod: Pod, gates: Iterable[str]) -> None:
        """Take scheduling gates away from a pod, and no others."""
        removed = [{"name": gate, "$patch": "delete"} for gate in gates]
        body = {"metadata": {"uid": pod.uid}, "spec": {"schedulingGates": removed}}
        self._patch_pod(pod, body)

    def tell(self, pod: Pod, reason: str, message: str, now: datetime) -> None:
        """An event on a pod; saying the same again does nothing."""
        digest = hashlib.sha256(f"{pod.uid}{reason}{message}".encode()).hexdigest()[:16]
        body = {
            "metadata": {"name": f"{pod.name[:200]}.{digest}", "namespace": pod.namespace},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": pod.namespace,
                "name": pod.name,
                "uid": pod.uid,
            },
            "reason": reason,
            "message": message[:1024],
            "type": "Normal",
            "firstTimestamp": now.isoformat(),
            "lastTimestamp": now.isoformat(),
            "count": 1,
            "source": {"component": f"{DOMAIN}/provisioner"},
            "reportingComponent": f"{DOMAIN}/provisioner",
        }
        with _translated(ignored=(_CONFLICT,)):
            self._core.create_namespaced_event(pod.namespace, body, _request_timeout=_TIMEOUT_S)

    def _patch(self, node: str, body: Any, *, later: tuple[int, ...] = ()) -> None:
        with _translated(later=later):
            self._core.patch_node(node, body, _request_timeout=_TIMEOUT_S)

    def _patch_pod(self, pod: Pod, body: Any, *, ignored: tuple[int, ...] = ()) -> None:
        """Change a pod; another one of its name, which the body's uid tells, is let be."""
        with _translated(ignored=(_CONFLICT, *ignored)):
            self._core.patch_namespaced_pod(pod.name, pod.namespace, body, _request_timeout=_TIMEOUT_S)

    def _list(self, call: Callable[..., Any]) -> Iterator[Any]:
        token: str | None = None
        while True:
            with _translated():
                options = {"_continue": token} if token else {}
                answer = call(limit=_PAGE, _preload_content=False, _request_timeout=_TIMEOUT_S, **options)
                page = json.loads(answer.data)
            yield from page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return


def _shut_at(node: Node) -> int | None:
    """The place in the list of the taint that a node registered with."""
    return next((at for at, taint in enumerate(node.taints) if taint.key == STARTING.key), None)


def _still_shut(at: int) -> dict[str, Any]:
    """Taints are changed by their place in the list, which must not have changed meanwhile."""
    return {"op": "test", "path": f"/spec/taints/{at}/key", "value": STARTING.key}


def _readable(items: Iterator[Any], read: Callable[[Any], T], unreadable: list[str]) -> Iterator[T]:
    for item in items:
        try:
            yield read(item)
        except parse.Malformed as error:
            unreadable.append(str(error))


@contextmanager
def _translated(ignored: tuple[int, ...] = (), later: tuple[int, ...] = ()) -> Iterator[None]:
    import urllib3
    from kubernetes.client.exceptions import ApiException

    try:
        yield
    except ApiException as error:
        if error.status in ignored:
            return
        said = _message(error)
        if error.status == _NOT_FOUND:
            raise KubeGone(said) from error
        if error.status in _REFUSED and error.status not in later:
            raise KubeDenied(said) from error
        raise KubeUnavailable(said) from error
    except (urllib3.exceptions.HTTPError, OSError, json.JSONDecodeError, KeyError) as error:
        raise KubeUnavailable(f"the API server does not answer: {error}") from error


def _message(error: Any) -> str:
    try:
        return f"{error.status}: {json.loads(error.body)['message']}"
    except (TypeError, ValueError, KeyError):
        return f"{error.status}: {error.reason}"
