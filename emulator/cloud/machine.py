"""What an emulated cloud takes from the machine it runs on, and what it publishes there."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from emulator.cloud.faults import Faults
from emulator.cloud.kube import Kube, KubeFactory

_LONGEST: Final = 40


class Published(Protocol):
    """A cluster, as far as the outside sees it."""

    @property
    def id(self) -> str:
        """By which its cloud knows it."""
        ...

    @property
    def context(self) -> str:
        """Name of its context in the merged kubeconfig."""
        ...

    @property
    def credential(self) -> str:
        """By what the stand-in of its cloud's command asks for it; the name of a file."""
        ...

    @property
    def kube(self) -> Kube | None:
        """Its Kubernetes side, once there is one."""
        ...

    @property
    def usable(self) -> bool:
        """Whether its API server answers, and goes on to."""
        ...

    @property
    def gone(self) -> bool:
        """Whether it is deleted, or will be."""
        ...


class ContextNames:
    """Names of contexts, unique among all clouds of the machine; safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    def take(self, stack: str) -> str:
        """A name like the stack's that no other cluster has."""
        letters = (letter if letter.isalnum() or letter in "-_" else "-" for letter in stack)
        safe = "".join(letters)[:_LONGEST] or "cluster"
        number = 1
        with self._lock:
            while (name := safe if number == 1 else f"{safe}-{number}") in self._taken:
                number += 1
            self._taken.add(name)
        return name

    def release(self, name: str) -> None:
        """Its cluster is gone; one that nobody has is left alone."""
        with self._lock:
            self._taken.discard(name)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a cloud takes from the machine it runs on."""

    make_kube: KubeFactory
    clusters_home: Path
    account_home: Path
    on_context: Callable[[Published], None]
    """A cluster has become usable: publish its credentials."""
    off_context: Callable[[Published], None]
    names: ContextNames = field(default_factory=ContextNames)
    faults: Faults = field(default_factory=Faults)
    """What goes wrong in its clouds."""
