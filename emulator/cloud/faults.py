"""The register of faults: which hold now, and the questions that a cloud asks about them.

Every call takes the time. What strikes a share of requests is drawn from the fault's id and a count,
so the same requests meet the same faults again.
"""

import hashlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from emulator.cloud import fault as kinds
from emulator.cloud.fault import Fault

_DRAWS: Final = 1 << 32

Kind = TypeVar("Kind")


@dataclass(slots=True)
class Injected:
    """A fault with its life so far; changed only by the register."""

    id: str
    fault: Fault
    cloud: str | None
    """The one cloud in which it holds; None: in each."""
    since: float
    until: float | None
    """When it is over; None: when it is cleared."""
    struck: int = 0
    drawn: int = 0
    """Requests that might have been struck."""

    def json_value(self) -> dict[str, Any]:
        """As the command prints it."""
        return {
            "id": self.id,
            "kind": kinds.name_of(self.fault),
            "arguments": kinds.arguments_of(self.fault),
            "cloud": self.cloud,
            "since": self.since,
            "until": self.until,
            "struck": self.struck,
        }


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a request meets."""

    trouble: int | None = None
    """It fails; which of the cloud's troubles, counted on."""
    loses_reply: bool = False


class Faults:
    """Every fault of an emulator; safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._holding: dict[str, Injected] = {}

    def inject(self, fault: Fault, cloud: str | None, now: float) -> Injected:
        """Begin a fault, in one cloud or (None) in each."""
        lasts_s = kinds.lasts_s(fault)
        with self._lock:
            injected = Injected(
                f"fault-{next(self._numbers)}", fault, cloud, now, None if lasts_s is None else now + lasts_s
            )
            self._holding[injected.id] = injected
        return injected

    def holding(self, now: float) -> tuple[Injected, ...]:
        """Those that hold at that time, oldest first; what is over is forgotten."""
        with self._lock:
            self._holding = {
                key: each for key, each in self._holding.items() if each.until is None or now < each.until
            }
            return tuple(self._holding.values())

    def holds(self, fault_id: str, now: float) -> bool:
        """Whether a fault is not over."""
        return any(each.id == fault_id for each in self.holding(now))

    def clear(self, fault_id: str | None, now: float) -> tuple[Injected, ...]:
        """End a fault, or (None) all of them; returns what has ended."""
        with self._lock:
            ended = tuple(each for each in self.holding(now) if fault_id in {None, each.id})
            for each in ended:
                self.end(each, now)
        return ended

    def end(self, injected: Injected, now: float) -> None:
        """It is over."""
        with self._lock:
            injected.until = now
            self._holding.pop(injected.id, None)

    def strike(self, injected: Injected) -> None:
        """Count that it made a difference."""
        with self._lock:
            injected.struck += 1

    def use_up(self, injected: Injected, times: int, now: float) -> bool:
        """Strike with a fault that strikes so many times; False when it has done so already."""
        with self._lock:
            if injected.struck >= times:
                return False
            injected.struck += 1
            if injected.struck == times:
                self.end(injected, now)
            return True

    def draw(self, injected: Injected, rate: float) -> bool:
        """Whether it strikes now, which it does for that share of the draws."""
        with self._lock:
            injected.drawn += 1
            strikes = _drawn(f"{injected.id}/{injected.drawn}") < rate
            injected.struck += strikes
        return strikes

    def of(self, cloud: str) -> "CloudFaults":
        """What holds in one cloud."""
        return CloudFaults(self, cloud)


class CloudFaults:
    """The questions of one cloud."""

    def __init__(self, faults: Faults, cloud: str) -> None:
        self._faults = faults
        self._cloud = cloud

    def is_sold_out(self, shape: str, zone: str, now: float) -> bool:
        """Whether a zone has no machine of a shape left, when one is wanted."""
        for injected, fault in self._holding(kinds.Stockout, now):
            if fault.shape == shape and fault.zone in {None, zone}:
                self._faults.strike(injected)
                return True
        return False

    def quotas(self, now: float) -> dict[str, int]:
        """Limits by shape; of several for one shape the newest counts."""
        return {fault.shape: fault.limit for _, fault in self._holding(kinds.Quota, now)}

    def meeting(self, service: str, now: float, *, changes: bool) -> Meeting:
        """What a request to a service meets, which changes something or only asks."""
        for injected, trouble in self._holding(kinds.ApiError, now):
            if trouble.service == service and self._faults.draw(injected, trouble.rate):
                return Meeting(trouble=injected.struck - 1)
        if changes:
            for injected, lost in self._holding(kinds.LostReply, now):
                if self._faults.draw(injected, lost.rate):
                    return Meeting(loses_reply=True)
        return Meeting()

    def behind_s(self, now: float) -> float:
        """How old lists are; 0: they show what is there."""
        return max((fault.behind_s for _, fault in self._holding(kinds.StaleList, now)), default=0.0)

    def note_stale(self, now: float) -> None:
        """A list has shown what was."""
        for injected, _ in self._holding(kinds.StaleList, now):
            self._faults.strike(injected)

    def boot_s(self, usual_s: float, now: float) -> float:
        """How long a machine that is launched now takes to become a node."""
        slow = tuple(self._holding(kinds.SlowBoot, now))
        if not slow:
            return usual_s
        injected, fault = slow[-1]
        self._faults.strike(injected)
        return fault.takes_s

    def joins(self, now: float) -> bool:
        """Whether a machine that has booted becomes a node; asked once for each machine."""
        return not any(
            self._faults.use_up(injected, fault.count, now)
            for injected, fault in self._holding(kinds.NeverJoin, now)
        )

    def discontinued(self, now: float) -> frozenset[str]:
        """Shapes that are not offered any more."""
        return frozenset(fault.shape for _, fault in self._holding(kinds.Discontinue, now))

    def note(self, kind: type[kinds.Quota | kinds.Discontinue], shape: str, now: float) -> None:
        """A fault of that kind has kept a machine of a shape from being had."""
        for injected, fault in self._holding(kind, now):
            if fault.shape == shape:
                self._faults.strike(injected)

    def _holding(self, kind: type[Kind], now: float) -> Iterator[tuple[Injected, Kind]]:
        for injected in self._faults.holding(now):
            if isinstance(injected.fault, kind) and injected.cloud in {None, self._cloud}:
                yield injected, injected.fault


def _drawn(text: str) -> float:
    """A number from 0 to below 1 that stands for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / _DRAWS
