"""Stands in for what an emulated cloud stands on: the clock, the machine, Kubernetes itself."""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emulator.cloud.machine import Machine, Published
from emulator.kube.drain import DrainRefused
from emulator.kube.spec import (
    AutoscalerSettings,
    CloudHooks,
    ClusterFailed,
    ClusterSpec,
    NodeSpec,
    ServiceAccountRef,
)


def service_account_token(name: str) -> str:
    """A token in the form that the SDK looks at before it sends it: a JWT that has not expired."""
    claims = {"sub": name, "iat": 1_700_000_000, "exp": 4_000_000_000}
    parts = ({"alg": "RS256"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJl"))


TOKEN = service_account_token("provisioner")
"""The one token that `FakeKube` vouches for."""


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.waits: list[float] = []
        self.gate: threading.Event | None = None
        """When set, whoever waits waits for it."""

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        if self.gate is not None:
            assert self.gate.wait(30)
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class FakeKube:
    """Remembers what it was asked; drains are refused for the nodes in `stuck`."""

    spec: ClusterSpec
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    removed: list[tuple[str, float | None, bool]] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    hooks: CloudHooks | None = None
    autoscaler: AutoscalerSettings | None = None
    annotations: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    deleted: bool = False
    events: list[tuple[str, str]] = field(default_factory=list)
    """What befell kubelets, nodes and the API server, in order."""
    gate: threading.Event | None = None
    """When set, `add_node` waits for it."""
    server: str = "https://127.0.0.1:6443"
    ca_pem: bytes = b"ca"
    client_cert_pem: bytes = b"certificate"
    client_key_pem: bytes = b"key"

    def start(self, hooks: CloudHooks) -> None:
        self.hooks = hooks

    def add_node(self, node: NodeSpec) -> None:
        if self.gate is not None:
            assert self.gate.wait(30)
        self.nodes[node.name] = node

    def remove_node(self, name: str, grace_s: float | None = None, *, force: bool = True) -> None:
        self.removed.append((name, grace_s, force))
        if name in self.stuck and not force:
            raise DrainRefused(name, ["default/pod"])
        self.nodes.pop(name, None)

    def silence_node(self, name: str) -> None:
        self.events.append(("silenced", name))

    def hear_node(self, name: str) -> None:
        self.events.append(("heard", name))

    def lose_node(self, name: str) -> None:
        self.events.append(("lost", name))
        self.nodes.pop(name, None)

    def shut_node(self, name: str, grace_s: float) -> None:
        self.events.append(("shut", name))
        self.removed.append((name, grace_s, True))
        self.nodes.pop(name, None)

    def restart_api_server(self) -> None:
        self.events.append(("restarted", "API server"))

    def review_token(self, token: str, audiences: tuple[str, ...] = ()) -> ServiceAccountRef | None:  # noqa: ARG002 - the fake's token has none
        return ServiceAccountRef("rightsize-system", "provisioner", "uid") if token == TOKEN else None

    def annotations_of(self, namespace: str, service_account: str) -> Mapping[str, str] | None:
        return self.annotations.get((namespace, service_account))

    def set_autoscaler(self, settings: AutoscalerSettings | None) -> None:
        self.autoscaler = settings

    def delete(self) -> None:
        self.deleted = True


class FakeComputer:
    """What a cloud takes from the machine it runs on, and what it published there."""

    def __init__(self, home: Path) -> None:
        self.kubes: list[FakeKube] = []
        self.failure: str | None = None
        """When set, clusters cannot be made, for this reason."""
        self.published: list[str] = []
        self.machine = Machine(
            make_kube=self._make_kube,
            clusters_home=home / "clusters",
            account_home=home / "account",
            on_context=lambda cluster: self.published.append(cluster.context),
            off_context=self._unpublish,
        )

    def _make_kube(self, spec: ClusterSpec) -> FakeKube:
        if self.failure is not None:
            raise ClusterFailed(self.failure)
        kube = FakeKube(spec)
        self.kubes.append(kube)
        return kube

    def _unpublish(self, cluster: Published) -> None:
        if cluster.context in self.published:
            self.published.remove(cluster.context)
