"""What machine a node is: its instance type, and the size that it shows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from experiments.reading import Item, labels_of
from provisioner.core.quantity import millis, whole

SHAPE_LABEL: Final = "node.kubernetes.io/instance-type"
GPUS: Final = "nvidia.com/gpu"
GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance type and its size."""

    shape: str
    vcpus: Fraction
    gib: int
    gpus: int

    def __str__(self) -> str:
        """The machine in words, the same for every node alike."""
        gpus = f", {self.gpus} GPU" if self.gpus else ""
        return f"{self.shape or 'unnamed type'}, {float(self.vcpus):g} vCPU, {self.gib} GiB{gpus}"


def machine_of(node: Item) -> Machine:
    """The machine that a node says it is; what it does not say is empty or 0."""
    capacity = node["status"].get("capacity", {})
    return Machine(
        shape=labels_of(node).get(SHAPE_LABEL, ""),
        vcpus=Fraction(millis(capacity.get("cpu", "0")), 1000),
        # The kernel keeps a little for itself: a 32 GiB machine shows some 31.3 GiB.
        gib=ceil(Fraction(whole(capacity.get("memory", "0")), GIB)),
        gpus=int(capacity.get(GPUS, 0)),
    )


def machines(nodes: Iterable[Item]) -> dict[str, int]:
    """How many nodes there are of each machine, by its name."""
    return dict(sorted(Counter(str(machine_of(node)) for node in nodes).items()))
