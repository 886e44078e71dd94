"""What a run is asked to measure."""

from dataclasses import dataclass
from pathlib import Path

from experiments.published import Settings, published


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure: the choices of the command line."""

    command: str
    cloud: str
    variants: tuple[str, ...]
    points: tuple[str, ...]
    published: bool
    out: Path

    @property
    def settings(self) -> Settings | None:
        """The settings that reproduce the published tables, if that is what is wanted."""
        return published().clouds[self.cloud].reproduced_by if self.published else None
