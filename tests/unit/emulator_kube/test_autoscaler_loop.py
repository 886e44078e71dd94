"""What the emulated Cluster Autoscaler remembers between two scans."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.kube.autoscaler_loop import Autoscaler
from emulator.kube.spec import AutoscalerSettings, CloudBusy, CloudRefused, PoolLimits, ScalablePool
from tests.support.kube_objects import pool, waiting

NOW = 1_000_000.0


@dataclass
class Listed:
    """A cache with what it is given."""

    found: list[Any] = field(default_factory=list)

    def items(self) -> dict[str, Any]:
        return {each.name: each for each in self.found}


@dataclass
class Hooks:
    """A cloud with one empty pool that answers requests to grow by raising, in turn, what is given."""

    answers: list[CloudRefused | None]
    asked: int = 0

    def scalable_pools(self) -> Sequence[ScalablePool]:
        return [pool(size=0)]

    def grow_pool(self, pool_id: str, by: int) -> None:
        del pool_id, by
        answer = self.answers[self.asked]
        self.asked += 1
        if answer is not None:
            raise answer


def autoscaler(hooks: Any) -> Any:
    nothing: Any = object()
    settings = AutoscalerSettings(nodes=(PoolLimits("pool", 0, 4),))
    pods: Any = Listed([waiting()])
    nodes: Any = Listed()
    return Autoscaler(nothing, pods, nodes, hooks, settings, {})


@pytest.mark.parametrize(
    ("refusal", "scans_later", "expected"),
    [
        (CloudBusy("another operation"), 10.0, 2),
        (CloudRefused("out of capacity"), 10.0, 1),
        (CloudRefused("out of capacity"), 301.0, 2),
    ],
)
def test_a_pool_is_backed_off_for_want_of_capacity_but_not_because_it_is_busy(
    refusal: CloudRefused, scans_later: float, expected: int
) -> None:
    hooks = Hooks([refusal, None])
    loop = autoscaler(hooks)
    loop._scan(NOW)
    loop._scan(NOW + scans_later)
    assert hooks.asked == expected
