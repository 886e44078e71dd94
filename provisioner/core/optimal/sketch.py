"""An answer while it is being improved: what is in free rooms, and the nodes to buy."""

from dataclasses import dataclass

from provisioner.core.optimal.bins import Bin, Load


@dataclass(frozen=True, slots=True)
class Sketch:
    """Loads of rooms, one for each, and nodes with theirs; what is on neither stays out."""

    rooms: tuple[Load, ...]
    bins: tuple[Bin, ...]

    @property
    def price(self) -> float:
        """Of the nodes together."""
        return sum(each.price for each in self.bins)
