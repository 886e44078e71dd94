"""What the controller asks of Kubernetes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from provisioner.core.model import Node, Pod
from provisioner.core.usage import Usage
from provisioner.kube import Observed


class Cluster(Protocol):
    """What the loop needs of Kubernetes; `provisioner.kube.Kube` is it."""

    def observe(self) -> Observed:
        """Every pod and node."""

    def annotate(self, node: str, key: str, value: str | None) -> None:
        """Set an annotation of a node, or take it away."""

    def cordon(self, node: str, *, closed: bool) -> None:
        """Keep new pods off a node, or let them come again."""

    def usage(self) -> tuple[Usage, ...]:
        """What pods use now."""

    def node_usage(self) -> tuple[Usage, ...]:
        """What nodes use now."""

    def heat(self, node: str, since: datetime | None) -> None:
        """Mark a node as hot since then, and keep pods off it; None takes both back."""

    def evict(self, pod: Pod) -> None:
        """Ask for a pod's removal; disruption budgets are asked."""

    def detach(self, pod: Pod, now: datetime) -> None:
        """Have the pod's ReplicaSet replace it while it goes on serving."""

    def release(self, pod: Pod, gates: Iterable[str]) -> None:
        """Take scheduling gates away from a pod."""

    def let_in(self, pod: Pod, node: Node) -> None:
        """Let the scheduler put a pod on a node that others are kept off."""

    def claim(self, node: Node) -> None:
        """Keep everybody off a node but those who are let in to it."""

    def open(self, node: Node) -> None:
        """Let everybody come to a node."""

    def tell(self, pod: Pod, reason: str, message: str, now: datetime) -> None:
        """An event on a pod."""
