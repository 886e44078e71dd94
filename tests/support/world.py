"""The provisioner's loop over a cloud and a cluster in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from provisioner.core.market import Catalog
from provisioner.core.policy import Policy
from provisioner.drivers.fake import FakeDriver
from provisioner.loop import Controller
from tests.support.fake_cluster import FakeCluster, Lines
from tests.support.provision import NOW

_ALIKE: Final = 8
"""Rounds: longer than any wait of the tests' policies."""


@dataclass
class World:
    """A provisioner with its cloud and its cluster; a round is one step and what the world does after it."""

    market: Catalog
    policy: Policy
    seconds: Callable[[], float] = lambda: 0
    driver: FakeDriver = field(default_factory=FakeDriver)
    log: Lines = field(default_factory=Lines)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.cluster = FakeCluster(self.market)
        self.restart()

    def restart(self) -> None:
        """As after kill -9: nothing of the old process is left."""
        self.controller = Controller(self.driver, self.cluster, self.market, self.policy, self.log)

    def step(self) -> None:
        before = set(self.driver.terminated)
        self.plan = self.controller.step(self.now, self.seconds)
        self.cluster.remove([each for each in self.driver.terminated if each not in before])
        self.now += timedelta(seconds=10)

    def settle(self) -> None:
        """Until nothing has changed for a while."""
        before: object = None
        alike = 0
        while alike < _ALIKE:
            self.rounds(1)
            now = (set(self.cluster.nodes), {each.key: each.node_name for each in self.cluster.pods.values()})
            before, alike = now, alike + 1 if now == before else 0

    def boot(self) -> None:
        self.cluster.register(self.driver.boot(), self.now)
        self.cluster.schedule()

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.step()
            self.boot()

    @property
    def bought(self) -> list[str]:
        return [spec.shape for spec, count, _ in self.driver.launches for _ in range(count)]

    @property
    def price_per_hour(self) -> Decimal:
        """Of the machines that the cloud has been asked for."""
        found = Decimal(0)
        for pool in self.driver.pools():
            spec = pool.spec
            offering = self.market.find(spec.shape, spec.capacity_type)
            assert offering is not None
            sized = (spec.ocpus, int(spec.memory_gib)) if spec.ocpus else (None, None)
            found += offering.price_of(*sized) * pool.size
        return found
