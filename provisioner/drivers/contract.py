"""What a cloud has to be able to do for us, and how its errors say what happens next.

The contract of every driver:

- *Eventually consistent.* `pools` may lag behind the cloud, never behind the driver itself: what was
  launched or terminated through this driver is in its answer at once, until the cloud's own lists
  have caught up.
- *Asynchronous.* A call returns when the cloud has taken the order. Machines appear in `pools`; what
  went wrong later is in `failures`.
- *Safe to repeat.* A launch decided on the last `pools` buys once, also when its reply was lost and
  it is made again with the same token: what came of the first is in the next `pools`, and a pool that
  is not as it was last seen is not changed but gives `Retry`. Removing what is gone is no error but
  `Gone`.
- *Without memory.* A driver made anew finds every pool of its cluster by the pools' tags and reads
  their identity from them.
- *As of today.* A pool says whether it would be made by other settings now. Such a pool is not grown: a
  launch makes another one of the same identity beside it.
- *Patient for seconds.* A cloud in trouble is asked again a few times where a repeat changes nothing twice;
  longer patience is the caller's.

Errors are the classes below, nothing else; anything else is a bug of the driver.
"""

from dataclasses import dataclass
from typing import Protocol

from provisioner.core.pools import Pool, PoolSpec


class DriverError(Exception):
    """A call that did not do what was asked; the class says what to do next."""


class NoCapacity(DriverError):
    """The cloud has none of that shape now, or a quota is used up: try the next offering."""


class Gone(DriverError):
    """The thing is not there any more: forget it."""


class Retry(DriverError):
    """Busy, throttled or unreachable: the same call may succeed later."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


class Trouble(Retry):
    """The cloud's own, and often over within seconds: throttled, failing inside, or unreachable."""


class Denied(DriverError):
    """Refused for good until somebody changes rights or settings: say so, do not insist."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Machines that were ordered and will not come."""

    pool: Pool
    error: DriverError


class Driver(Protocol):
    """One cluster's pools at one cloud."""

    def pools(self) -> tuple[Pool, ...]:
        """Every pool that we bought for the cluster, with its machines."""

    def launch(self, spec: PoolSpec, count: int, token: str) -> None:
        """Order machines: in the pool of that identity, which is made if there is none.

        The token says which need this serves; the same need always has the same token.
        """

    def terminate(self, pool: Pool, instance_id: str) -> None:
        """Give one machine back, without a replacement and without draining it (that is done)."""

    def delete(self, pool: Pool) -> None:
        """Delete a pool with whatever is in it."""

    def failures(self) -> tuple[Failure, ...]:
        """Orders that failed since the last `pools`; each is reported until it is withdrawn."""

    def withdraw(self, pool: Pool) -> None:
        """Take back what a pool has ordered and does not get, and machines that came broken."""
