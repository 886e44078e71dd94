"""DaemonSets of the cluster: what they take of a node that is to be bought, before it is there.

The catalog counts those that the cloud is documented to run. Whatever else the cluster runs on every node of
a kind is read, so that the first node that is bought of it is large enough already.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from catalog import allocatable
from provisioner.core.model import HostPort, Pod, Taint
from provisioner.core.resources import NOTHING, Resources

CLOUDS_NAMESPACES: Final = ("kube-system", "gke-managed-system")
"""Where clouds run their own."""


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """A DaemonSet, and the pod that it makes for each node."""

    pod: Pod
    """By the DaemonSet's own namespace and name."""
    uid: str = ""

    def __hash__(self) -> int:
        """By identity alone, which is quick: amounts cannot be hashed."""
        return hash(self.uid)

    def runs_on(self, labels: Mapping[str, str], taints: Iterable[Taint]) -> bool:
        """Whether nodes with these have a pod of it, whatever they are called."""
        pod = self.pod
        return (
            pod.node_selector.items() <= labels.items()
            and (pod.node_affinity is None or any(term.holds(labels, "") for term in pod.node_affinity))
            and all(pod.tolerates(taint) for taint in taints if taint.repels)
        )


@dataclass(frozen=True, slots=True)
class Own:
    """What DaemonSets take of a new node."""

    beyond: Resources = NOTHING
    """More than the catalog counts already."""
    host_ports: tuple[HostPort, ...] = ()


NO_MORE: Final = Own()


def own_of(running: Iterable[DaemonSet], documented: Iterable[allocatable.DaemonSet]) -> Own:
    """What those that run on a node take, given those that the catalog counts there.

    One that the catalog counts by name counts by the larger of both, amount by amount. What the catalog counts and
    the cluster does not have stays counted: it may be on its way, or a static pod.
    """
    counted = {each.name: Resources(each.cpu_millicores, each.memory_bytes, pods=1) for each in documented}
    asked: dict[str, Resources] = defaultdict(Resources)
    ports: list[HostPort] = []
    for each in running:
        name = _documented_as(each, counted)
        asked[name] = asked[name] + each.pod.requests
        ports += each.pod.host_ports
    beyond = NOTHING
    for name, requests in asked.items():
        there = counted.get(name, NOTHING)
        beyond = beyond + (requests.largest(there) - there)
    return Own(beyond, tuple(ports))


def _documented_as(daemon_set: DaemonSet, names: Iterable[str]) -> str:
    """Its name in the catalog; clouds run variants of one by longer names. Empty: it is not there."""
    if daemon_set.pod.namespace not in CLOUDS_NAMESPACES:
        return ""
    own = daemon_set.pod.name
    return max((name for name in names if own == name or own.startswith(f"{name}-")), key=len, default="")
