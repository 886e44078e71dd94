"""What can be made to go wrong: one frozen value for each kind of fault.

Durations are seconds. A fault that has `for_s` ends by itself, one that is `HAPPENS` is over at
once, any other holds until it is cleared.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

CONTAINER: Final = "container"
COMPUTE: Final = "compute"
NETWORK: Final = "network"
IDENTITY: Final = "identity"
SERVICES: Final = (CONTAINER, COMPUTE, NETWORK, IDENTITY)
"""Of a cloud: container engine, machines and their limits, virtual networks, identity."""


@dataclass(frozen=True, slots=True)
class Stockout:
    """The cloud has no machine of a shape left, in a zone or (None) in all."""

    shape: str
    zone: str | None
    for_s: float


@dataclass(frozen=True, slots=True)
class Quota:
    """The account may have that many cores (or GPUs) of a shape's family."""

    shape: str
    limit: int


@dataclass(frozen=True, slots=True)
class ApiError:
    """A share of the requests to a service fails."""

    service: str
    rate: float
    for_s: float


@dataclass(frozen=True, slots=True)
class LostReply:
    """A share of the requests that change something is carried out, and the connection breaks."""

    rate: float
    for_s: float


@dataclass(frozen=True, slots=True)
class StaleList:
    """Lists show what was there that long ago."""

    behind_s: float


@dataclass(frozen=True, slots=True)
class SlowBoot:
    """Machines that are launched from now on take that long to become nodes."""

    takes_s: float


@dataclass(frozen=True, slots=True)
class NeverJoin:
    """The next so many machines boot, cost money and never become nodes."""

    count: int


@dataclass(frozen=True, slots=True)
class NotReady:
    """The kubelet of a node reports nothing for that long."""

    node: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Vanish:
    """The machine of a node is gone, and nobody was told."""

    node: str


@dataclass(frozen=True, slots=True)
class SpotReclaim:
    """The cloud takes the machine of a spot node back, with its notice."""

    node: str


@dataclass(frozen=True, slots=True)
class Discontinue:
    """A shape is not offered any more; what runs stays."""

    shape: str


@dataclass(frozen=True, slots=True)
class ApiServerRestart:
    """The API server of every cluster is killed, and comes back."""


Fault = (
    Stockout
    | Quota
    | ApiError
    | LostReply
    | StaleList
    | SlowBoot
    | NeverJoin
    | NotReady
    | Vanish
    | SpotReclaim
    | Discontinue
    | ApiServerRestart
)
KINDS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "stockout": Stockout,
        "quota": Quota,
        "api-error": ApiError,
        "lost-reply": LostReply,
        "stale-list": StaleList,
        "slow-boot": SlowBoot,
        "never-join": NeverJoin,
        "not-ready": NotReady,
        "vanish": Vanish,
        "spot-reclaim": SpotReclaim,
        "discontinue": Discontinue,
        "apiserver-restart": ApiServerRestart,
    }
)
"""As the command calls them."""
HAPPENS: Final = (Vanish, SpotReclaim, ApiServerRestart)
"""Kinds that are over when they have struck."""


def name_of(fault: Fault) -> str:
    """The kind, as the command calls it."""
    return next(name for name, kind in KINDS.items() if isinstance(fault, kind))


def arguments_of(fault: Fault) -> dict[str, Any]:
    """What the kind was given, by name."""
    return asdict(fault)


def lasts_s(fault: Fault) -> float | None:
    """How long it lasts; None when it does not end by itself."""
    duration: float | None = getattr(fault, "for_s", None)
    return 0.0 if isinstance(fault, HAPPENS) else duration
