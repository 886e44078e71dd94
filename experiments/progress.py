"""What a run is doing, a line for each variant: live on a terminal, plain lines elsewhere."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

PLAIN_PERIOD_S: Final = 10.0
"""Without a terminal: a line at least this long after the variant's last, or when it goes on."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a variant now; `doing` is a phase or an operating point."""

    doing: str
    waits_for: str = ""
    replicas: str = ""
    nodes: int | None = None
    price_per_hour: Decimal | None = None

    @property
    def figures(self) -> str:
        """Replicas, nodes and price in one phrase; empty before there are any."""
        if self.nodes is None or self.price_per_hour is None:
            return ""
        return f"{self.replicas}, {self.nodes} nodes, ${self.price_per_hour:.4f}/h"


class Board(Protocol):
    """Where statuses are shown; may be called from several threads."""

    def show(self, variant: str, status: Status) -> None:
        """Show the latest status of a variant."""


class LiveBoard:
    """A table on a terminal, drawn again as it changes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._statuses: dict[str, Status] = {}

    def show(self, variant: str, status: Status) -> None:
        """Show the latest status of a variant."""
        self._statuses[variant] = status

    def render(self) -> Table:
        """The table as it is now."""
        table = Table(box=None, padding=(0, 2, 0, 0), title=None)
        for heading in (
            f"{_elapsed(self._clock() - self._began)}",
            "at",
            "replicas",
            "nodes",
            "$/h",
            "waits for",
        ):
            table.add_column(heading, no_wrap=heading != "waits for", overflow="ellipsis")
        for variant, status in list(self._statuses.items()):
            nodes = "" if status.nodes is None else str(status.nodes)
            price = "" if status.price_per_hour is None else f"{status.price_per_hour:.4f}"
            table.add_row(variant, status.doing, status.replicas, nodes, price, status.waits_for)
        return table


class PlainBoard:
    """Lines in a log: one when a variant goes on, and one now and then while it waits."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._last: dict[str, tuple[float, Status]] = {}

    def show(self, variant: str, status: Status) -> None:
        """Print the status, unless the variant's last line says enough."""
        now = self._clock()
        with self._lock:
            printed_at, last = self._last.get(variant, (float("-inf"), Status("")))
            if status.doing == last.doing and (status == last or now - printed_at < PLAIN_PERIOD_S):
                return
            self._last[variant] = (now, status)
        waits = f"waits for {status.waits_for}" if status.waits_for else ""
        words = "; ".join(part for part in (status.doing, status.figures, waits) if part)
        self._console.print(
            f"{_elapsed(now - self._began):>7}  {variant}: {words}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


@contextmanager
def board(console: Console, clock: Callable[[], float]) -> Iterator[Board]:
    """A board that fits the console, for the time of a run."""
    if not console.is_terminal:
        yield PlainBoard(console, clock)
        return
    shown = LiveBoard(clock)
    with Live(get_renderable=shown.render, console=console, refresh_per_second=2):
        yield shown


def _elapsed(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
