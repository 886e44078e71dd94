"""The Kubernetes side of an emulated cluster, as its cloud uses it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from emulator.kube.spec import AutoscalerSettings, CloudHooks, ClusterSpec, NodeSpec, ServiceAccountRef


class Kube(Protocol):
    """What `emulator.kube.cluster.KubeCluster` provides."""

    @property
    def server(self) -> str:
        """URL of the API server."""
        ...

    @property
    def ca_pem(self) -> bytes:
        """The CA that signed the API server's certificate."""
        ...

    @property
    def client_cert_pem(self) -> bytes:
        """The administrator's certificate."""
        ...

    @property
    def client_key_pem(self) -> bytes:
        """The administrator's key."""
        ...

    def start(self, hooks: CloudHooks) -> None:
        """Start the controllers."""

    def add_node(self, node: NodeSpec) -> None:
        """Register a node."""

    def remove_node(self, name: str, grace_s: float | None = None, *, force: bool = True) -> None:
        """Drain and remove a node."""

    def silence_node(self, name: str) -> None:
        """Let a node's kubelet report nothing any more."""

    def hear_node(self, name: str) -> None:
        """Let a silenced kubelet report again; gone is fine."""

    def lose_node(self, name: str) -> None:
        """The node's machine is gone: notice it as a control plane does, then remove the node."""

    def shut_node(self, name: str, grace_s: float) -> None:
        """The node's machine shuts down: its pods have that long, whatever their budgets say."""

    def restart_api_server(self) -> None:
        """Kill the API server and start it again."""

    def review_token(self, token: str, audiences: tuple[str, ...] = ()) -> ServiceAccountRef | None:
        """Whose token it is."""
        ...

    def annotations_of(self, namespace: str, service_account: str) -> Mapping[str, str] | None:
        """Annotations of a ServiceAccount; None when there is no such one."""
        ...

    def set_autoscaler(self, settings: AutoscalerSettings | None) -> None:
        """Run, change or remove the cluster autoscaler."""

    def delete(self) -> None:
        """End the cluster."""


KubeFactory = Callable[[ClusterSpec], Kube]
