"""What a run is asked to measure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from experiments.published import Settings, published

MODELLED: Final = "modelled"
REAL: Final = "real"


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure: the choices of the command line."""

    command: str
    cloud: str
    variants: tuple[str, ...]
    points: tuple[str, ...]
    published: bool
    out: Path
    serving: str = MODELLED
    connections: int = 0
    """Of real load in its published form, so many requests in flight; 0: at stated rates."""
    config: tuple[tuple[str, str], ...] = ()
    """Settings of the stacks, beside or instead of their own; a key may be a path."""
    registry: str = ""
    """What has the image of the load generator, on a real cluster."""

    @property
    def serves(self) -> bool:
        """Whether model servers answer for real."""
        return self.serving == REAL

    @property
    def settings(self) -> Settings | None:
        """The settings that reproduce the published tables, if that is what is wanted."""
        return published().clouds[self.cloud].reproduced_by if self.published else None
