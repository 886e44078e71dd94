"""The one file from which kwokctl makes a whole cluster: pure text, from ports, paths and pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from catalog.timing import Timing
from emulator.kube import stages
from emulator.kube.ports import Ports

_SERVICE_RANGE: Final = "10.96.0.0/16"
_POD_RANGE: Final = "10.244.0.0/16"
_ADVERTISED: Final = "10.0.0.1"
"""kube-apiserver finds no address of its own on a machine with only a loopback interface, and 127.x is
refused as an endpoint: an invented one does."""
_KUBELET_ADDRESSES: Final = "InternalDNS,Hostname"
"""Nodes carry `InternalDNS: localhost`, where kwok listens; their InternalIP is only for show."""
_SET_BY_KWOKCTL: Final = frozenset(
    {("metrics-server", "metric-resolution"), ("metrics-server", "kubelet-preferred-address-types")}
)
"""Given twice, such an argument would be ambiguous; and to override another one does nothing."""
_KUBELET_TIMEOUT: Final = "5s"
"""Must be shorter than the scrape interval."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Paths of the control plane's components."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kwok: Path
    metrics_server: Path


@dataclass(frozen=True, slots=True)
class Layout:
    """What differs between two clusters of one pace."""

    name: str
    binaries: Binaries
    ports: Ports
    metrics_manifests: Path


def render(layout: Layout, timing: Timing, process_repositories: Sequence[str]) -> str:
    """Text of the configuration file."""
    documents = [_kwokctl(layout, timing), _kwok(), *stages.documents(process_repositories)]
    return yaml.safe_dump_all(documents, sort_keys=False)


def _kwokctl(layout: Layout, timing: Timing) -> dict[str, Any]:
    return {
        "kind": "KwokctlConfiguration",
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "metadata": {"name": layout.name},
        "options": {
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "enable": ["metrics-server"],
            # Only the kinds that are created while the cluster runs.
            "enableCRDs": ["Logs", "Exec"],
            "metricsServerManifests": [str(layout.metrics_manifests)],
            "disableQPSLimits": True,
            **_paths(layout.binaries),
            **_ports(layout.ports),
        },
        "componentsPatches": [
            _patch(
                "kube-apiserver",
                {
                    "enable-admission-plugins": "ExtendedResourceToleration",
                    "advertise-address": _ADVERTISED,
                    "kubelet-preferred-address-types": _KUBELET_ADDRESSES,
                    "service-cluster-ip-range": _SERVICE_RANGE,
                },
            ),
            _patch("kube-controller-manager", _controller_manager(timing)),
            _patch("metrics-server", _metrics_server(timing)),
        ],
    }


def _controller_manager(timing: Timing) -> dict[str, str]:
    hpa = "horizontal-pod-autoscaler"
    return {
        f"{hpa}-sync-period": f"{timing.hpa_sync_s}s",
        f"{hpa}-cpu-initialization-period": f"{timing.hpa_cpu_initialization_s}s",
        f"{hpa}-initial-readiness-delay": f"{timing.hpa_initial_readiness_s}s",
    }


def _metrics_server(timing: Timing) -> dict[str, str]:
    return {
        "metric-resolution": f"{timing.metric_resolution_s}s",
        "kubelet-request-timeout": _KUBELET_TIMEOUT,
        "kubelet-preferred-address-types": _KUBELET_ADDRESSES,
    }


def _patch(component: str, arguments: dict[str, str]) -> dict[str, Any]:
    """Arguments of a component: those kwokctl sets itself are overridden, others added."""
    extra = [
        {"key": key, "value": value, "override": (component, key) in _SET_BY_KWOKCTL}
        for key, value in arguments.items()
    ]
    return {"name": component, "extraArgs": extra}


def _paths(binaries: Binaries) -> dict[str, str]:
    return {
        "etcdBinary": str(binaries.etcd),
        "kubeApiserverBinary": str(binaries.kube_apiserver),
        "kubeControllerManagerBinary": str(binaries.kube_controller_manager),
        "kubeSchedulerBinary": str(binaries.kube_scheduler),
        "kwokControllerBinary": str(binaries.kwok),
        "metricsServerBinary": str(binaries.metrics_server),
    }


def _ports(ports: Ports) -> dict[str, int]:
    return {
        "kubeApiserverPort": ports.kube_apiserver,
        "etcdPort": ports.etcd,
        "etcdPeerPort": ports.etcd_peer,
        "kwokControllerPort": ports.kwok_controller,
        "kubeControllerManagerPort": ports.kube_controller_manager,
        "kubeSchedulerPort": ports.kube_scheduler,
        "metricsServerPort": ports.metrics_server,
    }


def _kwok() -> dict[str, Any]:
    # kwok takes no defaults beside a given configuration: without any of these it ends or does nothing.
    return {
        "kind": "KwokConfiguration",
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "metadata": {"name": "kwok"},
        "options": {
            "cidr": _POD_RANGE,
            "enableDebuggingHandlers": True,
            "podPlayStageParallelism": 4,
            "nodePlayStageParallelism": 4,
            "nodeLeaseParallelism": 4,
            "podsOnNodeSyncParallelism": 1,
            "enablePodsOnNodeSyncListPager": True,
            "enablePodsOnNodeSyncStreamWatch": False,
        },
    }
