"""Removing all that was bought for a cluster: ask, wait, ask again, until nothing is left."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provisioner.drivers.contract import Denied, Retry


@dataclass(frozen=True, slots=True)
class Leftover:
    """A pool that is still there."""

    id: str
    is_going: bool
    """Its deletion was ordered already."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait until all is gone, and how long between two looks."""

    wait_s: float = 1800.0
    pause_s: float = 1.0


def remove_all(
    cluster: str,
    left: Callable[[], Sequence[Leftover]],
    delete: Callable[[str], str],
    patience: Patience,
) -> tuple[str, ...]:
    """Delete every pool that is left, and wait until they are gone; returns the ids of those it deleted.

    Args:
        cluster: its id, for the message.
        left: lists what is left; may raise Retry.
        delete: orders one pool's deletion; returns why that was not possible now, or nothing.
        patience: how long to try.

    Raises:
        Denied: when the cloud refuses, or when they are not gone in time; then it says why.
    """
    deadline = time.monotonic() + patience.wait_s
    asked: set[str] = set()
    while True:
        reasons = {"they are being deleted"}
        try:
            pools = left()
        except Retry as busy:
            reasons = {str(busy)}
        else:
            if not pools:
                return tuple(sorted(asked))
            for pool in pools:
                if not pool.is_going:
                    asked.add(pool.id)
                    reasons.add(delete(pool.id))
        if time.monotonic() > deadline:
            said = "; ".join(sorted(reasons - {""}))
            raise Denied(
                f"node pools bought for {cluster} are still there after {patience.wait_s:.0f} s: {said}"
            )
        time.sleep(patience.pause_s)
