"""Amounts that pods ask for and nodes have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Resources:
    """CPU in millicores, memory in bytes, GPUs, pods, and whatever else has a name.

    Extended resources (and ephemeral storage) are counted in whole units, by name.
    """

    cpu_millicores: int = 0
    memory_bytes: int = 0
    gpus: int = 0
    pods: int = 0
    extended: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Resources") -> "Resources":
        return self._joined(other, 1)

    def __sub__(self, other: "Resources") -> "Resources":
        return self._joined(other, -1)

    def _joined(self, other: "Resources", sign: int) -> "Resources":
        extended = self.extended
        if other.extended:
            names = sorted({*self.extended, *other.extended})
            extended = {
                name: self.extended.get(name, 0) + sign * other.extended.get(name, 0) for name in names
            }
        return Resources(
            self.cpu_millicores + sign * other.cpu_millicores,
            self.memory_bytes + sign * other.memory_bytes,
            self.gpus + sign * other.gpus,
            self.pods + sign * other.pods,
            extended,
        )

    def fits(self, room: "Resources") -> bool:
        """Whether the room has at least this much of everything that is asked for.

        As the kube-scheduler has it: what is not asked for does not count, so a pod that asks for
        no CPU fits where CPU is overcommitted.
        """
        return not self.lacking(room)

    def lacking(self, room: "Resources") -> tuple[str, ...]:
        """Names of what the room has too little of."""
        pairs = (
            ("cpu", self.cpu_millicores, room.cpu_millicores),
            ("memory", self.memory_bytes, room.memory_bytes),
            ("gpu", self.gpus, room.gpus),
            ("pods", self.pods, room.pods),
            *((name, amount, room.extended.get(name, 0)) for name, amount in self.extended.items()),
        )
        return tuple(name for name, asked, there in pairs if asked > 0 and asked > there)

    def largest(self, other: "Resources") -> "Resources":
        """The larger of the two in each amount."""
        names = sorted({*self.extended, *other.extended})
        return Resources(
            max(self.cpu_millicores, other.cpu_millicores),
            max(self.memory_bytes, other.memory_bytes),
            max(self.gpus, other.gpus),
            max(self.pods, other.pods),
            {name: max(self.extended.get(name, 0), other.extended.get(name, 0)) for name in names},
        )


NOTHING: Final = Resources()
ONE_POD: Final = Resources(pods=1)
