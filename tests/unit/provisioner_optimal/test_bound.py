from random import Random

import numpy as np
import pytest

from provisioner.core.optimal.bound import Judge
from provisioner.core.optimal.tables import tabulate
from tests.support.packing import cheapest, fixed, flexible, group, problem, room


@pytest.mark.parametrize("seed", range(40))
def test_no_worths_whatever_give_a_bound_above_the_cheapest(seed: int) -> None:
    random = Random(seed)
    groups = [
        group(random.randrange(100, 2500, 100), random.randrange(1, 9), random.randrange(1, 3))
        for _ in range(3)
    ]
    rooms = [room(random.randrange(3000), random.randrange(9)) for _ in range(random.randrange(3))]
    asked = problem(groups, [fixed(3000, 10, "0.3"), flexible(4, "0.04", "0.02")], *rooms)
    tables, lost = tabulate(asked)
    best = cheapest(asked)
    assert not lost
    assert best is not None
    judge = Judge(tables)
    for _ in range(20):
        worth = np.array([random.random() for _ in range(tables.size)])
        assert judge.below(worth, random.randrange(1, 12))[0] <= float(best) + 1e-9


def test_worths_that_fit_give_the_price_itself() -> None:
    asked = problem([group(1000, 1, 6)], [fixed(2000, 8, "0.5")])
    tables, _ = tabulate(asked)
    assert Judge(tables).below(np.array([7.0]), 20)[0] == pytest.approx(1.5)
