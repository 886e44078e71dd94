"""A cloud in memory with settable failures, for tests of everything above the drivers."""

from collections import deque
from dataclasses import dataclass, field, replace

from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.drivers.contract import Failure, Gone, NoCapacity


@dataclass(slots=True)
class FakeDriver:
    """Keeps the contract; machines appear when `boot` is called.

    `errors` are raised by the next calls, one each (None: that call succeeds); with `loses_reply`
    the call does its work first, as when an answer is lost on the way. `sold_out` names shapes whose
    orders are taken and then fail. With `names_machines` the names of nodes are known before they are there.
    """

    errors: deque[Exception | None] = field(default_factory=deque)
    loses_reply: bool = False
    names_machines: bool = False
    sold_out: set[str] = field(default_factory=set)
    launches: list[tuple[PoolSpec, int, str]] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)
    _pools: dict[str, Pool] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)
    _number: int = 0

    def pools(self) -> tuple[Pool, ...]:
        """Every pool."""
        self._maybe_fail()
        self._tokens.clear()
        return tuple(self._pools.values())

    def launch(self, spec: PoolSpec, count: int, token: str) -> None:
        """Order machines; they are missing until `boot`."""
        if not self.loses_reply:
            self._maybe_fail()
        if token not in self._tokens:
            self._tokens.add(token)
            self.launches.append((spec, count, token))
            pool = self._pool(spec)
            self._pools[pool.id] = replace(pool, size=pool.size + count)
        if self.loses_reply:
            self._maybe_fail()

    def terminate(self, pool: Pool, instance_id: str) -> None:
        """Give a machine back at once."""
        self._maybe_fail()
        there = self._pools.get(pool.id)
        left = tuple(each for each in there.instances if each.id != instance_id) if there else ()
        if there is None or len(left) == len(there.instances):
            raise Gone(instance_id)
        self.terminated.append(instance_id)
        self._pools[pool.id] = replace(there, size=there.size - 1, instances=left)

    def delete(self, pool: Pool) -> None:
        """Delete a pool."""
        self._maybe_fail()
        if self._pools.pop(pool.id, None) is None:
            raise Gone(pool.id)

    def failures(self) -> tuple[Failure, ...]:
        """Orders of shapes that are sold out."""
        return tuple(
            Failure(pool, NoCapacity("out of host capacity"))
            for pool in self._pools.values()
            if pool.missing and pool.spec.shape in self.sold_out
        )

    def withdraw(self, pool: Pool) -> None:
        """Shrink a pool to what is there."""
        there = self._pools[pool.id]
        self._pools[pool.id] = replace(there, size=len(there.instances))

    def change_settings(self) -> None:
        """All pools that are there would be made otherwise from now on."""
        self._pools = {key: replace(pool, is_outdated=True) for key, pool in self._pools.items()}

    def boot(self) -> list[tuple[Instance, PoolSpec]]:
        """Let every machine appear that was ordered and can be had; returns the new ones."""
        new: list[tuple[Instance, PoolSpec]] = []
        for pool in self._pools.values():
            if pool.spec.shape in self.sold_out:
                continue
            ids = [self._next("instance") for _ in range(pool.missing)]
            come = [Instance(each, each if self.names_machines else "") for each in ids]
            self._pools[pool.id] = replace(pool, instances=(*pool.instances, *come))
            new += [(instance, pool.spec) for instance in come]
        return new

    def _pool(self, spec: PoolSpec) -> Pool:
        for pool in self._pools.values():
            if pool.spec == spec and not pool.is_outdated:
                return pool
        return Pool(self._next("pool"), f"rightsize-{spec.digest}", spec, 0)

    def _next(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def _maybe_fail(self) -> None:
        error = self.errors.popleft() if self.errors else None
        if error is not None:
            raise error
